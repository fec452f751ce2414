package recorded_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/iam/recorded"
)

// FuzzLoad: whatever stands in a file or a call, it is refused or can be judged, and a principal
// with a policy that is not known is among those that are not known.
func FuzzLoad(f *testing.F) {
	f.Add(`{"RoleDetailList":[{"Path":"/","RoleName":"app","Arn":"arn:aws:iam::111122223333:role/app","RolePolicyList":[{"PolicyName":"own","PolicyDocument":{}}],"AttachedManagedPolicies":[{"PolicyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}]}]}`,
		"PutRolePolicy", `{"roleName":"app","policyName":"own","policyDocument":"{}"}`)
	f.Add(`{"UserDetailList":[{"UserName":"eva","Arn":"arn:aws:iam::111122223333:user/eva","CreateDate":1.5,"GroupList":["ops"]}],"IsTruncated":false}`, "RemoveUserFromGroup", `{"userName":"eva","groupName":"ops"}`)
	f.Add(`{"Policies":[{"Arn":"arn:aws:iam::111122223333:policy/x","DefaultVersionId":"v1"}],"UserDetailList":[{"UserName":"a","Arn":"arn:aws:iam::111122223333:user/a"}]}`, "SetDefaultPolicyVersion", `{"policyArn":"arn:aws:iam::111122223333:policy/x","versionId":"v9"}`)
	f.Fuzz(func(t *testing.T, details, name, request string) {
		if len(details)+len(request) > 1<<12 {
			return
		}
		a, err := recorded.Load(strings.NewReader(details))
		if err != nil {
			return
		}
		now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
		c := cloudtrail.Record{Source: "iam.amazonaws.com", Name: name, Account: a.ID(), Partition: a.Partition(), Time: now, Request: json.RawMessage(request)}.Call()
		a.Before([]cloudtrail.Call{c})
		for range 2 {
			_ = a.Apply(c) // that it was not followed is a good answer
			unknown := a.Unknown(now)
			for _, p := range a.Principals(now) {
				if texts, known := a.Texts(p, now); slices.Contains(texts, "") && known {
					t.Errorf("%s has a policy without a text and counts as known", p)
				} else if known == slices.Contains(unknown, p) {
					t.Errorf("%s is known: %t, and those that are not are %v", p, known, unknown)
				}
			}
			a.Resources(now, nil)
		}
	})
}
