package reason

import (
	"fmt"
	"strings"
	"testing"
)

// statementOf writes a bucket policy statement.
func statementOf(effect, principal, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return fmt.Sprintf(`{"Effect":%q,%s,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"%s}`, effect, principal, condition)
}

func policyOf(t testing.TB, statements ...string) Policies {
	t.Helper()
	if len(statements) == 0 {
		return nil
	}
	return parsePolicies(t, []byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`))
}

const (
	everybody = `"Principal":"*"`
	account1  = `"Principal":{"AWS":"111122223333"}`
)

func TestPublic(t *testing.T) {
	t.Parallel()
	allow := func(condition string) []string { return []string{statementOf("Allow", everybody, condition)} }
	tests := []struct {
		name       string
		statements []string
		want       Conclusion
		open       []int
	}{
		{"everybody", allow(""), Refuted, []int{0}},
		{"everybody_as_aws", []string{statementOf("Allow", `"Principal":{"AWS":"*"}`, "")}, Refuted, []int{0}},
		{"one_account", []string{statementOf("Allow", account1, "")}, Proved, nil},
		{"service", []string{statementOf("Allow", `"Principal":{"Service":"cloudtrail.amazonaws.com"}`, "")}, Proved, nil},
		{"all_but_one_account", []string{statementOf("Allow", `"NotPrincipal":{"AWS":"111122223333"}`, "")}, Refuted, []int{0}},
		{"organisation", allow(`{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`), Proved, nil},
		{"organisation_key_in_lower_case", allow(`{"StringEquals":{"aws:principalorgid":"o-a1b2c3d4e5"}}`), Proved, nil},
		{"organisation_if_exists", allow(`{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`), Refuted, []int{0}},
		{"any_organisation", allow(`{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`), Refuted, []int{0}},
		{"some_organisation", allow(`{"Null":{"aws:PrincipalOrgID":"false"}}`), Refuted, []int{0}},
		{"all_but_an_organisation", allow(`{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`), Refuted, []int{0}},
		{"organisation_path", allow(`{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/r-ab12/*"}}`), Proved, nil},
		{"all_values_of_organisation_path", allow(`{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}}`), Refuted, []int{0}},
		{"principal_account", allow(`{"StringEquals":{"aws:PrincipalAccount":["111122223333"]}}`), Proved, nil},
		{"principal_account_of_the_resource", allow(`{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}`), Proved, nil},
		{"principal_account_of_a_tag", allow(`{"StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalTag/team}"}}`), Refuted, []int{0}},
		{"role_of_an_account", allow(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`), Proved, nil},
		{"role_of_any_account", allow(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin"}}`), Refuted, []int{0}},
		{"via_a_service", allow(`{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`), Refuted, []int{0}},
		{"only_tls", allow(`{"Bool":{"aws:SecureTransport":"true"}}`), Refuted, []int{0}},
		{"aws_services_only", allow(`{"Bool":{"aws:PrincipalIsAWSService":"true"}}`), Proved, nil},
		{"source_bucket", allow(`{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::my-bucket"}}`), Proved, nil},
		{"source_of_any_account", allow(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:topic"}}`), Refuted, []int{0}},
		{"vpc", allow(`{"StringEquals":{"aws:SourceVpc":"vpc-1a2b3c4d"}}`), Proved, nil},
		{"role_id", allow(`{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}`), Proved, nil},
		{"any_user_id", allow(`{"StringLike":{"aws:userid":"*"}}`), Refuted, []int{0}},

		{"one_address", allow(`{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`), Proved, nil},
		{"a_slash_8", allow(`{"IpAddress":{"aws:SourceIp":"54.0.0.0/8"}}`), Proved, nil},
		{"wider_than_a_slash_8", allow(`{"IpAddress":{"aws:SourceIp":"54.0.0.0/7"}}`), Refuted, []int{0}},
		{"the_internet", allow(`{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`), Refuted, []int{0}},
		{"the_internet_in_two_halves", allow(`{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}`), Refuted, []int{0}},
		{"ipv6_in_two_halves", allow(`{"IpAddress":{"aws:SourceIp":["::/1","8000::/1"]}}`), Refuted, []int{0}},
		{"the_internet_in_256_parts", allow(`{"IpAddress":{"aws:SourceIp":[` + parts256() + `]}}`), Refuted, []int{0}},
		{"the_internet_in_256_statements", statements256(), Refuted, upTo256()},
		{"an_office_beside_the_internet", []string{
			statementOf("Allow", everybody, `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`),
			statementOf("Allow", everybody, `{"IpAddress":{"aws:SourceIp":["128.0.0.0/1","0.0.0.0/1"]}}`),
		}, Refuted, []int{1}},
		{"private_addresses", allow(`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","172.16.0.0/12"]}}`), Proved, nil},
		{"address_if_exists", allow(`{"IpAddressIfExists":{"aws:SourceIp":"203.0.113.7"}}`), Refuted, []int{0}},
		{"not_an_address", allow(`{"NotIpAddress":{"aws:SourceIp":"203.0.113.7"}}`), Refuted, []int{0}},

		{"denied_outside_the_organisation", []string{
			statementOf("Allow", everybody, ""),
			statementOf("Deny", everybody, `{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`),
		}, Proved, nil},
		{"denied_outside_the_organisation_but_for_services", []string{
			statementOf("Allow", everybody, ""),
			statementOf("Deny", everybody, `{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},"Bool":{"aws:PrincipalIsAWSService":"false"}}`),
		}, Refuted, []int{0}},
		{"only_the_public_statements_are_named", []string{
			statementOf("Allow", account1, ""), statementOf("Allow", everybody, ""),
			statementOf("Allow", everybody, `{"StringEquals":{"aws:SourceVpce":"vpce-1"}}`), statementOf("Allow", everybody, `{"Bool":{"aws:SecureTransport":"true"}}`),
		}, Refuted, []int{1, 3}},
		{"plain_http_denied", []string{statementOf("Allow", everybody, ""), statementOf("Deny", everybody, `{"Bool":{"aws:SecureTransport":"false"}}`)}, Refuted, []int{0}},

		{"web_identity_of_anybody", []string{`{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"sts:AssumeRoleWithWebIdentity"}`}, Refuted, []int{0}},
		{"web_identity_of_an_application", []string{`{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"sts:AssumeRoleWithWebIdentity",
			"Condition":{"StringEquals":{"accounts.google.com:aud":"66677788899900"}}}`}, Proved, nil},
		{"any_github_repository", []string{`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity",
			"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}}`}, Refuted, []int{0}},
		{"one_github_organisation", []string{`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity",
			"Condition":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:octo-org/*"}}}`}, Proved, nil},
		{"identity_policy", []string{`{"Effect":"Allow","Action":"*","Resource":"*"}`}, Proved, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			policies := policyOf(t, tt.statements...)
			got := Public(t.Context(), policies, Config{})
			if got.Verdict != tt.want {
				t.Fatalf("got %v, want %v: %+v", got.Verdict, tt.want, got)
			}
			var open []int
			for _, o := range got.Open {
				open = append(open, o.Statement.Statement)
				confirmed(t, tt.name, Answer{Verdict: Refuted, Witness: o.Witness}, policies, nil)
			}
			if fmt.Sprint(open) != fmt.Sprint(tt.open) {
				t.Errorf("public statements: got %v, want %v", open, tt.open)
			}
		})
	}
}

func statements256() []string {
	var out []string
	for i := range 256 {
		out = append(out, statementOf("Allow", everybody, fmt.Sprintf(`{"IpAddress":{"aws:SourceIp":"%d.0.0.0/8"}}`, i)))
	}
	return out
}

// upTo256 is every statement but the one for private addresses.
func upTo256() []int {
	var out []int
	for i := range 256 {
		if i != 10 {
			out = append(out, i)
		}
	}
	return out
}

func parts256() string {
	var out []string
	for i := range 256 {
		out = append(out, fmt.Sprintf(`"%d.0.0.0/8"`, i))
	}
	return strings.Join(out, ",")
}

func TestPublicOn(t *testing.T) {
	t.Parallel()
	most := `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","NotResource":"arn:aws:s3:::b/private/*"}`
	denied := `{"Effect":"Deny","Principal":"*","Action":"*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`
	bucket := []string{"arn:aws:s3:::b", "arn:aws:s3:::b/*"}
	tests := []struct {
		name       string
		statements []string
		on         []string
		want       Conclusion
	}{
		{"all_but_a_folder", []string{most}, bucket, Refuted},
		{"all_but_a_folder_of_another_bucket", []string{strings.Replace(most, "b/private", "c", 1)}, bucket, Refuted},
		{"denied_on_the_bucket", []string{most, denied}, bucket, Proved},
		{"denied_on_the_bucket_alone", []string{most, denied}, nil, Refuted},
		{"all_of_s3_denied_on_the_bucket", []string{strings.Replace(most, "s3:GetObject", "*", 1), strings.Replace(denied, `"*","Res`, `"s3:*","Res`, 1)}, bucket, Proved},
		{"about_another_bucket", []string{statementOf("Allow", everybody, "")}, []string{"arn:aws:s3:::c", "arn:aws:s3:::c/*"}, Proved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := PublicOn(t.Context(), policyOf(t, tt.statements...), []string{"s3:*"}, tt.on, Config{}); got.Verdict != tt.want {
				t.Errorf("got %v, want %v: %+v", got.Verdict, tt.want, got)
			}
		})
	}
}
