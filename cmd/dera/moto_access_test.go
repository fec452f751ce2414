package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/sink"
)

// policies are the inline policies of a role, by name.
func (w *iamWorld) policies(role string) map[string]string {
	w.t.Helper()
	list, err := w.iam.ListRolePolicies(w.t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range list.PolicyNames {
		got, err := w.iam.GetRolePolicy(w.t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			w.t.Fatal(err)
		}
		if out[name], err = url.PathUnescape(*got.PolicyDocument); err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// later runs a command with dera's clock moved on.
func (w *iamWorld) later(by time.Duration, args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	var out, errOut bytes.Buffer
	args = append(args, "--data", filepath.Join(w.dir, "data"), "--config", filepath.Join(w.dir, "config.yaml"))
	code = runAt(w.t.Context(), func() time.Time { return time.Now().Add(by) }, args, strings.NewReader(""), &out, &errOut)
	return out.String(), errOut.String(), code
}

// ask asks for an action, and returns the access with its plan.
func (w *iamWorld) ask(role, action, term string) app.AccessView {
	w.t.Helper()
	out, errOut, code := w.dera("access", "request", "--principal", w.arn("role", role), "--action", action, "--for", term, "--reason", "the weekly report", "--output", "json")
	var v app.AccessView
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != exitGood || v.State != dera.AccessAsked || len(v.Commands) != 2 {
		w.t.Fatalf("request: got exit code %d, %v\n%s%s", code, err, out, errOut)
	}
	return v
}

// askInSlack asks for an action by the button of a message, and returns the access with its
// plan.
func (w *iamWorld) askInSlack(slack *fakeSlack, role, action string) app.AccessView {
	w.t.Helper()
	a := &cli{now: time.Now, out: io.Discard, err: io.Discard}
	a.flags.config, a.flags.data = filepath.Join(w.dir, "config.yaml"), filepath.Join(w.dir, "data")
	s, err := a.open(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.close(context.WithoutCancel(w.t.Context()))
	if err := s.connect(w.t.Context(), options{}); err != nil {
		w.t.Fatal(err)
	}
	clicks, err := s.slackClicks(slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	value, err := json.Marshal(sink.Button{Principal: w.arn("role", role), Action: action})
	if err != nil {
		w.t.Fatal(err)
	}
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "user": map[string]string{"id": "U012AB3CD", "team_id": "T0HOME00"}, "response_url": slack.URL + "/actions/give",
		"actions": []any{map[string]string{"action_id": sink.ActionGive, "value": string(value)}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	body, stamp := url.Values{"payload": {string(payload)}}.Encode(), strconv.FormatInt(time.Now().Unix(), 10)
	req := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/slack/actions", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", sink.SlackSignature(testSigning, stamp, []byte(body)))
	rec := httptest.NewRecorder()
	clicks.ServeHTTP(rec, req)
	clicks.Wait()
	said := strings.Join(slack.posted("/actions/give"), "")
	if rec.Code != http.StatusOK || !strings.Contains(said, "Another person has to grant it") || !strings.Contains(said, "until") {
		w.t.Fatalf("a click: got %d, %s", rec.Code, said)
	}
	var list accessesJSON
	if out, _, _ := w.dera("access", "list", "--output", "json"); json.Unmarshal([]byte(out), &list) != nil || len(list.Accesses) != 1 || list.Accesses[0].State != dera.AccessAsked {
		w.t.Fatalf("after a click: got %s", out)
	}
	return list.Accesses[0]
}

// TestMotoAccess: what dera took is given back for a time by another person, just that and
// on just what it was on; the permissions control leaves it; when the time is over it goes,
// and everything else is byte for byte as it was.
func TestMotoAccess(t *testing.T) {
	w := newIAMWorld(t, "")
	w.more = ", iam-*-access-request"
	slack := newFakeSlack(t)
	t.Setenv("TEST_SLACK_SIGNING", testSigning)
	w.configure(t, "listen: {address: '127.0.0.1:8088', slack: {signing_secret_env: TEST_SLACK_SIGNING, workspaces: [T0HOME00], response_base: '"+slack.URL+
		"/actions/', users: {U012AB3CD: 'arn:aws:sts::"+w.creds.Account+":assumed-role/test/test'}}}\n")
	w.role("reports", lambdaTrust, "")
	w.must(w.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("reports"), PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
	w.behind(t, 0)
	w.recorded(map[string][][2]string{w.arn("role", "reports"): {{"athena.amazonaws.com", "StartQueryExecution"}}})
	w.scan(exitGood, "--apply", "--mode", "enforce", "--no-exemptions")
	narrowed := w.policies("reports")
	took := w.inEffect()[0]

	for _, tc := range []struct{ action, term, want string }{
		{"athena:StartQueryExecution", "8h", "taken from it are: athena:ListWorkGroups"},
		{"glue:DeleteTable", "13h", "access.max_hours"},
	} {
		if _, errOut, code := w.dera("access", "request", "--principal", w.arn("role", "reports"), "--action", tc.action, "--for", tc.term, "--reason", "x"); code != exitNo || !strings.Contains(errOut, tc.want) {
			t.Errorf("%s for %s: got exit code %d, %s, want %q", tc.action, tc.term, code, errOut, tc.want)
		}
	}
	v := w.askInSlack(slack, "reports", "glue:deletetable")
	if len(v.Access.Took) != 1 || v.Access.Took[0] != took || v.Access.Actions[0] != "glue:DeleteTable" {
		t.Errorf("got %+v, want what %s took", v.Access, took)
	}
	if _, errOut, code := w.dera("access", "grant", v.Access.ID, "--digest", v.Digest); code != exitNo || !strings.Contains(errOut, "another person has to grant it") {
		t.Errorf("who asked grants: got exit code %d, %s", code, errOut)
	}
	if _, errOut, code := w.dera("approve", v.Access.Grant, "--digest", v.Digest, "--mode", "review"); code != exitNo || !strings.Contains(errOut, "another person has to grant it") {
		t.Errorf("who asked approves: got exit code %d, %s", code, errOut)
	}
	w.must(w.server.AddRole(t.Context(), w.creds, "approver", "sts:GetCallerIdentity"))
	approver, err := w.server.AssumeRole(t.Context(), w.creds.Account, "approver")
	if err != nil {
		t.Fatal(err)
	}
	self, err := w.server.AssumeRole(t.Context(), w.creds.Account, "reports")
	if err != nil {
		t.Fatal(err)
	}
	w.use(self)
	if _, errOut, code := w.dera("access", "grant", v.Access.ID, "--digest", v.Digest); code != exitNo || !strings.Contains(errOut, "is who gets it") {
		t.Errorf("the principal grants: got exit code %d, %s", code, errOut)
	}
	w.use(approver)
	if out, errOut, code := w.dera("access", "grant", v.Access.ID, "--digest", v.Digest); code != exitGood {
		t.Fatalf("grant: got exit code %d\n%s%s", code, out, errOut)
	}
	given := w.policies("reports")
	name := "dera-access-" + strings.TrimPrefix(v.Access.ID, "a-")
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"glue:DeleteTable","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"` + v.Access.Until.Format(time.RFC3339) + `"}}}]}`
	if len(given) != 2 || compact(t, given[name]) != want || given["own"] != narrowed["own"] {
		t.Errorf("given: got %v, want %s beside %v", given, want, narrowed)
	}
	for _, f := range findingsOf(w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions"), "reports") { // the approver's are open
		if f.State != "resolved" {
			t.Errorf("then: got %v, want nothing open", f)
		}
	}
	if out, _, _ := w.dera("show", took); !strings.Contains(out, "given back") || !strings.Contains(out, v.Access.ID+" granted") {
		t.Errorf("show %s: got\n%s", took, out)
	}
	if _, errOut, _ := w.later(9*time.Hour, "scan", "--mode", "observe", "--no-exemptions"); !strings.Contains(errOut, "the access "+v.Access.ID+" is over") || len(w.policies("reports")) != 2 {
		t.Errorf("a look alone: got %s and %v, want it said and nothing written", errOut, w.policies("reports"))
	}
	if out, errOut, code := w.later(9*time.Hour, "scan", "--apply", "--mode", "enforce", "--no-exemptions"); code != exitNo {
		t.Errorf("9 hours later: got exit code %d\n%s%s", code, out, errOut)
	}
	if got := w.policies("reports"); len(got) != 1 || got["own"] != narrowed["own"] {
		t.Errorf("9 hours later: got %v, want %v", got, narrowed)
	}
	out, _, _ := w.dera("access", "list")
	if !strings.Contains(out, v.Access.ID+"  ended") {
		t.Errorf("list: got\n%s", out)
	}
	pack := filepath.Join(t.TempDir(), "pack")
	for _, args := range [][]string{{"audit", "verify"}, {"audit", "export", pack}, {"audit", "verify", pack}} { // with the proof computed again
		if out, errOut, code := w.dera(args...); code != exitGood {
			t.Errorf("%v: got exit code %d\n%s%s", args, code, out, errOut)
		}
	}
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestMotoAccess_managed: of a managed policy that two have, one gets an action back for good,
// by a policy of its own; a user gets back what went from the policy of its group; and the
// name of such a policy hides nothing.
func TestMotoAccess_managed(t *testing.T) {
	w := newIAMWorld(t, "")
	w.more = ", iam-*-access-request"
	w.configure(t, "")
	ctx := t.Context()
	w.role("reports", lambdaTrust, athenaWide)
	w.role("cleaner", lambdaTrust, "")
	w.must(w.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("cleaner"), PolicyArn: aws.String(w.arn("policy", "reports"))}))
	w.must(w.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann"), Path: aws.String("/staff/")}))
	w.must(w.iam.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("staff")}))
	w.must(w.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("staff"), UserName: aws.String("ann")}))
	w.must(w.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("staff"), PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
	w.behind(t, 0)
	w.recorded(map[string][][2]string{
		w.arn("role", "reports"):   {{"athena.amazonaws.com", "StartQueryExecution"}, {"glue.amazonaws.com", "GetTable"}},
		w.arn("role", "cleaner"):   {{"glue.amazonaws.com", "GetTable"}},
		w.arn("user", "staff/ann"): {{"glue.amazonaws.com", "GetTable"}},
	})
	w.scan(exitGood, "--apply", "--mode", "enforce", "--no-exemptions")
	_, narrowed := w.inForce("reports")
	role := w.ask("cleaner", "glue:DeleteTable", "good")
	out, errOut, code := w.dera("access", "request", "--principal", w.arn("user", "staff/ann"), "--action", "athena:StartQueryExecution", "--for", "1h", "--reason", "x", "--output", "json")
	var user app.AccessView
	if err := json.Unmarshal([]byte(out), &user); err != nil || code != exitGood {
		t.Fatalf("request: got exit code %d, %v\n%s%s", code, err, out, errOut)
	}
	w.must(w.server.AddRole(ctx, w.creds, "approver", "sts:GetCallerIdentity"))
	approver, err := w.server.AssumeRole(ctx, w.creds.Account, "approver")
	if err != nil {
		t.Fatal(err)
	}
	w.use(approver)
	for _, v := range []app.AccessView{role, user} {
		if out, errOut, code := w.dera("access", "grant", v.Access.ID, "--digest", v.Digest); code != exitGood {
			t.Fatalf("grant: got exit code %d\n%s%s", code, out, errOut)
		}
	}
	name := "dera-access-" + strings.TrimPrefix(role.Access.ID, "a-")
	if got := w.policies("cleaner"); len(got) != 1 || compact(t, got[name]) != `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"glue:DeleteTable","Resource":"*"}]}` {
		t.Errorf("given to cleaner: got %v", got)
	}
	if got := w.policies("reports"); len(got) > 0 {
		t.Errorf("given to reports, which nobody asked for: %v", got)
	}
	if _, text := w.inForce("reports"); text != narrowed {
		t.Errorf("in force: got %s, want %s", text, narrowed)
	}
	ann := &iam.GetUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("dera-access-" + strings.TrimPrefix(user.Access.ID, "a-"))}
	if got, err := w.iam.GetUserPolicy(ctx, ann); err != nil || !strings.Contains(*got.PolicyDocument, "StartQueryExecution") {
		t.Errorf("given to ann: got %v, %v", got, err)
	}
	w.must(w.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("reports"), PolicyName: aws.String("dera-access-0123456789abcdef0123"), PolicyDocument: aws.String(athenaWide)}))
	out, errOut, _ = w.later(400*24*time.Hour, "scan", "--apply", "--mode", "enforce", "--no-exemptions", "--output", "json")
	var r app.ScanReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("scan: %v\n%s%s", err, out, errOut)
	}
	if got := findingsOf(r, "cleaner"); len(got) > 0 && got[0].State != "resolved" {
		t.Errorf("cleaner: got %v, want what was given for good left alone", got)
	}
	if got := findingsOf(r, "reports"); len(got) == 0 || !slices.ContainsFunc(got, func(f finding) bool { return f.Control == "iam-role-unused-permissions" && f.State != "resolved" }) {
		t.Errorf("reports: got %v, want the policy that only has the name found", got)
	}
	if _, err := w.iam.GetUserPolicy(ctx, ann); err == nil {
		t.Error("ann still has what was given for an hour")
	}
	if got := w.policies("cleaner"); len(got) != 1 {
		t.Errorf("cleaner: got %v, want what was given for good", got)
	}
	if out, _, _ := w.dera("report", "--output", "json"); !strings.Contains(out, `"false_positives": 1`) {
		t.Errorf("report: got\n%s\nwant one false positive, of what was given back for good", out)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}
