package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// SetDefaultVersion is the operation that puts another version of a managed policy in
// force.
const SetDefaultVersion = "iam:SetDefaultPolicyVersion"

// AccessPolicy is the name of the inline policy by which an access is given.
func AccessPolicy(a dera.Access) string { return "dera-access-" + strings.TrimPrefix(a.ID, "a-") }

// LeftKey is the key of the finding on a policy that somebody changed, and that stays
// after its access ended.
func LeftKey(a dera.Access) string { return a.Key() + "/left" }

// Accesses finds what was asked for and is not given, and what should not be there any
// more.
func (i *Identity) Accesses(what string) control.Result {
	if !i.Read(PartAccess) {
		return control.Result{Outcome: control.NotApplicable}
	}
	if len(i.Access) > 0 && !i.Read(PartInline) {
		return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the inline policies of the " + what}
	}
	var out []control.Failure
	if why := i.unknownAccess(); why != "" {
		return control.Result{Outcome: control.UnknownResult, Why: why}
	}
	for _, a := range i.Access {
		name, after := AccessPolicy(a.Access), ""
		if len(a.Plans) > 0 {
			after, _ = giving(a)
		}
		there := i.inline(name) >= 0
		switch {
		case a.State == dera.AccessAsked && !(there && i.hasCopy(name, after)):
			out = append(out, control.Failure{
				Key: a.Key(), Start: dera.Review, Severity: dera.Medium, Title: "Access was asked to be given back", Until: a.Until,
				Why: fmt.Sprintf("%s asked for %s, which dera took (%s): %s. Whoever asked, and the principal itself, cannot grant it.", a.By.Name, a.Text(), strings.Join(a.Took, ", "), a.Reason),
			})
		case a.State == dera.AccessLeft && there:
			out = append(out, control.Failure{
				Key: LeftKey(a.Access), Start: dera.Review, Severity: dera.Medium, Title: "Policy of an access that ended is still there",
				Why: fmt.Sprintf("The access %s ended, and inline policy %q is still there: %s.", a.ID, name, endOf(a.Access)),
			})
		}
	}
	slices.SortFunc(out, func(a, b control.Failure) int { return strings.Compare(a.Key, b.Key) })
	if len(out) > 0 {
		return control.Result{Outcome: control.Fail, Failures: out}
	}
	return control.Result{Outcome: control.Pass}
}

// endOf says why the policy of an access that ended stays.
func endOf(a dera.Access) string {
	if a.End == nil {
		return "dera does not delete it"
	}
	return a.End.Why
}

// unknownAccess says what is not known of what was asked for, or nothing.
func (i *Identity) unknownAccess() string {
	for _, a := range i.Access {
		if a.Unknown != "" {
			return fmt.Sprintf("where the access %s stands is not known: %s", a.ID, a.Unknown)
		}
	}
	return ""
}

// GiveBack are the changes that give what the failures ask for, each an inline policy of
// the identity alone; beside are the policies that it has by others.
func (i *Identity) GiveBack(k Kind, failures []control.Failure, beside []Attached) (out []dera.Change, refusal *control.Refusal) {
	size, err := i.InlineSize()
	if err != nil {
		return nil, CannotPlan(err)
	}
	for _, f := range failures {
		at := slices.IndexFunc(i.Access, func(a resource.Asked) bool { return a.Key() == f.Key && a.State == dera.AccessAsked })
		if at < 0 {
			return nil, &control.Refusal{Code: "by-hand", Why: "decide about what stands there now, and delete it by hand"}
		}
		a := i.Access[at]
		if a.Missing != "" {
			return nil, &control.Refusal{Code: "not-in-effect", Why: a.Missing}
		}
		if why := i.lost(a, beside); why != "" {
			return nil, &control.Refusal{Code: "not-its-own", Why: why}
		}
		after, err := giving(a)
		if err != nil {
			return nil, CannotPlan(err)
		}
		name := AccessPolicy(a.Access)
		if slices.ContainsFunc(i.Inline, func(p Inline) bool { return strings.EqualFold(p.Name, name) }) {
			return nil, &control.Refusal{Code: "name-taken", Why: fmt.Sprintf("there is an inline policy %q already, which is not what was asked for", name)}
		}
		grows, err := growth("", after)
		if err != nil {
			return nil, CannotPlan(err)
		}
		if size += grows; size > k.InlineLimit() {
			return nil, &control.Refusal{Code: "no-space", Why: counting(size-k.InlineLimit(), "character") + " more than IAM stores of the inline policies"}
		}
		c, err := i.SetInline(k, name, after)
		if err != nil {
			return nil, CannotPlan(err)
		}
		out = append(out, c)
	}
	return out, nil
}

// lost says why the identity would not have what it asks for, had dera taken nothing: it is
// another one of the same name, or somebody took the policy itself from it; else nothing. That
// a member left a group shows only where the policy is still the group's.
func (i *Identity) lost(a resource.Asked, beside []Attached) string {
	for _, p := range a.Plans {
		if !p.At.IsZero() && i.Created.After(p.At) {
			return fmt.Sprintf("%s was made on %s: %s took that from another one of this name", i.Name, day(i.Created), p.Remediation)
		}
		for _, c := range p.Changes {
			var in struct {
				Name   string `json:"name"`
				Policy string `json:"policy"`
			}
			if err := json.Unmarshal(c.Input, &in); err != nil {
				return fmt.Sprintf("the plan of %s cannot be read: %s", p.Remediation, err)
			}
			has := func(p Attached) bool { return dera.ARN(p.ARN).Resource() == "policy/"+in.Policy }
			switch c.Operation {
			case SetDefaultVersion:
			case GroupKind.PutInline():
				has = func(p Attached) bool { return p.ARN == InlineName(in.Name, in.Policy) }
			default:
				continue
			}
			if !slices.ContainsFunc(i.Attached, has) && !slices.ContainsFunc(beside, has) {
				return fmt.Sprintf("%s does not have policy %s any more, from which %s took it", i.Name, in.Policy, p.Remediation)
			}
		}
	}
	return ""
}

// Given reports whether an inline policy is one by which an access is in force, exactly as
// it was approved. The name alone says nothing: anybody can give it to a policy.
func (i *Identity) Given(p Inline) bool {
	return slices.ContainsFunc(i.Access, func(a resource.Asked) bool {
		return a.State == dera.AccessGranted && slices.ContainsFunc(a.Given, func(c dera.Change) bool {
			var in InlineInput
			return json.Unmarshal(c.Input, &in) == nil && in.Name == i.Name && in.Policy == p.Name && in.Document != "" && document.SamePolicy(in.Document, p.Document)
		})
	})
}

// giving is the policy that gives what is asked for.
func giving(a resource.Asked) (string, error) {
	before, err := takenFrom(a.Plans)
	if err != nil {
		return "", err
	}
	return GivenBack(before, a.Actions, a.Until)
}

// takenFrom are the policies before some changes took something from them, of those that
// were in force. Versions that are not in force say nothing.
func takenFrom(plans []resource.TookBy) ([]Text, error) {
	var out []Text
	for _, p := range plans {
		for _, c := range p.Changes {
			var in struct {
				Policy   string `json:"policy"`
				Document string `json:"document"`
				Expect   string `json:"expect"`
			}
			if err := json.Unmarshal(c.Input, &in); err != nil {
				return nil, fmt.Errorf("read the plan of %s: %w", p.Remediation, err)
			}
			text := ""
			for _, k := range []Kind{RoleKind, UserKind, GroupKind} {
				if c.Operation == k.PutInline() || c.Operation == k.DeleteInline() {
					text = in.Expect
				}
				if c.Operation == k.Detach() {
					text = in.Document
				}
			}
			if c.Operation == SetDefaultVersion {
				text = in.Expect
			}
			if text != "" {
				out = append(out, Text{Name: in.Policy, Document: Bare(text)}) // a stage is dera's own denial
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("what the policies were before the change is not known")
	}
	return out, nil
}

// GivenBack is the policy that allows what policies allowed of some actions, on just the
// resources and under just the conditions that they had; AWS ends it at until, where that
// is set.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws-dates.html
func GivenBack(before []Text, actions []string, until time.Time) (string, error) {
	docs, err := parsed(before)
	if err != nil {
		return "", err
	}
	out, had := &policy.Document{Version: policy.Version2012}, map[string]bool{}
	var lines []string
	for n, d := range docs {
		for s := range d.Statements {
			st := &d.Statements[s]
			if st.Effect != policy.Allow {
				continue
			}
			fresh := policy.Statement{Effect: policy.Allow, Resources: st.Resources, NotResources: st.NotResources, Conditions: slices.Clone(st.Conditions)}
			for _, a := range actions {
				if Exactly(st, a) {
					fresh.Actions, had[a] = append(fresh.Actions, a), true
				}
			}
			if len(fresh.Actions) == 0 {
				continue
			}
			if !d.Variables() && strings.Contains(fmt.Sprint(st.Resources, st.NotResources, st.Conditions), "${") {
				return "", fmt.Errorf("policy %s is of version 2008-10-17, in which ${…} is plain text: a person has to write what gives it back", before[n].Name)
			}
			if !until.IsZero() {
				if fresh.Conditions, err = ending(fresh.Conditions, until); err != nil {
					return "", fmt.Errorf("policy %s: %w", before[n].Name, err)
				}
			}
			line, err := fresh.Line()
			if err != nil {
				return "", err
			}
			if !slices.Contains(lines, line) {
				lines, out.Statements = append(lines, line), append(out.Statements, fresh)
			}
		}
	}
	for _, a := range actions {
		if !had[a] {
			return "", fmt.Errorf("the policies before the change did not allow %s", a)
		}
	}
	text := out.Text()
	doc, err := policy.Parse(text)
	if err == nil {
		err = doc.Validate(policy.Identity)
	}
	return text, err
}

const currentTime = "aws:CurrentTime"

// ending adds the condition that the time is before a moment. All conditions must hold, but
// of one key under one operator one value suffices: there it must not be added.
func ending(conditions []policy.Condition, until time.Time) ([]policy.Condition, error) {
	for _, operator := range []string{"DateLessThan", "DateLessThanEquals"} {
		if !slices.ContainsFunc(conditions, func(c policy.Condition) bool {
			return strings.EqualFold(c.Operator, operator) && strings.EqualFold(c.Key, currentTime)
		}) {
			return append(slices.Clone(conditions), policy.Condition{Operator: operator, Key: currentTime, Values: []string{until.UTC().Format(time.RFC3339)}}), nil
		}
	}
	return nil, errors.New("it has conditions on the time already: a person has to write what gives it back")
}
