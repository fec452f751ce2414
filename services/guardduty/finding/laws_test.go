package finding_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource"
	"dera.example/dera/services/guardduty/finding"
)

// TestLaws holds every control on findings against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: finding.Type()}.RunAll(t, finding.Controls())
}

// TestCredentialsOfAnInstance: which answers there are to stolen credentials of an
// instance, and whom each of them hits.
func TestCredentialsOfAnInstance(t *testing.T) {
	t.Parallel()
	f := &finding.Finding{Threat: resource.Threat{ID: "f-1", Type: "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", Severity: 8, User: "web", UserType: "AssumedRole", Key: "ASIA2222BBBB3333CCCC", From: "198.51.100.7"}, Unanswered: true}
	res, err := finding.Open().Check(dera.Resource{Config: f}, control.Settings{})
	if err != nil || len(res.Failures) != 1 || res.Failures[0].Severity != dera.Critical {
		t.Fatalf("got %+v, %v", res, err)
	}
	for _, part := range []string{"the role web", "198.51.100.7", "aws:TokenIssueTime", "all sessions of the role", "aws:EC2InstanceSourceVPC", "aws:ViaAWSService", "NAT"} {
		if !strings.Contains(res.Failures[0].Why, part) {
			t.Errorf("got %q, want %q in it", res.Failures[0].Why, part)
		}
	}
}
