package root_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/evaluate"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/root"
)

// TestHints: a call on credentials that names no user may be about those of the root user;
// one of a user about itself is not. Whatever the root user itself calls is a use of it, but
// what a service calls in its name, or what it does to what belongs to another account.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(root.Events())
	for name, tc := range map[string]struct {
		call, request string
		caller        cloudtrail.Caller
		want          int
	}{
		"key_of_root":       {"CreateAccessKey", "null", cloudtrail.Caller{Type: "Root"}, 1},
		"mfa_of_root":       {"DeactivateMFADevice", `{"serialNumber":"arn:aws:iam::111122223333:mfa/root"}`, cloudtrail.Caller{Type: "Root"}, 1},
		"root_for_a_user":   {"CreateAccessKey", `{"userName":"ann"}`, cloudtrail.Caller{Type: "Root"}, 1},
		"session_for_root":  {"DeleteLoginProfile", "null", cloudtrail.Caller{Type: "AssumedRole"}, 1},
		"user_for_itself":   {"CreateAccessKey", "null", cloudtrail.Caller{Type: "IAMUser", ARN: "arn:aws:iam::111122223333:user/ann"}, 0},
		"nobody_is_named":   {"UploadSigningCertificate", "null", cloudtrail.Caller{}, 1},
		"not_about_a_login": {"CreateUser", "null", cloudtrail.Caller{Type: "Root"}, 1},
		"read_by_root":      {"ListUsers", "null", cloudtrail.Caller{Type: "Root", Account: "111122223333"}, 1},
		"by_a_service":      {"CreateUser", "null", cloudtrail.Caller{Type: "Root", InvokedBy: "cloudformation.amazonaws.com"}, 0},
		"another_account's": {"ListUsers", "null", cloudtrail.Caller{Type: "Root", Account: "444455556666"}, 0},
		"by_somebody_else":  {"ListUsers", "null", cloudtrail.Caller{Type: "AssumedRole"}, 0},
	} {
		r := cloudtrail.Record{Source: iam.Source, Name: tc.call, Account: "111122223333", Region: "us-east-1", Partition: "aws", Request: []byte(tc.request), Response: []byte("null"), Caller: tc.caller}
		hints := watch.Hints(r)
		if len(hints) != tc.want || tc.want > 0 && (hints[0].Region != dera.GlobalRegion || !hints[0].Sweep()) {
			t.Errorf("%s: got %v, want %d", name, hints, tc.want)
		}
	}
}

// TestOnlyReported: no control on the root user can change anything, and the gate knows
// whose it is.
func TestOnlyReported(t *testing.T) {
	t.Parallel()
	if ops := root.Type().Operations; len(ops) > 0 {
		t.Errorf("operations: got %v, want none", ops)
	}
	arn := root.ARNOf("aws", "111122223333")
	c := evaluate.Case{Finding: dera.Finding{Resource: arn}, Resource: dera.Resource{ARN: arn}, Type: root.Type()}
	if got, err := (evaluate.Root{}).Check(t.Context(), c); err != nil || got.Disposition != dera.Alert {
		t.Errorf("guardrail root: got %s, %v, want alert", got.Disposition, err)
	}
}
