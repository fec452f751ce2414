package document

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestRedactorFindsPoliciesInAnyJSON(t *testing.T) {
	t.Parallel()
	const policy = `{"Version":"2012-10-17","Statement":[{"Sid":"Site","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"aws:Referer":"REFSECRET"}}}]}`
	quoted := func(text string) string {
		b, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, tt := range []struct{ name, raw, want string }{
		{"object", `{"before":` + policy + `}`, "redacted-1"},
		{"text", `{"before":{"policy":` + quoted(policy) + `,"n":1}}`, "redacted-1"},
		{"text_in_a_text", `[{"input":` + quoted(`{"bucket":"b","policy":`+quoted(policy)+`}`) + `}]`, "redacted-1"},
		{"statement_alone", `{"statement":` + policy[len(`{"Version":"2012-10-17","Statement":[`):len(policy)-2] + `}`, "not shown"},
		{"broken_policy", `{"policy":` + quoted(policy[:len(policy)-1]) + `}`, "not shown"},
		{"list_of_policies_in_a_text", `{"policies":` + quoted("["+policy+"]") + `}`, "not shown"},
		{"canonical_form", `{"before":` + quoted("bucket b\npolicy description "+strconv.Quote(policy)+"\n") + `}`, "bucket b"},
		{"policy_in_a_sentence", `{"why":` + quoted("the policy "+policy+" is public") + `}`, "not shown"},
		{"nothing_secret", `{"a":"text","n":12345678901234567890}`, "12345678901234567890"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var r Redactor
			got, err := r.JSON([]byte(tt.raw))
			if err != nil || !json.Valid(got) {
				t.Fatalf("got %s (%v)", got, err)
			}
			if strings.Contains(string(got), "REFSECRET") || !strings.Contains(string(got), tt.want) {
				t.Errorf("got %s, want %q and no secret", got, tt.want)
			}
		})
	}
}
