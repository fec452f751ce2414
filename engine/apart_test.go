package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/services/ec2/securitygroup"
)

// A control that breaks on one group leaves that one unknown, and judges and
// fixes all others.
func TestControlThatBreaksOnOneGroup(t *testing.T) {
	t.Parallel()
	broken := control.Define(control.Spec[*securitygroup.Group]{
		Meta: control.Meta{ID: "breaks", Title: "Breaks", Type: securitygroup.Name, Severity: dera.Low},
		Check: func(g *securitygroup.Group, _ control.Settings) control.Result {
			if strings.HasPrefix(g.Name, "odd") {
				panic("secret-marker")
			}
			return control.Result{Outcome: control.Pass}
		},
	})
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Controls = append([]control.Control{broken}, rulebook(securitygroup.Name)...)
		}
	})
	var ids []string
	for i := range 4 {
		ids = append(ids, w.group(fmt.Sprintf("web-%d", i), tcp(22, 22, "0.0.0.0/0")))
	}
	odd := w.group("odd", tcp(22, 22, "0.0.0.0/0"))
	w.sweep()
	w.quiet()
	for _, id := range append(ids, odd) {
		if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
			t.Errorf("group %s: got %q, want resolved", id, f.State)
		}
	}
	f, ok := w.findings(odd)["breaks unknown"]
	if !ok || f.State != dera.FindingUnknown || f.Disposition != dera.Review || strings.Contains(f.Why, "secret-marker") {
		t.Errorf("finding of the odd group: got %+v, want unknown, review, without the text of the panic", f)
	}
}

// A group on thousands of interfaces has a decision record that fits the audit
// log; it used to make its own finding, and all after it, impossible.
func TestGroupOnThousandsOfInterfacesIsFixed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	for range 2500 {
		if _, err := w.region.AttachInterface("198.51.100.4", id); err != nil {
			t.Fatal(err)
		}
	}
	w.sweep()
	w.quiet()
	r := w.only(id)
	wantState(t, r, dera.Resolved)
	if len(r.Interfaces) != 2500 {
		t.Errorf("interfaces of the remediation: got %d, want 2500", len(r.Interfaces))
	}
	w.verifyLog()
}

// A group with very many findings, and a plan with very many changes.
func TestGroupWithVeryManyFindingsIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	var rules []awssim.Rule
	for i := range 59 {
		rules = append(rules, tcp(1000+10*i, 1000+10*i, "0.0.0.0/0"))
	}
	id := w.group("many", rules...)
	other := w.group("other", tcp(22, 22, "0.0.0.0/0"))
	w.sweep()
	if n := len(w.findings(id)); n < 59 {
		t.Errorf("findings: got %d, want one for each of 59 ports", n)
	}
	if _, ok := w.findings(other)[sshKey]; !ok {
		t.Error("the other group has no finding")
	}
	w.verifyLog()
}

// A resource whose settling fails gets a look of its own; the others of its page
// and the pages after it go on.
func TestResourceThatCannotBeSettledStandsApart(t *testing.T) {
	t.Parallel()
	odd := control.Define(control.Spec[*securitygroup.Group]{
		Meta: control.Meta{ID: "odd", Title: "Odd", Type: securitygroup.Name, Severity: dera.Low},
		Check: func(g *securitygroup.Group, _ control.Settings) control.Result {
			if !strings.HasPrefix(g.Name, "odd") {
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Failures: []control.Failure{{Key: "x", Start: dera.Alert, Severity: dera.Low, Title: "x", Why: "x"}}}
		},
	})
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Controls = append(rulebook(securitygroup.Name), odd)
			c.Mode = func(_ dera.Account, control string) dera.Mode {
				if control == "odd" {
					panic("no mode for it")
				}
				return dera.Enforce
			}
		}
	})
	var ids []string
	for i := range 5 {
		ids = append(ids, w.group(fmt.Sprintf("web-%d", i), tcp(22, 22, "0.0.0.0/0")))
		if i < 2 {
			w.group(fmt.Sprintf("odd-%d", i), tcp(443, 443, "10.0.0.0/8"))
		}
	}
	w.sweep()
	for _, id := range ids {
		if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
			t.Errorf("group %s: got %q, want resolved", id, f.State)
		}
	}
	jobs, err := w.store.Jobs(t.Context())
	looks := slices.DeleteFunc(jobs, func(j dera.Job) bool { return j.Kind != "look" })
	if err != nil || len(looks) != 2 {
		t.Errorf("looks: got %+v (%v), want one for each odd group", looks, err)
	}
	if !slices.ContainsFunc(w.news, func(n engine.News) bool { return n.What == "unread" }) {
		t.Error("nobody was told")
	}
}

// Deleting a group with several findings and a plan that waits ends all of them.
func TestDeletedGroupWithSeveralFindings(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.group("lab", wideRule())
	w.look(id)
	w.remove(id)
	w.ingest(w.event(id))
	w.drain()
	w.settle()
	for key, f := range w.findings(id) {
		if f.State != dera.FindingResolved {
			t.Errorf("finding %s: got %s, want resolved", key, f.State)
		}
	}
	for _, s := range states(w.remediations(id)) {
		if s != dera.Superseded {
			t.Errorf("remediations: got %v, want all superseded", states(w.remediations(id)))
		}
	}
	jobs, err := w.store.Jobs(t.Context())
	if err != nil || slices.ContainsFunc(jobs, func(j dera.Job) bool { return j.Kind == "look" || j.Kind == "expire" }) {
		t.Errorf("jobs: got %+v (%v), want none", jobs, err)
	}
}
