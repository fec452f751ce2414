package proof_test

import (
	"testing"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

// TestLost: what a call loses with a change of one policy, whatever else applies.
func TestLost(t *testing.T) {
	t.Parallel()
	const (
		both    = `{"Effect":"Allow","Action":["s3:GetObject","s3:Put*"],"Resource":"arn:aws:s3:::b/*"}`
		get     = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
		below   = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/x/*"}`
		region  = `{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}`
		deny    = `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
		revoke  = `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-29T00:00:00Z"}}}`
		public  = `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
		own     = `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}}`
		another = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/other"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`
		mine    = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/app"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
		trust   = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/app"},"Action":"sts:AssumeRole"}`
		root    = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}`
	)
	app := func(kind, value string) proof.Match {
		switch {
		case kind != policy.PrincipalAWS, value == "arn:aws:iam::111122223333:role/other":
			return proof.MatchNo
		case value == "arn:aws:iam::111122223333:role/app":
			return proof.MatchYes
		}
		return proof.MatchMaybe
	}
	const account = "111122223333"
	tests := []struct {
		name             string
		before, after    string
		action, resource string
		is               func(string, string) proof.Match
		account          string
		want             proof.Loss
	}{
		{"action_goes", both, get, "s3:PutObject", "arn:aws:s3:::b/k", nil, "", proof.LossAll},
		{"action_goes_in_another_case", both, get, "S3:putobject", "arn:aws:s3:::b/k", nil, "", proof.LossAll},
		{"action_stays", both, get, "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossNothing},
		{"resource_goes", get, below, "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossAll},
		{"resource_stays", get, below, "s3:GetObject", "arn:aws:s3:::b/x/k", nil, "", proof.LossNothing},
		{"resource_is_not_known", get, below, "s3:GetObject", "", nil, "", proof.LossUnknown},
		{"resource_is_not_known_and_the_action_stays", both, get, "s3:GetObject", "", nil, "", proof.LossNothing},
		{"star_in_a_key", get, below, "s3:GetObject", "arn:aws:s3:::b/*", nil, "", proof.LossUnknown}, // it is every key,
		{"instances_that_are_not_made_yet", `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`, `{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}`, "ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:instance/*", nil, "", proof.LossAll},
		{"no_resource_of_its_own", `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`, `{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}`, "ec2:RunInstances", "*", nil, "", proof.LossAll},
		{"variable_in_a_key_is_none", get, below, "s3:GetObject", "arn:aws:s3:::b/${aws:username}", nil, "", proof.LossUnknown},
		{"was_never_allowed", both, get, "s3:DeleteObject", "arn:aws:s3:::b/k", nil, "", proof.LossNothing},
		{"policy_goes", both, "", "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossAll},
		{"nothing_was_there", "", both, "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossNothing},
		{"condition_decides", region, "", "ec2:DescribeInstances", "", nil, "", proof.LossUnknown},
		{"condition_of_another_action", region, "", "ec2:RunInstances", "", nil, "", proof.LossNothing},
		{"deny_comes_beside_the_allow", get, get + "," + deny, "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossDenied},
		{"deny_comes_and_others_may_allow", "", deny, "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossDenied},
		{"deny_of_old_sessions_comes", "", revoke, "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossUnknown},
		{"deny_was_there", get + "," + deny, deny, "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossNothing},
		{"deny_goes", get + "," + deny, get, "s3:GetObject", "arn:aws:s3:::b/k", nil, "", proof.LossNothing},
		{"public_goes", public, "", "s3:GetObject", "arn:aws:s3:::b/k", app, account, proof.LossAll},
		{"public_becomes_own", public, own, "s3:GetObject", "arn:aws:s3:::b/k", app, account, proof.LossNothing},
		{"public_becomes_own_for_others", public, own, "s3:GetObject", "arn:aws:s3:::b/k", app, "444455556666", proof.LossUnknown},
		{"other_principal_goes", another, "", "s3:GetObject", "arn:aws:s3:::b/k", app, account, proof.LossNothing},
		{"public_becomes_the_role_which_a_boundary_limits", public, mine, "s3:GetObject", "arn:aws:s3:::b/k", app, account, proof.LossUnknown},
		{"the_role_becomes_public", mine, public, "s3:GetObject", "arn:aws:s3:::b/k", app, account, proof.LossNothing},
		{"own_principal_goes", mine, another, "s3:GetObject", "arn:aws:s3:::b/k", app, account, proof.LossAll},
		{"principal_is_not_known", mine, "", "s3:GetObject", "arn:aws:s3:::b/k", func(string, string) proof.Match { return proof.MatchMaybe }, "", proof.LossUnknown},
		{"trust_goes", trust, "", "sts:AssumeRole", "", app, account, proof.LossAll},
		{"trust_of_the_account_goes", root, "", "sts:AssumeRole", "", app, account, proof.LossUnknown},
		{"trust_stays", root + "," + trust, trust, "sts:AssumeRole", "", app, account, proof.LossNothing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, claims, why := proof.Lost(proof.Question{Action: tt.action, Resource: tt.resource, Account: tt.account, Is: tt.is}, docs(t, tt.before), docs(t, tt.after))
			if got != tt.want {
				t.Errorf("got %d (%s), want %d", got, why, tt.want)
			}
			if (len(claims) == 2) != (got == proof.LossNothing) {
				t.Errorf("got %d claims with %d", len(claims), got)
			}
			for i, c := range claims {
				text, err := c.Certificate(t.Context())
				if err != nil {
					t.Fatalf("claim %d: %v", i, err)
				}
				if _, err := proof.Check(text); err != nil {
					t.Errorf("claim %d: its certificate is rejected: %v", i, err)
				}
			}
			if (why == "") != (got != proof.LossUnknown) {
				t.Errorf("why: got %q with %d", why, got)
			}
		})
	}
}

func docs(t *testing.T, statements string) reason.Policies {
	t.Helper()
	if statements == "" {
		return nil
	}
	d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return reason.Policies{d}
}
