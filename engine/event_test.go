package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

func (w *world) count(operation string) int { return len(w.ours(operation)) }

func TestEventsCoalesce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(443, 443, "10.0.0.0/8"))
	for range 100 {
		w.ingest(w.event(id))
	}
	w.drain()
	if n := w.count("DescribeSecurityGroups"); n != 1 {
		t.Errorf("looks for 100 events of one group: got %d, want 1", n)
	}
	// They found nothing new, so that they are looked at once more: one cheap call.
	w.quiet()
	if groups, rules := w.count("DescribeSecurityGroups"), w.count("DescribeSecurityGroupRules"); groups != 2 || rules != 0 {
		t.Errorf("calls in all: got %d for groups and %d for rules, want 2 and none", groups, rules)
	}
}

// An event that comes while its group is looked at asks for another look: what
// it tells of may be newer than what was read.
func TestEventDuringALookAsksForAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(443, 443, "10.0.0.0/8"))
	w.cloud.Inject(awssim.Fault{Match: byEngine("DescribeSecurityGroups"), Kind: awssim.HookAfter, Times: 1, Func: func() {
		w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
		w.ingest(w.event(id))
	}})
	w.look(id)
	if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
		t.Errorf("finding: got %q, want it found and fixed", f.State)
	}
}

func TestEventsFromElsewhereAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	foreign, elsewhere, untyped := w.event(id), w.event(id), w.event(id)
	foreign.Scope.Account = "999988887777"
	elsewhere.Scope.Region = "eu-west-1"
	untyped.Scope.Type = "AWS::S3::Bucket"
	w.ingest(foreign, elsewhere, untyped)
	w.drain()
	counts, err := w.store.Counters(t.Context())
	if err != nil || counts["events_foreign"] != 3 {
		t.Errorf("counters: got %v (%v), want 3 foreign events", counts, err)
	}
	if calls := w.count("DescribeSecurityGroups"); calls != 0 {
		t.Errorf("calls: got %d, want none", calls)
	}
	if jobs, err := w.store.Jobs(t.Context()); err != nil || len(jobs) != 0 {
		t.Errorf("jobs: got %+v (%v), want none", jobs, err)
	}
}

// An event can name anything: an ID that cannot be is gone, and its job ends.
func TestEventWithAnImpossibleIDEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ingest(w.event("sg-xyz!"), w.event("sg-0123456789abcdef0"))
	w.drain()
	w.settle()
	if jobs, err := w.store.Jobs(t.Context()); err != nil || len(jobs) != 0 {
		t.Errorf("jobs: got %+v (%v), want none", jobs, err)
	}
}

// Whatever happens to events, the next sweep finds everything (I3).
func TestSweepFindsWhatEventsLost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		events func(w *world, ids []string) []dera.Event
	}{
		{name: "dropped", events: func(*world, []string) []dera.Event { return nil }},
		{name: "half_of_them", events: func(w *world, ids []string) []dera.Event {
			var out []dera.Event
			for i, id := range ids {
				if i%2 == 0 {
					out = append(out, w.event(id))
				}
			}
			return out
		}},
		{name: "duplicated_and_reordered", events: func(w *world, ids []string) []dera.Event {
			var out []dera.Event
			for _, id := range slices.Backward(ids) {
				out = append(out, w.event(id), w.event(ids[0]), w.event(id))
			}
			return out
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var ids []string
			for i := range 10 {
				ids = append(ids, w.group(fmt.Sprintf("web-%d", i), tcp(22, 22, "0.0.0.0/0")))
			}
			w.ingest(tt.events(w, ids)...)
			w.drain()
			w.sweep()
			w.quiet()
			for _, id := range ids {
				if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved || len(w.ingress(id)) != 0 {
					t.Errorf("group %s: got %q with %q, want it resolved", id, f.State, w.ingress(id))
				}
			}
			if n := w.count(revoke); n != len(ids) {
				t.Errorf("revokes: got %d, want one for each of %d groups", n, len(ids))
			}
		})
	}
}

// A finding is resolved by a passing read or an explicit not-found, by nothing
// else (design §6.1.3).
func TestOnlyAnAnswerResolves(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(w *world, id string)
		state  dera.FindingState
		unread bool
	}{
		{name: "deleted_group_is_resolved", change: func(w *world, id string) { w.remove(id) }, state: dera.FindingResolved},
		{name: "denied_list_resolves_nothing", state: dera.FindingOpen, unread: true, change: func(w *world, id string) {
			w.remove(id)
			w.cloud.Inject(awssim.Fault{Match: byEngine("DescribeSecurityGroups"), Kind: awssim.Denied})
		}},
		{name: "cut_page_resolves_nothing", state: dera.FindingOpen, unread: true, change: func(w *world, id string) {
			w.cloud.Inject(awssim.Fault{Match: byEngine("DescribeSecurityGroups"), Kind: awssim.PartialPage})
		}},
		{name: "denied_rules_resolve_nothing", state: dera.FindingOpen, unread: true, change: func(w *world, id string) {
			w.cloud.Inject(awssim.Fault{Match: byEngine("DescribeSecurityGroupRules"), Kind: awssim.Denied})
		}},
		{name: "closed_group_is_resolved", change: func(w *world, id string) { w.revoke(id, wideRule()) }, state: dera.FindingResolved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
			for i := range 7 {
				w.group(fmt.Sprintf("other-%d", i), tcp(443, 443, "10.0.0.0/8"))
			}
			id := w.group("lab", wideRule())
			w.sweep()
			if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
				t.Fatalf("finding: got %q, want open", f.State)
			}
			tt.change(w, id)
			w.clock.Advance(time.Minute)
			w.sweep()
			for key, f := range w.findings(id) {
				if f.State != dera.FindingOpen {
					t.Errorf("finding %s after one read: got %s, want it open until a second one agrees", key, f.State)
				}
			}
			w.settle()
			for key, f := range w.findings(id) {
				if f.State != tt.state {
					t.Errorf("finding %s: got %s, want %s", key, f.State, tt.state)
				}
			}
			if unread := slices.ContainsFunc(w.news, func(n engine.News) bool { return n.What == "unread" }); unread != tt.unread {
				t.Errorf("unread news: got %t, want %t", unread, tt.unread)
			}
			jobs, err := w.store.Jobs(t.Context())
			again := slices.ContainsFunc(jobs, func(j dera.Job) bool { return j.Kind == "look" })
			if err != nil || again != tt.unread {
				t.Errorf("jobs: got %+v (%v), want another look: %t", jobs, err, tt.unread)
			}
			want := dera.Waiting
			if tt.state == dera.FindingResolved {
				want = dera.Superseded
			}
			wantState(t, w.remediations(id)[0], want)
		})
	}
}

// The continuation of a sweep that ran out does not stay a job for ever: the
// sweep begins again and comes to its end.
func TestSweepBeginsAgainWhenItsPageRanOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 6 {
		w.group(fmt.Sprintf("web-%d", i), tcp(22, 22, "0.0.0.0/0"))
	}
	w.cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: "DescribeSecurityGroups", Where: func(c awssim.Call) bool {
		return strings.HasSuffix(c.Principal, "user/dera") && c.Parameters["MaxResults"] != "" && c.Parameters["Filter.1.Name"] == ""
	}}, Kind: awssim.PartialPage, Times: 1})
	w.sweep()
	w.quiet()
	if n := w.count(revoke); n != 6 {
		t.Errorf("revokes: got %d, want 6", n)
	}
}

// A sweep reads pages, and single groups only where they fail. The numbers of
// calls are exact.
func TestSweepReadsPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		clean   int
		failing int
		want    map[string]int
	}{
		{name: "a_clean_account", clean: 1050, want: map[string]int{"GetCallerIdentity": 1, "DescribeSecurityGroups": 2}},
		{name: "three_failing_groups_of_1_050", clean: 1047, failing: 3,
			want: map[string]int{"GetCallerIdentity": 1, "DescribeSecurityGroups": 2, "DescribeSecurityGroupRules": 1, "DescribeVpcs": 1, "DescribeRouteTables": 1, "DescribeAddresses": 1, "DescribeNetworkInterfaces": 2}},
		{name: "more_failing_groups_than_a_filter_takes", clean: 2, failing: 250,
			want: map[string]int{"GetCallerIdentity": 1, "DescribeSecurityGroups": 1, "DescribeSecurityGroupRules": 2, "DescribeVpcs": 1, "DescribeRouteTables": 1, "DescribeAddresses": 1, "DescribeNetworkInterfaces": 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = dera.Observe })
			w.emptyDefault()
			for i := range tt.clean {
				w.group(fmt.Sprintf("clean-%d", i), tcp(443, 443, "10.0.0.0/8"))
			}
			for i := range tt.failing {
				w.group(fmt.Sprintf("open-%d", i), tcp(22, 22, "0.0.0.0/0"))
			}
			w.sweep()
			got := map[string]int{}
			for _, c := range w.cloud.Calls() {
				if strings.HasSuffix(c.Principal, "user/dera") {
					got[c.Operation]++
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("calls: got %v, want %v", got, tt.want)
			}
			list, err := w.store.Findings(t.Context())
			if err != nil || len(list) != tt.failing {
				t.Errorf("findings: got %d (%v), want %d", len(list), err, tt.failing)
			}
		})
	}
}

// emptyDefault takes the rules of the default group away, which fails a control.
func (w *world) emptyDefault() {
	w.t.Helper()
	w.group("first", tcp(443, 443, "10.0.0.0/8"))
	for _, g := range w.cloud.Snapshot().Groups {
		if g.Name == "default" {
			w.revoke(g.ID, awssim.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, Group: g.ID})
			w.revoke(g.ID, awssim.Rule{Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"})
		}
	}
}
