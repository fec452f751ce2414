package controltest

import (
	"slices"

	"dera"
	"dera/control"
	"dera/netset"
	"dera/resource"
)

// holdEvidence: the plan is proved, the checker agrees from the blob alone, and a
// plan that leaves a rule standing is not proved.
func holdEvidence(t TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan, w way) dera.Evidence {
	t.Helper()
	ev, err := c.Prove(r, failures, p, s)
	if err != nil {
		t.Fatalf("prove: %v", err)
	}
	for _, claim := range ev.Claims {
		if claim.Verdict != dera.Proved {
			t.Errorf("plan for %s: claim %s is %s: %s", p.Keys, claim.Name, claim.Verdict, claim.Witness)
		}
	}
	// Rules that other rules cover, which stay for now, may go without any packet
	// being denied.
	idle := w.reaches(t, r.Type, r.Config)
	if !ev.Proved() || ev.Control != c.ID || (ev.Denied == "") != idle {
		t.Errorf("evidence for %s: got proved %t, control %q, denied %q", p.Keys, ev.Proved(), ev.Control, ev.Denied)
	}
	if err := checkBlob(t, ev); err != nil {
		t.Errorf("evidence for %s does not check: %v", p.Keys, err)
	}
	for i, ch := range p.Changes {
		if ch.Before == nil {
			continue // adds something; it can be needless where other rules cover it
		}
		less := p
		less.Changes = slices.Delete(slices.Clone(p.Changes), i, i+1)
		if config, err := resource.ApplyPlan(r.Config, less); err != nil || w.reaches(t, r.Type, config) {
			continue // what the rule lets in others let in anyway
		}
		if ev, err := c.Prove(r, failures, less, s); err == nil && ev.Proved() {
			t.Errorf("the plan for %s without %s is proved too", p.Keys, ch.Diff)
		}
	}
	return ev
}

// holdForgeries: whatever is bent in the evidence, the checker disagrees.
func holdForgeries(t TB, ev dera.Evidence) {
	t.Helper()
	for _, b := range bent(t, ev) {
		if checkBlob(t, b.ev) == nil {
			t.Errorf("evidence checks although %s: %s", b.how, ev.Body)
		}
	}
}

func checkBlob(t TB, ev dera.Evidence) error {
	t.Helper()
	blob, _, err := ev.Blob()
	if err != nil {
		t.Fatalf("blob: %v", err)
	}
	return control.CheckEvidence(blob)
}

type bentEvidence struct {
	how string
	ev  dera.Evidence
}

// bent are forgeries of the evidence that state something that its body does not
// prove.
func bent(t TB, ev dera.Evidence) []bentEvidence {
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
	add("the denied packet is another", func(e *dera.Evidence) { e.Denied += "x" })
	add("the kind is another", func(e *dera.Evidence) { e.Kind = "network/2" })

	var n control.Network
	if err := strict(ev.Body, &n); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	body := func(how string, n control.Network) {
		text, err := dera.CanonicalJSON(n)
		if err != nil {
			t.Fatalf("body: %v", err)
		}
		add(how, func(e *dera.Evidence) { e.Body = text })
	}
	everything := netset.Product(netset.EveryTraffic(), netset.Everywhere())
	if !n.Old.Equal(everything) {
		wide := n
		wide.New = everything
		body("the new state lets everything in", wide)
		wide = n
		wide.Between = append([]control.Step{{Come: everything}}, n.Between...)
		body("a state on the way lets everything in", wide)
	}
	add("the body has a field that nobody knows", func(e *dera.Evidence) {
		e.Body = append([]byte(`{"comment":"",`), ev.Body[1:]...)
	})
	if ev.Denied == "" {
		return out // nothing changes hands
	}
	add("the denied packet is missing", func(e *dera.Evidence) { e.Denied = "" })
	same := n
	same.New, same.NewOthers = n.Old, n.OldOthers
	body("the new state is the old one", same)
	nothing := n
	nothing.Forbidden, nothing.ForbiddenOthers = netset.Set{}, nil
	body("nothing is forbidden", nothing)
	before := n
	before.Old, before.OldOthers = n.New, n.NewOthers
	body("the old state is the new one", before)
	return out
}
