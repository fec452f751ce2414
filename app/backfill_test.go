package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/source"
)

// TestPositions: up to when a place was seen, as events and looks tell; a place that was silent for too long
// stays so until its history was looked up, and a look that failed moves nothing.
func TestPositions(t *testing.T) {
	t.Parallel()
	const after = time.Hour
	place := source.BackfillPlace{Account: "111122223333", Region: "eu-west-1"}
	start := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		seen   time.Duration // before the event; 0 is never
		late   time.Duration // of the event
		other  bool          // not a call, but what another service found
		failed bool          // the handler
		want   time.Duration
	}{
		"heard":         {seen: 30 * time.Minute, want: 15 * time.Minute},
		"silent":        {seen: 2 * time.Hour, want: 2 * time.Hour},
		"never":         {},
		"late":          {seen: 30 * time.Minute, late: 20 * time.Minute, want: 30 * time.Minute},
		"other_kind":    {seen: 30 * time.Minute, other: true, want: 30 * time.Minute},
		"not_committed": {seen: 30 * time.Minute, failed: true, want: 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := start
			x := examined(t, &now)
			p := Positions{Store: x.Store, Now: x.Now}
			if tc.seen > 0 {
				if err := p.Note(t.Context(), place, source.Filled{To: now.Add(-tc.seen)}); err != nil {
					t.Fatal(err)
				}
			}
			d := source.Delivery{At: now, Events: []dera.Event{{Time: now, Scope: dera.Scope{Account: place.Account, Region: place.Region}}}}
			if !tc.other {
				d.Heard = map[source.BackfillPlace]time.Time{place: now.Add(-tc.late)}
			}
			err := p.Hearing(after, func(context.Context, source.Delivery) error {
				return map[bool]error{true: errors.New("away")}[tc.failed]
			})(t.Context(), d)
			if (err != nil) != tc.failed {
				t.Errorf("got %v", err)
			}
			seen, err := p.Seen(t.Context(), place)
			if err != nil || tc.want == 0 && !seen.IsZero() || tc.want > 0 && !seen.Equal(now.Add(-tc.want)) {
				t.Errorf("got %s, %v, want %s ago", seen, err, tc.want)
			}
		})
	}
}

// TestDoctorOnBackfill: what failed is named with the permission, and what was looked up is counted.
func TestDoctorOnBackfill(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	x := examined(t, &now)
	says := func() string {
		x.report = Diagnosis{Summary: map[Health]int{}}
		if err := x.backfills(t.Context()); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, c := range x.report.Checks {
			out = append(out, string(c.Health)+" "+c.Says+" "+c.Fix)
		}
		return strings.Join(out, "\n")
	}
	if got := says(); got != "" {
		t.Errorf("where it is off: got %q", got)
	}
	x.Backfill = time.Hour
	if got := says(); !strings.Contains(got, "not_tested") {
		t.Errorf("before the first look: got %q", got)
	}
	p := Positions{Store: x.Store, Now: x.Now}
	east := source.BackfillPlace{Account: "111122223333", Region: "us-east-1"}
	west := source.BackfillPlace{Account: "111122223333", Region: "us-west-2"}
	if err := p.Note(t.Context(), east, source.Filled{To: now, Events: 7, Cut: true}); err != nil {
		t.Fatal(err)
	}
	if err := p.Note(t.Context(), west, source.Filled{To: now, Err: &cloud.Error{Call: "cloudtrail:LookupEvents", Problem: cloud.Denied, Err: errors.New("no")}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"todo 111122223333/us-west-2", "cloudtrail:LookupEvents to the reader", "good looked up for 1 places", "Of 1 there were more"} {
		if got := says(); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
	if seen, err := p.Seen(t.Context(), west); err != nil || !seen.IsZero() {
		t.Errorf("a look that failed moved the position to %s, %v", seen, err)
	}
}

// TestBackfillPlaces: each account in the regions of its partition, and in the one of global services.
func TestBackfillPlaces(t *testing.T) {
	t.Parallel()
	got := BackfillPlaces([]dera.Account{{ID: "1"}, {ID: "2", Partition: "aws-cn"}}, []string{"eu-west-1", "us-east-1", "cn-northwest-1"})
	want := []source.BackfillPlace{{Account: "1", Region: "us-east-1"}, {Account: "1", Region: "eu-west-1"}, {Account: "2", Region: "cn-north-1"}, {Account: "2", Region: "cn-northwest-1"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
