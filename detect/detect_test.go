package detect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
)

// group is the configuration of the tests: what a control says of it.
type group struct {
	result control.Result
	panics bool
}

func judging(id string) control.Control {
	return control.Define(control.Spec[group]{
		Meta: control.Meta{ID: id, Title: id, Type: "T", Severity: dera.High},
		Check: func(g group, _ control.Settings) control.Result {
			if g.panics {
				panic("secret")
			}
			return g.result
		},
	})
}

func failing(keys ...string) control.Result {
	r := control.Result{Outcome: control.Fail}
	for _, k := range keys {
		r.Failures = append(r.Failures, control.Failure{Key: k, Start: dera.Auto, Severity: dera.High, Title: k, Why: k})
	}
	return r
}

func resourceOf(id string, config any, at time.Time) dera.Resource {
	return dera.Resource{ARN: dera.ARN("arn:aws:x:r:1:t/" + id), Partition: "aws", Account: "1", Region: "r", Type: "T", ID: id, Config: config, ReadAt: at, Full: true}
}

// read is a Reader of prepared pages.
type read func(scope dera.Scope, full bool) (Page, error)

func (r read) Read(_ context.Context, s dera.Scope, full bool) (Page, error) { return r(s, full) }

var morning = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func TestFindings(t *testing.T) {
	t.Parallel()
	d := Detector{Controls: []control.Control{judging("c")}}
	id := func(key string) string { return dera.FindingID(resourceOf("a", nil, morning).Key(), "c", key) }
	old := func(key string, s dera.FindingState) dera.Finding {
		return dera.Finding{ID: id(key), Control: "c", Key: key, State: s, FirstSeen: morning.Add(-time.Hour), LastSeen: morning.Add(-time.Hour), RolledBack: 2, Actor: "eve", Remediation: "r-1"}
	}
	settled := map[string]string{"x": "an incident explains it"}
	tests := []struct {
		name   string
		config any
		before []dera.Finding
		first  bool                         // no earlier read found the same
		want   map[string]dera.FindingState // by key
	}{
		{name: "new", config: group{result: failing("x", "y")}, want: map[string]dera.FindingState{"x": dera.FindingOpen, "y": dera.FindingOpen}},
		{name: "passes", config: group{result: control.Result{Outcome: control.Pass}}, before: []dera.Finding{old("x", dera.FindingOpen)}, want: map[string]dera.FindingState{"x": dera.FindingResolved}},
		{name: "first_pass_resolves_nothing", first: true, config: group{result: failing("y")}, before: []dera.Finding{old("x", dera.FindingOpen)}, want: map[string]dera.FindingState{"y": dera.FindingOpen}},
		{name: "one_of_two_is_gone", config: group{result: failing("y")}, before: []dera.Finding{old("x", dera.FindingOpen), old("y", dera.FindingOpen)},
			want: map[string]dera.FindingState{"x": dera.FindingResolved, "y": dera.FindingOpen}},
		{name: "unknown_resolves_nothing", config: group{result: control.Result{Outcome: control.UnknownResult, Why: "denied"}}, before: []dera.Finding{old("x", dera.FindingOpen)},
			want: map[string]dera.FindingState{control.UnknownKey: dera.FindingUnknown}},
		{name: "broken_control_resolves_nothing", config: group{panics: true}, before: []dera.Finding{old("x", dera.FindingOpen)},
			want: map[string]dera.FindingState{control.UnknownKey: dera.FindingUnknown}},
		{name: "wrong_configuration_resolves_nothing", config: "no group", before: []dera.Finding{old("x", dera.FindingOpen)},
			want: map[string]dera.FindingState{control.UnknownKey: dera.FindingUnknown}},
		{name: "lost_record_resolves_nothing", config: group{result: control.Result{Outcome: control.NotApplicable, Unrecorded: true}}, before: []dera.Finding{old("x", dera.FindingOpen)},
			want: map[string]dera.FindingState{"x": dera.FindingUnknown}},
		{name: "record_stays_lost", config: group{result: control.Result{Outcome: control.NotApplicable, Unrecorded: true}}, before: []dera.Finding{old("x", dera.FindingUnknown)},
			want: map[string]dera.FindingState{"x": dera.FindingUnknown}},
		{name: "record_is_back_and_it_fails", config: group{result: failing("x")}, before: []dera.Finding{old("x", dera.FindingUnknown)},
			want: map[string]dera.FindingState{"x": dera.FindingOpen}},
		{name: "record_is_back_and_it_passes", config: group{result: control.Result{Outcome: control.Pass}}, before: []dera.Finding{old("x", dera.FindingUnknown)},
			want: map[string]dera.FindingState{"x": dera.FindingResolved}},
		{name: "no_record_from_the_start", config: group{result: control.Result{Outcome: control.NotApplicable, Unrecorded: true}},
			before: []dera.Finding{old("x", dera.FindingResolved)}, want: map[string]dera.FindingState{}},
		{name: "no_record_and_not_judged_before", config: group{result: control.Result{Outcome: control.NotApplicable, Unrecorded: true}},
			before: []dera.Finding{old(control.UnknownKey, dera.FindingUnknown)}, want: map[string]dera.FindingState{control.UnknownKey: dera.FindingResolved}},
		{name: "settled_although_something_is_unknown", config: group{result: control.Result{Outcome: control.UnknownResult, Why: "gaps", Settled: settled}}, before: []dera.Finding{old("x", dera.FindingOpen), old("y", dera.FindingOpen)},
			want: map[string]dera.FindingState{"x": dera.FindingResolved, control.UnknownKey: dera.FindingUnknown}},
		{name: "settled_although_nothing_is_recorded", config: group{result: control.Result{Outcome: control.NotApplicable, Unrecorded: true, Settled: settled}}, before: []dera.Finding{old("x", dera.FindingOpen), old("y", dera.FindingOpen)},
			want: map[string]dera.FindingState{"x": dera.FindingResolved, "y": dera.FindingUnknown}},
		{name: "settled_and_found_all_the_same", config: group{result: control.Result{Outcome: control.Fail, Failures: failing("x").Failures, Settled: settled}}, before: []dera.Finding{old("x", dera.FindingOpen)},
			want: map[string]dera.FindingState{"x": dera.FindingOpen}},
		{name: "settled_by_a_first_read", first: true, config: group{result: control.Result{Outcome: control.Pass, Settled: settled}}, before: []dera.Finding{old("x", dera.FindingOpen)}, want: map[string]dera.FindingState{}},
		{name: "unknown_is_over", config: group{result: control.Result{Outcome: control.Pass}}, before: []dera.Finding{old(control.UnknownKey, dera.FindingUnknown)},
			want: map[string]dera.FindingState{control.UnknownKey: dera.FindingResolved}},
		{name: "resolved_stays_as_it_is", config: group{result: control.Result{Outcome: control.Pass}}, before: []dera.Finding{old("x", dera.FindingResolved)}, want: map[string]dera.FindingState{}},
		{name: "comes_back", config: group{result: failing("x")}, before: []dera.Finding{old("x", dera.FindingResolved)}, want: map[string]dera.FindingState{"x": dera.FindingOpen}},
		{name: "another_controls_finding_stays", config: group{result: control.Result{Outcome: control.Pass}},
			before: []dera.Finding{{ID: "f-1", Control: "switched-off", State: dera.FindingOpen}}, want: map[string]dera.FindingState{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := d.Assess(resourceOf("a", tt.config, morning))
			a.Confirmed = !tt.first
			got := map[string]dera.FindingState{}
			for _, f := range a.Findings(tt.before, morning.Add(time.Minute)) {
				got[f.Key] = f.State
				if f.State == dera.FindingResolved && settled[f.Key] != "" && strings.HasPrefix(tt.name, "settled") && f.Why != settled[f.Key] {
					t.Errorf("%s: got the reason %q, want %q", f.Key, f.Why, settled[f.Key])
				}
				if !f.LastSeen.Equal(morning) {
					t.Errorf("%s: last seen %s, want when it was read, %s", f.Key, f.LastSeen, morning)
				}
				if i := slices.IndexFunc(tt.before, func(o dera.Finding) bool { return o.ID == f.ID }); i >= 0 && (f.RolledBack != 2 || f.Actor != "eve" || f.Remediation != "r-1" || !f.FirstSeen.Equal(tt.before[i].FirstSeen)) {
					t.Errorf("%s: got %+v, want its history carried over", f.Key, f)
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			for k, s := range tt.want {
				if got[k] != s {
					t.Errorf("%s: got %q, want %q", k, got[k], s)
				}
			}
		})
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	a := Assessment{Resource: resourceOf("a", nil, morning)}
	seen := func(list ...time.Duration) []dera.Finding {
		var out []dera.Finding
		for _, d := range list {
			out = append(out, dera.Finding{LastSeen: morning.Add(d)})
		}
		return out
	}
	tests := []struct {
		name   string
		of     Assessment
		before []dera.Finding
		want   time.Duration // 0: not stale
	}{
		{name: "nothing_known", of: a},
		{name: "seen_before", of: a, before: seen(-time.Hour)},
		{name: "seen_at_the_same_time", of: a, before: seen(0)},
		{name: "one_seen_later", of: a, before: seen(-1, time.Second, 5*time.Second), want: 5 * time.Second},
		{name: "seen_in_another_age", of: a, before: seen(24 * time.Hour)},
		{name: "nobody_knows_when_it_was_read", before: seen(time.Second)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			until, stale := tt.of.Stale(tt.before)
			if stale != (tt.want > 0) || stale && !until.Equal(morning.Add(tt.want)) {
				t.Errorf("got %s, %t, want %s after the read", until, stale, tt.want)
			}
		})
	}
}

// A page that fails is read again in full, once, and a failed read tells nothing.
func TestLook(t *testing.T) {
	t.Parallel()
	bad := errors.New("denied")
	var scopes []dera.Scope
	r := read(func(s dera.Scope, full bool) (Page, error) {
		scopes = append(scopes, s)
		if full {
			return Page{Resources: []dera.Resource{resourceOf("b", group{result: failing("x")}, morning)}, Missing: []string{"c"}}, nil
		}
		short := func(id string, g group) dera.Resource {
			r := resourceOf(id, g, morning)
			r.Full = false
			return r
		}
		return Page{Next: "2", Resources: []dera.Resource{short("a", group{}), short("b", group{result: failing("x")}), short("c", group{panics: true})}}, nil
	})
	d := Detector{Reader: r, Controls: []control.Control{judging("c")}}
	look, err := d.Look(t.Context(), dera.Scope{Type: "T", Page: "1"}, nil)
	if err != nil || len(look.Assessments) != 2 || look.Next != "2" || !slices.Equal(look.Missing, []string{"c"}) {
		t.Errorf("got %+v, %v, want 2 groups, a next page, and c missing", look, err)
	}
	if len(scopes) != 2 || !slices.Equal(scopes[1].IDs, []string{"b", "c"}) || scopes[1].Page != "" {
		t.Errorf("reads: got %+v, want the page and then b and c by their IDs", scopes)
	}
	d.Reader = read(func(dera.Scope, bool) (Page, error) { return Page{Missing: []string{"a"}}, bad })
	if look, err := d.Look(t.Context(), dera.Scope{Type: "T", IDs: []string{"a"}}, nil); !errors.Is(err, bad) || len(look.Missing) > 0 {
		t.Errorf("failed read: got %+v, %v, want nothing and the error", look, err)
	}
}

// completing is a Reader that reads what a quick look left out.
type completing struct {
	read
	quick *[]string
}

func (c completing) Complete(_ context.Context, scope dera.Scope, quick []dera.Resource) (Page, error) {
	var page Page
	for _, r := range quick {
		*c.quick = append(*c.quick, r.ID)
		r.Full = true
		page.Resources = append(page.Resources, r)
	}
	if len(scope.IDs) != len(quick) || scope.Page != "" {
		return Page{}, errors.New("the scope is not that of the resources")
	}
	return page, nil
}

// TestLookCompletes: what fails a quick look is completed and not read again, and
// nothing is known of what has no configuration.
func TestLookCompletes(t *testing.T) {
	t.Parallel()
	var reads int
	var completed []string
	page := func(scope dera.Scope, full bool) (Page, error) {
		reads++
		open, clean, dark := resourceOf("open", group{result: failing("a")}, morning), resourceOf("clean", group{result: control.Result{Outcome: control.Pass}}, morning), resourceOf("dark", nil, morning)
		dark.Unread = "its part could not be read"
		list := []dera.Resource{open, clean, dark}
		for i := range list {
			list[i].Full = full
		}
		return Page{Resources: list, Next: "2"}, nil
	}
	d := Detector{Reader: completing{page, &completed}, Controls: []control.Control{judging("c")}}
	look, err := d.Look(t.Context(), dera.Scope{Type: "T", Page: "1"}, nil)
	if err != nil || reads != 1 || len(look.Assessments) != 3 || look.Next != "2" || strings.Join(completed, " ") != "open dark" {
		t.Fatalf("got %d assessments after %d reads and the completion of %q, %v, want 3, 1 and what is not clean", len(look.Assessments), reads, completed, err)
	}
	for _, a := range look.Assessments {
		if res := a.Results[0].Result; a.Resource.ID == "dark" && (res.Outcome != control.UnknownResult || len(res.Failures) != 0 || res.Why != a.Resource.Unread) {
			t.Errorf("a resource without a configuration: got %+v, want unknown and no failure", res)
		}
	}
}

// TestLostRecord: a finding that rests on a record of use that is not there any more says
// so once, with what it said before.
func TestLostRecord(t *testing.T) {
	t.Parallel()
	d := Detector{Controls: []control.Control{judging("c")}}
	lost := group{result: control.Result{Outcome: control.NotApplicable, Unrecorded: true}}
	r := resourceOf("a", lost, morning)
	before := dera.Finding{ID: dera.FindingID(r.Key(), "c", "x"), Control: "c", Key: "x", State: dera.FindingOpen, Why: "It used 2 of 5.", Remediation: "r-1", Permissions: []string{"s3:GetObject"}, LastSeen: morning.Add(-time.Hour)}
	a := d.Assess(r)
	a.Confirmed = true
	first := a.Findings([]dera.Finding{before}, morning)
	if len(first) != 1 || !strings.Contains(first[0].Why, "nothing is recorded any more") || !strings.HasSuffix(first[0].Why, before.Why) ||
		!first[0].LastSeen.Equal(morning) || first[0].Remediation != "r-1" || len(first[0].Permissions) != 1 {
		t.Fatalf("got %+v, want the finding with what is missing", first)
	}
	if a.Resolves([]dera.Finding{before}) {
		t.Error("it would be resolved by a second read")
	}
	second := a.Findings(first, morning.Add(time.Hour))
	if len(second) != 1 || second[0].Why != first[0].Why {
		t.Errorf("the next look: got %+v, want %q again", second, first[0].Why)
	}
}
