package evaluate

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

func TestQuietHours(t *testing.T) {
	t.Parallel()
	no := false
	berlin := QuietHours{
		Zone: "Europe/Berlin", FridayFrom: "15:30", Weekend: &no, Holidays: []string{"2026-12-24", "2027-01-01"},
		Releases: []Release{{Name: "11.0", From: "2026-11-30", Until: "2026-12-02T06:00"}},
	}
	for _, tt := range []struct {
		name string
		cfg  QuietHours
		at   string
		want string // "" for none
	}{
		{"monday", QuietHours{}, "2026-11-23T12:00:00Z", ""},
		{"friday_morning", QuietHours{}, "2026-11-27T11:59:59Z", ""},
		{"friday_noon", QuietHours{}, "2026-11-27T12:00:00Z", "Friday from 12:00, UTC"},
		{"saturday", QuietHours{}, "2026-11-28T00:00:00Z", "the weekend"},
		{"sunday", QuietHours{}, "2026-11-29T23:59:59Z", "the weekend"},
		{"monday_midnight", QuietHours{}, "2026-11-30T00:00:00Z", ""},
		{"off", QuietHours{Off: true}, "2026-11-28T00:00:00Z", ""},
		{"no_friday", QuietHours{FridayFrom: "24:00"}, "2026-11-27T23:59:59Z", ""},
		{"friday_of_the_zone_not_yet", berlin, "2026-11-27T14:29:00Z", ""},
		{"friday_of_the_zone", berlin, "2026-11-27T14:30:00Z", "Friday from 15:30, Europe/Berlin"},
		{"friday_of_the_zone_is_over", berlin, "2026-11-27T23:00:00Z", ""},
		{"weekend_counts_not", berlin, "2026-11-28T12:00:00Z", ""},
		{"release", berlin, "2026-11-29T23:00:00Z", `release "11.0" until 2026-12-02 06:00`},
		{"release_is_not_yet", berlin, "2026-11-29T22:59:59Z", ""},
		{"release_is_over", berlin, "2026-12-02T05:00:00Z", ""},
		{"before_a_holiday", berlin, "2026-12-22T23:00:00Z", "the day before the holiday 2026-12-24"},
		{"holiday", berlin, "2026-12-24T22:59:59Z", "holiday 2026-12-24"},
		{"after_a_holiday", berlin, "2026-12-24T23:00:00Z", ""},
		{"last_day_of_the_year", berlin, "2026-12-31T10:00:00Z", "the day before the holiday 2027-01-01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			g, err := NewQuiet(tt.cfg, func() time.Time { return at })
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.Check(t.Context(), losingCase([]string{"s3:GetObject"}, app(nil)))
			want := dera.Auto
			if tt.want != "" {
				want = dera.Review
			}
			if err != nil || got.Disposition != want || want == dera.Review && !strings.Contains(got.Why, tt.want) {
				t.Errorf("got %s %q, %v, want %s %q", got.Disposition, got.Why, err, want, tt.want)
			}
			if got, err := g.Check(t.Context(), caseOf(nil)); err != nil || got.Disposition != dera.Auto {
				t.Errorf("what decides nobody's permissions: got %s %q, %v", got.Disposition, got.Why, err)
			}
		})
	}
}

func TestQuietHours_are_validated(t *testing.T) {
	t.Parallel()
	_, err := NewQuiet(QuietHours{
		Zone: "Europe/Berlon", FridayFrom: "12", Holidays: []string{"2026-12-24", "24.12."},
		Releases: []Release{{From: "soon"}, {Name: "a", From: "2026-12-02", Until: "2026-12-01"}},
	}, time.Now)
	want := []string{"zone", "friday_from", "holidays[1]", "releases[0].name", "releases[0].from", "releases[0].until", "releases[1].until"}
	errs := split(err)
	for i, e := range errs {
		if i >= len(want) || !strings.HasPrefix(e.Error(), "permissions.quiet_hours."+want[i]+": ") {
			t.Errorf("got %q, want the field of %v", e, want)
		}
	}
	if len(errs) != len(want) {
		t.Errorf("got %d errors, want %d", len(errs), len(want))
	}
}
