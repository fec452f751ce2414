package main

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TestMotoPermissions_resources: with permissions.narrow_resources a person approves that a
// role and those who share a policy may do what they did on what they did it; another
// resource is denied then, and the rollback brings all back. Without it nothing is found.
func TestMotoPermissions_resources(t *testing.T) {
	w := newIAMWorld(t, "")
	const athena, sqs = "arn:aws:athena:us-east-1:111122223333:workgroup/", "arn:aws:sqs:us-east-1:111122223333:"
	wide := `{"Version":"2012-10-17","Statement":[{"Sid":"Work","Effect":"Allow","Action":["athena:GetWorkGroup","ec2:DescribeInstances","sqs:PurgeQueue"],"Resource":"*"}]}`
	w.role("reports", lambdaTrust, wide)
	w.role("cleaner", lambdaTrust, "")
	w.must(w.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("cleaner"), PolicyArn: aws.String(w.arn("policy", "reports"))}))
	w.role("own", lambdaTrust, "")
	w.must(w.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("own"), PolicyName: aws.String("own"), PolicyDocument: &wide}))
	w.behind(t, 0)
	w.on = map[string][]string{"GetWorkGroup": {athena + "reports"}, "PurgeQueue": {sqs + "jobs", sqs + "mail"}}
	both := [][2]string{{"athena.amazonaws.com", "GetWorkGroup"}, {"sqs.amazonaws.com", "PurgeQueue"}, {"ec2.amazonaws.com", "DescribeInstances"}}
	w.recorded(map[string][][2]string{w.arn("role", "reports"): both[:1], w.arn("role", "cleaner"): both[1:], w.arn("role", "own"): both})

	scan := []string{"--apply", "--mode", "enforce", "--no-exemptions"}
	if r := w.scan(exitGood, scan...); openOf(r) != 0 {
		t.Errorf("off: got %+v, want nothing", r.Findings)
	}
	w.configure(t, "permissions: narrow_resources: review")
	r := w.scan(exitNo, scan...)
	for name, control := range map[string]string{"reports": "iam-policy-unused-permissions", "own": "iam-role-unused-permissions"} {
		if got, want := findingsOf(r, name), []finding{{"unused/resources", control, "review", "open"}}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if _, text := w.inForce("reports"); text != wide {
		t.Errorf("before the approval: got %s in force", text)
	}
	for _, f := range r.Findings {
		out, errOut, code := w.dera("show", f.ID)
		for _, want := range []string{"sqs:PurgeQueue on " + sqs + "jobs, " + sqs + "mail", "whatever is made later has another ARN, and is denied", "0 would be denied, 0 cannot be decided"} {
			if code != exitGood || !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				t.Errorf("show: got %d without %q\n%s%s", code, want, out, errOut)
			}
		}
	}
	w.approveAll(r, "reports")
	w.approveAll(r, "own")
	_, shared := w.inForce("reports")
	for name, text := range map[string]string{"reports": shared, "own": w.inline("own")} {
		w.decides(name, text, map[[2]string]bool{
			{"athena:GetWorkGroup", athena + "reports"}: true, {"athena:GetWorkGroup", athena + "other"}: false,
			{"sqs:PurgeQueue", sqs + "jobs"}: true, {"sqs:PurgeQueue", sqs + "mail"}: true, {"sqs:PurgeQueue", sqs + "new"}: false,
			{"ec2:DescribeInstances", "*"}: true,
		})
	}
	if again := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(again) != 0 {
		t.Errorf("the next look finds %+v, want nothing open", again.Findings)
	}
	w.rollBackAll()
	if _, text := w.inForce("reports"); text != wide || w.inline("own") != wide {
		t.Errorf("after the rollback: got %s and %s, want %s", text, w.inline("own"), wide)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

// inline is the inline policy own of a role.
func (w *iamWorld) inline(role string) string {
	w.t.Helper()
	out, err := w.iam.GetRolePolicy(w.t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: aws.String("own")})
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := url.PathUnescape(*out.PolicyDocument)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// decides holds what a policy allows, by action and resource.
func (w *iamWorld) decides(name, text string, want map[[2]string]bool) {
	w.t.Helper()
	path := fileIn(w.t, w.t.TempDir(), filepath.Base(name)+".json", text)
	for q, allowed := range want {
		_, errOut, code := w.dera("policy", "eval", path, "--action", q[0], "--resource", q[1])
		if allowed && code != exitGood || !allowed && code != exitNo {
			w.t.Errorf("%s: %s on %s: got exit code %d, allowed %t is wanted\n%s\n%s", name, q[0], q[1], code, allowed, errOut, text)
		}
	}
}
