package reason

import (
	"fmt"
	"strings"
	"testing"
)

// TestPublic_of_free_text: a denial does not hide what a text that is of no type
// gets by, and what a caller sends allows public access.
func TestPublic_of_free_text(t *testing.T) {
	t.Parallel()
	open := statementOf("Allow", everybody, "")
	denied := func(condition string) []string { return []string{open, statementOf("Deny", everybody, condition)} }
	allow := func(condition string) []string { return []string{statementOf("Allow", everybody, condition)} }
	tests := []struct {
		name       string
		statements []string
		want       Conclusion
	}{
		{"denied_for_both_booleans_of_the_user_agent", denied(`{"BoolIfExists":{"aws:UserAgent":["true","false"]}}`), Refuted},
		{"denied_for_both_booleans_of_the_referer", denied(`{"BoolIfExists":{"aws:Referer":["true","false"]}}`), Refuted},
		{"denied_for_every_number_of_a_tag", denied(`{"NumericLessThanIfExists":{"aws:PrincipalTag/n":"5"},"NumericGreaterThanEqualsIfExists":{"aws:PrincipalTag/m":"5"}}`), Refuted},
		{"denied_for_every_address_of_the_user_agent", denied(`{"IpAddressIfExists":{"aws:UserAgent":["0.0.0.0/0","::/0"]}}`), Refuted},
		{"denied_but_for_an_address_of_the_user_agent", denied(`{"NotIpAddressIfExists":{"aws:UserAgent":"10.0.0.0/8"}}`), Refuted},
		{"denied_for_every_date_of_the_prefix", denied(`{"DateLessThanIfExists":{"s3:prefix":"292278993-01-01"}}`), Refuted},
		{"denied_for_both_booleans_of_tls", denied(`{"BoolIfExists":{"aws:SecureTransport":["true","false"]}}`), Proved},
		{"denied_for_every_address", denied(`{"IpAddressIfExists":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}`), Proved},
		{"denied_for_absent_values_of_a_set", denied(`{"ForAnyValue:Null":{"aws:TagKeys":["true","false"]}}`), Unknown},
		{"an_address_in_the_referer_is_no_network", []string{statementOf("Allow", everybody, `{"IpAddress":{"aws:SourceIp":"54.0.0.0/7"}}`),
			statementOf("Allow", account1, `{"IpAddress":{"aws:Referer":["54.0.0.0/8","55.0.0.0/8"]}}`)}, Refuted},

		{"before_a_year_that_may_be_a_second_of_1970", allow(`{"DateLessThan":{"aws:CurrentTime":"2030"}}`), Unknown},
		{"anonymous", allow(`{"StringEquals":{"aws:userid":"anonymous"}}`), Refuted},
		{"anonymous_without_case", allow(`{"StringEqualsIgnoreCase":{"aws:userid":"Anonymous"}}`), Refuted},
		{"anonymous_by_a_pattern", allow(`{"StringLike":{"aws:userid":["AIDAEXAMPLE","anonymous"]}}`), Refuted},
		{"one_user", allow(`{"StringEquals":{"aws:userid":"AIDAEXAMPLE"}}`), Proved},
		{"one_session", allow(`{"StringLike":{"aws:userid":"AROAEXAMPLE:i-*"}}`), Proved},
		{"any_role", allow(`{"StringLike":{"aws:userid":"AROA*"}}`), Refuted},
		{"any_session_of_a_name", allow(`{"StringLike":{"aws:userid":"*:deploy"}}`), Refuted},
		{"all_but_anonymous", allow(`{"StringNotEquals":{"aws:userid":"anonymous"}}`), Refuted},

		{"source_account_is_fixed_part_by_part", allow(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111111111111:t"}}`), Proved},
		{"source_account_of_any_partition_and_service", allow(`{"ArnEquals":{"aws:SourceArn":"arn:*:*:*:111111111111:*"}}`), Proved},
		{"source_account_of_the_resource", allow(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:${aws:ResourceAccount}:*"}}`), Proved},
		{"principal_of_an_account_part_by_part", allow(`{"ArnLike":{"aws:PrincipalArn":"arn:*:iam::111111111111:role/*"}}`), Proved},
		{"source_account_with_a_wildcard", allow(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:11111111111?:t"}}`), Refuted},
		{"source_account_behind_a_star_that_crosses", allow(`{"StringLike":{"aws:SourceArn":"arn:aws:logs:*:111111111111:*"}}`), Unknown},
		{"principal_behind_a_star_that_crosses", allow(`{"StringLike":{"aws:PrincipalArn":"arn:*:iam::111111111111:role/x"}}`), Unknown},
		{"source_account_before_all_stars", allow(`{"StringLike":{"aws:SourceArn":"arn:aws:logs:eu-west-1:111111111111:*"}}`), Proved},
		{"source_account_behind_one_letter", allow(`{"StringLike":{"aws:SourceArn":"arn:aws:logs:eu-west-?:111111111111:log-group:x"}}`), Unknown}, // "?" may be a colon
		{"source_account_to_the_letter", allow(`{"StringEquals":{"aws:SourceArn":"arn:aws:logs:eu-west-1:111111111111:x"}}`), Proved},
		{"sources_of_two_kinds", []string{statementOf("Allow", everybody, `{"StringLike":{"aws:SourceArn":"arn:aws:logs:*:111111111111:*"}}`), open}, Refuted},

		{"future_key", allow(`{"StringEquals":{"aws:SomeFutureAccountKey":"111122223333"}}`), Unknown},
		{"future_key_of_a_service", allow(`{"StringEquals":{"s3:SomeFutureKey":"x"}}`), Unknown},
		{"key_of_an_unknown_service", allow(`{"Bool":{"nosuch:Key":"true"}}`), Unknown},
		{"future_key_that_is_denied", denied(`{"StringNotEquals":{"aws:SomeFutureOrg":"o-1"}}`), Unknown},
		{"future_key_beside_the_open_door", []string{open, statementOf("Allow", everybody, `{"StringEquals":{"aws:SomeFutureKey":"x"}}`)}, Refuted},
		{"key_of_the_catalogue", allow(`{"StringEquals":{"s3:x-amz-acl":"private"}}`), Refuted},
		{"tag_of_the_catalogue", allow(`{"StringEquals":{"s3:ExistingObjectTag/team":"a"}}`), Refuted},

		{"until_2020", allow(`{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`), Proved},
		{"until_2020_in_seconds", allow(`{"NumericLessThan":{"aws:EpochTime":"1577836800"}}`), Proved},
		{"until_2100", allow(`{"DateLessThan":{"aws:CurrentTime":"2100-01-01T00:00:00Z"}}`), Refuted},
		{"a_date_on_a_tag", allow(`{"DateLessThan":{"aws:PrincipalTag/since":"2020-01-01T00:00:00Z"}}`), Refuted},
		{"neither_true_nor_false", allow(`{"StringEquals":{"aws:SecureTransport":"maybe"}}`), Proved},
		{"no_arn", allow(`{"StringEquals":{"aws:PrincipalArn":"someone"}}`), Proved},
		{"denial_without_principal", []string{open, `{"Effect":"Deny","Action":"*","Resource":"*"}`}, Refuted},
		{"grant_without_principal", []string{statementOf("Allow", account1, ""), `{"Effect":"Allow","Action":"*","Resource":"*"}`}, Proved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			policies := policyOf(t, tt.statements...)
			got := Public(t.Context(), policies, Config{})
			if got.Verdict != tt.want {
				t.Fatalf("got %v, want %v: %+v", got.Verdict, tt.want, got)
			}
			for _, o := range got.Open {
				confirmed(t, tt.name, Answer{Verdict: Refuted, Witness: o.Witness}, effective(policies), nil)
			}
		})
	}
}

// TestPublic_of_2008: a policy of 2008 has no variables. AWS sets no key to the
// text of one, and a caller may send it.
func TestPublic_of_2008(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]Conclusion{
		`{"StringEquals":{"s3:prefix":"${aws:username}/"}}`:                         Refuted,
		`{"StringEquals":{"aws:Referer":"${aws:username}"}}`:                        Refuted,
		`{"StringLike":{"aws:UserAgent":"${aws:username}*"}}`:                       Refuted,
		`{"StringEquals":{"aws:RequestTag/owner":"${aws:username}"}}`:               Refuted,
		`{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}`:        Proved,
		`{"StringEquals":{"aws:username":"${aws:username}"}}`:                       Proved,
		`{"StringLike":{"aws:RequestedRegion":"${aws:PrincipalTag/region}*"}}`:      Proved,
		`{"StringNotEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}`:     Refuted,
		`{"StringEquals":{"s3:ResourceAccount":"${aws:PrincipalAccount}"}}`:         Proved,
		`{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:${aws:ResourceAccount}:job/*"}}`: Proved,
	} {
		text := fmt.Sprintf(`{"Version":"2008-10-17","Statement":[%s]}`, statementOf("Allow", everybody, condition))
		if got := Public(t.Context(), parsePolicies(t, []byte(text)), Config{}); got.Verdict != want {
			t.Errorf("%s: got %v, want %v: %+v", condition, got.Verdict, want, got)
		}
	}
}

func TestExternal_of_doubtful_values(t *testing.T) {
	t.Parallel()
	zone := Zone{Accounts: []string{"111111111111"}, Principals: []string{"AROAOURS"}}
	for condition, want := range map[string]Conclusion{
		`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111111111111:t"}}`:     Proved,
		`{"StringLike":{"aws:SourceArn":"arn:aws:logs:*:111111111111:*"}}`: Refuted,
		`{"StringEquals":{"s3:ResourceAccount":"111111111111"}}`:           Refuted,
		`{"StringEquals":{"s3:ResourceAccount":"222222222222"}}`:           Proved,
		`{"StringEquals":{"aws:ResourceAccount":"222222222222"}}`:          Proved,
		`{"StringEquals":{"aws:SomeFutureKey":"x"}}`:                       Unknown,
		`{"StringLike":{"aws:userid":"AROAOURS:*"}}`:                       Proved,
		`{"StringLike":{"aws:userid":"AROATHEIRS:*"}}`:                     Refuted,
		`{"StringEquals":{"aws:userid":"111111111111:bob"}}`:               Proved,
	} {
		if got := External(t.Context(), policyOf(t, statementOf("Allow", everybody, condition)), zone, Config{}); got.Verdict != want {
			t.Errorf("%s: got %v, want %v: %+v", condition, got.Verdict, want, got)
		}
	}
	provider := `{"Effect":"Allow","Principal":{"Federated":"arn:%s:iam::%s:saml-provider/p"},"Action":"sts:AssumeRoleWithSAML"}`
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		for account, want := range map[string]Conclusion{"111111111111": Proved, "222222222222": Refuted} {
			if got := External(t.Context(), policyOf(t, fmt.Sprintf(provider, partition, account)), zone, Config{}); got.Verdict != want {
				t.Errorf("%s, %s: got %v, want %v", partition, account, got.Verdict, want)
			}
		}
	}
}

// TestPublic_owner: the owner of the resource is the only value of its account.
func TestPublic_owner(t *testing.T) {
	t.Parallel()
	foreign := policyOf(t, statementOf("Allow", everybody, `{"StringEquals":{"s3:ResourceAccount":"999999999999"}}`))
	for owner, want := range map[string]Conclusion{"": Refuted, "999999999999": Refuted, "111122223333": Proved} {
		if got := Public(t.Context(), foreign, Config{Owner: owner}); got.Verdict != want {
			t.Errorf("%q: got %v, want %v", owner, got.Verdict, want)
		}
	}
}

// TestSubset_refuses_what_AWS_refuses: a statement without principal among
// others is no grant to everybody.
func TestSubset_refuses_what_AWS_refuses(t *testing.T) {
	t.Parallel()
	old := policyOf(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`, statementOf("Deny", account1, ""))
	for _, pair := range [][2]Policies{{old, old}, {policyOf(t, statementOf("Allow", account1, "")), old}} {
		if got := Subset(t.Context(), pair[0], pair[1], Config{}); got.Verdict != Unknown || got.Why != Refused || !strings.Contains(got.Detail, "statement 1") {
			t.Errorf("got %+v", got)
		}
	}
}
