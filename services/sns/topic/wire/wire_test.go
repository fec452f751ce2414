package wire_test

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/policies/policytest"
	"dera.example/dera/services/sns/topic"
	"dera.example/dera/services/sns/topic/wire"
)

func TestWire(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: topic.Type(), Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		ID: "news", XML: true, Always: true,
		List: "ListTopics", Read: "GetTopicAttributes", Tags: "ListTagsForResource", Put: "SetTopicAttributes",
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = "<NextToken>" + next + "</NextToken>"
			}
			return answer("ListTopics", "<Topics><member><TopicArn>arn:aws:sns:us-east-1:111122223333:"+ids[0]+"</TopicArn></member></Topics>"+next)
		},
		Done:   answer("SetTopicAttributes", ""),
		Tell:   func(policy string) string { return told("arn:aws:sns:us-east-1:111122223333:news", policy) },
		Tagged: answer("ListTagsForResource", "<Tags><member><Key>team</Key><Value>a</Value></member></Tags>"),
		Written: func(body string, _ url.Values) string {
			form, err := url.ParseQuery(body)
			if err != nil || form.Get("AttributeName") != "Policy" {
				return "not the policy: " + body
			}
			return form.Get("AttributeValue")
		},
		Gone: "NotFound", Foreign: []string{told("arn:aws:sns:us-east-1:111122223333:others", "{}"), told("arn:aws:sns:us-east-1:111122223333:news", ""), "<html></html>"},
	}.Run(t)
}

func answer(call, result string) string {
	return "<" + call + `Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><` + call + "Result>" + result + "</" + call + "Result></" + call + "Response>"
}

func told(arn, policy string) string {
	var text strings.Builder
	_ = xml.EscapeText(&text, []byte(policy)) // a strings.Builder takes all
	return answer("GetTopicAttributes", "<Attributes><entry><key>TopicArn</key><value>"+arn+"</value></entry><entry><key>Policy</key><value>"+text.String()+"</value></entry></Attributes>")
}
