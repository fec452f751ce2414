package signin_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/control/controltest"
	"dera.example/dera/services/iam/signin"
)

// TestLaws holds the controls on sign-ins against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: signin.Type()}.RunAll(t, signin.Controls())
}

// TestHints: what failed, and what others than IAM users did, leads nowhere; a user without an
// ARN leads to all of the region.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(signin.Events())
	const user = `"type":"IAMUser","userName":"ann","accountId":"111122223333"`
	for name, tc := range map[string]struct {
		identity, answer string
		want             []string
	}{
		"user":           {user + `,"arn":"arn:aws:iam::111122223333:user/staff/ann"`, "Success", []string{"ann"}},
		"without_an_arn": {user, "Success", []string{"*"}},
		"failed":         {user, "Failure", nil},
		"root":           {`"type":"Root","arn":"arn:aws:iam::111122223333:root"`, "Success", nil},
		"federated":      {`"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_1/ann"`, "Success", nil},
	} {
		record := `{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"eu-west-1","recipientAccountId":"111122223333",
"eventType":"AwsConsoleSignIn","userIdentity":{` + tc.identity + `},"responseElements":{"ConsoleLogin":"` + tc.answer + `"},"additionalEventData":{"MFAUsed":"No"}}`
		raw := `{"detail-type":"AWS Console Sign In via CloudTrail","source":"aws.signin","account":"111122223333","region":"eu-west-1","id":"b","detail":` + record + `}`
		r, err := cloudtrail.Decode([]byte(raw))
		if err != nil || !r.Trusted {
			t.Fatalf("%s: got %+v, %v", name, r, err)
		}
		var got []string
		for _, s := range watch.Hints(r) {
			if s.Region != "eu-west-1" || s.Type != signin.Name {
				t.Errorf("%s: got the scope %+v", name, s)
			}
			got = append(got, strings.Join(append(s.IDs, "*")[:1], ""))
		}
		if !slices.Equal(got, tc.want) || !watch.Triage([]byte(raw)) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
