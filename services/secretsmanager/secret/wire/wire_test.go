package wire_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/policies/policytest"
	"dera.example/dera/services/secretsmanager/secret"
	"dera.example/dera/services/secretsmanager/secret/wire"
)

func TestWire(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: secret.Type(), Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		ID: "db-AbCdEf", List: "ListSecrets", Read: "GetResourcePolicy", Tags: "DescribeSecret", Put: "PutResourcePolicy", Delete: "DeleteResourcePolicy",
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = `,"NextToken":"` + next + `"`
			}
			return `{"SecretList":[{"ARN":"arn:aws:secretsmanager:us-east-1:111122223333:secret:` + ids[0] + `"}]` + next + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `{"ARN":"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf"}`
			}
			return `{"ARN":"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf","ResourcePolicy":` + policytest.JSON(policy) + `}`
		},
		Tagged: `{"ARN":"a","Tags":[{"Key":"team","Value":"a"}]}`,
		Written: func(body string, _ url.Values) string {
			var in struct {
				ResourcePolicy    string
				BlockPublicPolicy bool
			}
			if json.Unmarshal([]byte(body), &in) != nil || in.BlockPublicPolicy == strings.Contains(in.ResourcePolicy, `"*","Action"`) {
				return "a public policy is refused, or one that is not is let through: " + body
			}
			return in.ResourcePolicy
		},
		Gone: "ResourceNotFoundException", Foreign: []string{`{}`, `{"ARN":"arn:aws:secretsmanager:us-east-1:111122223333:secret:other-AbCdEf","ResourcePolicy":"{}"}`},
	}.Run(t)
}
