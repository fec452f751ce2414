package reason

import (
	"testing"
)

func TestExternal(t *testing.T) {
	t.Parallel()
	zone := Zone{
		Accounts:      []string{"111122223333"},
		Organizations: []string{"o-ours"},
		Principals:    []string{"arn:aws:iam::999999999999:role/auditor", "ours"},
	}
	tests := []struct {
		name       string
		statements []string
		want       Conclusion
	}{
		{"own_account", []string{statementOf("Allow", account1, "")}, Proved},
		{"role_of_own_account", []string{statementOf("Allow", `"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, "")}, Proved},
		{"foreign_account", []string{statementOf("Allow", `"Principal":{"AWS":"444455556666"}`, "")}, Refuted},
		{"foreign_role", []string{statementOf("Allow", `"Principal":{"AWS":"arn:aws:iam::444455556666:role/r"}`, "")}, Refuted},
		{"named_foreign_role", []string{statementOf("Allow", `"Principal":{"AWS":"arn:aws:iam::999999999999:role/auditor"}`, "")}, Proved},
		{"other_role_of_the_same_account", []string{statementOf("Allow", `"Principal":{"AWS":"arn:aws:iam::999999999999:role/other"}`, "")}, Refuted},
		{"canonical_user", []string{statementOf("Allow", `"Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`, "")}, Refuted},
		{"named_canonical_user", []string{statementOf("Allow", `"Principal":{"CanonicalUser":"ours"}`, "")}, Proved},
		{"deleted_role", []string{statementOf("Allow", `"Principal":{"AWS":"AROAEXAMPLE"}`, "")}, Refuted},
		{"own_organisation", []string{statementOf("Allow", everybody, `{"StringEquals":{"aws:PrincipalOrgID":"o-ours"}}`)}, Proved},
		{"foreign_organisation", []string{statementOf("Allow", everybody, `{"StringEquals":{"aws:PrincipalOrgID":"o-theirs"}}`)}, Refuted},
		{"own_and_foreign_organisation", []string{statementOf("Allow", everybody, `{"StringEquals":{"aws:PrincipalOrgID":["o-ours","o-theirs"]}}`)}, Refuted},
		{"own_organisation_unit", []string{statementOf("Allow", everybody, `{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-ours/r-1/ou-1/*"}}`)}, Proved},
		{"principal_arn_of_own_account", []string{statementOf("Allow", everybody, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:*"}}`)}, Proved},
		{"principal_arn_of_foreign_account", []string{statementOf("Allow", everybody, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::444455556666:*"}}`)}, Refuted},
		{"foreign_account_denied", []string{statementOf("Allow", everybody, ""), statementOf("Deny", `"NotPrincipal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/r"]}`, "")}, Proved},
		{"foreign_identity_provider", []string{statementOf("Allow", `"Principal":{"Federated":"arn:aws:iam::444455556666:saml-provider/p"}`, "")}, Refuted},
		{"own_identity_provider", []string{statementOf("Allow", `"Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/p"}`, "")}, Proved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			policies := policyOf(t, tt.statements...)
			got := External(t.Context(), policies, zone, Config{})
			if got.Verdict != tt.want {
				t.Fatalf("got %v, want %v: %+v", got.Verdict, tt.want, got)
			}
			for _, o := range got.Open {
				confirmed(t, tt.name, Answer{Verdict: Refuted, Witness: o.Witness}, policies, nil)
			}
		})
	}
}

func TestAllowsAny(t *testing.T) {
	t.Parallel()
	policies := policyOf(t,
		`{"Effect":"Allow","Action":["s3:Get*","ec2:Describe*"],"Resource":"*"}`,
		`{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/app-*"}`,
		`{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::secret/*"}`)
	tests := []struct {
		name      string
		actions   []string
		resources []string
		want      Conclusion
	}{
		{"anything", nil, nil, Refuted},
		{"allowed_action", []string{"s3:GetBucketPolicy"}, nil, Refuted},
		{"case_does_not_matter", []string{"S3:getbucketpolicy"}, nil, Refuted},
		{"overlapping_patterns", []string{"s3:*Acl"}, nil, Refuted},
		{"other_action", []string{"s3:PutObject", "ec2:Run*"}, nil, Proved},
		{"denied_resource", []string{"s3:GetObject"}, []string{"arn:aws:s3:::secret/*"}, Proved},
		{"resource_beside_the_denied", []string{"s3:GetObject"}, []string{"arn:aws:s3:::secret*"}, Refuted},
		{"role_that_may_be_passed", []string{"iam:PassRole"}, []string{"arn:aws:iam::111122223333:role/app-1"}, Refuted},
		{"role_that_may_not_be_passed", []string{"iam:PassRole"}, []string{"arn:aws:iam::111122223333:role/admin"}, Proved},
		{"no_such_pattern", []string{"*:PassRole"}, nil, Proved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := AllowsAny(t.Context(), policies, tt.actions, tt.resources, Config{})
			if got.Verdict != tt.want {
				t.Fatalf("got %v (%v), want %v", got.Verdict, got.Detail, tt.want)
			}
			confirmed(t, tt.name, got, policies, nil)
		})
	}
}
