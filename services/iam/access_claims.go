package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// ReturnKind is the kind of evidence about what is given back.
const ReturnKind = "give-back/1"

// ReturnEvidence is the kind of Returned.
func ReturnEvidence() evidence.Kind {
	return evidence.Kind{Name: ReturnKind, Remake: evidence.Remade[Returned], Policies: func(body []byte) (evidence.Policies, error) {
		var r Returned
		if err := evidence.Strict(body, &r); err != nil {
			return evidence.Policies{}, fmt.Errorf("read body of evidence: %w", err)
		}
		var out evidence.Policies
		for _, g := range r.Gives {
			out.Certificates = append(out.Certificates,
				evidence.Certificate{Name: g.Name + "-nothing-new", Says: "it allows nothing that the policies before did not allow", Text: g.NothingNew})
		}
		if len(r.Gives) == 1 && len(r.Gives[0].Before) == 1 {
			out.Before, out.After = r.Gives[0].Before[0].Document, r.Gives[0].After
		}
		return out, nil
	}}
}

// Returned is what a proof about what is given back is about. Values that can be secret
// have stand-ins, the same in all texts.
type Returned struct {
	Goals []string `json:"goals"` // keys of the findings
	Gives []Giving `json:"gives"`
}

// Giving is one policy by which actions are given back.
type Giving struct {
	Goal    string    `json:"goal"`
	Name    string    `json:"name"`
	Actions []string  `json:"actions"`
	Until   time.Time `json:"until,omitzero"`
	// Before are the policies before the changes that took the actions.
	Before []Text `json:"before"`
	// Denials are those of the policies that the principal has now, as a policy; empty
	// where there are none.
	Denials string `json:"denials,omitempty"`
	After   string `json:"after"`
	// NothingNew is a certificate.
	NothingNew string `json:"nothing_new,omitempty"`
}

// ProveGiven makes the evidence for changes of an identity, which lead to another one; beside
// are the policies that it has by others. What is not proved is an error: nobody can approve
// it.
func (i *Identity) ProveGiven(after *Identity, failures []control.Failure, beside []Attached) (dera.Evidence, error) {
	denials, err := i.denials(beside)
	if err != nil {
		return dera.Evidence{}, err
	}
	r := Returned{Goals: slices.Sorted(slices.Values(Keys(failures)))}
	made := slices.Clone(after.Inline)
	for _, a := range i.Access {
		if !slices.Contains(r.Goals, a.Key()) {
			continue
		}
		before, err := takenFrom(a.Plans)
		if err != nil {
			return dera.Evidence{}, err
		}
		name := AccessPolicy(a.Access)
		r.Gives = append(r.Gives, Giving{Goal: a.Key(), Name: name, Actions: a.Actions, Until: a.Until, Before: before, Denials: denials, After: after.text(name)})
		made = slices.DeleteFunc(made, func(p Inline) bool { return p.Name == name })
	}
	same := func(a, b Attached) bool { return a.ARN == b.ARN && a.Document == b.Document }
	if !slices.Equal(i.Inline, made) || !slices.EqualFunc(i.Attached, after.Attached, same) {
		return dera.Evidence{}, errors.New("the plan changes policies that nobody asked for")
	}
	hidden := r.hidden()
	if err := errors.Join(r.certify(), hidden.certify()); err != nil {
		return dera.Evidence{}, err
	}
	ev, err := hidden.Evidence()
	if err != nil {
		return ev, err
	}
	for _, c := range slices.Concat(r.claims(), ev.Claims) {
		if c.Verdict != dera.Proved {
			return dera.Evidence{}, fmt.Errorf("it is not proved that %s: %s", c.Says, c.Witness)
		}
	}
	return ev, nil
}

// denials are those of the policies that the identity has, as a policy: what was denied
// before dera's change is denied as long as they stand. One of the older version of the
// language with ${…} is left out, so that nothing rests on it.
func (i *Identity) denials(beside []Attached) (string, error) {
	texts := make([]Text, 0, len(i.Inline))
	for _, p := range i.Inline {
		texts = append(texts, Text{Name: p.Name, Document: p.Document})
	}
	for _, p := range slices.Concat(i.Attached, beside) {
		texts = append(texts, Text{Name: p.ARN, Document: p.Document})
	}
	texts = slices.DeleteFunc(texts, func(t Text) bool { return t.Document == "" }) // what is not known denies nothing
	docs, err := parsed(texts)
	if err != nil {
		return "", err
	}
	out := &policy.Document{Version: policy.Version2012}
	for _, d := range docs {
		for _, st := range d.Statements {
			if st.Effect == policy.Deny && (d.Variables() || !strings.Contains(fmt.Sprint(st), "${")) {
				st.Sid = ""
				out.Statements = append(out.Statements, st)
			}
		}
	}
	if len(out.Statements) == 0 {
		return "", nil
	}
	return out.Text(), nil
}

func (r Returned) hidden() Returned {
	var hide document.Redactor
	out := r
	out.Gives = nil
	for _, g := range r.Gives {
		g.Before = slices.Clone(g.Before)
		for n := range g.Before {
			g.Before[n].Document = hide.Text(g.Before[n].Document)
		}
		g.Denials, g.After = hide.Text(g.Denials), hide.Text(g.After)
		out.Gives = append(out.Gives, g)
	}
	return out
}

// Evidence is the evidence that the body makes.
func (r Returned) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(r)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("evidence of what is given back: %w", err)
	}
	return dera.Evidence{Kind: ReturnKind, Claims: r.claims(), Body: body}, nil
}

// questions are the pairs of policies that the claims are about: what is less, and what it is
// held against; back only of the actions.
func (g Giving) questions() (back, fresh [2]reason.Policies, err error) {
	before, err := parsed(g.Before)
	if err != nil {
		return back, fresh, err
	}
	whole, err := GivenBack(g.Before, g.Actions, time.Time{})
	if err != nil {
		return back, fresh, err
	}
	docs, err := parsed([]Text{{Name: "what gives it back, without an end", Document: whole}, {Name: g.Name, Document: g.After}})
	if err != nil {
		return back, fresh, err
	}
	fresh = [2]reason.Policies{{docs[1]}, before}
	if g.Denials != "" {
		now, err := policy.Parse(g.Denials)
		if err != nil {
			return back, fresh, err
		}
		if slices.ContainsFunc(now.Statements, func(st policy.Statement) bool { return st.Effect != policy.Deny }) {
			return back, fresh, errors.New("what should deny only allows something")
		}
		fresh = [2]reason.Policies{{docs[1], now}, append(slices.Clone(before), now)}
	}
	return [2]reason.Policies{before, {docs[0]}}, fresh, nil
}

func (r *Returned) certify() error {
	for n := range r.Gives {
		g := &r.Gives[n]
		_, fresh, err := g.questions()
		if err != nil {
			return err
		}
		if err := certificates(map[*string][2]reason.Policies{&g.NothingNew: fresh}); err != nil {
			return err
		}
	}
	return nil
}

// claims are decided again from the body alone.
func (r Returned) claims() []dera.Claim {
	fresh, back, end, gone := proved(), proved(), proved(), proved()
	var goals, what, ends []string
	for _, g := range r.Gives {
		goals, what = append(goals, g.Goal), append(what, g.Actions...)
		all, less, err := g.questions()
		if err != nil {
			no := unproved(err.Error())
			fresh, back, end, gone = no, no, no, no
			continue
		}
		fresh = fresh.and(certified(g.NothingNew, less))
		back = back.and(kept(g.Actions, all))
		if want, err := GivenBack(g.Before, g.Actions, g.Until); err != nil || !document.SamePolicy(want, g.After) {
			end = unproved("the policy is not what gives the actions back")
		}
		if g.Until.IsZero() {
			ends = append(ends, "it has no end")
		} else {
			ends = append(ends, "AWS ends it at "+g.Until.UTC().Format(time.RFC3339)+", whether dera runs or not")
		}
		if timed := less[0][0]; len(timed.Statements) == 0 || slices.ContainsFunc(timed.Statements, func(st policy.Statement) bool { return st.Effect != policy.Allow }) {
			end = unproved("it does not just allow, so that its end could allow something")
		}
	}
	if slices.Sort(goals); len(goals) == 0 || !slices.Equal(goals, r.Goals) {
		gone = unproved("the findings are about something else")
	}
	slices.Sort(what)
	slices.Sort(ends)
	return []dera.Claim{
		claim("nothing_new", "nothing is allowed that the policies before dera's change did not allow, with the denials that stand now: every request that there can be", fresh),
		claim("given_back", "what those allowed of "+listed(slices.Compact(what), 8)+" is allowed again, on every resource and under all circumstances, where no other policy denies it", back),
		claim("end", strings.Join(slices.Compact(ends), "; ")+"; to take it back allows nothing, since it denies nothing", end),
		claim("finding_gone", "what was asked for is given", gone),
	}
}

// kept: of some actions nothing is lost, as the engine proves and the independent checker
// confirms.
func kept(actions []string, q [2]reason.Policies) answer {
	a := reason.SubsetOf(context.Background(), actions, q[0], q[1], reason.Config{})
	if a.Verdict == reason.Refuted {
		return answer{dera.Refuted, a.Witness.Request.Action + " on " + a.Witness.Request.Resource}
	}
	if err := check.Keeps(q[0], q[1], actions); a.Verdict != reason.Proved || err != nil {
		return unproved(fmt.Sprintf("%s %s: %v", a.Why, a.Detail, err))
	}
	return proved()
}

// AccessMeta is the literal of the control on what was asked to be given back.
func AccessMeta(k Kind, parts []resource.Part) control.Meta {
	return control.Meta{
		ID:       "iam-" + string(k) + "-access-request",
		Title:    "Somebody asked to give back to the " + string(k) + " what dera took",
		Type:     k.Type(),
		Severity: dera.Medium,
		Why: "What dera took because nobody used it can be needed after all. Who needs it should not have to wait for a rollback of the whole change, nor get more " +
			"back than is needed, nor for longer.",
		Fix: "An inline policy of the " + string(k) + " allows just the actions that were asked for, on the resources and under the conditions that the policies had before dera's " +
			"change. It carries its end as a condition on the time, and dera deletes it then. For good, it has no end.",
		Complexity: "low",
		Cases: []control.Case{
			{When: "somebody asked by dera access request, and what dera took is still away", Disposition: dera.Review, Because: "another person grants it: neither who asked nor the " + string(k) + " itself"},
			{When: "the access ended and somebody changed its policy before", Disposition: dera.Review, Because: "dera deletes only what it put: a person decides about the rest, by hand"},
		},
		Refs:     UnusedRefs()[1:],
		Reads:    ReadsOf(parts),
		Writes:   []string{k.PutInline(), k.DeleteInline()},
		Gives:    true,
		Owner:    "dera maintainers",
		ReviewBy: "2027-11-01",
	}
}
