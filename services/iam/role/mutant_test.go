package role_test

import (
	"context"
	"encoding/json"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam/role"
)

// holdTrustMutants changes what a plan writes into the trust policy, in ways that each
// take away or give too much: none of them may be proved.
func holdTrustMutants(t controltest.TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
	t.Helper()
	before, ok := r.Config.(*role.Role)
	if !ok || len(p.Changes) != 1 || p.Changes[0].Operation != role.UpdateTrust {
		return
	}
	var in role.TrustInput
	if err := controltest.Strict(p.Changes[0].Input, &in); err != nil {
		t.Fatalf("read input: %v", err)
	}
	for _, m := range trustMutants(t, before.Trust, in.Document) {
		if equivalent(t, m.text, in.Document) {
			continue
		}
		written := in
		written.Document = m.text
		input, err := json.Marshal(written)
		if err != nil {
			t.Fatalf("write input: %v", err)
		}
		mutant := p
		mutant.Changes = []dera.Change{p.Changes[0]}
		mutant.Changes[0].Input = input
		if ev, err := c.Prove(r, failures, mutant, s); err == nil && ev.Proved() {
			t.Errorf("the plan for %s is proved too where it %s:\n%s\nof\n%s", p.Keys, m.how, m.text, before.Trust)
		}
	}
}

type trustMutant struct{ how, text string }

// trustMutants are ways in which a plan could go wrong.
func trustMutants(t controltest.TB, before, after string) []trustMutant {
	t.Helper()
	doc, err := policy.Parse(after)
	if err != nil {
		t.Fatalf("read the trust policy after: %v", err)
	}
	out := []trustMutant{{"changes nothing", before}, {"trusts no principal", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`}}
	add := func(how string, edit policy.Edit) {
		if left, err := doc.Apply(edit); err == nil {
			out = append(out, trustMutant{how, left.Text()})
		}
	}
	for i := range doc.Statements {
		add("drops a statement", policy.RemoveStatement(i))
		for _, p := range document.PrincipalsOf(&doc.Statements[i]) {
			add("drops the principal "+p.Value, policy.RemovePrincipal(i, p.Kind, p.Value))
		}
	}
	for _, more := range []string{
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::777777777777:root"},"Action":"sts:AssumeRole"}`,
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999900001111:user/back"},"Action":"sts:AssumeRole"}`,
		`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`,
		`{"Effect":"Deny","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`,
	} {
		if wider, err := doc.Append(more); err == nil {
			out = append(out, trustMutant{"adds " + more, wider.Text()})
		}
	}
	return append(out, trustMutant{"widens the actions", strings.ReplaceAll(after, `"sts:AssumeRole"`, `"sts:*"`)})
}

// equivalent reports whether two policies allow the same: other statements can make
// up for a change.
func equivalent(t controltest.TB, a, b string) bool {
	t.Helper()
	var docs []reason.Policies
	for _, text := range []string{a, b} {
		doc, err := policy.Parse(text)
		if err != nil {
			t.Fatalf("read policy: %v", err)
		}
		docs = append(docs, reason.Policies{doc})
	}
	return reason.Equivalent(context.Background(), docs[0], docs[1], reason.Config{}).Verdict == reason.Proved
}
