package reason

import (
	"slices"
	"strings"
	"testing"
)

func TestSubset(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		fresh, old []string // statements
		want       Conclusion
		why        Cause
	}{
		{"nothing_in_nothing", nil, nil, Proved, NoCause},
		{"nothing_in_anything", nil, []string{allow("s3:*", "*")}, Proved, NoCause},
		{"anything_in_nothing", []string{allow("s3:*", "*")}, nil, Refuted, NoCause},
		{"case_of_actions", []string{allow("S3:getOBJECT", "*")}, []string{allow("s3:GetObject", "*")}, Proved, NoCause},
		{"case_of_resources", []string{allow("s3:GetObject", "arn:aws:s3:::B/*")}, []string{allow("s3:GetObject", "arn:aws:s3:::b/*")}, Refuted, NoCause},
		{"wildcard_service_matches_nothing", []string{allow("*:GetObject", "*")}, nil, Proved, NoCause},
		{"star_star_is_everything", []string{allow("*", "*")}, []string{allow("*:*", "*")}, Proved, NoCause},
		{"two_halves_of_a_glob", []string{allow("s3:*", "arn:aws:s3:::b/*")}, []string{allow("s3:*", "arn:aws:s3:::b/?*"), allow("s3:*", "arn:aws:s3:::b/")}, Proved, NoCause},
		{"action_halves_on_different_resources", []string{allow("s3:*", "arn:aws:s3:::b/*")}, []string{allow("s3:Get*", "*"), allow("s3:*", "arn:aws:s3:::c/*")}, Refuted, NoCause},
		{"not_action_grants_future_services", []string{`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`}, []string{allow("ec2:*", "*"), allow("s3:*", "*")}, Refuted, NoCause},
		{"not_action_and_its_rest", []string{allow("*", "*")}, []string{`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, allow("iam:*", "*")}, Proved, NoCause},
		{"not_resource_and_its_rest", []string{allow("s3:*", "*")}, []string{`{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"}`, allow("s3:*", "arn:aws:s3:::b/*")}, Proved, NoCause},
		{"deny_takes_back", []string{allow("s3:*", "*"), deny("s3:Put*", "*")}, []string{allow("s3:*", "*")}, Proved, NoCause},
		{"lost_deny", []string{allow("s3:*", "*")}, []string{allow("s3:*", "*"), deny("s3:Put*", "*")}, Refuted, NoCause},
		{"narrowed_deny", []string{allow("s3:*", "*"), deny("s3:PutObject", "*")}, []string{allow("s3:*", "*"), deny("s3:Put*", "*")}, Refuted, NoCause},
		{"deny_of_what_is_not_allowed", []string{allow("s3:GetObject", "*")}, []string{allow("s3:GetObject", "*"), deny("s3:Put*", "*")}, Proved, NoCause},
		{"unlisted_effect_of_a_condition", []string{allow("s3:*", "*")}, []string{allowIf("s3:*", `{"Bool":{"aws:SecureTransport":"true"}}`)}, Refuted, NoCause},
		{"boolean_and_its_opposite", []string{allow("s3:*", "*")}, []string{allowIf("s3:*", `{"Bool":{"aws:SecureTransport":"true"}}`), allowIf("s3:*", `{"BoolIfExists":{"aws:SecureTransport":"false"}}`)}, Proved, NoCause},
		{"boolean_opposites_miss_the_absent_key", []string{allow("s3:*", "*")}, []string{allowIf("s3:*", `{"Bool":{"aws:SecureTransport":["true","false"]}}`)}, Refuted, NoCause},
		{"negated_operator_holds_when_absent", []string{allowIf("s3:*", `{"Null":{"aws:PrincipalOrgID":"true"}}`)}, []string{allowIf("s3:*", `{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}`)}, Proved, NoCause},
		{"positive_operator_fails_when_absent", []string{allowIf("s3:*", `{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`)}, []string{allowIf("s3:*", `{"Null":{"aws:PrincipalOrgID":"false"}}`)}, Proved, NoCause},
		{"ignore_case", []string{allowIf("s3:*", `{"StringEquals":{"aws:RequestedRegion":["eu-WEST-1","EU-west-1"]}}`)}, []string{allowIf("s3:*", `{"StringEqualsIgnoreCase":{"aws:RequestedRegion":"eu-west-1"}}`)}, Proved, NoCause},
		{"string_equals_has_no_wildcards", []string{allowIf("s3:*", `{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`)}, []string{allowIf("s3:*", `{"StringEquals":{"aws:RequestedRegion":"eu-*"}}`)}, Refuted, NoCause},
		{"arn_equals_has_wildcards", []string{allowIf("s3:*", `{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/a"}}`)}, []string{allowIf("s3:*", `{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`)}, Proved, NoCause},
		{"arn_star_stays_in_its_part", []string{allowIf("s3:*", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1:role/a"}}`)}, []string{allowIf("s3:*", `{"ArnLike":{"aws:PrincipalArn":"arn:*:role/a:*:*:*"}}`)}, Refuted, NoCause},
		{"any_arn", []string{allowIf("s3:*", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1:*"}}`)}, []string{allowIf("s3:*", `{"ArnLike":{"aws:PrincipalArn":"*"}}`)}, Proved, NoCause},
		{"short_arn_condition", []string{allowIf("s3:*", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1:role/a"}}`)}, []string{allowIf("s3:*", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam:*"}}`)}, Proved, NoCause},
		{"text_is_no_arn", []string{allowIf("s3:*", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam"}}`)}, nil, Proved, NoCause},
		{"address_in_network", []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"10.1.2.3"}}`)}, []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"10.9.9.9/8"}}`)}, Proved, NoCause},
		{"address_outside_network", []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"11.1.2.3"}}`)}, []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`)}, Refuted, NoCause},
		{"ipv4_is_not_ipv6", []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"::/0"}}`)}, []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`)}, Refuted, NoCause},
		{"numbers", []string{allowIf("s3:*", `{"NumericLessThan":{"s3:max-keys":"10"}}`)}, []string{allowIf("s3:*", `{"NumericLessThanEquals":{"s3:max-keys":"10.0"}}`)}, Proved, NoCause},
		{"open_interval_is_not_empty", []string{allowIf("s3:*", `{"NumericLessThan":{"s3:max-keys":"1"},"NumericGreaterThan":{"s3:max-keys":"0"}}`)}, nil, Refuted, NoCause},
		{"dates", []string{allowIf("s3:*", `{"DateLessThan":{"aws:CurrentTime":"2026-01-01"}}`)}, []string{allowIf("s3:*", `{"DateLessThan":{"aws:CurrentTime":"1767225600"}}`)}, Proved, NoCause},
		{"binary", []string{allowIf("s3:*", `{"BinaryEquals":{"k:x":"QQ=="}}`)}, []string{allowIf("s3:*", `{"BinaryEquals":{"k:x":["QQ==","Qg==","%%"]}}`)}, Proved, NoCause},
		{"all_values_hold_when_absent", []string{allow("s3:*", "*")}, []string{allowIf("s3:*", `{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}`), allowIf("s3:*", `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}}`)}, Proved, NoCause},
		{"any_value_fails_when_absent", []string{allow("s3:*", "*")}, []string{allowIf("s3:*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}}`), allowIf("s3:*", `{"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}}`)}, Refuted, NoCause},
		{"any_value_if_exists", []string{allow("s3:*", "*")}, []string{allowIf("s3:*", `{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":"*"}}`)}, Proved, NoCause},
		{"unreadable_condition_equals_itself", []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"ten"}}`)}, []string{allowIf("S3:*", `{"NumericEquals":{"k:n":"ten"}}`)}, Proved, NoCause},
		{"unreadable_condition", []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"ten"}}`)}, nil, Unknown, Variables},
		{"text_and_number_on_one_key", []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"10"},"StringEquals":{"k:n":"10"}}`)}, nil, Refuted, NoCause},
		{"text_and_number_that_exclude_each_other", []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"10"},"StringEquals":{"k:n":[]}}`)}, nil, Proved, NoCause},

		{"own_folder", []string{allow("s3:*", "arn:aws:s3:::b/${aws:username}/x")}, []string{allow("s3:*", "arn:aws:s3:::b/${aws:username}/*")}, Proved, NoCause},
		{"own_folder_is_in_the_bucket", []string{allow("s3:*", "arn:aws:s3:::b/${aws:username}/*")}, []string{allow("s3:*", "arn:aws:s3:::b/*")}, Proved, NoCause},
		{"the_bucket_is_not_in_the_own_folder", []string{allow("s3:*", "arn:aws:s3:::b/*")}, []string{allow("s3:*", "arn:aws:s3:::b/${aws:username}/*")}, Refuted, NoCause},
		{"different_variables", []string{allow("s3:*", "arn:aws:s3:::${aws:username}")}, []string{allow("s3:*", "arn:aws:s3:::${aws:userid}")}, Refuted, NoCause},
		{"variable_with_default", []string{allow("s3:*", "arn:aws:s3:::${aws:username, 'x'}")}, []string{allow("s3:*", "arn:aws:s3:::${aws:username}")}, Refuted, NoCause},
		{"escaped_wildcard", []string{allow("s3:*", "arn:aws:s3:::a${*}b")}, []string{allow("s3:*", "arn:aws:s3:::a*b")}, Proved, NoCause},
		{"wildcard_is_not_the_character", []string{allow("s3:*", "arn:aws:s3:::a*b")}, []string{allow("s3:*", "arn:aws:s3:::a${*}b")}, Refuted, NoCause},
		{"variable_in_condition", []string{allowIf("s3:*", `{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}","aws:SourceVpc":"vpc-1"}}`)}, []string{allowIf("s3:*", `{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}`)}, Proved, NoCause},
		{"variable_of_a_fixed_key", []string{allowIf("s3:*", `{"StringEquals":{"aws:ResourceAccount":"111122223333"}}`)}, []string{allowIf("s3:*", `{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}`)}, Refuted, NoCause},
		{"negated_variable", []string{allow("s3:*", "*")}, []string{allowIf("s3:*", `{"StringNotLike":{"aws:username":"${aws:PrincipalTag/owner}*"}}`)}, Refuted, NoCause},
		{"folded_variable", []string{allowIf("s3:*", `{"StringEqualsIgnoreCase":{"k:s":"${aws:username}"}}`)}, []string{allowIf("S3:*", `{"StringEqualsIgnoreCase":{"k:s":"${aws:username}"}}`)}, Proved, NoCause},

		{"variables_of_accounts_and_regions", []string{allow("s3:*", "arn:aws:s3:*:*:x")}, []string{allow("s3:*", "arn:aws:s3:${aws:RequestedRegion}:${aws:PrincipalAccount}:x"), allow("s3:*", "${aws:PrincipalArn}")}, Refuted, NoCause},
		{"variable_that_must_meet_a_constant", []string{allowIf("s3:*", `{"StringEquals":{"aws:username":"bob","k:s":"${aws:username}"}}`)}, []string{allowIf("s3:*", `{"StringEquals":{"k:s":"alice"}}`)}, Refuted, NoCause},
		{"variable_that_must_meet_a_resource", []string{allow("s3:*", "ba")}, []string{allow("S3:*", "ba"), deny("s3:*", "b${aws:username}")}, Refuted, NoCause},
		{"variable_that_must_be_absent", []string{allowIf("s3:*", `{"StringEqualsIfExists":{"k:s":"${aws:username, 'nobody'}"},"Null":{"aws:username":"true"}}`)}, []string{allowIf("s3:*", `{"StringEquals":{"aws:username":"alice"}}`)}, Refuted, NoCause},
		{"variable_of_many_values", []string{allow("s3:*", "${k:m}"), allowIf("ec2:*", `{"ForAnyValue:StringEquals":{"k:m":"a"}}`)}, []string{allow("S3:*", "${k:m}"), allowIf("EC2:*", `{"ForAnyValue:StringEquals":{"k:m":"a"}}`)}, Proved, NoCause},
		{"variable_without_end", []string{allow("s3:*", "a${b")}, []string{allow("s3:*", "a$?b")}, Proved, NoCause},
		{"default_with_a_brace", []string{allow("s3:*", "a/${aws:username, '}'}/b")}, []string{allow("s3:*", "a/*/b")}, Proved, NoCause},
		{"too_many_alternatives", []string{allowIf("s3:*", manyAlternatives)}, []string{allowIf("S3:*", strings.Replace(manyAlternatives, `["a"]`, `["a","a"]`, 1))}, Unknown, Variables},
		{"null_of_both", []string{allow("s3:*", "*")}, []string{allowIf("s3:*", `{"Null":{"k:x":["true","false"]}}`)}, Proved, NoCause},
		{"null_of_neither", []string{allowIf("s3:*", `{"Null":{"k:x":"perhaps"}}`)}, nil, Proved, NoCause},
		{"bad_address", []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"nowhere"}}`)}, []string{allowIf("s3:*", `{"NumericEquals":{"k:n":"1"}}`)}, Unknown, Variables},
		{"odd_arn_condition", []string{allowIf("s3:*", `{"ArnLike":{"k:x":"arn:*a*:b"}}`)}, []string{allowIf("s3:*", `{"ArnLike":{"k:x":"*:b"}}`)}, Unknown, Variables},
		{"number_beyond_what_can_be_written", []string{allowIf("s3:*", `{"NumericGreaterThan":{"k:n":"4611686018427387903"}}`)}, nil, Refuted, NoCause},
		{"bool_on_a_tag_is_text", []string{allowIf("s3:*", `{"StringLike":{"aws:PrincipalTag/admin":"t*"}}`)}, []string{allowIf("s3:*", `{"Bool":{"aws:PrincipalTag/admin":"true"}}`)}, Refuted, NoCause},
		{"bool_on_a_request_tag", []string{allowIf("s3:*", `{"Null":{"aws:RequestTag/x":"false"}}`)}, []string{allowIf("s3:*", `{"Bool":{"aws:RequestTag/x":["true","false"]}}`)}, Refuted, NoCause},
		{"bool_of_aws_is_one_of_two", []string{allowIf("s3:*", `{"Null":{"aws:SecureTransport":"false"}}`)}, []string{allowIf("s3:*", `{"Bool":{"aws:SecureTransport":["true","false"]}}`)}, Proved, NoCause},
		{"bool_under_another_spelling", []string{allowIf("s3:*", `{"Bool":{"s3:prefix":"true"}}`)}, []string{allowIf("s3:*", `{"StringEquals":{"s3:prefix":"true"}}`)}, Refuted, NoCause},
		{"bool_is_text_without_case", []string{allowIf("s3:*", `{"Bool":{"s3:prefix":"true"}}`)}, []string{allowIf("s3:*", `{"StringEqualsIgnoreCase":{"s3:prefix":"true"}}`)}, Proved, NoCause},
		{"a_text_without_case_is_no_bool_in_unicode", []string{allowIf("s3:*", `{"StringEqualsIgnoreCase":{"s3:prefix":"false"}}`)}, []string{allowIf("s3:*", `{"Bool":{"s3:prefix":"false"}}`)}, Unknown, Semantics},
		{"every_number_is_not_every_text", []string{allowIf("s3:*", `{"Null":{"aws:UserAgent":"false"}}`)}, []string{allowIf("s3:*", `{"NumericLessThan":{"aws:UserAgent":"5"}}`), allowIf("s3:*", `{"NumericGreaterThanEquals":{"aws:UserAgent":"5"}}`)}, Refuted, NoCause},
		{"every_number_of_a_numeric_key", []string{allowIf("s3:*", `{"Null":{"aws:MultiFactorAuthAge":"false"}}`)}, []string{allowIf("s3:*", `{"NumericLessThan":{"aws:MultiFactorAuthAge":"5"}}`), allowIf("s3:*", `{"NumericGreaterThanEquals":{"aws:MultiFactorAuthAge":"5"}}`)}, Proved, NoCause},
		{"every_address_is_not_every_referer", []string{allowIf("s3:*", `{"Null":{"aws:Referer":"false"}}`)}, []string{allowIf("s3:*", `{"IpAddress":{"aws:Referer":["0.0.0.0/0","::/0"]}}`)}, Refuted, NoCause},
		{"every_address_is_every_source", []string{allowIf("s3:*", `{"Null":{"aws:SourceIp":"false"}}`)}, []string{allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}`)}, Proved, NoCause},
		{"every_date_is_not_every_user_id", []string{allowIf("s3:*", `{"Null":{"aws:userid":"false"}}`)}, []string{allowIf("s3:*", `{"DateLessThan":{"aws:userid":"2026-01-01"}}`), allowIf("s3:*", `{"DateGreaterThanEquals":{"aws:userid":"2026-01-01"}}`)}, Refuted, NoCause},
		{"not_a_number_of_a_text", []string{allowIf("s3:*", `{"StringEquals":{"aws:PrincipalTag/n":"five"}}`)}, []string{allowIf("s3:*", `{"NumericNotEquals":{"aws:PrincipalTag/n":"5"}}`)}, Unknown, Semantics},
		{"not_an_address_of_a_text", []string{allowIf("s3:*", `{"StringEquals":{"aws:Referer":"x"}}`)}, []string{allowIf("s3:*", `{"NotIpAddressIfExists":{"aws:Referer":"10.0.0.0/8"}}`)}, Unknown, Semantics},
		{"not_a_date_of_a_text", []string{allowIf("s3:*", `{"StringEquals":{"aws:userid":"x"}}`)}, []string{allowIf("s3:*", `{"DateNotEquals":{"aws:userid":"2026-01-01"}}`)}, Unknown, Semantics},
		{"not_an_arn_of_a_text", []string{allowIf("s3:*", `{"StringEquals":{"aws:PrincipalTag/a":"x"}}`)}, []string{allowIf("s3:*", `{"ArnNotLike":{"aws:PrincipalTag/a":"arn:aws:s3:::*"}}`)}, Unknown, Semantics},
		{"not_an_arn_of_an_arn", []string{allowIf("s3:*", `{"Null":{"aws:PrincipalArn":"false"}}`)}, []string{allowIf("s3:*", `{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x"}}`), allowIf("s3:*", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/x"}}`)}, Proved, NoCause},
		{"not_an_address_of_a_source", []string{allowIf("s3:*", `{"Null":{"aws:SourceIp":"false"}}`)}, []string{allowIf("s3:*", `{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), allowIf("s3:*", `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`)}, Proved, NoCause},
		{"a_number_is_not_one_spelling", []string{allowIf("s3:*", `{"NumericEquals":{"aws:PrincipalTag/n":"5"}}`)}, []string{allowIf("s3:*", `{"StringEquals":{"aws:PrincipalTag/n":"5"}}`)}, Refuted, NoCause},
		{"one_spelling_is_the_number", []string{allowIf("s3:*", `{"StringEquals":{"aws:PrincipalTag/n":["5","5.0","+5"]}}`)}, []string{allowIf("s3:*", `{"NumericEquals":{"aws:PrincipalTag/n":"5"}}`)}, Proved, NoCause},
		{"an_exponent_is_not_certain", []string{allowIf("s3:*", `{"StringEquals":{"aws:PrincipalTag/n":"5e0"}}`)}, []string{allowIf("s3:*", `{"NumericEquals":{"aws:PrincipalTag/n":"5"}}`)}, Unknown, Variables},
		{"an_exponent_in_the_policy", []string{allowIf("s3:*", `{"NumericEquals":{"aws:PrincipalTag/n":"5"}}`)}, []string{allowIf("s3:*", `{"NumericEquals":{"aws:PrincipalTag/n":"5e0"}}`)}, Unknown, Variables},
		{"numbers_and_dates_on_one_key", []string{allowIf("s3:*", `{"NumericEquals":{"aws:PrincipalTag/n":"2026"},"DateLessThan":{"aws:PrincipalTag/n":"1971-01-01"}}`)}, nil, Refuted, NoCause},
		{"an_address_is_no_number", []string{allowIf("s3:*", `{"NumericEquals":{"aws:PrincipalTag/n":"10"},"IpAddress":{"aws:PrincipalTag/n":"10.0.0.0/8"}}`)}, nil, Proved, NoCause},
		{"an_address_with_a_prefix_is_no_address", []string{allowIf("s3:*", `{"StringEquals":{"aws:PrincipalTag/n":"10.0.0.0/8"},"IpAddress":{"aws:PrincipalTag/n":"10.0.0.0/8"}}`)}, nil, Proved, NoCause},
		{"dates_have_seconds", []string{allowIf("s3:*", `{"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:01Z"}}`)}, nil, Proved, NoCause},
		{"dates_on_a_tag_may_have_fractions", []string{allowIf("s3:*", `{"DateGreaterThan":{"aws:PrincipalTag/d":"2027-01-01T00:00:00Z"},"DateLessThan":{"aws:PrincipalTag/d":"2027-01-01T00:00:01Z"}}`)}, nil, Refuted, NoCause},
		{"dates_with_a_fraction_in_the_policy", []string{allowIf("s3:*", `{"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00.5Z"}}`)}, []string{allowIf("s3:*", `{"DateLessThanEquals":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}`)}, Proved, NoCause},
		{"null_of_any_value", []string{allow("s3:*", "*")}, []string{allow("s3:*", "*"), denyIf("s3:*", `{"ForAnyValue:Null":{"aws:TagKeys":"true"}}`)}, Unknown, Semantics},
		{"null_of_all_values", []string{allow("s3:*", "*")}, []string{allow("s3:*", "*"), denyIf("s3:*", `{"ForAllValues:Null":{"aws:TagKeys":"false"}}`)}, Refuted, NoCause},
		{"set_operator_with_bool_on_tag_keys", []string{allowIf("s3:*", `{"ForAllValues:Bool":{"aws:TagKeys":"true"}}`)}, []string{allowIf("s3:*", `{"ForAllValues:StringEquals":{"aws:TagKeys":["true","false"]}}`)}, Refuted, NoCause},
		{"set_operator_with_numbers_on_tag_keys", []string{allowIf("s3:*", `{"Null":{"aws:TagKeys":"false"}}`)}, []string{allowIf("s3:*", `{"ForAnyValue:NumericLessThanEquals":{"aws:TagKeys":"5"}}`), allowIf("s3:*", `{"ForAllValues:NumericGreaterThan":{"aws:TagKeys":"5"}}`)}, Refuted, NoCause},
		{"unicode_case", []string{allowIf("s3:*", `{"StringEquals":{"k:x":"falſe"}}`)}, []string{allowIf("s3:*", `{"StringEqualsIgnoreCase":{"k:x":"FALSE"}}`)}, Unknown, Semantics},
		{"crossing_actions", []string{`{"Effect":"Allow","Action":["s3:GetO*","s3:Get*"],"Resource":"*"}`}, []string{allow("s3:*Object", "*"), allow("s3:Get?*", "arn:aws:s3:::b")}, Refuted, NoCause},
		{"three_ways", []string{allow("s3:*", "*")}, []string{allow("s3:Get*", "*"), allow("s3:*", "arn:aws:s3:::b/*"), `{"Effect":"Allow","NotAction":"s3:Get*","NotResource":"arn:aws:s3:::b/*"}`}, Proved, NoCause},

		{"readings_of_segments", []string{allow("sqs:*", "arn:aws:sqs:*:x:*:a:b")}, []string{allow("sqs:*", "arn:aws:sqs:*:*:a:b")}, Unknown, Semantics},
		{"readings_of_a_short_arn", []string{allow("sqs:*", "arn:aws:sqs")}, []string{allow("sqs:*", "arn:aws:sqs:*:*:*")}, Unknown, Semantics},
		{"readings_of_short_arns_disagree", []string{allow("sqs:*", "arn:aws:sqs:*:*:q")}, []string{allow("sqs:*", "arn:aws:sqs")}, Unknown, Semantics},
		{"readings_of_many_values", []string{allowIf("x:*", `{"StringLike":{"x:key":"a*"},"StringNotLike":{"x:other":"z"}}`)}, []string{allowIf("x:*", `{"StringLike":{"x:key":["a*","b*"]}}`)}, Proved, NoCause},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fresh, old := policyOf(t, tt.fresh...), policyOf(t, tt.old...)
			got := Subset(t.Context(), fresh, old, Config{})
			if got.Verdict != tt.want || got.Why != tt.why {
				t.Fatalf("got %v (%v: %s) %+v, want %v (%v)", got.Verdict, got.Why, got.Detail, got.Witness, tt.want, tt.why)
			}
			if (got.Verdict == Unknown) != (got.Detail != "") || (got.Verdict == Refuted) != (got.Witness != nil) {
				t.Errorf("incomplete answer: %+v", got)
			}
			confirmed(t, tt.name, got, fresh, old)
		})
	}
}

// manyAlternatives has more alternatives than a statement may have.
const manyAlternatives = `{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a"],"aws:CalledVia":["b"],"aws:PrincipalOrgPaths":["c"],"aws:ResourceOrgPaths":["d"],"aws:SourceOrgPaths":["e"],"aws:VpceOrgPaths":["f"]}}`

func allow(action, resource string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
}

func deny(action, resource string) string {
	return strings.Replace(allow(action, resource), "Allow", "Deny", 1)
}

func allowIf(action, condition string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"*","Condition":` + condition + `}`
}

func denyIf(action, condition string) string {
	return strings.Replace(allowIf(action, condition), "Allow", "Deny", 1)
}

func TestSubset_principals(t *testing.T) {
	t.Parallel()
	of := func(effect, principal string) string { return statementOf(effect, principal, "") }
	const (
		role    = `"Principal":{"AWS":"arn:aws:iam::111122223333:role/path/r"}`
		session = `"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`
		id      = `"Principal":{"AWS":"AROAEXAMPLE"}`
	)
	tests := []struct {
		name       string
		fresh, old []string
		want       Conclusion
	}{
		{"role_in_account", []string{of("Allow", role)}, []string{of("Allow", account1)}, Proved},
		{"account_in_role", []string{of("Allow", account1)}, []string{of("Allow", role)}, Refuted},
		{"account_by_root", []string{of("Allow", `"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`)}, []string{of("Allow", account1)}, Proved},
		{"session_in_role", []string{of("Allow", session)}, []string{of("Allow", role)}, Proved},
		{"role_in_session", []string{of("Allow", role)}, []string{of("Allow", session)}, Refuted},
		{"service_in_everybody", []string{of("Allow", `"Principal":{"Service":"ec2.amazonaws.com"}`)}, []string{of("Allow", everybody)}, Proved},
		{"service_in_account", []string{of("Allow", `"Principal":{"Service":"ec2.amazonaws.com"}`)}, []string{of("Allow", account1)}, Refuted},
		{"canonical_user", []string{of("Allow", `"Principal":{"CanonicalUser":"abc"}`)}, []string{of("Allow", account1)}, Refuted},
		{"any_provider", []string{of("Allow", `"Principal":{"Federated":"cognito-identity.amazonaws.com"}`)}, []string{of("Allow", `"Principal":{"Federated":"*"}`)}, Proved},
		{"not_principal_in_everybody", []string{of("Allow", `"NotPrincipal":{"AWS":"111122223333"}`)}, []string{of("Allow", everybody)}, Proved},
		{"not_principal_and_its_rest", []string{of("Allow", everybody)}, []string{of("Allow", `"NotPrincipal":{"AWS":"111122223333"}`), of("Allow", account1)}, Proved},
		{"nobody", []string{of("Allow", `"NotPrincipal":"*"`)}, nil, Proved},
		{
			"deny_all_but_the_role",
			[]string{of("Allow", account1), of("Deny", `"NotPrincipal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/path/r","arn:aws:sts::111122223333:assumed-role/r/s"]}`)},
			[]string{of("Allow", role), of("Allow", `"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`)},
			Proved,
		},
		{
			"deny_all_but_the_role_lets_the_session_in",
			[]string{of("Allow", account1), of("Deny", `"NotPrincipal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/path/r","arn:aws:sts::111122223333:assumed-role/r/s"]}`)},
			[]string{of("Allow", `"Principal":{"AWS":"arn:aws:iam::111122223333:user/u"}`)},
			Refuted,
		},
		{"deny_of_an_id_may_be_about_anybody", []string{of("Allow", role), of("Deny", id)}, []string{of("Allow", role)}, Proved},
		{"lost_deny_of_an_id", []string{of("Allow", role)}, []string{of("Allow", role), of("Deny", id)}, Unknown},
		{"kept_deny_of_an_id", []string{of("Allow", session), of("Deny", id)}, []string{of("Allow", role), of("Deny", id)}, Proved},
		{"kept_not_principal_with_an_id", []string{of("Allow", session), of("Deny", `"NotPrincipal":{"AWS":["AROAEXAMPLE","111122223333"]}`)}, []string{of("Allow", role), of("Deny", `"NotPrincipal":{"AWS":["AROAEXAMPLE","111122223333"]}`)}, Proved},
		{"allowed_id", []string{of("Allow", id)}, nil, Refuted},
		{
			"short_arns_of_a_resource_policy_are_literal",
			[]string{`{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:sqs"}`},
			[]string{`{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:*"}`},
			Refuted,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fresh, old := policyOf(t, tt.fresh...), policyOf(t, tt.old...)
			got := Subset(t.Context(), fresh, old, Config{})
			if got.Verdict != tt.want {
				t.Fatalf("got %v (%v: %s) %+v, want %v", got.Verdict, got.Why, got.Detail, got.Witness, tt.want)
			}
			confirmed(t, tt.name, got, fresh, old)
		})
	}
}

func TestEquivalent(t *testing.T) {
	t.Parallel()
	a, b := policyOf(t, allow("s3:*", "arn:aws:s3:::b/*")), policyOf(t, allow("s3:?*", "arn:aws:s3:::b/a*"), allow("S3:*", "arn:aws:s3:::b/*"))
	if got := Equivalent(t.Context(), a, b, Config{}); got.Verdict != Proved {
		t.Errorf("same policies: got %+v", got)
	}
	c := policyOf(t, allow("s3:*", "*"))
	if got := Equivalent(t.Context(), a, c, Config{}); got.Verdict != Refuted || got.Forth.Verdict != Proved || got.Back.Verdict != Refuted {
		t.Errorf("wider policy: got %v, %v, %v", got.Verdict, got.Forth.Verdict, got.Back.Verdict)
	}
	d := policyOf(t, allowIf("s3:*", `{"NumericEquals":{"k:n":"ten"}}`))
	if got := Equivalent(t.Context(), d, policyOf(t), Config{}); got.Verdict != Unknown {
		t.Errorf("unreadable policy: got %v", got.Verdict)
	}
}

func TestWitness_is_readable(t *testing.T) {
	t.Parallel()
	got := Subset(t.Context(),
		policyOf(t, `{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::b/*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}}`),
		policyOf(t), Config{})
	if got.Verdict != Refuted {
		t.Fatalf("got %v", got.Verdict)
	}
	w := got.Witness
	if w.Request.Action != "s3:GetObject" || w.Request.Resource != "arn:aws:s3:::b/" || !slices.Equal(w.Request.Context["aws:SourceIp"], []string{"198.51.100.7"}) {
		t.Errorf("request: %+v", w.Request)
	}
	if w.Statement != (Ref{0, 0, "Read"}) || w.Reading.String() != "default" {
		t.Errorf("statement %+v, reading %v", w.Statement, w.Reading)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"unknown": Unknown.String(), "proved": Proved.String(), "refuted": Refuted.String(),
		"none": NoCause.String(), "limit": Limit.String(), "cancelled": Cancelled.String(), "variables": Variables.String(),
		"semantics": Semantics.String(), "unconfirmed": Unconfirmed.String(), "invalid cause": Cause(99).String(),
		"keys of unknown type carry many values": Reading{ManyValues: true}.String(),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for key, want := range map[string]Arity{"aws:TagKeys": Many, "aws:SourceIp": One, "ec2:ResourceTag/x": One, "s3:prefix": ArityUnknown} {
		if got := GlobalArity(key); got != want {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
}
