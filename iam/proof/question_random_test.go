package proof_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

// someStatements are random statements over few words, so that they meet.
func someStatements(r *rand.Rand, principals bool) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var out []string
	for range 1 + r.IntN(3) {
		s := `"Effect":"` + pick("Allow", "Allow", "Allow", "Deny") + `"`
		s += `,"` + pick("Action", "Action", "Action", "NotAction") + `":` + pick(`"s3:GetObject"`, `["s3:GetObject","s3:PutObject"]`, `"s3:Get*"`, `"s3:*"`, `"*"`, `"sqs:SendMessage"`)
		s += `,"` + pick("Resource", "Resource", "Resource", "NotResource") + `":` + pick(`"*"`, `"arn:aws:s3:::b/*"`, `"arn:aws:s3:::b/x/*"`, `"arn:aws:s3:::?/k"`, `["arn:aws:s3:::c/*","arn:aws:s3:::b/k"]`)
		if principals {
			s += `,"Principal":` + pick(`"*"`, `{"AWS":"arn:aws:iam::111122223333:user/app"}`, `{"AWS":"arn:aws:iam::111122223333:role/app"}`, `{"AWS":"arn:aws:iam::111122223333:user/other"}`, `{"AWS":"111122223333"}`, `{"Service":"ec2.amazonaws.com"}`)
		}
		if r.IntN(3) == 0 {
			s += `,"Condition":` + pick(`{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`, `{"Bool":{"aws:SecureTransport":"true"}}`, `{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}`,
				`{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, `{"Null":{"aws:RequestedRegion":"true"}}`)
		}
		out = append(out, "{"+s+"}")
	}
	return strings.Join(out, ",")
}

// TestLostAgreesWithEvaluation: whatever was changed, and whatever else applies, a call that
// lost nothing is allowed after where it was before; and one that lost all is allowed by the
// policy before and not after.
func TestLostAgreesWithEvaluation(t *testing.T) {
	t.Parallel()
	seen := map[proof.Loss]int{}
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 16))
		principals := seed%3 == 0
		before := docs(t, someStatements(r, principals))
		after := docs(t, someStatements(r, principals))
		switch r.IntN(3) {
		case 0: // what narrowing does
			after = reason.Policies{{Version: before[0].Version, Statements: before[0].Statements[:len(before[0].Statements)-1]}}
		case 1:
			after = reason.Policies{{Version: before[0].Version, Statements: append(slices.Clone(before[0].Statements), after[0].Statements...)}}
		}
		other := docs(t, someStatements(r, false))
		call := proof.Question{Action: []string{"s3:GetObject", "s3:PutObject", "sqs:SendMessage"}[r.IntN(3)], Resource: []string{"arn:aws:s3:::b/k", "arn:aws:s3:::b/x/k", "arn:aws:s3:::c/k"}[r.IntN(3)]}
		caller := []string{"arn:aws:iam::111122223333:user/app", "arn:aws:iam::111122223333:role/app"}[r.IntN(2)]
		if principals {
			call.Account = "111122223333"
			call.Is = func(kind, value string) proof.Match {
				switch {
				case value == "*" || value == caller:
					return proof.MatchYes
				case kind != policy.PrincipalAWS, strings.Contains(value, "/"):
					return proof.MatchNo
				}
				return proof.MatchMaybe
			}
		}
		boundary := eval.Compile(docs(t, someStatements(r, false))...)
		loss, _, why := proof.Lost(call, before, after)
		seen[loss]++
		for n := range 8 {
			context := eval.Context{}
			for i, c := range []struct{ key, value string }{{"aws:RequestedRegion", "eu-west-1"}, {"aws:SecureTransport", "true"}} {
				if n>>i&1 == 1 {
					context[c.key] = []string{c.value}
				}
			}
			allowed := func(set reason.Policies, beside reason.Policies) bool {
				req := eval.Request{Principal: eval.Principal{ARN: caller}, Action: call.Action, Resource: call.Resource, Context: context}.WithDerived()
				in := eval.Input{Request: req, Identity: eval.Compile(slices.Concat(set, beside)...)}
				if principals {
					in.Identity, in.Resource = eval.Compile(beside...), eval.Compile(set...)
				}
				if beside != nil && n%2 == 1 {
					in.Boundary = boundary
				}
				return in.Decide() == eval.Allowed
			}
			say := fmt.Sprintf("seed %d, %+v, context %v (%s):\nbefore %s\nafter  %s\nbeside %s", seed, call, context, why, texts(before), texts(after), texts(other))
			beside := other
			if n>>2 == 1 {
				beside = nil
			}
			switch was, is := allowed(before, beside), allowed(after, beside); {
			case loss == proof.LossNothing && was && !is:
				t.Fatalf("lost, although proved not to be: %s", say)
			case loss == proof.LossDenied && is:
				t.Fatalf("allowed, although proved to be denied: %s", say)
			case loss == proof.LossAll && beside == nil && (!was || is):
				t.Fatalf("not lost (%t, %t), although proved to be: %s", was, is, say)
			}
		}
	}
	if seen[proof.LossNothing] < 500 || seen[proof.LossAll] < 100 {
		t.Errorf("got %v, so that this shows little", seen)
	}
	t.Logf("%v", seen)
}

func texts(list reason.Policies) (out []string) {
	for _, d := range list {
		out = append(out, d.Canon())
	}
	return out
}
