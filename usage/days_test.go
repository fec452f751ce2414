package usage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/usage"
)

// TestDays: a ledger that is fed day by day holds what was called until then and nothing of
// later days; a day without any event is a gap of 90 days, and all others are recorded whole.
func TestDays(t *testing.T) {
	t.Parallel()
	days := usage.NewDays()
	const silent = 20
	for i := range 130 {
		at := start.Truncate(24*time.Hour).AddDate(0, 0, i).Add(9 * time.Hour)
		if i == silent {
			continue
		}
		for _, r := range []string{record(fmt.Sprint("d", i), "daily", "GetBucketAcl", at), record(fmt.Sprint("e", i), "other", fmt.Sprint("Get", i), at)} {
			if why := days.Take([]byte(r)); why != usage.Counted {
				t.Fatalf("take %s: %s", r, why)
			}
		}
	}
	now := start
	l := usage.New(usage.NewMemory(), func() time.Time { return now })
	if err := days.Declare(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	from, to, without := days.Span("111122223333")
	if without != 1 || !from.Equal(start.Truncate(24*time.Hour).Add(9*time.Hour)) || !to.Equal(start.Truncate(24*time.Hour).AddDate(0, 0, 130)) {
		t.Errorf("span: got %s to %s, %d days without an event", from, to, without)
	}
	for i := range 130 {
		now = start.Truncate(24*time.Hour).AddDate(0, 0, i+1)
		used, err := days.Feed(t.Context(), l, now)
		if err != nil {
			t.Fatal(err)
		}
		if want := 2; i == silent && len(used) != 0 || i != silent && len(used) != want {
			t.Errorf("day %d: got %d principals, want %d", i, len(used), want)
		}
		if other, err := l.Principal(t.Context(), "arn:aws:iam::111122223333:role/other"); err != nil || len(other.Uses) != i+1-map[bool]int{true: 1}[i >= silent] {
			t.Fatalf("day %d: got %d actions of the role, %v; want those until then", i, len(other.Uses), err)
		}
		if i < 91 {
			continue
		}
		gaps, err := l.Gaps(t.Context(), usage.Window{Account: "111122223333", From: now.AddDate(0, 0, -90), To: now})
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, g := range gaps {
			kinds = append(kinds, string(g.Kind))
		}
		want := "data-events-not-selected"
		if now.AddDate(0, 0, -90).Before(start.Truncate(24*time.Hour).AddDate(0, 0, silent+1)) {
			want += " hours-missing"
		}
		slices.Sort(kinds)
		if got := strings.Join(slices.Compact(kinds), " "); got != want {
			t.Errorf("day %d: got the gaps %q, want %q", i, got, want)
		}
	}
}

// TestDaysWithLosses: an event that nobody can read may be a use by anybody: nothing is
// recorded whole.
func TestDaysWithLosses(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*usage.Days){
		"unread":    func(d *usage.Days) { d.Unread() },
		"no_record": func(d *usage.Days) { d.Take([]byte("{}")) },
		"not_a_time": func(d *usage.Days) {
			d.Take([]byte(strings.Replace(record("x", "a", "Get", start), start.Format(time.RFC3339), "soon", 1)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			days := usage.NewDays()
			days.Take([]byte(record("1", "daily", "Get", start)))
			lose(days)
			l := usage.New(usage.NewMemory(), func() time.Time { return start })
			if err := days.Declare(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			gaps, err := l.Gaps(t.Context(), usage.Window{Account: "111122223333", From: start, To: start.Add(24 * time.Hour)})
			if err != nil || !slices.ContainsFunc(gaps, func(g usage.Gap) bool { return g.Kind == usage.GapLost }) {
				t.Errorf("got %v, %v; want a gap of what was lost", gaps, err)
			}
		})
	}
}
