package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// With permissions.graduation_days what nobody used is denied first, by a statement at the end
// of its policy that one rollback takes away, and goes out of the policy when it was denied for
// so many days and nobody missed it.

// Staged is how long something of the policies of a resource was denied so.
type Staged struct {
	// Days are whole days since dera last staged something, at the time of the read.
	Days int `json:"days"`
	// Missed says that the denial denied something that is in use, or may have.
	Missed string `json:"missed,omitempty"`
	// From are the ARNs of those whose denials were looked for.
	From []string `json:"from,omitempty"`
}

// Stage is where it is noted since when something of the policies is staged; nil where nothing
// is.
func (i *Identity) Stage() **Staged {
	if slices.ContainsFunc(i.Inline, func(p Inline) bool { return HasStage(p.Document) }) {
		return &i.Staged
	}
	return nil
}

// HasStage reports whether something is staged in a policy.
func HasStage(text string) bool {
	_, actions := unstaged(text)
	return len(actions) > 0
}

// Bare is a policy without its stage.
func Bare(text string) string {
	bare, _ := unstaged(text)
	return bare
}

// staged is the policy with a denial of some actions at its end; every other byte stays.
func staged(text string, actions []string) (string, error) {
	doc, err := policy.Parse(text)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool { return st.Sid == dera.StageSid }) {
		return "", fmt.Errorf("a statement of the policy that is no stage has the name %s", dera.StageSid)
	}
	st := policy.Statement{Sid: dera.StageSid, Effect: policy.Deny, Actions: slices.Sorted(slices.Values(actions)), Resources: []string{"*"}}
	line, err := st.Line()
	if err != nil {
		return "", err
	}
	if doc, err = (document.PolicyEdit{Append: []string{line}}).Apply(doc); err != nil {
		return "", err
	}
	return doc.Text(), nil
}

// unstaged is a policy without such denials, and what they deny. Whatever else has the name of
// one is no such denial, and what denies anything that the policy does not allow is none: to
// take that away can allow what another policy grants.
func unstaged(text string) (bare string, actions []string) {
	if !strings.Contains(text, dera.StageSid) {
		return text, nil
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return text, nil
	}
	var drop []int
	for i, st := range doc.Statements {
		plain := st.Sid == dera.StageSid && st.Effect == policy.Deny && st.NotActions == nil && st.NotResources == nil && len(st.Conditions) == 0 &&
			st.Principals == nil && st.NotPrincipals == nil && slices.Equal(st.Resources, []string{"*"}) && len(st.Actions) > 0
		if plain && !slices.ContainsFunc(st.Actions, func(a string) bool { return strings.ContainsAny(a, "*?$") }) {
			drop, actions = append(drop, i), append(actions, st.Actions...)
		}
	}
	if len(drop) == 0 || len(drop) == len(doc.Statements) {
		return text, nil
	}
	left, err := document.PolicyEdit{Drop: drop}.Apply(doc)
	if err != nil || left == nil {
		return text, nil
	}
	slices.Sort(actions)
	if slices.ContainsFunc(actions, func(a string) bool { return !allows(left, a) }) {
		return text, nil
	}
	return left.Text(), slices.Compact(actions)
}

// Stage takes from the policies that are narrowed what is staged in them. at is how long it was,
// nil where that is not known; holders are those who have the policies.
func (s *Subject) Stage(at *Staged, days int, holders []Holder) *Subject {
	if s == nil {
		return nil
	}
	s.StageDays = days
	for i := range s.Policies {
		t := &s.Policies[i]
		if t.Whole != "" {
			continue
		}
		if bare, actions := unstaged(t.Document); len(actions) > 0 {
			if s.Stages == nil {
				s.Stages = map[string][]string{}
			}
			t.Document, s.Stages[t.Name] = bare, actions
		}
	}
	if len(s.Stages) > 0 && at != nil {
		s.Due, s.Missed, s.DueDays = at.Days >= days, at.Missed, at.Days
		for _, h := range holders {
			if s.Missed == "" && h.ARN != "" && !slices.Contains(at.From, h.ARN) {
				s.Missed = s.deniedTo(h)
			}
		}
	}
	return s
}

// deniedTo says what of that is staged is recorded as denied to someone who came to have the
// policy after the change, and whose denials nobody looked for.
func (s *Subject) deniedTo(h Holder) string {
	if h.Use == nil {
		return ""
	}
	c := catalog.Embedded()
	for _, call := range h.Use.Calls {
		if call.Denied == 0 {
			continue
		}
		meant, known := actionsOf(c, call)
		services := prefixes([]string{call.Source})
		for _, actions := range s.Stages {
			for _, a := range actions {
				service, _, _ := strings.Cut(a, ":")
				same := func(m string) bool { return strings.EqualFold(m, a) }
				if slices.ContainsFunc(meant, same) || !known && slices.Contains(services, strings.ToLower(service)) {
					return fmt.Sprintf("%s %s, which got the policy after that, was denied calls that may need %s", h.Kind, h.Name, a)
				}
			}
		}
	}
	return ""
}

// isStaged reports whether an action is staged, in all of the policies that are narrowed and
// allow it: one from which somebody took the denial, or that is new, gives it back.
func (j *judged) isStaged(action string) bool {
	staged := false
	for i, t := range j.Policies {
		if t.Whole != "" || !narrowable(j.docs[i]) {
			continue
		}
		here := slices.ContainsFunc(j.Stages[t.Name], func(a string) bool { return strings.EqualFold(a, action) })
		if !here && len(j.Stages) > 0 && allows(j.docs[i], action) {
			return false
		}
		staged = staged || here
	}
	return staged
}

// stages reports whether a plan for some findings goes by stages.
func (s *Subject) stages(keys []string) bool {
	return len(s.Stages) > 0 || s.StageDays > 0 && !slices.Contains(keys, ResourcesKey)
}

// final is the subject as it is judged for what the plan leads to at last, with all keys.
func (s *Subject) final(keys []string) (*Subject, []string) {
	out := *s
	if len(s.Stages) > 0 {
		out.Due = true
		if j, err := out.judge(); err == nil && !slices.Contains(keys, UnusedStagedKey) && slices.ContainsFunc(j.found, func(u unneeded) bool { return u.key == UnusedStagedKey }) {
			keys = append(slices.Clone(keys), UnusedStagedKey)
		}
	}
	return &out, keys
}

// Staging are the texts of the policies after a plan that goes by stages, and those that it
// leads to at last.
func (s *Subject) Staging(keys []string) (after, last []string, refusal *control.Refusal) {
	if slices.Contains(keys, ResourcesKey) {
		return nil, nil, &control.Refusal{Code: "staged-first", Why: "permissions of the policies are being taken out by stages: resources are narrowed after that"}
	}
	final, all := s.final(keys)
	if last, _, refusal = final.narrowed(all); refusal != nil {
		return nil, nil, refusal
	}
	base := make([]string, len(s.Policies))
	for i, t := range s.Policies {
		base[i] = t.Document
	}
	if slices.Contains(keys, UnusedStagedKey) {
		if base, _, refusal = final.narrowed([]string{UnusedStagedKey}); refusal != nil {
			return nil, nil, refusal
		}
	}
	if s.StageDays == 0 {
		return last, last, nil
	}
	j, err := final.judge()
	if err != nil {
		return nil, nil, CannotPlan(err)
	}
	var goes []string
	for _, u := range j.found {
		if slices.Contains(all, u.key) {
			goes = append(goes, u.actions...)
		}
	}
	after = slices.Clone(last)
	for i, t := range s.Policies {
		if t.Whole != "" || base[i] == "" || base[i] == last[i] {
			continue
		}
		var denied []string
		for _, a := range goes {
			if lets(base[i], a) && !lets(last[i], a) {
				denied = append(denied, a)
			}
		}
		if len(denied) == 0 {
			continue
		}
		if after[i], err = staged(base[i], denied); err != nil {
			return nil, nil, CannotPlan(err)
		}
	}
	return after, last, s.fits(after)
}

// lets reports whether a policy allows an action on anything.
func lets(text, action string) bool {
	if text == "" {
		return false
	}
	doc, err := policy.Parse(text)
	return err != nil || allows(doc, action)
}

// StageKind is the kind of evidence for plans that go by stages.
const StageKind = "stage/1"

// StagedChange is what a proof about such a plan is about: what it leads to at last, as
// [Permissions], and the policies that stand until then.
type StagedChange struct {
	Permissions Permissions `json:"permissions"`
	Until       []string    `json:"until"`
}

// StageEvidence is the kind of StagedChange.
func StageEvidence() evidence.Kind {
	return evidence.Kind{Name: StageKind, Remake: evidence.Remade[StagedChange]}
}

// Prove makes the evidence for a plan that leaves the policies of the subject with some texts.
func (s *Subject) Prove(after, keys []string) (dera.Evidence, error) {
	if !s.stages(keys) {
		return ProvePermissions(s, after, keys)
	}
	final, all := s.final(keys)
	_, last, refusal := s.Staging(keys)
	if refusal != nil {
		return dera.Evidence{}, fmt.Errorf("prove the policies: %s", refusal.Why)
	}
	for i, t := range s.Policies { // what is no stage is proved as it will be
		if _, actions := unstaged(after[i]); t.Whole != "" || len(actions) == 0 {
			last[i] = after[i]
		} else if last[i] == t.Document { // it is not part of the plan
			after = slices.Clone(after)
			after[i] = last[i]
		}
	}
	if slices.Equal(after, last) {
		return ProvePermissions(final, after, all)
	}
	_, broad, _ := final.narrowed(all)
	real := StagedChange{Permissions{Before: *final.keeping(broad), After: last, Goals: slices.Sorted(slices.Values(all))}, after}
	hide := new(document.Redactor)
	hidden := StagedChange{Permissions: real.Permissions.hidden(hide)}
	for _, text := range after {
		hidden.Until = append(hidden.Until, hide.Text(text))
	}
	if err := hidden.Permissions.certify(); err != nil {
		return dera.Evidence{}, err
	}
	out, err := hidden.Evidence()
	if err != nil {
		return dera.Evidence{}, err
	}
	if err := real.Permissions.certify(); err != nil {
		return dera.Evidence{}, err
	}
	again, _ := real.claims()
	if !slices.EqualFunc(again, out.Claims, func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, fmt.Errorf("prove the policies: %w", evidence.ErrHidden)
	}
	return out, nil
}

// Evidence proves or refutes what the plan does.
func (st StagedChange) Evidence() (dera.Evidence, error) {
	out, err := st.Permissions.Evidence()
	if err != nil {
		return dera.Evidence{}, err
	}
	if len(st.Until) != len(st.Permissions.After) {
		return dera.Evidence{}, fmt.Errorf("stage evidence: there are %d policies until then, and %d at last", len(st.Until), len(st.Permissions.After))
	}
	if out.Body, err = dera.CanonicalJSON(st); err != nil {
		return dera.Evidence{}, fmt.Errorf("stage evidence: %w", err)
	}
	out.Kind = StageKind
	out.Claims, out.Denied = st.claims()
	return out, nil
}

// claims are those of what the plan leads to, and of what stands until then.
func (st StagedChange) claims() ([]dera.Claim, string) {
	claims, denied := st.Permissions.claims()
	return append(claims,
		claim("staged_nothing_new", "until then nothing is allowed that the policies before do not allow", st.until(func(before, until, _ string) (some, others string) { return until, before })),
		claim("staged_nothing_lost", "until then everything is allowed that is allowed at last: a denial takes away what goes, and nothing else", st.until(func(_, until, last string) (some, others string) { return last, until })),
	), denied
}

// until asks of each policy that has a stage whether everything that one text allows another
// allows too.
func (st StagedChange) until(of func(before, until, last string) (some, others string)) answer {
	for i, t := range st.Permissions.Before.Policies {
		if st.Until[i] == st.Permissions.After[i] {
			continue
		}
		some, others := of(t.Document, st.Until[i], st.Permissions.After[i])
		if some == "" {
			continue // nothing is allowed
		}
		docs, err := parsed([]Text{{Name: t.Name, Document: some}, {Name: t.Name, Document: others}})
		if err != nil {
			return unproved(err.Error())
		}
		a := proof.Subset(context.Background(), reason.Policies{docs[0]}, reason.Policies{docs[1]}, reason.Config{})
		switch {
		case a.Verdict == reason.Refuted && a.Witness != nil:
			return answer{dera.Refuted, t.Name + ": " + a.Witness.Request.Action}
		case a.Verdict != reason.Proved:
			return unproved(t.Name + ": " + a.Detail)
		}
	}
	return proved()
}
