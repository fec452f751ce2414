package check

import (
	"fmt"
	"testing"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
)

// bucket is a policy that lets some callers read the bucket b on a condition.
func bucket(principal, condition string, more ...string) string {
	text := fmt.Sprintf(`{"Effect":"Allow","Principal":%s,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":%s}`, principal, condition)
	for _, st := range more {
		text += "," + st
	}
	return `{"Version":"2012-10-17","Statement":[` + text + `]}`
}

// denies is a denial for everybody on a condition.
func denies(condition string) string {
	return `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":` + condition + `}`
}

// TestClosed asks the checker and the engine about the same policies. What the
// checker takes for closed the engine must not refute.
func TestClosed(t *testing.T) {
	t.Parallel()
	const anybody = `"*"`
	allow := func(condition string) string { return bucket(anybody, condition) }
	denied := func(condition string) string { return bucket(anybody, `{}`, denies(condition)) }
	ours := Trust{Zoned: true, Accounts: []string{"111111111111"}, Organizations: []string{"o-ours"}, Principals: []string{"arn:aws:iam::999999999999:role/a", "AROAOURS", "canon"}}
	tests := []struct {
		name           string
		text           string
		public, inside bool // closed for the public, for all but the zone
	}{
		{"anybody", allow(`{}`), false, false},
		{"own_account", bucket(`{"AWS":"111111111111"}`, `{}`), true, true},
		{"foreign_account", bucket(`{"AWS":"arn:aws:iam::222222222222:root"}`, `{}`), true, false},
		{"own_role", bucket(`{"AWS":["arn:aws:iam::111111111111:role/r"]}`, `{}`), true, true},
		{"named_role", bucket(`{"AWS":"arn:aws:iam::999999999999:role/a"}`, `{}`), true, true},
		{"other_role", bucket(`{"AWS":"arn:aws:iam::999999999999:role/b"}`, `{}`), true, false},
		{"unique_ids", bucket(`{"AWS":"AROAOURS"}`, `{}`), true, true},
		{"foreign_id", bucket(`{"AWS":"AROATHEIRS"}`, `{}`), true, false},
		{"origin_access_identity", bucket(`{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}`, `{}`), true, false},
		{"origin_access_identity_and_anybody", bucket(`{"AWS":["arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1","*"]}`, `{}`), false, false},
		{"canonical_user", bucket(`{"CanonicalUser":"canon"}`, `{}`), true, true},
		{"foreign_canonical_user", bucket(`{"CanonicalUser":"else"}`, `{}`), true, false},
		{"a_service", bucket(`{"Service":"logging.s3.amazonaws.com"}`, `{}`), true, true},
		{"a_service_and_anybody", bucket(`{"Service":"logging.s3.amazonaws.com","AWS":"*"}`, `{}`), false, false},
		{"own_provider", bucket(`{"Federated":"arn:aws-cn:iam::111111111111:saml-provider/p"}`, `{}`), true, true},
		{"foreign_provider", bucket(`{"Federated":"arn:aws:iam::222222222222:saml-provider/p"}`, `{}`), true, false},
		{"shared_issuer", bucket(`{"Federated":"arn:aws:iam::222222222222:oidc-provider/gitlab.com"}`, `{}`), false, false},
		{"shared_issuer_with_a_subject", bucket(`{"Federated":"arn:aws:iam::222222222222:oidc-provider/gitlab.com"}`, `{"StringLike":{"gitlab.com:sub":"project_path:us/*"}}`), true, true},
		{"own_shared_issuer", bucket(`{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}`, `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`), false, false},
		{"own_shared_issuer_with_a_subject", bucket(`{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}`, `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:ours/*"}}`), true, true},
		{"any_provider", bucket(`{"Federated":"*"}`, `{}`), false, false},
		{"google_with_an_audience", bucket(`{"Federated":"accounts.google.com"}`, `{"StringEquals":{"accounts.google.com:aud":"1"}}`), true, true},

		{"own_organisation", allow(`{"StringEquals":{"aws:PrincipalOrgID":"o-ours"}}`), true, true},
		{"foreign_organisation", allow(`{"StringEquals":{"aws:PrincipalOrgID":["o-ours","o-theirs"]}}`), true, false},
		{"organisation_by_a_pattern", allow(`{"StringLike":{"aws:PrincipalOrgID":"o-our*"}}`), false, false},
		{"organisation_if_exists", allow(`{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-ours"}}`), false, false},
		{"organisation_of_all_values", allow(`{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-ours"}}`), false, false},
		{"organisation_unit", allow(`{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-ours/r-1/*"}}`), true, true},
		{"organisation_of_the_resource", allow(`{"StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}`), true, true},
		{"account_of_a_tag", allow(`{"StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalTag/a}"}}`), false, false},
		{"no_organisation", allow(`{"Null":{"aws:PrincipalOrgID":"true"}}`), false, false},
		{"vpc", allow(`{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`), true, true},
		{"arn_part_by_part", allow(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111111111111:t"}}`), true, true},
		{"arn_of_the_resource", allow(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:${aws:ResourceAccount}:t"}}`), true, true},
		{"arn_behind_a_star", allow(`{"StringLike":{"aws:SourceArn":"arn:aws:sns:*:111111111111:t"}}`), false, false},
		{"arn_of_an_account", allow(`{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:*"}}`), true, true},
		{"arn_of_a_bucket", allow(`{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::b"}}`), true, false},
		{"arn_of_any_bucket", allow(`{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b*"}}`), false, false},
		{"no_arn", allow(`{"StringEquals":{"aws:PrincipalArn":"x"}}`), true, true},
		{"user_id", allow(`{"StringEquals":{"aws:userid":"AROAOURS"}}`), true, true},
		{"session", allow(`{"StringLike":{"aws:userid":"AROAOURS:*"}}`), true, true},
		{"anonymous", allow(`{"StringEqualsIgnoreCase":{"aws:userid":"ANONYMOUS"}}`), false, false},
		{"account_of_the_resource", allow(`{"StringEquals":{"aws:ResourceAccount":"222222222222"}}`), false, true},
		{"user_agent", allow(`{"StringEquals":{"aws:UserAgent":"secret"}}`), false, false},
		{"service_only", allow(`{"Bool":{"aws:PrincipalIsAWSService":"true"}}`), true, true},
		{"tls_only", allow(`{"Bool":{"aws:SecureTransport":"true"}}`), false, false},
		{"tls_neither", allow(`{"StringEquals":{"aws:SecureTransport":"maybe"}}`), true, true},
		{"office", allow(`{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/48"]}}`), true, true},
		{"private", allow(`{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), true, true},
		{"half_the_internet", allow(`{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`), false, false},
		{"two_neighbours", bucket(anybody, `{"IpAddress":{"aws:SourceIp":"54.0.0.0/8"}}`, `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"55.0.0.0/8"}}}`), false, false},
		{"office_by_the_referer", allow(`{"IpAddress":{"aws:Referer":"203.0.113.0/24"}}`), false, false},
		{"until_2020", allow(`{"DateLessThan":{"aws:CurrentTime":"2020-01-01"}}`), true, true},
		{"until_2020_in_seconds", allow(`{"NumericLessThanEquals":{"aws:EpochTime":"1577836800"}}`), true, true},
		{"since_2020", allow(`{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01"}}`), false, false},
		{"until_2020_by_a_tag", allow(`{"DateLessThan":{"aws:PrincipalTag/d":"2020-01-01"}}`), false, false},

		{"denied_to_other_organisations", denied(`{"StringNotEquals":{"aws:PrincipalOrgID":"o-ours"}}`), true, true},
		{"denied_to_other_organisations_by_any_value", denied(`{"ForAnyValue:StringNotEquals":{"aws:PrincipalOrgID":"o-ours"}}`), false, false},
		{"denied_outside_the_office", denied(`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`), true, true},
		{"denied_with_and_without_tls", denied(`{"BoolIfExists":{"aws:SecureTransport":["true","false"]}}`), true, true},
		{"denied_to_callers_who_are_no_services", denied(`{"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`), true, true},
		{"denied_for_both_booleans_of_the_user_agent", denied(`{"BoolIfExists":{"aws:UserAgent":["true","false"]}}`), false, false},
		{"denied_by_a_text_that_differs", denied(`{"StringNotEquals":{"aws:UserAgent":"secret"}}`), false, false},
		{"denied_where_allowed", bucket(anybody, `{"StringEquals":{"aws:UserAgent":"x"}}`, denies(`{"StringLike":{"aws:UserAgent":"*"}}`)), true, true},
		{"denied_to_all_but_ours", bucket(anybody, `{}`, `{"Effect":"Deny","NotPrincipal":{"AWS":["111111111111","arn:aws:iam::111111111111:role/r"]},"Action":"*","Resource":"*"}`), true, true},
		{"denied_elsewhere", bucket(anybody, `{}`, `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"arn:aws:s3:::c/*"}`), false, false},
		{"denied_for_other_actions", bucket(anybody, `{}`, `{"Effect":"Deny","Principal":"*","Action":"s3:Put*","Resource":"*"}`), false, false},
		{"denied_to_one_account", bucket(anybody, `{}`, `{"Effect":"Deny","Principal":{"AWS":"222222222222"},"Action":"*","Resource":"*"}`), false, false},
		{"denied_by_nobody", bucket(anybody, `{}`, `{"Effect":"Deny","Action":"*","Resource":"*"}`), false, false},
		{"nobody_named", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, true, true},
		{"all_but_one", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"111111111111"},"Action":"*","Resource":"*"}]}`, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, tt.text)
			all := reason.Policies{doc}
			zone := reason.Zone{Accounts: ours.Accounts, Organizations: ours.Organizations, Principals: ours.Principals}
			for _, q := range []struct {
				who   Trust
				want  bool
				found reason.Exposure
			}{{Trust{}, tt.public, reason.Public(t.Context(), all, reason.Config{})}, {ours, tt.inside, reason.External(t.Context(), all, zone, reason.Config{})}} {
				err := Closed([]*policy.Document{doc}, q.who)
				if (err == nil) != q.want {
					t.Errorf("zoned %v: got %v, want closed: %v", q.who.Zoned, err, q.want)
				}
				if err == nil && q.found.Verdict != reason.Proved {
					t.Errorf("zoned %v: closed, and the engine says %v: %+v", q.who.Zoned, q.found.Verdict, q.found)
				}
			}
		})
	}
}

// TestClosed_on_some_resources: statements about others do not count.
func TestClosed_on_some_resources(t *testing.T) {
	t.Parallel()
	open := bucket(`"*"`, `{}`)
	but := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","NotResource":"%s"}]}`
	here := `{"Effect":"Deny","Principal":"*","Action":"*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`
	on := []string{"arn:aws:s3:::b", "arn:aws:s3:::b/*"}
	for name, tt := range map[string]struct {
		text             string
		actions, objects []string
		want             bool
	}{
		"the_bucket":                  {open, []string{"s3:*"}, on, false},
		"another_bucket":              {open, []string{"s3:*"}, []string{"arn:aws:s3:::c", "arn:aws:s3:::c/*"}, true},
		"other_actions":               {open, []string{"s3:Put*"}, on, true},
		"all_but_the_bucket":          {fmt.Sprintf(but, "arn:aws:s3:::b*"), nil, on, true},
		"all_but_a_folder":            {fmt.Sprintf(but, "arn:aws:s3:::b/private/*"), nil, on, false},
		"everything_but_denied_here":  {bucket(`"*"`, `{}`, here), []string{"s3:*"}, on, true},
		"everything_but_denied_there": {bucket(`"*"`, `{}`, here), []string{"s3:*"}, append(on, "arn:aws:s3:::b2/*"), true},
		"owner_is_another":            {bucket(`"*"`, `{"StringEquals":{"s3:ResourceAccount":"999999999999"}}`), nil, nil, true},
	} {
		err := Closed([]*policy.Document{parse(t, tt.text)}, Trust{Owner: "111111111111", Actions: tt.actions, Resources: tt.objects})
		if (err == nil) != tt.want {
			t.Errorf("%s: got %v, want closed: %v", name, err, tt.want)
		}
	}
}
