package controltest

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/evidence"
)

// holdEvidence: the plan is proved, the checker agrees from the blob alone, and a
// plan that leaves a rule standing is not proved.
func (l Laws) holdEvidence(t TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan, w way) dera.Evidence {
	t.Helper()
	ev, err := c.Prove(r, failures, p, s)
	if err != nil {
		t.Fatalf("prove: %v", err)
	}
	// The lowest disposition decides about a plan.
	auto := !slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Start != dera.Auto })
	for _, claim := range ev.Claims {
		// What goes to a person may be unknown. Only that recorded calls would be denied is
		// refuted: it is what the person has to know.
		if claim.Verdict == dera.Refuted && claim.Name != evidence.RecordedCalls || auto && claim.Verdict != dera.Proved {
			t.Errorf("plan for %s: claim %s is %s: %s", p.Keys, claim.Name, claim.Verdict, claim.Witness)
		}
	}
	// Rules that other rules cover, which stay for now, may go without any packet
	// being denied.
	same := l.same
	idle := same(t, r.Config, w.last()) || l.Grants != nil && l.Grants(p)
	if auto && !ev.Proved() || ev.Control != c.ID || (ev.Denied == "") != idle {
		t.Errorf("evidence for %s: got proved %t, control %q, denied %q", p.Keys, ev.Proved(), ev.Control, ev.Denied)
	}
	if err := l.checkBlob(t, ev); err != nil {
		t.Errorf("evidence for %s does not check: %v", p.Keys, err)
	}
	for i, ch := range p.Changes {
		if ch.Before == nil {
			continue // adds something; it can be needless where other rules cover it
		}
		less := p
		less.Changes = slices.Delete(slices.Clone(p.Changes), i, i+1)
		if config, err := l.Type.ApplyPlan(r.Config, less); err != nil || same(t, w.last(), config) {
			continue // what the rule allows, others allow anyway
		}
		if ev, err := c.Prove(r, failures, less, s); err == nil && ev.Proved() {
			t.Errorf("the plan for %s without %s is proved too", p.Keys, ch.Diff)
		}
	}
	if l.Mutants != nil {
		l.Mutants(t, c, r, s, failures, p)
	}
	return ev
}

// holdForgeries: whatever is bent in the evidence, the checker disagrees.
func (l Laws) holdForgeries(t TB, ev dera.Evidence) {
	t.Helper()
	for _, b := range l.bent(t, ev) {
		if l.checkBlob(t, b.ev) == nil {
			t.Errorf("evidence checks although %s: %s", b.how, ev.Body)
		}
	}
}

func (l Laws) checkBlob(t TB, ev dera.Evidence) error {
	t.Helper()
	blob, _, err := ev.Blob()
	if err != nil {
		t.Fatalf("blob: %v", err)
	}
	return evidence.Check(blob, l.Evidence...)
}

type bentEvidence struct {
	how string
	ev  dera.Evidence
}

// bent are forgeries of the evidence that state something that its body does not
// prove.
func (l Laws) bent(t TB, ev dera.Evidence) []bentEvidence {
	t.Helper()
	var out []bentEvidence
	add := func(how string, change func(*dera.Evidence)) {
		e := ev
		e.Claims = slices.Clone(ev.Claims)
		change(&e)
		out = append(out, bentEvidence{how, e})
	}
	for i, claim := range ev.Claims {
		for _, v := range []dera.Verdict{dera.Proved, dera.Refuted, dera.Unknown} {
			if v != claim.Verdict {
				add("claim "+claim.Name+" says "+string(v), func(e *dera.Evidence) { e.Claims[i].Verdict = v })
			}
		}
		add("claim "+claim.Name+" has another witness", func(e *dera.Evidence) { e.Claims[i].Witness += "x" })
		add("claim "+claim.Name+" has another text", func(e *dera.Evidence) { e.Claims[i].Says += "x" })
		add("claim "+claim.Name+" is missing", func(e *dera.Evidence) { e.Claims = slices.Delete(e.Claims, i, i+1) })
	}
	add("what is denied is something else", func(e *dera.Evidence) { e.Denied += "x" })
	add("the kind is another", func(e *dera.Evidence) { e.Kind += "2" })

	for _, b := range l.bodies(t, ev) {
		text, err := dera.CanonicalJSON(b.Body)
		if err != nil {
			t.Fatalf("body: %v", err)
		}
		add(b.How, func(e *dera.Evidence) { e.Body = text })
	}
	add("the body has a field that nobody knows", func(e *dera.Evidence) {
		e.Body = append([]byte(`{"comment":"",`), ev.Body[1:]...)
	})
	if ev.Denied != "" {
		add("what is denied is missing", func(e *dera.Evidence) { e.Denied = "" })
	}
	return out
}
