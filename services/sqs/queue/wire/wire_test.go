package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/policies/policytest"
	"dera.example/dera/services/sqs/queue"
	"dera.example/dera/services/sqs/queue/wire"
)

func TestWire(t *testing.T) {
	t.Parallel()
	const arn = `"QueueArn":"arn:aws:sqs:us-east-1:111122223333:orders"`
	policytest.Suite{
		Wire: wire.Wire(), Type: queue.Type(), ID: "orders", Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		List: "ListQueues", Read: "GetQueueAttributes", Tags: "ListQueueTags", Put: "SetQueueAttributes",
		Listed: func(ids []string, next string) string {
			return `{"QueueUrls":["https://sqs/111122223333/` + ids[0] + `"],"NextToken":` + null(next) + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `{"Attributes":{` + arn + `}}`
			}
			return `{"Attributes":{` + arn + `,"Policy":` + policytest.JSON(policy) + `}}`
		},
		Tagged: `{"Tags":{"team":"a"}}`,
		Written: func(body string, _ url.Values) string {
			var in struct{ Attributes map[string]string }
			if json.Unmarshal([]byte(body), &in) != nil || len(in.Attributes) != 1 {
				return "not one attribute: " + body
			}
			return in.Attributes["Policy"]
		},
		Extra: map[string]string{"GetQueueUrl": `{"QueueUrl":"https://sqs/111122223333/orders"}`},
		Gone:  "QueueDoesNotExist", GoneBy: "GetQueueUrl",
		Foreign: []string{`{}`, `{"Attributes":{}}`, `{"Attributes":{"QueueArn":"arn:aws:sqs:us-east-1:111122223333:others"}}`},
	}.Run(t)
}

func null(text string) string {
	if text == "" {
		return "null"
	}
	return policytest.JSON(text)
}
