package bucket_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/control"
	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
	"dera.example/dera/services"
	"dera.example/dera/services/s3/bucket"
	"pgregory.net/rapid"
)

// caller is someone who makes requests, and what AWS says of him.
type caller struct {
	name      string
	principal eval.Principal
	context   eval.Context
	identity  bool // with an identity policy that allows everything
}

const (
	ownRole = "arn:aws:sts::111122223333:assumed-role/app/i-0a1b"
	partner = "arn:aws:iam::222233334444:user/etl"
)

// allowed asks the evaluator, which shares no code with what makes the plans.
func allowed(t *rapid.T, text string, c caller, action, object string) bool {
	t.Helper()
	if text == "" {
		return false
	}
	doc, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	in := eval.Input{
		Request:         eval.Request{Principal: c.principal, Action: action, Resource: "arn:aws:s3:::" + object, Context: c.context}.WithDerived(),
		Resource:        eval.Compile(doc),
		ResourceAccount: "111122223333",
	}
	if c.identity {
		all, err := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
		if err != nil {
			t.Fatal(err)
		}
		in.Identity = eval.Compile(all)
	}
	return eval.Evaluate(in).Decision == eval.Allowed
}

// TestPublicPolicyTakesFromNobodyElse tries requests on random policies before and
// after the plan. A role of the own account without an identity policy keeps what it
// could do; so do a partner and an office what names them; anybody can do nothing.
func TestPublicPolicyTakesFromNobodyElse(t *testing.T) {
	t.Parallel()
	c := find(t, "s3-bucket-public-policy")
	count := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		list := drawStatements(t, true, 4)
		if rapid.Bool().Draw(t, "names the office") {
			when := whenPhrases()
			list[0].when = when[slices.IndexFunc(when, func(p phrase) bool { return strings.Contains(p.text, `"203.0.113.0/24","::/0"`) })]
		}
		b := &bucket.Bucket{Name: "shop", Owner: "111122223333", OwnerID: "owner", Ownership: "BucketOwnerEnforced", Policy: policyOf(list)}
		s := control.Settings{Organization: rapid.SampledFrom([]string{"", "o-a1b2c3d4e5"}).Draw(t, "organisation")}
		r := bucketResource(b)
		res, err := c.Check(r, s)
		if err != nil {
			t.Fatal(err)
		}
		if res.Outcome != control.Fail {
			count["nothing to do"]++
			return
		}
		p, refusal, err := c.Plan(r, res.Failures, s)
		if err != nil {
			t.Fatal(err)
		}
		if refusal != nil {
			count["refused"]++
			return
		}
		config, err := services.Types().ApplyPlan(b, p)
		if err != nil {
			t.Fatal(err)
		}
		after := config.(*bucket.Bucket).Policy
		// What the policy says of those whom it names, alone.
		var ofPartner, ofOffice []statement
		for _, st := range list {
			if !st.deny {
				named := st
				named.who.text = strings.Replace(named.who.text, `,"*"`, "", 1)
				if !strings.HasPrefix(named.who.text, `"Not`) && !strings.Contains(named.who.text, "*") {
					ofPartner = append(ofPartner, named)
				}
				if strings.Contains(st.when.text, `"203.0.113.0/24","::/0"`) {
					st.when.text = strings.Replace(st.when.text, `,"::/0"`, "", 1)
					ofOffice = append(ofOffice, st)
				}
				continue
			}
			ofPartner, ofOffice = append(ofPartner, st), append(ofOffice, st)
		}
		own := caller{name: "own role", principal: eval.Principal{ARN: ownRole}, context: eval.Context{"aws:PrincipalAccount": {"111122223333"}}}
		if s.Organization != "" {
			own.context["aws:PrincipalOrgID"] = []string{s.Organization}
		}
		checks := []struct {
			caller
			before string
		}{
			{own, b.Policy},
			{caller{name: "partner", principal: eval.Principal{ARN: partner}, context: eval.Context{"aws:PrincipalAccount": {"222233334444"}}, identity: true}, policyOf(ofPartner)},
			{caller{name: "office", context: eval.Context{"aws:SourceIp": {"203.0.113.7"}}}, policyOf(ofOffice)},
		}
		for _, x := range checks {
			if x.context["aws:SourceIp"] == nil {
				x.context["aws:SourceIp"] = []string{rapid.SampledFrom([]string{"9.9.9.9", "203.0.113.7", "10.1.2.3", "2a00::1"}).Draw(t, "address of "+x.name)}
			}
			x.context["aws:SecureTransport"] = []string{"true"}
			if !slices.ContainsFunc(list, func(s statement) bool { return !s.deny }) || !strings.Contains(x.before, `"Effect"`) {
				continue
			}
			for _, action := range []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket"} {
				for _, object := range []string{"shop", "shop/a", "shop/private/b"} {
					had := allowed(t, x.before, x.caller, action, object)
					if had {
						count[x.name]++
					}
					if had && !allowed(t, after, x.caller, action, object) {
						t.Fatalf("%s loses %s on %s:\n%s\nafter\n%s", x.name, action, object, b.Policy, after)
					}
					public := caller{context: eval.Context{"aws:SourceIp": {"9.9.9.9"}, "aws:SecureTransport": {"true"}}}
					if allowed(t, after, public, action, object) {
						t.Fatalf("anybody keeps %s on %s after\n%s", action, object, after)
					}
				}
			}
		}
	})
	t.Logf("%v", count)
	for _, what := range []string{"own role", "partner", "office", "refused"} {
		if count[what] == 0 {
			t.Errorf("the test says nothing about %s: %v", what, count)
		}
	}
}
