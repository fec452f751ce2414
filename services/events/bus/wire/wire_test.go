package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/events/bus"
	"dera.example/dera/services/events/bus/wire"
	"dera.example/dera/services/policies/policytest"
)

func TestWire(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: bus.Type(), Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		ID: "orders", List: "ListEventBuses", Read: "DescribeEventBus", Tags: "ListTagsForResource", Put: "PutPermission", Delete: "RemovePermission",
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = `,"NextToken":"` + next + `"`
			}
			return `{"EventBuses":[{"Name":"` + ids[0] + `"}]` + next + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `{"Name":"orders","Arn":"arn:aws:events:us-east-1:111122223333:event-bus/orders"}`
			}
			return `{"Name":"orders","Arn":"arn:aws:events:us-east-1:111122223333:event-bus/orders","Policy":` + policytest.JSON(policy) + `}`
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
		Gone: "ResourceNotFoundException", Foreign: []string{`{}`, `{"Name":"x","Arn":"arn:aws:events:us-east-1:111122223333:event-bus/x"}`},
	}.Run(t)
}
