package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// ResourcesKind is the kind of evidence about resources that are narrowed.
const ResourcesKind = "resources/1"

// ResourcesEvidence is the kind of Resources.
func ResourcesEvidence() evidence.Kind {
	return evidence.Kind{Name: ResourcesKind, Remake: evidence.Remade[Resources], Policies: func(body []byte) (evidence.Policies, error) {
		var r Resources
		if err := evidence.Strict(body, &r); err != nil {
			return evidence.Policies{}, fmt.Errorf("read body of evidence: %w", err)
		}
		var out evidence.Policies
		if whole := r.whole(); len(whole.changed()) == 1 {
			i := whole.changed()[0]
			out.Before, out.After = whole.Before.Policies[i].Document, whole.After[i]
		}
		if r.Actions.Certificate != "" {
			out.Certificates = append(out.Certificates, evidence.Certificate{
				Name: "actions", Text: r.Actions.Certificate,
				Says: "without the actions that nobody used, the policies grant nothing that those before do not; nothing is lost of what stays",
			})
		}
		out.Certificates = append(out.Certificates,
			evidence.Certificate{Name: "nothing-new", Says: "with fewer resources the policies allow nothing that they do not with all", Text: r.NothingNew},
			evidence.Certificate{Name: "nothing-lost", Says: "what the policies with all resources allow, with a denial of the actions on all but what these were used on, those with fewer allow too", Text: r.NothingLost})
		return out, nil
	}}
}

// Resources is what a proof is about where actions stay on just the resources that they
// were used on. It has two steps: what nobody used goes, and then resources do.
type Resources struct {
	// Actions is the first step; without goals nothing changes in it.
	Actions Permissions `json:"actions"`
	// After are the policies after the second.
	After []string `json:"after"`
	// NothingNew and NothingLost are certificates on the second step.
	NothingNew  string `json:"nothing_new,omitempty"`
	NothingLost string `json:"nothing_lost,omitempty"`
}

// proveResources makes the evidence for a plan that narrows resources, whatever else it does.
func proveResources(s *Subject, after, goals []string) (dera.Evidence, error) {
	goals = slices.DeleteFunc(slices.Clone(goals), func(key string) bool { return key == ResourcesKey })
	slices.Sort(goals)
	between, broad, refusal := s.narrowed(goals)
	if refusal != nil {
		return dera.Evidence{}, refusal
	}
	real := Resources{Actions: Permissions{Before: *s.keeping(broad), After: between, Goals: goals}, After: after}
	hidden := real.hidden()
	if err := errors.Join(real.certify(), hidden.certify()); err != nil {
		return dera.Evidence{}, err
	}
	a, _ := real.claims()
	b, _ := hidden.claims()
	if !slices.EqualFunc(a, b, func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, fmt.Errorf("prove the resources: %w", evidence.ErrHidden)
	}
	return hidden.Evidence()
}

func (r Resources) hidden() Resources {
	var hide document.Redactor
	r.Actions = r.Actions.hidden(&hide)
	after := r.After
	r.After = nil
	for _, text := range after {
		r.After = append(r.After, hide.Text(text))
	}
	return r
}

// whole is the plan as one step.
func (r Resources) whole() *Permissions {
	return &Permissions{Before: r.Actions.Before, After: r.After}
}

// Evidence is the evidence that the body makes.
func (r Resources) Evidence() (dera.Evidence, error) {
	if n := len(r.Actions.Before.Policies); len(r.Actions.After) != n || len(r.After) != n {
		return dera.Evidence{}, errors.New("resources evidence: there are not as many policies after as before")
	}
	body, err := dera.CanonicalJSON(r)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("resources evidence: %w", err)
	}
	claims, denied := r.claims()
	return dera.Evidence{Kind: ResourcesKind, Claims: claims, Body: body, Denied: denied}, nil
}

// certify makes the certificates. One that is not given out leaves a claim unproved.
func (r *Resources) certify() error {
	if len(r.Actions.Goals) > 0 {
		if err := r.Actions.certify(); err != nil {
			return err
		}
	}
	st, err := r.state()
	if err != nil {
		return err
	}
	return certificates(map[*string][2]reason.Policies{&r.NothingNew: st.isNew, &r.NothingLost: st.lost})
}

// resourcesState is the second step as it is checked.
type resourcesState struct {
	between     *judged // the policies before it
	places      []int   // of these in the subject
	on          seen
	actions     []string           // that are narrowed, in lower case
	isNew, lost [2]reason.Policies // what is less, and what it is held against
}

// state reads the body: what is narrowed follows from the record and the policies alone.
func (r *Resources) state() (st resourcesState, err error) {
	s, places := r.Actions.Before.later(r.Actions.After)
	if st.between, err = s.read(); err != nil {
		return st, err
	}
	st.places, st.on = places, st.between.seen()
	st.between.located()
	for _, u := range st.between.found {
		for _, a := range u.actions {
			st.actions = append(st.actions, strings.ToLower(a))
		}
	}
	var old, fresh reason.Policies
	for i, text := range r.After {
		was := r.Actions.After[i]
		if text == was {
			continue
		}
		if was == "" {
			return st, errors.New("there is a policy after that was not there before")
		}
		old = append(old, st.between.docs[slices.Index(places, i)])
		if text != "" {
			doc, err := policy.Parse(text)
			if err != nil {
				return st, fmt.Errorf("read policy %s after the plan: %w", r.Actions.Before.Policies[i].Name, err)
			}
			fresh = append(fresh, doc)
		}
	}
	if len(old) == 0 || len(st.actions) == 0 {
		return st, errors.New("there is nothing that is allowed on more than it was used on")
	}
	st.isNew, st.lost = [2]reason.Policies{fresh, old}, [2]reason.Policies{append(slices.Clone(old), st.unseen()), fresh}
	return st, nil
}

// unseen denies the actions on all but what they were used on.
func (st *resourcesState) unseen() *policy.Document {
	out := &policy.Document{Version: policy.Version2012}
	for _, a := range st.actions {
		out.Statements = append(out.Statements, policy.Statement{Effect: policy.Deny, Actions: []string{a}, NotResources: st.on[a]})
	}
	return out
}

// claims are decided again from the body alone, with a request that is denied now.
func (r *Resources) claims() (claims []dera.Claim, denied string) {
	var isNew, lost, gone, only answer
	var st resourcesState
	var err error
	if st, err = r.state(); err != nil {
		isNew, lost, gone, only = unproved(err.Error()), unproved(err.Error()), unproved(err.Error()), unproved(err.Error())
	} else {
		isNew, lost = certified(r.NothingNew, st.isNew), certified(r.NothingLost, st.lost)
		gone, only = r.resolved(), r.onlySeen(st)
		denied = r.denied(st)
	}
	var actions, unused []dera.Claim
	says := "the findings are resolved"
	if len(r.Actions.Goals) > 0 {
		actions, _ = r.Actions.claims()
		for _, c := range actions {
			a := answer{c.Verdict, c.Witness}
			switch c.Name {
			case "nothing_new":
				isNew = isNew.and(a)
			case "nothing_lost":
				lost = lost.and(a)
			case "finding_gone":
				says, gone = c.Says, gone.and(a)
			case "unused":
				unused = append(unused, c)
			}
		}
	} else if !slices.EqualFunc(r.Actions.Before.Policies, r.Actions.After, func(t Text, after string) bool { return t.Document == after }) {
		lost = lost.and(unproved("actions go, and no finding is about them"))
	}
	var where []string
	for _, a := range st.actions {
		where = append(where, a+" on "+listed(st.on[a], 8))
	}
	counted := r.whole().count()
	claims = []dera.Claim{
		claim("nothing_new", "no new permission is granted", isNew),
		claim("nothing_lost", "what stays is allowed as before, under all circumstances, but for these actions on other resources than those that they were used on: "+strings.Join(st.actions, ", "), lost),
		claim("finding_gone", says+"; no statement allows the actions on more than they were used on, as far as the record shows it", gone),
		claim("resources_seen", "each call of these actions that is recorded named its resource, and no other resource takes the place of what goes: "+strings.Join(where, "; "), only),
	}
	return append(append(claims, unused...), claim(evidence.RecordedCalls, counted.says(), counted.answer())), denied
}

// resolved: after the plan no statement allows the actions on more than they were used on.
func (r *Resources) resolved() answer {
	s, _ := r.Actions.Before.later(r.After)
	j, err := s.read()
	if err != nil {
		return unproved(err.Error())
	}
	if j.located(); len(j.found) > 0 {
		return answer{dera.Refuted, listed(j.found[0].on, 5)}
	}
	return proved()
}

// onlySeen: a resource that no statement had before stands for actions alone that are
// narrowed, and one of them was seen on it.
func (r *Resources) onlySeen(st resourcesState) answer {
	for n, i := range st.places {
		doc, err := policy.Parse(r.After[i])
		if r.After[i] == "" || err != nil {
			return unproved("a policy after the plan is not there, or cannot be read")
		}
		for _, s := range doc.Statements {
			other := func(a string) bool { return !slices.Contains(st.actions, strings.ToLower(a)) }
			for _, on := range s.Resources {
				had := func(o policy.Statement) bool { return o.Effect == s.Effect && slices.Contains(o.Resources, on) }
				seen := func(a string) bool { return slices.Contains(st.on[strings.ToLower(a)], on) }
				if (!slices.ContainsFunc(s.Actions, seen) || slices.ContainsFunc(s.Actions, other)) && !slices.ContainsFunc(st.between.docs[n].Statements, had) {
					return answer{dera.Refuted, on + " was not seen"}
				}
			}
		}
	}
	return proved()
}

// denied is a request that the policies allowed before the plan and nothing allows after.
func (r *Resources) denied(st resourcesState) string {
	docs := func(texts []string) (out reason.Policies) {
		for _, text := range texts {
			if doc, err := policy.Parse(text); text != "" && err == nil {
				out = append(out, doc)
			}
		}
		return append(out, st.between.beside...)
	}
	var before []string
	for _, t := range r.Actions.Before.Policies {
		before = append(before, t.Document)
	}
	a := reason.Subset(context.Background(), docs(before), docs(r.After), reason.Config{})
	if a.Verdict != reason.Refuted || a.Witness == nil {
		return ""
	}
	return a.Witness.Request.Action + " on " + a.Witness.Request.Resource
}
