package bucket_test

import (
	"context"
	"encoding/json"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/services/s3/bucket"
)

// holdBucketMutants changes what a plan writes into the policy, in ways that each
// take away or give too much: none of them may be proved.
func holdBucketMutants(t controltest.TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
	t.Helper()
	if c.ID == "s3-bucket-plain-http-allowed" {
		return // it takes nothing out of a policy; its forgeries are bodies
	}
	b, ok := r.Config.(*bucket.Bucket)
	if !ok || len(p.Changes) != 1 || p.Changes[0].Operation != bucket.PutBucketPolicy {
		return
	}
	var in bucket.BucketPolicyInput
	if err := controltest.Strict(p.Changes[0].Input, &in); err != nil {
		t.Fatalf("read input: %v", err)
	}
	for _, m := range policyMutants(t, b, in.Policy) {
		if equivalent(t, m.text, in.Policy) {
			continue
		}
		written := in
		written.Policy = m.text
		input, err := json.Marshal(written)
		if err != nil {
			t.Fatalf("write input: %v", err)
		}
		mutant := p
		mutant.Changes = []dera.Change{p.Changes[0]}
		mutant.Changes[0].Input = input
		if ev, err := c.Prove(r, failures, mutant, s); err == nil && ev.Proved() {
			t.Errorf("the plan for %s is proved too where it %s:\n%s\nof\n%s", p.Keys, m.how, m.text, b.Policy)
		}
	}
}

type policyMutant struct{ how, text string }

// policyMutants are ways in which a plan could go wrong.
func policyMutants(t controltest.TB, b *bucket.Bucket, after string) []policyMutant {
	t.Helper()
	doc, err := policy.Parse(after)
	if err != nil {
		t.Fatalf("read the policy after: %v", err)
	}
	var out []policyMutant
	for i := range doc.Statements {
		// A denial that goes allows someone; a permission that goes is a loss.
		if left, err := doc.Apply(policy.RemoveStatement(i)); err == nil {
			out = append(out, policyMutant{"drops statement " + doc.Statements[i].Sid, left.Text()})
		}
	}
	for _, key := range []string{"aws:PrincipalAccount", "aws:PrincipalOrgID"} {
		for _, own := range []string{b.Owner, "o-a1b2c3d4e5"} {
			for _, space := range []string{"", " "} {
				old := `"` + key + `":` + space + `"` + own + `"`
				if strings.Contains(after, old) && !strings.Contains(b.Policy, old) {
					out = append(out,
						policyMutant{"narrows to a foreign account", strings.ReplaceAll(after, old, `"`+key+`":"999988887777"`)},
						policyMutant{"leaves a foreign account in", strings.ReplaceAll(after, old, `"`+key+`":["`+own+`","999988887777"]`)})
				}
			}
		}
	}
	for _, action := range []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket"} {
		if old := `"Action":"` + action + `"`; strings.Contains(after, old) {
			out = append(out, policyMutant{"widens an action", strings.Replace(after, old, `"Action":"s3:*"`, 1)})
		}
	}
	return append(out, policyMutant{"changes nothing", b.Policy})
}

// equivalent reports whether two policies allow the same: other statements can make
// up for a change.
func equivalent(t controltest.TB, a, b string) bool {
	t.Helper()
	var docs []reason.Policies
	for _, text := range []string{a, b} {
		doc, err := policy.Parse(text)
		if err != nil {
			t.Fatalf("read a mutant: %v", err)
		}
		docs = append(docs, reason.Policies{doc})
	}
	return reason.Equivalent(context.Background(), docs[0], docs[1], reason.Config{}).Verdict == reason.Proved
}
