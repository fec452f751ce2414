package bucket

import (
	"strings"
	"testing"

	"dera.example/dera/iam/policy"
	"dera.example/dera/services/s3"
)

// TestS3Public holds S3's own definition, word by word. Source and date stand at
// S3Public.
func TestS3Public(t *testing.T) {
	t.Parallel()
	const all = `"Principal":"*"`
	const public, doubtful, private = s3.DeemedPublic, s3.DeemedDoubtful, s3.DeemedPrivate
	tests := []struct {
		name, who, when string
		want            s3.Deemed
		point           s3.Deemed // of the policy of an access point
	}{
		{"everyone", all, "", public, public},
		{"everyone_as_aws", `"Principal":{"AWS":["*"]}`, "", public, public},
		{"everyone_beside_a_partner", `"Principal":{"AWS":["222233334444","*"]}`, "", public, public},
		{"all_but_one", `"NotPrincipal":{"AWS":"222233334444"}`, "", public, public},
		{"an_account", `"Principal":{"AWS":"222233334444"}`, "", private, private},
		{"a_service", `"Principal":{"Service":"cloudtrail.amazonaws.com"}`, "", private, private},
		{"any_service", `"Principal":{"Service":"*"}`, "", public, public},
		{"a_canonical_user", `"Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`, "", private, private},
		{"an_identity_provider_is_public_in_one_edition", `"Principal":{"Federated":"graph.facebook.com"}`, "", doubtful, doubtful},
		{"fixed_organisation", all, `"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}`, private, private},
		{"fixed_organisation_with_like", all, `"StringLike":{"AWS:principalorgid":"o-a1b2c3d4e5"}`, private, private},
		{"open_organisation", all, `"StringLike":{"aws:PrincipalOrgID":"o-*"}`, public, public},
		{"one_open_organisation_of_two", all, `"StringLike":{"aws:PrincipalOrgID":["o-a1b2c3d4e5","o-?"]}`, public, public},
		{"variable", all, `"StringEquals":{"aws:SourceAccount":"${aws:ResourceAccount}"}`, public, public},
		{"if_exists", all, `"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}`, doubtful, doubtful},
		{"all_values", all, `"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}`, doubtful, doubtful},
		{"any_value", all, `"ForAnyValue:StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}`, private, private},
		{"negated", all, `"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}`, public, public},
		{"source_arn", all, `"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:topic"}`, private, private},
		{"open_source_arn", all, `"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}`, public, public},
		{"source_vpc", all, `"StringEquals":{"aws:SourceVpc":"vpc-1"}`, private, private},
		{"source_vpce", all, `"StringEquals":{"aws:SourceVpce":["vpce-1","vpce-2"]}`, private, private},
		{"source_owner", all, `"StringEquals":{"aws:SourceOwner":"111122223333"}`, private, private},
		{"source_account", all, `"StringEquals":{"aws:SourceAccount":"111122223333"}`, private, private},
		{"access_point_account", all, `"StringEquals":{"s3:DataAccessPointAccount":"111122223333"}`, private, private},
		{"open_access_point_account", all, `"StringLike":{"s3:DataAccessPointAccount":"*"}`, public, public},
		{"access_points_of_an_account", all, `"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:111122223333:accesspoint/*"}`, private, public},
		{"access_points_of_any_region", all, `"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:*:111122223333:accesspoint/a"}`, public, public},
		{"access_points_of_any_account", all, `"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:*:accesspoint/a"}`, public, public},
		{"user_id", all, `"StringEquals":{"aws:userid":"AIDAEXAMPLE"}`, private, private},
		{"role_session_by_id", all, `"StringEquals":{"aws:userid":"AROAEXAMPLE:session"}`, doubtful, doubtful},
		{"role_sessions_by_id", all, `"StringLike":{"aws:userid":"AROAEXAMPLE:*"}`, public, public},
		{"kms_key_stands_in_one_edition", all, `"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-east-1:111122223333:key/1"}`, doubtful, doubtful},
		{"principal_account_is_not_on_the_list", all, `"StringEquals":{"aws:PrincipalAccount":"111122223333"}`, doubtful, doubtful},
		{"principal_arn_is_not_on_the_list", all, `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/app"}`, doubtful, doubtful},
		{"principal_arns_with_a_wildcard", all, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}`, public, public},
		{"source_organisation_is_not_on_the_list", all, `"StringEquals":{"aws:SourceOrgID":"o-a1b2c3d4e5"}`, doubtful, doubtful},
		{"tag_of_a_principal", all, `"StringEquals":{"aws:PrincipalTag/team":"web"}`, public, public},
		{"referer", all, `"StringEquals":{"aws:Referer":"x"}`, public, public},
		{"transport", all, `"Bool":{"aws:SecureTransport":"true"}`, public, public},
		{"transport_and_an_endpoint", all, `"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:SourceVpce":"vpce-1"}`, private, private},
		{"a_8", all, `"IpAddress":{"aws:SourceIp":"54.0.0.0/8"}`, private, private},
		{"a_7", all, `"IpAddress":{"aws:SourceIp":"54.0.0.0/7"}`, public, public},
		{"a_narrow_network_beside_half_the_world", all, `"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/1"]}`, public, public},
		{"two_of_8_that_are_one_of_7", all, `"IpAddress":{"aws:SourceIp":["54.0.0.0/8","55.0.0.0/8"]}`, doubtful, doubtful},
		{"private_networks", all, `"IpAddress":{"aws:SourceIp":["10.0.0.0/8","172.16.0.0/12"]}`, private, private},
		{"a_32_of_ipv6", all, `"IpAddress":{"aws:SourceIp":"2001:db8::/32"}`, private, private},
		{"a_31_of_ipv6", all, `"IpAddress":{"aws:SourceIp":"2001:db8::/31"}`, public, public},
		{"one_address", all, `"IpAddress":{"aws:SourceIp":"203.0.113.7"}`, private, private},
		{"all_but_a_network", all, `"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, public, public},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			statement := `{"Effect":"Allow",` + tt.who + `,"Action":"s3:NotAnActionYet","Resource":"*"`
			if tt.when != "" {
				statement += `,"Condition":{` + tt.when + `}`
			}
			// Denials do not count, nor what other statements say.
			doc, err := policy.Parse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222233334444"},"Action":"*","Resource":"*"},` + statement + `},` +
				`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`)
			if err != nil {
				t.Fatal(err)
			}
			got, why := s3.Public(doc)
			if got != tt.want || (got == private) != (len(why) == 0) {
				t.Errorf("got %d (%s), want %d", got, strings.Join(why, "; "), tt.want)
			}
			if got, _ := s3.PublicAccessPoint(doc); got != tt.point {
				t.Errorf("of an access point: got %d, want %d", got, tt.point)
			}
		})
	}
}

// TestCutByBlock names whoever is of another account.
func TestCutByBlock(t *testing.T) {
	t.Parallel()
	doc, err := policy.Parse(policyText(openText, partnerText,
		`{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/app"],"Service":"cloudtrail.amazonaws.com"},"Action":"s3:*","Resource":"*"}`,
		`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}}`,
		`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceOrgID":"o-a1b2c3d4e5","aws:PrincipalTag/team":"secret"}}}`,
		`{"Effect":"Deny","Principal":{"AWS":"333344445555"},"Action":"s3:*","Resource":"*"}`))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(s3.CutByBlock(doc, "111122223333"), "; ")
	for _, text := range []string{"anybody (statement 1)", "222233334444", "whoever meets StringEquals aws:SourceOrgID o-a1b2c3d4e5 (statement 5)"} {
		if !strings.Contains(got, text) {
			t.Errorf("got %q, want %q in it", got, text)
		}
	}
	for _, text := range []string{"111122223333:role", "cloudtrail", "333344445555", "secret", "statement 4"} {
		if strings.Contains(got, text) {
			t.Errorf("got %q, want no %q in it", got, text)
		}
	}
}
