// Package iamtest is for the tests of the types of IAM.
package iamtest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/services/iam"
)

// Bodies are forgeries of a proof about permissions.
func Bodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	if ev.Kind == iam.ResourcesKind {
		return resourceBodies(t, ev)
	}
	var p iam.Permissions
	if err := controltest.Strict(ev.Body, &p); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	same := p
	same.After = nil
	for _, text := range p.Before.Policies {
		same.After = append(same.After, text.Document)
	}
	aimless := p
	aimless.Goals = nil
	busy := p
	busy.Before.Principals = slices.Clone(p.Before.Principals)
	for i := range busy.Before.Principals {
		who := &busy.Before.Principals[i]
		who.Use.Calls = append(slices.Clone(who.Use.Calls), who.Use.Calls...)
		who.Use.To = who.Use.To.AddDate(0, 0, 1)
	}
	return []controltest.Forgery{
		{How: "nothing changes", Body: same}, {How: "no finding is named", Body: aimless}, {How: "the record is another", Body: busy},
	}
}

// Policies are the documents of an identity.
func Policies(t controltest.TB, i *iam.Identity) reason.Policies {
	t.Helper()
	var out reason.Policies
	add := func(text string) {
		if doc, err := policy.Parse(text); err == nil {
			out = append(out, doc)
		}
	}
	for _, p := range i.Inline {
		add(p.Document)
	}
	for _, p := range i.Attached {
		add(p.Document)
	}
	return out
}

// Same reports whether two identities may do the same.
func Same(t controltest.TB, a, b *iam.Identity) bool {
	t.Helper()
	return reason.Equivalent(context.Background(), Policies(t, a), Policies(t, b), reason.Config{}).Verdict == reason.Proved
}

// Surgical: no policy is new but the copy of a policy of AWS that went, none has other
// statements but for their actions, and as a plan may for their resources, and denials stay.
func Surgical(t controltest.TB, before, after *iam.Identity, p dera.Plan) {
	t.Helper()
	old := map[string]string{}
	for _, p := range before.Inline {
		old[p.Name] = p.Document
	}
	for _, p := range before.Attached {
		if name := iam.CopyName(p.ARN, p.Version); strings.HasPrefix(p.ARN, "arn:aws:iam::aws:policy/") && old[name] == "" &&
			!slices.ContainsFunc(after.Attached, func(a iam.Attached) bool { return a.ARN == p.ARN }) {
			old[name] = p.Document
		}
	}
	for _, in := range after.Inline {
		text, ok := old[in.Name]
		if !ok {
			t.Errorf("inline policy %s is new", in.Name)
		}
		Narrower(t, text, in.Document, p)
	}
	for _, p := range after.Attached {
		if !slices.ContainsFunc(before.Attached, func(o iam.Attached) bool { return o.ARN == p.ARN && o.Document == p.Document }) {
			t.Errorf("policy %s is new, or another", p.ARN)
		}
	}
}

// Narrower: the statements of a policy are those of another one, in order, some of them
// with other actions or gone; denials are all there. A plan that narrows resources may
// have single ones in the place of others, and statements with these at the end.
func Narrower(t controltest.TB, before, after string, p dera.Plan) {
	t.Helper()
	a, errA := policy.Parse(before)
	b, errB := policy.Parse(after)
	if errA != nil || errB != nil {
		if before != after {
			t.Errorf("a policy that cannot be read changed: %v, %v", errA, errB)
		}
		return
	}
	bare := func(doc *policy.Document, i int) string {
		st := doc.Statements[i]
		if st.Effect == policy.Allow {
			st.Actions = []string{"x:Y"}
		}
		return (&policy.Document{Version: doc.Version, Statements: []policy.Statement{st}}).Canon()
	}
	where := func(doc *policy.Document, i int) string { // but for Sid and resources
		other := *doc
		other.Statements = slices.Clone(doc.Statements)
		other.Statements[i].Sid, other.Statements[i].Resources = "", []string{"*"}
		return bare(&other, i)
	}
	located := func(i, n int) bool {
		st := b.Statements[n]
		single := st.Effect == policy.Allow && len(st.Resources) > 0 && !slices.ContainsFunc(st.Resources, func(r string) bool { return strings.ContainsAny(r, "*?$") })
		return slices.Contains(p.Keys, iam.ResourcesKey) && single && where(a, i) == where(b, n)
	}
	next := 0
	for i := range a.Statements {
		switch {
		case next < len(b.Statements) && (bare(a, i) == bare(b, next) || a.Statements[i].Sid == b.Statements[next].Sid && located(i, next)):
			next++
		case a.Statements[i].Effect != policy.Allow:
			t.Errorf("a denial is missing: %s", before)
		}
	}
	for ; next < len(b.Statements); next++ {
		of := func(i int) bool { return located(i, next) && b.Statements[next].Sid == "" }
		if !slices.ContainsFunc(places(a), of) {
			t.Errorf("statement %d is new: %s", next, after)
		}
	}
}

func places(doc *policy.Document) (out []int) {
	for i := range doc.Statements {
		out = append(out, i)
	}
	return out
}

// Mutant is a way in which a plan could go wrong.
type Mutant struct{ How, Text string }

// Documents are what a plan could leave instead of a policy: each takes away or gives too
// much.
func Documents(t controltest.TB, before, after string) []Mutant {
	t.Helper()
	out := []Mutant{{"changes nothing", before}}
	doc, err := policy.Parse(after)
	if err != nil {
		return out
	}
	used := usedActions()
	add := func(how string, edits ...policy.Edit) {
		if fresh, err := doc.Apply(edits...); err == nil {
			out = append(out, Mutant{how, fresh.Text()})
		}
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		add("drops a statement", policy.RemoveStatement(i))
		if st.Effect != policy.Allow {
			continue
		}
		for _, a := range st.Actions {
			if slices.Contains(used, a) {
				add("loses "+a+", which was used", policy.RemoveAction(i, a))
			}
		}
		for _, r := range st.Resources {
			add("loses the resource "+r, policy.RemoveResource(i, r))
			add("has all resources", policy.ReplaceResource(i, r, "*"))
			if !strings.ContainsAny(r, "*?$") {
				add("has a resource beside "+r, policy.ReplaceResource(i, r, r, r+"-x"))
				add("has a pattern of "+r, policy.ReplaceResource(i, r, r+"*"))
				add("has another resource than "+r, policy.ReplaceResource(i, r, r+"-x"))
			}
		}
		for _, a := range []string{"*", "s3:*", "sqs:*", "kinesis:PutRecord"} {
			add("grants "+a, policy.ReplaceAction(i, st.Actions[0], st.Actions[0], a))
		}
		service, _, _ := strings.Cut(st.Actions[0], ":")
		add("widens an entry", policy.ReplaceAction(i, st.Actions[0], service+":*"))
	}
	return out
}

// Mutants holds plans for a kind of identity that are nearly the plan against its
// evidence: none of them may be proved.
func Mutants(k iam.Kind, of func(config any) *iam.Identity) func(controltest.TB, control.Control, dera.Resource, control.Settings, []control.Failure, dera.Plan) {
	return func(t controltest.TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
		t.Helper()
		i := of(r.Config)
		try := func(how string, changes []dera.Change) {
			other := p
			other.Changes = changes
			if ev, err := c.Prove(r, failures, other, s); err == nil && ev.Proved() {
				t.Errorf("the plan for %s is proved too where it %s", p.Keys, how)
			}
		}
		touched := map[string]bool{}
		for n, change := range p.Changes {
			if change.Operation != k.PutInline() && change.Operation != k.DeleteInline() {
				continue
			}
			var in iam.InlineInput
			if err := controltest.Strict(change.Input, &in); err != nil {
				t.Fatalf("read input: %v", err)
			}
			touched[in.Policy] = true
			for _, m := range Documents(t, in.Expect, in.Document) {
				if m.Text != "" && equivalent(t, i, in, m.Text) {
					continue
				}
				written := in
				written.Document = m.Text
				text, err := json.Marshal(written)
				if err != nil {
					t.Fatalf("write input: %v", err)
				}
				changes := slices.Clone(p.Changes)
				changes[n].Operation, changes[n].Input = k.PutInline(), text
				try(m.How, changes)
			}
		}
		for _, other := range i.Inline {
			if touched[other.Name] {
				continue
			}
			change, err := i.SetInline(k, other.Name, "")
			if err != nil {
				t.Fatalf("edit another policy: %v", err)
			}
			try("drops the policy "+other.Name+" too", append(slices.Clone(p.Changes), change))
		}
		fresh, err := i.SetInline(k, "fresh", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}]}`)
		if err != nil {
			t.Fatalf("make another policy: %v", err)
		}
		try("makes another policy", append(slices.Clone(p.Changes), fresh))
	}
}

// usedActions are the actions that some case uses.
func usedActions() []string {
	return []string{"ec2:DescribeInstances", "ec2:StartInstances", "sqs:CreateQueue", "lambda:CreateFunction", "s3:ListAllMyBuckets"}
}

// equivalent reports whether all policies of the identity allow the same with a text as
// with that of the plan.
func equivalent(t controltest.TB, i *iam.Identity, in iam.InlineInput, text string) bool {
	t.Helper()
	with := func(document string) *iam.Identity {
		other := *i
		other.Inline = slices.Clone(i.Inline)
		other.Inline = slices.DeleteFunc(other.Inline, func(p iam.Inline) bool { return p.Name == in.Policy })
		if document != "" {
			other.Inline = append(other.Inline, iam.Inline{Name: in.Policy, Document: document})
		}
		return &other
	}
	return Same(t, with(in.Document), with(text))
}
