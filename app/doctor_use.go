package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera/resource"
)

// UseRecord is what is recorded of the use of an account's principals.
type UseRecord struct {
	// From is the first hour of which anything is recorded, and To the end of the
	// record; zero where nothing is recorded.
	From, To time.Time
	// Window is how long before To a permission must not have been used, and Gaps
	// counts what the record does not cover of it, by kind.
	Window time.Duration
	Gaps   map[string]int
}

// use looks how far the record of use reaches: what rests on it, nobody can judge
// without.
func (x *examination) use(ctx context.Context) {
	if x.Recorded == nil || ctx.Err() != nil {
		return
	}
	defer func() { x.account = "" }()
	for _, account := range x.accounts() {
		if x.account = account; account == "" {
			continue // nobody knows which one it is
		}
		r, err := x.Recorded(ctx, account)
		if err != nil {
			x.says("usage record", account, Unchecked, plainCause(err), "")
			continue
		}
		h, says, fix := r.health(x.Now())
		x.says("usage record", account, h, says, fix)
	}
}

// health says what is recorded, and what is missing for an automatic change.
func (r UseRecord) health(now time.Time) (h Health, says, fix string) {
	const day = 24 * time.Hour
	if r.To.IsZero() {
		return ToDo, "nothing is recorded of what principals did, so no permission is judged as unused",
			"import CloudTrail log files with dera usage import, see docs/least-privilege.md"
	}
	age := max(0, now.Sub(r.To)).Truncate(time.Hour)
	says = fmt.Sprintf("from %s to %s (%s), ends %s ago", r.From.UTC().Format(time.DateOnly), r.To.UTC().Format(time.DateOnly), countOf(int(r.To.Sub(r.From)/day), "day"), countOf(int(age/time.Hour), "hour"))
	var fixes []string
	if resource.Stale(r.To, now) {
		says += ", which is stale"
		fixes = append(fixes, "import the log files since then with dera usage import")
	}
	if window := int(r.Window / day); r.To.Sub(r.From) < r.Window {
		says += fmt.Sprintf("; an automatic change needs %s", countOf(window, "day"))
		fixes = append(fixes, "import earlier log files, or wait")
	}
	var gaps []string
	serious := false
	for _, kind := range slices.Sorted(maps.Keys(r.Gaps)) {
		gaps = append(gaps, fmt.Sprintf("%d %s", r.Gaps[kind], kind))
		serious = serious || kind != resource.GapOfDataEvents
	}
	if len(gaps) == 0 {
		gaps = []string{"none"}
	}
	says += fmt.Sprintf("; gaps in its last %s: %s", countOf(int(r.Window/day), "day"), strings.Join(gaps, ", "))
	if serious {
		fixes = append(fixes, "dera usage gaps lists the gaps")
	}
	if len(fixes) > 0 {
		return ToDo, says, strings.Join(fixes, "; ")
	}
	return Healthy, says, ""
}

// countOf writes a number of things.
func countOf(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
