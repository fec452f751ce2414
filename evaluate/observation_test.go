package evaluate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

type firstLook struct {
	at  time.Time
	err error
}

func (l firstLook) FirstLook(_ context.Context, control, account string) (time.Time, error) {
	if control != "ctl" || account != "111122223333" {
		return time.Time{}, errors.New("asked for another place")
	}
	return l.at, l.err
}

func TestObservation(t *testing.T) {
	t.Parallel()
	ago := func(days int) firstLook { return firstLook{at: noon.AddDate(0, 0, -days)} }
	short := func(days int, until string, w Where) []Shorter {
		return []Shorter{{Match: w, Days: days, Who: "ann", Reason: "pilot", Until: until}}
	}
	tests := []struct {
		name string
		rail Observation
		mode dera.Mode
		want dera.Disposition // 0: an error
		why  string
	}{
		{name: "never_looked_at", rail: Observation{Ledger: firstLook{}}, mode: dera.Enforce, want: dera.Review, why: "until 2026-12-07"},
		{name: "thirteen_days", rail: Observation{Ledger: ago(13)}, mode: dera.Enforce, want: dera.Review, why: "until 2026-11-24"},
		{name: "fourteen_days", rail: Observation{Ledger: ago(14)}, mode: dera.Enforce, want: dera.Auto, why: "observed since 2026-11-09"},
		{name: "longer", rail: Observation{Ledger: ago(14), Days: 30}, mode: dera.Enforce, want: dera.Review},
		{name: "observe_shows_what_would_be", rail: Observation{Ledger: ago(1)}, mode: dera.Observe, want: dera.Auto},
		{name: "review_asks_anyway", rail: Observation{Ledger: ago(1)}, mode: dera.ReviewOnly, want: dera.Auto},
		{name: "named_on_the_command_line", rail: Observation{Ledger: ago(1), Named: true}, mode: dera.Enforce, want: dera.Auto, why: "named for this very command"},
		{name: "shorter", rail: Observation{Ledger: ago(3), Shorter: short(3, "2026-11-23", Where{})}, mode: dera.Enforce, want: dera.Auto, why: "by ann: pilot"},
		{name: "shorter_and_not_over", rail: Observation{Ledger: ago(2), Shorter: short(3, "2026-11-23", Where{})}, mode: dera.Enforce, want: dera.Review, why: "by ann: pilot"},
		{name: "shorter_has_run_out", rail: Observation{Ledger: ago(3), Shorter: short(3, "2026-11-22", Where{})}, mode: dera.Enforce, want: dera.Review},
		{name: "shorter_elsewhere", rail: Observation{Ledger: ago(3), Shorter: short(3, "2099-01-01", Where{Account: "4444*"})}, mode: dera.Enforce, want: dera.Review},
		{name: "no_days_at_all", rail: Observation{Ledger: ago(0), Shorter: short(0, "2099-01-01", Where{Control: "c*"})}, mode: dera.Enforce, want: dera.Auto},
		{name: "cannot_be_read", rail: Observation{Ledger: firstLook{err: errors.New("down")}}, mode: dera.Enforce},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.rail.Now = atNoon
			r, err := tt.rail.Check(t.Context(), caseOf(func(c *Case) { c.Mode = tt.mode }))
			if tt.want == 0 {
				if err == nil {
					t.Errorf("got %+v, want an error", r)
				}
				return
			}
			if err != nil || r.Disposition != tt.want || !strings.Contains(r.Why, tt.why) {
				t.Errorf("got %s %q, %v, want %s with %q", r.Disposition, r.Why, err, tt.want, tt.why)
			}
		})
	}
}

func TestObservationIsChecked(t *testing.T) {
	t.Parallel()
	good := Shorter{Days: 1, Who: "a", Reason: "b", Until: "2027-01-01"}
	with := func(change func(*Shorter)) Observation {
		s := good
		change(&s)
		return Observation{Shorter: []Shorter{good, s}}
	}
	for want, g := range map[string]Observation{
		"observation.days: is 3":                             {Days: 3},
		"observation.shorter[1].days":                        with(func(s *Shorter) { s.Days = 14 }),
		"observation.shorter[1].who":                         with(func(s *Shorter) { s.Who = " " }),
		"observation.shorter[1].reason":                      with(func(s *Shorter) { s.Reason = "" }),
		"observation.shorter[1].until":                       with(func(s *Shorter) { s.Until = "soon" }),
		"observation.shorter[1].match.resource_tags":         with(func(s *Shorter) { s.Match.ResourceTags = map[string]string{"a": "b"} }),
		"is 400, must be 14 to 366; shorter only by observa": {Days: 400},
	} {
		if err := g.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if err := (Observation{Days: 20, Shorter: []Shorter{good}}).Validate(); err != nil {
		t.Errorf("a good one: got %v", err)
	}
}
