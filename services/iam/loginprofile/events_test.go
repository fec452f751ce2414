package loginprofile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/evaluate"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/loginprofile"
)

// TestHints: a call names the user, or is about the caller.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(loginprofile.Events())
	for name, tc := range map[string]struct {
		call, request string
		caller        cloudtrail.Caller
		want          string // "" for a sweep, - for nothing
	}{
		"made":            {"CreateLoginProfile", `{"userName":"ann","passwordResetRequired":true}`, cloudtrail.Caller{}, "ann#password"},
		"device_gone":     {"DeactivateMFADevice", `{"userName":"ann","serialNumber":"arn:aws:iam::111122223333:mfa/ann"}`, cloudtrail.Caller{Type: "Root"}, "ann#password"},
		"own_device":      {"EnableMFADevice", "null", cloudtrail.Caller{Type: "IAMUser", ARN: "arn:aws:iam::111122223333:user/staff/ann"}, "ann#password"},
		"device_of_root":  {"EnableMFADevice", "null", cloudtrail.Caller{Type: "Root"}, "-"},
		"nobody_is_named": {"DeleteLoginProfile", "null", cloudtrail.Caller{}, ""},
		"name_elided":     {"UpdateLoginProfile", `{"userName":"..."}`, cloudtrail.Caller{}, ""},
	} {
		r := cloudtrail.Record{Source: iam.Source, Name: tc.call, Account: "111122223333", Region: "us-east-1", Partition: "aws", Request: []byte(tc.request), Response: []byte("null"), Caller: tc.caller}
		want := []dera.Scope{{Partition: "aws", Account: "111122223333", Region: dera.GlobalRegion, Type: loginprofile.Name}}
		switch tc.want {
		case "":
		case "-":
			want = nil
		default:
			want[0].IDs = []string{tc.want}
		}
		if d := cmp.Diff(want, watch.Hints(r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestOnlyReported: nothing can be written, and a break-glass user is exempt with its
// password.
func TestOnlyReported(t *testing.T) {
	t.Parallel()
	if ops := loginprofile.Type().Operations; len(ops) > 0 {
		t.Errorf("operations: got %v, want none", ops)
	}
	const user = "arn:aws:iam::111122223333:user/staff/ann"
	arn := loginprofile.ARNOf(user)
	c := evaluate.Case{Finding: dera.Finding{Resource: arn}, Resource: dera.Resource{ARN: arn, Config: &loginprofile.Login{User: "ann"}}, Type: loginprofile.Type()}
	if got, err := (evaluate.BreakGlass{Principals: []string{user}}).Check(t.Context(), c); err != nil || got.Disposition != dera.Exempt {
		t.Errorf("break-glass: got %s, %v, want exempt", got.Disposition, err)
	}
}
