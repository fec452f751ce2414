package check

import (
	"fmt"
	"testing"

	"dera.example/dera/iam/policy"
)

// TestIncludes_by_principal: what a statement allows is compared principal by
// principal. A denial of an account is one of everybody in it, an allowance of it is
// not one of each of its principals.
func TestIncludes_by_principal(t *testing.T) {
	t.Parallel()
	const (
		own, ownRole, foreign, foreignRole = `"AWS":"arn:aws:iam::111122223333:root"`, `"AWS":"arn:aws:iam::111122223333:role/a"`, `"AWS":"arn:aws:iam::999900001111:root"`, `"AWS":"arn:aws:iam::999900001111:role/x"`
		ec2, unique, federated             = `"Service":"ec2.amazonaws.com"`, `"AWS":"AROAEXAMPLEID12345678"`, `"Federated":"arn:aws:iam::111122223333:saml-provider/idp"`
	)
	allow := func(principals string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Principal":{%s},"Action":"sts:AssumeRole"}`, principals)
	}
	deny := func(principals string) string {
		return fmt.Sprintf(`{"Effect":"Deny","Principal":{%s},"Action":"sts:AssumeRole"}`, principals)
	}
	for name, tc := range map[string]struct {
		fresh, known []string
		want         bool
	}{
		"one_of_two":                       {[]string{allow(own)}, []string{allow(`"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::999900001111:root"]`)}, true},
		"two_statements_make_one":          {[]string{allow(`"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::999900001111:root"]`)}, []string{allow(own), allow(foreign)}, true},
		"one_is_missing":                   {[]string{allow(`"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::999900001111:root"]`)}, []string{allow(own)}, false},
		"a_denied_stranger":                {[]string{allow(own)}, []string{allow(own), deny(foreign)}, true},
		"a_denied_service":                 {[]string{allow(own)}, []string{allow(own), deny(ec2)}, true},
		"another_service":                  {[]string{allow(ec2)}, []string{allow(ec2), deny(`"Service":"lambda.amazonaws.com"`)}, true},
		"the_service_of_a_region":          {[]string{allow(`"Service":"logs.us-east-1.amazonaws.com"`)}, []string{allow(`"Service":"logs.us-east-1.amazonaws.com"`), deny(`"Service":"logs.amazonaws.com"`)}, false},
		"the_service_of_a_partition":       {[]string{allow(`"Service":"ec2.amazonaws.com.cn"`)}, []string{allow(`"Service":"ec2.amazonaws.com.cn"`), deny(ec2)}, false},
		"the_same_service":                 {[]string{allow(ec2)}, []string{allow(ec2), deny(ec2)}, false},
		"a_provider_and_an_account":        {[]string{allow(federated)}, []string{allow(federated), deny(foreign)}, true},
		"a_role_of_the_denied_account":     {[]string{allow(ownRole)}, []string{allow(ownRole), deny(own)}, false},
		"a_denied_role_of_the_account":     {[]string{allow(own)}, []string{allow(own), deny(ownRole)}, false},
		"a_unique_id_may_be_anybody's":     {[]string{allow(own)}, []string{allow(own), deny(unique)}, false},
		"everybody_is_denied":              {[]string{allow(own)}, []string{allow(own), deny(`"AWS":"*"`)}, false},
		"denied_before_with_its_account":   {[]string{allow(`"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::999900001111:role/x"]`), deny(foreign)}, []string{allow(own)}, true},
		"denied_before_by_another_role":    {[]string{allow(foreignRole), deny(`"AWS":"arn:aws:iam::999900001111:role/y"`)}, []string{allow(own)}, false},
		"an_account_allows_no_single_role": {[]string{allow(ownRole)}, []string{allow(own)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parse := func(list []string) []*policy.Document {
				text := `{"Version":"2012-10-17","Statement":[`
				for i, s := range list {
					if i > 0 {
						text += ","
					}
					text += s
				}
				doc, err := policy.Parse(text + `]}`)
				if err != nil {
					t.Fatal(err)
				}
				return []*policy.Document{doc}
			}
			if err := Includes(parse(tc.fresh), parse(tc.known)); (err == nil) != tc.want {
				t.Errorf("included: got %v, want %t", err, tc.want)
			}
		})
	}
}
