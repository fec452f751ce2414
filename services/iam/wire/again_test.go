package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/user"
)

// TestAttachedAgain: a policy of AWS is attached again whatever AWS has changed in it
// since; it is not detached where it says something else than what was read.
func TestAttachedAgain(t *testing.T) {
	t.Parallel()
	const reads, versions = `<GetPolicyResponse><GetPolicyResult><Policy><Arn>%s</Arn><DefaultVersionId>v7</DefaultVersionId></Policy></GetPolicyResult></GetPolicyResponse>`,
		`<GetPolicyVersionResponse><GetPolicyVersionResult><PolicyVersion><VersionId>v7</VersionId><Document>%s</Document></PolicyVersion></GetPolicyVersionResult></GetPolicyVersionResponse>`
	for name, tc := range map[string]struct {
		op, arn, was string
		sent         bool
	}{
		"of_aws_changed":         {"AttachUserPolicy", "arn:aws:iam::aws:policy/service-role/X", "then", true},
		"of_aws_same":            {"AttachUserPolicy", "arn:aws:iam::aws:policy/X", "now", true},
		"of_aws_elsewhere":       {"AttachUserPolicy", "arn:aws-cn:iam::aws:policy/X", "then", true},
		"own_changed":            {"AttachUserPolicy", "arn:aws:iam::111122223333:policy/aws", "then", false},
		"own_same":               {"AttachUserPolicy", "arn:aws:iam::111122223333:policy/aws", "now", true},
		"detached_of_aws":        {"DetachUserPolicy", "arn:aws:iam::aws:policy/X", "then", false},
		"detached_of_aws_as_was": {"DetachUserPolicy", "arn:aws:iam::aws:policy/X", "now", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, _ := simulated(t, user.Name)
			a.furnish(t)
			a.proxy.answer = func(form url.Values) *http.Response {
				switch action := form.Get("Action"); action {
				case "GetPolicy":
					return cloudtest.Answer(200, fmt.Sprintf(reads, tc.arn))
				case "GetPolicyVersion":
					return cloudtest.Answer(200, fmt.Sprintf(versions, url.PathEscape(allowOn("now"))))
				case tc.op:
					return cloudtest.Answer(200, "<"+action+"Response></"+action+"Response>")
				}
				return nil
			}
			input := fmt.Sprintf(`{"name":"ann","policy":%q,"document":%q}`, tc.arn, allowOn(tc.was))
			x := a.read(t, "ann")["ann"]
			a.proxy.reset()
			_, err := a.Do(t.Context(), a.plan("ann", x.ARN), resource.Operation{Name: "iam:" + tc.op, Version: 1, Input: []byte(input)}, cloudtest.Allow)
			if tc.sent && err != nil || !tc.sent && !errors.Is(err, cloud.ErrMoved) || (a.proxy.count(tc.op) == 1) != tc.sent {
				t.Errorf("got %v, want sent %t", err, tc.sent)
			}
		})
	}
}
