package controltest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/control"
)

// Hold holds one resource under the settings against every law: what Check
// says, and each plan that can come of it. It returns how many plans were made
// and how many were refused.
func (l Laws) Hold(t TB, c control.Control, r dera.Resource, s control.Settings) (planned, refused int) {
	t.Helper()
	before := dump(t, r.Config)
	res := check(t, c, r, s)
	l.holdResult(t, c, r, s, res)
	l.holdCheap(t, c, r, s, res)
	for _, failures := range choices(res.Failures) {
		p, refusal, err := c.Plan(r, failures, s)
		switch {
		case err != nil:
			t.Fatalf("plan: %v", err)
		case refusal != nil:
			refused++
			holdRefusal(t, failures, refusal)
		default:
			ev := l.holdPlan(t, c, r, s, failures, p)
			if planned++; planned == 1 {
				l.holdForgeries(t, ev)
			}
		}
	}
	if diff := cmp.Diff(before, dump(t, r.Config)); diff != "" {
		t.Errorf("the control changed the configuration that it looked at:\n%s", diff)
	}
	return planned, refused
}

func check(t TB, c control.Control, r dera.Resource, s control.Settings) control.Result {
	t.Helper()
	res, err := c.Check(r, s)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	return res
}

// holdResult: keys are semantic and unique, nothing is above what the Meta
// promises, and the order in which AWS lists the parts does not matter.
func (l Laws) holdResult(t TB, c control.Control, r dera.Resource, s control.Settings, res control.Result) {
	t.Helper()
	switch res.Outcome {
	case control.Pass, control.NotApplicable:
		if len(res.Failures) > 0 {
			t.Errorf("outcome %s with %d failures", res.Outcome, len(res.Failures))
		}
	case control.Fail:
		if len(res.Failures) == 0 {
			t.Errorf("outcome fail without a failure")
		}
	case control.UnknownResult:
		if res.Why == "" {
			t.Errorf("outcome unknown without a reason")
		}
	default:
		t.Errorf("outcome %q is none of the outcomes", res.Outcome)
	}
	seen := map[string]bool{}
	for _, f := range res.Failures {
		switch {
		case f.Key == "" || f.Key == control.UnknownKey || seen[f.Key]:
			t.Errorf("key %q is empty, reserved or used twice", f.Key)
		case strings.Contains(f.Key, "sg-") || strings.Contains(f.Key, "sgr-") || strings.Contains(f.Key, "pl-"):
			t.Errorf("key %q holds an ID that AWS assigned", f.Key)
		case f.Start < dera.Auto || f.Start > dera.Alert:
			t.Errorf("failure %s starts at %v, want auto, review or alert", f.Key, f.Start)
		case f.Severity < dera.Low || f.Severity > c.Severity:
			t.Errorf("failure %s is %v, want at most the control's %v", f.Key, f.Severity, c.Severity)
		case f.Title == "" || f.Why == "":
			t.Errorf("failure %s has no title or no reason", f.Key)
		}
		seen[f.Key] = true
	}
	for _, other := range l.orders(r.Config) {
		shuffled := r
		shuffled.Config = other
		if diff := cmp.Diff(res, check(t, c, shuffled, s)); diff != "" {
			t.Errorf("the result depends on the order in which AWS lists the parts:\n%s", diff)
		}
	}
}

// holdCheap: what fails does not look clean on a cheap look. A sweep and the first look at an
// event read the rest only of what does not.
func (l Laws) holdCheap(t TB, c control.Control, r dera.Resource, s control.Settings, res control.Result) {
	t.Helper()
	if l.Type.Brief == nil || len(res.Failures) == 0 {
		return
	}
	brief, err := l.Type.Brief(r.Config)
	if err != nil {
		t.Fatalf("brief: %v", err)
	}
	cheap := r
	cheap.Config, cheap.Full = brief, false
	if got := check(t, c, cheap, s); got.Outcome != control.UnknownResult && len(got.Failures) == 0 {
		t.Errorf("it fails, and a cheap look says %s", got.Outcome)
	}
}

// choices are the sets of failures that may have to be planned: what the engine
// puts together, all of them, and some alone.
func choices(failures []control.Failure) [][]control.Failure {
	out := grouped(failures)
	var all []control.Failure
	for _, g := range out {
		all = append(all, g...)
	}
	if len(out) > 1 {
		out = append(out, all)
	}
	if n := len(all); n > 1 {
		for _, i := range slices.Compact([]int{0, n / 2, n - 1}) {
			out = append(out, []control.Failure{all[i]})
		}
	}
	return out
}

// holdRefusal: what starts at auto may run into a limit, but is never something
// that cannot be split.
func holdRefusal(t TB, failures []control.Failure, refusal *control.Refusal) {
	t.Helper()
	if refusal.Code == "" || refusal.Why == "" {
		t.Errorf("refusal %+v has no code or no reason", refusal)
	}
	auto := !slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Start != dera.Auto })
	// Of several findings that go together, one alone may have to wait for another.
	if auto && !slices.Contains([]string{"rule-quota", "keep-internal", "passrole-may-be-used", "goes-with-others"}, refusal.Code) {
		t.Errorf("%s starts at auto, and its plan is refused: %v", failures[0].Key, refusal)
	}
}

// holdPlan holds one plan against the laws on plans.
func (l Laws) holdPlan(t TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) dera.Evidence {
	t.Helper()
	if len(p.Changes) == 0 {
		t.Errorf("plan of %s has no change", p.Keys)
	}
	l.holdSame(t, c, r, s, failures, p)
	auto := slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Start == dera.Auto })
	for i, ch := range p.Changes {
		if !slices.Contains(c.Writes, ch.Operation) {
			t.Errorf("change %d: %s is not among the declared writes", i, ch.Operation)
		}
		if ch.Undo == nil && auto && !ch.Kept {
			t.Errorf("change %d of an automatic plan has no undo", i)
		}
		if ch.Undo != nil && !slices.Contains(c.Writes, ch.Undo.Operation) {
			t.Errorf("undo of change %d: %s is not among the declared writes", i, ch.Undo.Operation)
		}
	}
	w := l.walk(t, r, p)
	ev := l.holdEvidence(t, c, r, s, failures, p, w)
	l.holdTaken(t, p, ev)
	l.surgical(t, r.Config, w.last(), p)
	l.between(t, w.states)

	was := check(t, c, r, s)
	fixed := r
	fixed.Config = w.last()
	for _, f := range check(t, c, fixed, s).Failures {
		if slices.Contains(p.Keys, f.Key) {
			t.Errorf("after the plan for %s: %s is still there", p.Keys, f.Key)
		}
		opens := l.Opens != nil && f.Start != dera.Auto && l.Opens(p, f.Key)
		if !opens && !slices.ContainsFunc(was.Failures, func(o control.Failure) bool { return o.Key == f.Key }) {
			t.Errorf("after the plan for %s: %s is new: %s", p.Keys, f.Key, f.Why)
		}
	}
	if slices.ContainsFunc(p.Changes, func(ch dera.Change) bool { return ch.Undo == nil }) {
		return ev // it is for a person, who is told
	}
	back := r
	back.Config = l.undo(t, w, p)
	if diff := cmp.Diff(l.canon(t, r.Config), l.canon(t, back.Config)); diff != "" {
		t.Errorf("undo of the plan for %s does not bring the configuration back (-before +after):\n%s", p.Keys, diff)
	}
	if diff := cmp.Diff(keys(was), keys(check(t, c, back, s))); diff != "" {
		t.Errorf("keys after fix and undo (-before +after):\n%s", diff)
	}
	return ev
}

// holdSame: the same resource makes the same plan, in whatever order AWS lists
// its parts.
func (l Laws) holdSame(t TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
	t.Helper()
	want, err := p.Digest()
	if err != nil {
		t.Fatalf("digest: %v", err)
	}
	for _, config := range append(l.orders(r.Config), r.Config) {
		other := r
		other.Config = config
		q, refusal, err := c.Plan(other, failures, s)
		if refusal != nil || err != nil {
			t.Fatalf("plan again: %v, %v", refusal, err)
		}
		got, err := q.Digest()
		if err != nil {
			t.Fatalf("digest: %v", err)
		}
		if diff := cmp.Diff(dump(t, p), dump(t, q)); diff != "" || got != want {
			t.Errorf("the plan is not stable: digests %s and %s (-first +again):\n%s", want, got, diff)
		}
	}
}

func keys(res control.Result) []string {
	var out []string
	for _, f := range res.Failures {
		out = append(out, f.Key)
	}
	return out
}

func (l Laws) canon(t TB, config any) string {
	t.Helper()
	text, err := l.Type.Canon(config)
	if err != nil {
		t.Fatalf("canon: %v", err)
	}
	return text
}

func dump(t TB, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatalf("dump: %v", err)
	}
	return string(text)
}
