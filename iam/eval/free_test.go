package eval

import "testing"

// TestRulesOfAWS: what AWS allows or forbids whatever the policies say.
func TestRulesOfAWS(t *testing.T) {
	t.Parallel()
	full, ec2 := compile(t, allowAll), compile(t, allowEC2)
	no := compile(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}`)
	const (
		root   = "arn:aws:iam::111122223333:root"
		linked = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
		run    = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/run-1"
		fed    = "arn:aws:sts::111122223333:federated-user/bob"
		who    = "sts:GetCallerIdentity"
		token  = "sts:GetSessionToken"
	)
	tests := map[string]struct {
		action string
		caller Principal
		in     Input
		want   Outcome
	}{
		// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
		"identity_without_policies":      {who, Principal{ARN: alice}, Input{}, Allowed},
		"identity_of_a_role":             {"STS:getcalleridentity", Principal{ARN: session}, Input{Identity: ec2, Boundary: ec2, Session: ec2, SCPs: []*Set{ec2}}, Allowed},
		"identity_denied":                {who, Principal{ARN: alice}, Input{Identity: no}, Allowed},
		"identity_denied_everywhere":     {who, Principal{ARN: session}, Input{Identity: no, Boundary: no, Session: no, SCPs: []*Set{no}}, Allowed},
		"identity_of_root":               {who, Principal{ARN: root}, Input{SCPs: []*Set{no}}, Allowed},
		"identity_of_a_federated_user":   {who, Principal{ARN: fed}, Input{}, Allowed},
		"identity_unsigned":              {who, Principal{}, Input{}, ImplicitDeny},
		"identity_by_another_name":       {"sts:GetCallerIdentityX", Principal{ARN: alice}, Input{}, ImplicitDeny},
		"identity_by_another_service":    {"iam:GetCallerIdentity", Principal{ARN: alice}, Input{}, ImplicitDeny},
		"another_call_of_sts_stays_so":   {"sts:DecodeAuthorizationMessage", Principal{ARN: alice}, Input{}, ImplicitDeny},
		"another_call_of_sts_is_allowed": {"sts:DecodeAuthorizationMessage", Principal{ARN: alice}, Input{Identity: full}, Allowed},

		// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
		"token_without_policies":    {token, Principal{ARN: alice}, Input{}, Allowed},
		"token_within_limits":       {token, Principal{ARN: alice}, Input{Identity: ec2, Boundary: ec2, SCPs: []*Set{ec2}}, Allowed},
		"token_denied":              {token, Principal{ARN: alice}, Input{Identity: no}, ExplicitDeny},
		"token_denied_above":        {token, Principal{ARN: alice}, Input{Identity: full, SCPs: []*Set{no}}, ExplicitDeny},
		"token_of_root":             {token, Principal{ARN: root}, Input{}, Allowed},
		"token_of_a_session":        {token, Principal{ARN: session}, Input{}, ImplicitDeny},
		"token_of_a_role":           {token, Principal{ARN: worker}, Input{}, ImplicitDeny},
		"token_of_a_federated_user": {token, Principal{ARN: fed}, Input{}, ImplicitDeny},

		// "SCPs do not affect any service-linked role."
		// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html#scp-effects-on-permissions
		"linked_role_under_a_denying_scp":    {"s3:GetObject", Principal{ARN: linked}, Input{Identity: full, SCPs: []*Set{no}}, Allowed},
		"linked_role_under_a_narrow_scp":     {"s3:GetObject", Principal{ARN: linked}, Input{Identity: full, SCPs: []*Set{ec2}}, Allowed},
		"session_of_a_linked_role":           {"s3:GetObject", Principal{ARN: run, ServiceLinked: true}, Input{Identity: full, SCPs: []*Set{no}}, Allowed},
		"linked_role_needs_its_policy_still": {"s3:GetObject", Principal{ARN: linked}, Input{SCPs: []*Set{full}}, ImplicitDeny},
		"other_role_under_a_denying_scp":     {"s3:GetObject", Principal{ARN: worker}, Input{Identity: full, SCPs: []*Set{no}}, ExplicitDeny},

		// "You can't use IAM policies to explicitly deny the root user access to resources.
		// You can only use an AWS Organizations service control policy (SCP)". Boundaries are
		// of users and roles.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
		"root_and_identity_policies":   {"s3:GetObject", Principal{ARN: root}, Input{Identity: no}, Allowed},
		"root_and_a_narrow_boundary":   {"s3:GetObject", Principal{ARN: root}, Input{Boundary: ec2}, Allowed},
		"root_and_a_denying_boundary":  {"s3:GetObject", Principal{ARN: root}, Input{Identity: no, Boundary: no}, Allowed},
		"root_and_a_denying_scp":       {"s3:GetObject", Principal{ARN: root}, Input{SCPs: []*Set{no}}, ExplicitDeny},
		"root_of_management_account":   {"s3:GetObject", Principal{ARN: root}, Input{SCPs: []*Set{no}, ManagementAccount: account}, Allowed},
		"user_and_a_narrow_boundary":   {"s3:GetObject", Principal{ARN: alice}, Input{Identity: full, Boundary: ec2}, ImplicitDeny},
		"user_under_a_denying_policy":  {"s3:GetObject", Principal{ARN: alice}, Input{Identity: no}, ExplicitDeny},
		"root_of_another_account_asks": {"s3:GetObject", Principal{ARN: "arn:aws:iam::999988887777:root"}, Input{Boundary: ec2}, ImplicitDeny},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := tt.in
			in.Request = Request{Principal: tt.caller, Action: tt.action, Resource: "*"}
			if tt.action == "s3:GetObject" {
				in.Request.Resource, in.ResourceAccount = bucketKey, account
			}
			got := Evaluate(in)
			is(t, "decision", got.Decision, tt.want)
			is(t, "without reasons", in.Decide(), tt.want)
			if freedomOf(&in.Request, &caller{Principal: tt.caller}) == always && len(got.Because) > 0 {
				t.Errorf("it needs no statement, got %v", got.Because)
			}
		})
	}
}
