package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dera.example/dera/app"
)

// livedTally is what some replays came to.
type livedTally struct {
	granted, removable, free, removed, undone int
	plans                                     int
	waiting                                   int
	held, broken, undecided                   uint64
	wrong                                     []string // by the truth alone
}

func (a *livedTally) add(b livedTally) {
	a.granted, a.removable, a.free, a.removed, a.undone = a.granted+b.granted, a.removable+b.removable, a.free+b.free, a.removed+b.removed, a.undone+b.undone
	a.plans, a.waiting, a.held, a.broken, a.undecided = a.plans+b.plans, a.waiting+b.waiting, a.held+b.held, a.broken+b.broken, a.undecided+b.undecided
	a.wrong = append(a.wrong, b.wrong...)
}

// judge holds a report against the truth, which knows no policy language: what each policy
// lists, who has it, what was taken from it, and what was called when.
func (l *lived) judge(t *testing.T, r app.NarrowedReport) (out livedTally) {
	t.Helper()
	s := r.Summary
	out.plans, out.waiting, out.held, out.broken, out.undecided = s.Plans, s.Waiting, s.Held, s.Broken, s.Undecided
	used := map[string]bool{}
	for _, u := range l.uses {
		used[u.principal+" "+u.action] = true
	}
	taken, detached := map[string]time.Time{}, map[string]time.Time{} // when: by document and action, by principal and document
	for _, n := range r.Narrowed {
		key := n.Resource.Resource()
		for _, line := range n.Diff {
			if arn, ok := strings.CutPrefix(line, "- attached "); ok {
				detached[key+" "+strings.TrimPrefix(arn, livedARN(""))] = n.Day
				continue
			}
			doc := key
			if strings.Contains(line, `"new"`) {
				doc += "/new"
			}
			for a := range l.docs[doc] { // a statement that goes whole is the whole policy, and not all of it is named
				if strings.HasPrefix(line, "- ") && (strings.Contains(line, ": allow ") || strings.HasSuffix(line, ": "+a)) {
					taken[doc+" "+a] = n.Day
				}
			}
		}
	}
	for _, u := range l.uses { // who called had it by one policy at least, or has not any more
		at := l.begin.AddDate(0, 0, u.day)
		has := false
		for _, doc := range l.holds[u.principal] {
			t1, gone := taken[doc+" "+u.action]
			t2, off := detached[u.principal+" "+doc]
			has = has || l.docs[doc][u.action] && l.since[doc] <= u.day && (!gone || t1.After(at)) && (!off || t2.After(at))
		}
		if !has {
			out.wrong = append(out.wrong, fmt.Sprintf("%s called %s on day %d", u.principal, u.action, u.day))
		}
	}
	for doc, actions := range l.docs {
		var holders []string
		for who, list := range l.holds {
			if slices.Contains(list, doc) {
				holders = append(holders, who)
			}
		}
		for a := range actions {
			out.granted++
			isUsed := func(who string) bool { return used[who+" "+a] }
			if len(holders) == 0 || !isVisible(a) || slices.ContainsFunc(holders, isUsed) {
				continue
			}
			out.removable++
			_, gone := taken[doc+" "+a]
			off := !slices.ContainsFunc(holders, func(who string) bool { _, off := detached[who+" "+doc]; return !off })
			if free(a) {
				out.free++
			}
			if gone || off {
				out.removed++
			}
		}
	}
	return out
}

// livedCase is how an account is replayed.
type livedCase struct {
	name, config   string
	declared, late bool
	safe           bool // it breaks nothing
}

func livedCases() []livedCase {
	return []livedCase{
		{"as it comes, 90 days", "version: 1\npermissions:\n  window_days: 90\n", false, false, false},
		{"no guardrail of sessions, 90 days", "version: 1\npermissions:\n  active_session: 0s\n", false, false, false},
		{"the same, rare work declared, grants are new for 30 days", "version: 1\npermissions:\n  active_session: 0s\n  new_grant_days: 30\n", true, false, true},
		{"365 days instead, grants are new for 30 days", "version: 1\npermissions:\n  active_session: 0s\n  new_grant_days: 30\n  window_days: 365\n", false, false, true},
		{"declared, with first uses that nobody could know", "version: 1\npermissions:\n  active_session: 0s\n  new_grant_days: 30\n", true, true, false},
	}
}

// livedInDocs is of how many accounts docs/recall.md has the table.
const livedInDocs = 10

// TestLivedAccounts replays accounts of 400 days, with work that is daily to yearly, new services, deployers,
// schedules, denied attempts and a gap in each third record: where rare work is declared, or the window is as long as the
// rarest work, what is automatic breaks no call, by the report and by the truth. Of the other ways
// one account shows that broken calls are found. DERA_LIVED_SEEDS says of how many accounts all
// ways are replayed instead.
func TestLivedAccounts(t *testing.T) {
	t.Parallel()
	long, err := strconv.Atoi(os.Getenv("DERA_LIVED_SEEDS"))
	var table strings.Builder
	for _, tt := range livedCases() {
		seeds := long
		switch {
		case err == nil:
		case tt.safe:
			seeds = 3
		case tt.late:
			seeds = 1
		default:
			continue
		}
		var all livedTally
		for seed := range seeds {
			l := newLived(uint64(seed), tt.late)
			r, _ := replayedWith(t, l.write(t, tt.config, tt.declared)...)
			if r.IAM == nil || r.IAM.Summary.Unknown > 0 || len(r.IAM.Unfollowed) > 0 {
				t.Fatalf("%s, account %d: got %+v, want that everything is known", tt.name, seed, r.IAM)
			}
			all.add(l.judge(t, *r.IAM))
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %d | %d (%d %%) | %d | %d | %d | %d |\n", tt.name, all.granted, all.removable, all.free, all.removed, 100*all.removed/all.removable, all.waiting, all.held, all.broken, len(all.wrong))
		if uint64(len(all.wrong)) != all.broken || all.undecided > 0 {
			t.Errorf("%s: got %d broken calls and %d undecided ones; by the truth %d: %v", tt.name, all.broken, all.undecided, len(all.wrong), all.wrong[:min(5, len(all.wrong))])
		}
		if tt.safe && (all.broken > 0 || all.plans == 0) || tt.late && all.broken == 0 {
			t.Errorf("%s: got %d broken calls after %d plans: %v", tt.name, all.broken, all.plans, all.wrong[:min(5, len(all.wrong))])
		}
		if tt.safe && tt.declared && all.removed*5 < all.removable*4 {
			t.Errorf("%s: got %d of %d removed, want four fifths", tt.name, all.removed, all.removable)
		}
	}
	t.Logf("%d accounts\n%s", long, table.String())
	if docs, err := os.ReadFile("../../docs/recall.md"); long == livedInDocs && (err != nil || !strings.Contains(string(docs), table.String())) {
		t.Errorf("docs/recall.md does not hold this table (%v)", err)
	}
}
