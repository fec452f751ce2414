package cloud

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
)

// iamAnswering is a client whose IAM answers every request in this way; asked
// counts them.
func iamAnswering(t *testing.T, account Account, answer func(w http.ResponseWriter, form string)) (c *Client, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if r.Form.Get("Action") == "AssumeRole" {
			fmt.Fprint(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
			return
		}
		if r.Form.Get("Action") == "GetCallerIdentity" {
			fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/a</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
			return
		}
		asked.Add(1)
		answer(w, r.Form.Encode())
	}))
	t.Cleanup(server.Close)
	c, err := New(t.Context(), Config{
		Region: "us-east-1", Endpoint: server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), Accounts: []Account{account},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, asked
}

func TestTryWritesSimulates(t *testing.T) {
	t.Parallel()
	const caller = "arn:aws:sts::111122223333:assumed-role/dera/session"
	writes := []string{"s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketPublicAccessBlock"}
	decided := `<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>` +
		`<member><EvalActionName>s3:PutBucketPolicy</EvalActionName><EvalDecision>allowed</EvalDecision></member>` +
		`<member><EvalActionName>s3:PutBucketAcl</EvalActionName><EvalDecision>implicitDeny</EvalDecision></member>` +
		`</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`
	fails := func(status int, code string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, _ string) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`, code)
		}
	}
	for name, tc := range map[string]struct {
		account Account
		answer  func(http.ResponseWriter, string)
		caller  string
		want    []Tried
		asked   int64 // in two rounds
	}{
		"decided": {Account{ID: "111122223333"}, func(w http.ResponseWriter, form string) {
			if !strings.Contains(form, "role%2Fdera") || strings.Contains(form, "assumed-role") {
				t.Errorf("got the request %s, want it about the role and not its session", form)
			}
			fmt.Fprint(w, decided)
		}, caller, []Tried{Allowed, Refused, NotTested}, 2},
		"write_role": {Account{ID: "111122223333", RoleARN: "arn:aws:iam::111122223333:role/reader", WriteRoleARN: "arn:aws:iam::111122223333:role/writer"}, func(w http.ResponseWriter, form string) {
			if !strings.Contains(form, "role%2Fwriter") {
				t.Errorf("got the request %s, want it about the writing role", form)
			}
			fmt.Fprint(w, decided)
		}, caller, []Tried{Allowed, Refused, NotTested}, 2},
		"not_allowed_to_simulate": {Account{ID: "111122223333"}, fails(403, "AccessDenied"), caller, []Tried{NotTested, NotTested, NotTested}, 2},
		"no_simulation_here":      {Account{ID: "111122223333"}, fails(500, "InternalFailure"), caller, []Tried{NotTested, NotTested, NotTested}, 1},
		"root_cannot_be":          {Account{ID: "111122223333"}, fails(500, "InternalFailure"), "arn:aws:iam::111122223333:root", []Tried{NotTested, NotTested, NotTested}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, asked := iamAnswering(t, tc.account, tc.answer)
			for range 2 {
				got := c.TryWrites(t.Context(), "111122223333", "us-east-1", tc.caller, writes)
				if len(got) != len(writes) {
					t.Fatalf("got %v, want one answer for each of %v", got, writes)
				}
				for i, p := range got {
					if p.Action != writes[i] || p.Tried != tc.want[i] {
						t.Errorf("got %+v, want %s of %s", p, tc.want[i], writes[i])
					}
					if p.Tried != Allowed && p.Why == "" {
						t.Errorf("%s: got no reason", p.Action)
					}
				}
			}
			if n := asked.Load(); n != tc.asked {
				t.Errorf("IAM was asked %d times, want %d: each time one attempt, and not again where it cannot", n, tc.asked)
			}
		})
	}
}

func TestJudgePermission(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		code string
		want Tried
	}{
		"denied_in_ec2":     {"UnauthorizedOperation", Refused},
		"denied_in_s3":      {"AccessDenied", Refused},
		"dry_run":           {"DryRunOperation", Allowed},
		"nothing_there":     {"NoSuchBucketPolicy", Allowed},
		"rule_not_there":    {"InvalidPermission.NotFound", Allowed},
		"throttled":         {"RequestLimitExceeded", Unclear},
		"broken":            {"InternalError", Unclear},
		"wrong_credentials": {"InvalidClientTokenId", Unclear},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judgePermission("ec2:Any", "111122223333", "us-east-1", &smithy.GenericAPIError{Code: tc.code})
			if got.Tried != tc.want {
				t.Errorf("got %+v, want %s", got, tc.want)
			}
		})
	}
	if got := judgePermission("ec2:Any", "1", "r", nil); got.Tried != Allowed {
		t.Errorf("an answer: got %+v", got)
	}
	if got := judgePermission("ec2:Any", "1", "r", ErrNothing); got.Tried != NotTested {
		t.Errorf("nothing to try it on: got %+v", got)
	}
}
