package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/dynamodb/table"
	"dera.example/dera/services/dynamodb/table/wire"
	"dera.example/dera/services/policies/policytest"
)

func TestWire(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: table.Type(), Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		ID: "orders", List: "ListTables", Read: "GetResourcePolicy", Tags: "ListTagsOfResource", Put: "PutResourcePolicy", Delete: "DeleteResourcePolicy",
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = `,"LastEvaluatedTableName":"` + next + `"`
			}
			return `{"TableNames":["` + ids[0] + `"]` + next + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `!PolicyNotFoundException`
			}
			return `{"Policy":` + policytest.JSON(policy) + `}`
		},
		Tagged: `{"Tags":[{"Key":"team","Value":"a"}]}`,
		Written: func(body string, _ url.Values) string {
			var in map[string]any
			if json.Unmarshal([]byte(body), &in) != nil {
				return "no JSON: " + body
			}
			text, _ := in["Policy"].(string)
			return text
		},
		Gone: "ResourceNotFoundException", Foreign: []string{`{}`, `{"Policy":""}`},
	}.Run(t)
}
