package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestFaults_refuses_what_the_documentation_refuses(t *testing.T) {
	t.Parallel()
	const everything = `"Action":"s3:*","Resource":"*"`
	with := func(condition string) string { return statement(everything + `,"Condition":` + condition) }
	open := `"Principal":"*",`
	tests := map[string]struct {
		kind Kind
		text string
		want []string // reasons
	}{
		"good":                     {Identity, statement(`"Sid":"Abc09",` + everything), nil},
		"sid_with_blank":           {Identity, statement(`"Sid":"a b",` + everything), []string{ReasonSidCharacters}},
		"sid_with_hyphen":          {Boundary, statement(`"Sid":"a-b",` + everything), []string{ReasonSidCharacters}},
		"sid_in_unicode":           {Session, statement(`"Sid":"é",` + everything), []string{ReasonSidCharacters}},
		"sid_of_a_trust_policy":    {Trust, statement(`"Sid":"a b","Action":"sts:AssumeRole","Principal":"*"`), []string{ReasonSidCharacters}},
		"sid_of_a_bucket_policy":   {Resource, statement(`"Sid":"a b",` + open + everything), nil},
		"action_with_blank":        {Identity, statement(`"Action":"s3:Get Object","Resource":"*"`), []string{ReasonAction}},
		"action_with_slash":        {Identity, statement(`"NotAction":["s3:Get/Object","s3:Get?bject"],"Resource":"*"`), []string{ReasonAction}},
		"network_too_long":         {Identity, with(`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","10.0.0.0/33"]}}`), []string{ReasonValue}},
		"network_of_ipv6_too_long": {Identity, with(`{"NotIpAddressIfExists":{"aws:SourceIp":"::/129"}}`), []string{ReasonValue}},
		"network_without_host":     {Identity, with(`{"IpAddress":{"aws:SourceIp":["10.1.2.3/8","10.1.2.3","2001:db8::1","::/0"]}}`), nil},
		"address_with_zone":        {Identity, with(`{"IpAddress":{"aws:SourceIp":"fe80::1%eth0"}}`), []string{ReasonValue}},
		"bool_yes":                 {Identity, with(`{"Bool":{"aws:SecureTransport":"yes"}}`), []string{ReasonValue}},
		"bool_of_a_set":            {Identity, with(`{"ForAllValues:BoolIfExists":{"aws:SecureTransport":["true","1"]}}`), []string{ReasonValue}},
		"bool_as_json":             {Identity, with(`{"Bool":{"aws:SecureTransport":[true,"False"]}}`), nil},
		"bool_of_a_variable":       {Identity, with(`{"Bool":{"aws:SecureTransport":"${aws:PrincipalTag/x}"}}`), nil},
		"null_maybe":               {Identity, with(`{"Null":{"aws:TokenIssueTime":"maybe"}}`), []string{ReasonValue}},
		"number_ten":               {Identity, with(`{"NumericLessThan":{"s3:max-keys":"ten"}}`), []string{ReasonValue}},
		"number_infinite":          {Identity, with(`{"NumericLessThan":{"s3:max-keys":"inf"}}`), []string{ReasonValue}},
		"numbers":                  {Identity, with(`{"NumericLessThan":{"s3:max-keys":[10,"1.5","-1","1e3"]}}`), nil},
		"date_soon":                {Identity, with(`{"DateLessThan":{"aws:CurrentTime":"soon"}}`), []string{ReasonLegacy}},
		"binary_broken":            {Identity, with(`{"BinaryEquals":{"k:b":"Q"}}`), []string{ReasonValue}},
		"key_without_colon":        {Identity, with(`{"StringEquals":{"SourceIp":"x"}}`), []string{ReasonVendor}},
		"key_without_vendor":       {Identity, with(`{"StringEquals":{":SourceIp":"x"}}`), []string{ReasonVendor}},
		"key_of_a_tag":             {Identity, with(`{"StringEquals":{"aws:PrincipalTag/a b:c":"x"}}`), nil},
		"empty_action":             {Identity, statement(`"Action":[],"Resource":"*"`), []string{ReasonNoActions}},
		"empty_resource":           {Identity, statement(`"Action":"*","NotResource":[]`), []string{ReasonNoResources}},
		"empty_resource_of_bucket": {Resource, statement(open + `"Action":"*","Resource":[]`), []string{ReasonEmpty}},
		"empty_principal":          {Resource, statement(`"Principal":{},` + everything), []string{ReasonEmpty}},
		"empty_aws":                {Resource, statement(`"Principal":{"AWS":[]},` + everything), []string{ReasonEmpty}},
		"principal_in_part":        {Resource, statement(`"Principal":{"AWS":["arn:aws:iam::111122223333:role/*","*"]},` + everything), []string{ReasonWildcard}},
		"session_in_part":          {Trust, statement(`"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r/?"},"Action":"sts:AssumeRole"`), []string{ReasonWildcard}},
		"any_service":              {Resource, statement(`"Principal":{"Service":"*"},` + everything), nil},
		"empty_statement":          {Identity, `{"Version":"2012-10-17","Statement":[]}`, []string{ReasonSyntax}},
		"empty_values":             {Identity, with(`{"StringEquals":{"aws:username":[]}}`), nil},
		"no_json":                  {Identity, `{"Version":`, []string{ReasonSyntax}},
		"no_text":                  {Identity, `%zz`, []string{ReasonSyntax}},
		"a_number":                 {Identity, `%31`, []string{ReasonSyntax}},
		"another_kind":             {Kind(99), statement(everything), []string{ReasonRequirements}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range Faults(tt.text, tt.kind) {
				got = append(got, e.Reason)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestFaults_names_all_of_them: each fault has its place, in the order of the
// text, whatever AWS would say first.
func TestFaults_names_all_of_them(t *testing.T) {
	t.Parallel()
	text := `{
 "Version": "2012-10-17", "Extra": 1,
 "Statement": [
  {"Sid": "a b", "Effect": "allow", "Action": ["s3:Get Object", "ListBucket"], "Resource": ["b", "arn:aws:s3::x"]},
  {"Effect": "Maybe", "Action": {}, "Sid": 2, "Sid": "x", "Resource": "*", "Principal": "*"},
  7,
  {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Like": {"a:b": "c"}, "Bool": {"x": "y"}, "Null": 3,
   "DateEquals": {"aws:CurrentTime": [null, "soon"]}}}
 ]}`
	var got strings.Builder
	for _, e := range Faults(text, Identity) {
		fmt.Fprintf(&got, "%d:%d %s\n", e.At.Line, e.At.Column, strings.TrimSuffix(e.Reason+" "+e.Detail, " "))
	}
	want := `2:27 Syntax errors in policy. unknown element "Extra"
4:11 Statement IDs (SID) must be alpha-numeric. "a b"
4:28 The policy failed legacy parsing effect "allow": the case matters
4:48 The action is not valid. action "s3:Get Object": a name has letters and digits
4:65 Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. action "ListBucket"
4:93 Resource b must be in ARN format or "*".
4:98 The policy failed legacy parsing resource "arn:aws:s3::x" is neither a full ARN nor a plain beginning of one
5:14 Syntax errors in policy. unknown effect "Maybe"
5:33 Syntax errors in policy. Action holds an object, not a string
5:44 Syntax errors in policy. Sid is a number, not a string
5:47 Syntax errors in policy. duplicate key "Sid"
5:89 Policy document should not specify a principal. Principal in a identity-based policy
6:3 Syntax errors in policy. a statement is a number, not an object
7:72 Syntax errors in policy. unknown condition operator "Like"
7:103 Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. condition key "x"
7:108 The value is not of the type of its condition operator. "y" under Bool
7:122 Syntax errors in policy. Null is a number, not an object
8:39 Syntax errors in policy. the value of condition key "aws:CurrentTime" is null
8:45 The policy failed legacy parsing "soon" is not a date
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", &got, want)
	}
}
