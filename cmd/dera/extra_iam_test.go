package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// recordedAccount and recordedKey are those of the environments' calls.
const recordedAccount, recordedKey = "123456789012", "AKIAIOSFODNN7EXAMPLE"

// recordedCall is one call by which an account was built.
type recordedCall struct {
	Op           string
	Method, Path string
	Headers      map[string]string
	Body         []byte
}

// buildIAM makes the calls on IAM by which an environment was built, in the account of the
// world, and returns the roles, users, groups and policies that they make.
func (w *iamWorld) buildIAM(env string) map[string]bool {
	w.t.Helper()
	made := map[string]bool{}
	for _, c := range extraLines[recordedCall](w.t, "envs", env+".calls.jsonl.gz") {
		reads := strings.HasPrefix(c.Op, "Get") || strings.HasPrefix(c.Op, "List")
		if reads || c.Op == "UpdateAccessKey" || !strings.Contains(c.Headers["Authorization"], "/iam/aws4_request") {
			continue // the IDs of keys are others here, and no label is about their status
		}
		body := strings.ReplaceAll(string(c.Body), recordedAccount, w.creds.Account)
		form, err := url.ParseQuery(body)
		if err != nil {
			w.t.Fatal(err)
		}
		if strings.HasPrefix(c.Op, "Create") {
			for _, of := range []string{"RoleName", "UserName", "GroupName", "PolicyName"} {
				made[form.Get(of)] = true
			}
		}
		r, err := http.NewRequestWithContext(w.t.Context(), c.Method, w.server.URL()+c.Path, strings.NewReader(body))
		if err != nil {
			w.t.Fatal(err)
		}
		for k, v := range c.Headers {
			r.Header.Set(k, v)
		}
		r.Header.Set("Authorization", strings.Replace(c.Headers["Authorization"], recordedKey, w.creds.AccessKeyID, 1))
		r.Header.Set("X-Amz-Security-Token", w.creds.SessionToken)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			w.t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			w.t.Errorf("%s: %s: got %s (%v): %.200s", env, c.Op, answer.Status, err, text)
		}
	}
	return made
}

// trustDiffers says why dera's verdict on who may assume a role is not the label's.
var trustDiffers = map[string]string{}

// TestExtraIdentities builds the identities of all misconfigured accounts in one account of moto,
// and holds what the controls on IAM find: without a record of use, and with a whole record
// in which nobody used anything. What is expected stands in docs/recall.md.
func TestExtraIdentities(t *testing.T) {
	text, err := os.ReadFile(extraData(t, "envs", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]environment
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	w := &iamWorld{clock: filepath.Join(t.TempDir(), "clock"), more: ", iam-*-administrator, iam-*-escalation, iam-user-direct-policies"}
	w.behind(t, 200)
	w.motoWorld = newSettingWorld(t, moto.Start(t, moto.Config{ManagedPolicies: true, Env: []string{"MOTO_CLOCK=" + w.clock}}), identities)
	w.configure(t, "")
	made := map[string]map[string]bool{}
	for _, env := range sortedKeys(expected) {
		made[env] = w.buildIAM(env)
	}
	w.behind(t, 0)

	r := w.scan(exitNo)
	trust := newScore("Trust policies of misconfigured accounts, built in moto", trustDiffers)
	deputy := newScore("Prowler's verdicts on what services may assume there", deputyDiffers)
	for _, env := range sortedKeys(expected) {
		want, got := map[string]bool{}, map[string]bool{}
		for _, f := range expected[env].Findings {
			want[f.Resource] = want[f.Resource] || f.Kind == "iam-role-trust-star"
		}
		for _, f := range r.Findings {
			got[f.ResourceName] = got[f.ResourceName] || f.Control == "iam-role-external-trust" && made[env][f.ResourceName]
		}
		trust.both(env, want, got)
		deputy.ofServices(t, env, made[env], r)
	}
	trust.done(t)
	deputy.done(t)
	powers(t, expected, made, r)
	if n := len(unusedOf(r)); n > 0 {
		t.Errorf("got %d findings on unused permissions without a record, want none", n)
	}

	w.recorded(nil)
	rows := append(unusedOf(w.scan(exitNo)), otherLabels(expected)...)
	recall, err := os.ReadFile(filepath.Join("..", "..", "docs", "recall.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if !strings.Contains(string(recall), "\n"+row) {
			t.Errorf("docs/recall.md lacks the line, or one that begins so:\n%s", row)
		}
	}
}

// otherLabels begin the lines of a table: how many labels on IAM there are that no control answers.
func otherLabels(expected map[string]environment) (rows []string) {
	count := map[string]int{}
	for _, e := range expected {
		for _, f := range e.Findings {
			count[f.Kind]++
		}
	}
	for _, kind := range []string{
		"iam-admin-star", "iam-role-admin", "iam-service-star", "iam-notaction-allow", "iam-passrole-star", "iam-user-attached-policy", "iam-user-inline-policy",
	} {
		delete(count, kind) // see powers
	}
	for _, kinds := range []string{"iam-user-access-key, iam-no-password-policy"} {
		n := 0
		for _, k := range strings.Split(kinds, ", ") {
			n += count[k]
			delete(count, k)
		}
		rows = append(rows, fmt.Sprintf("| %s | %d |", kinds, n))
	}
	for kind, n := range count {
		if strings.HasPrefix(kind, "iam-") && kind != "iam-role-trust-star" {
			rows = append(rows, fmt.Sprintf("| %s | %d |", kind, n))
		}
	}
	return rows
}

// both counts what a label or dera calls bad.
func (s *score) both(env string, want, got map[string]bool) {
	s.cases++
	for _, name := range sortedKeys(union(want, got)) {
		if want[name] || got[name] {
			s.judge(env+" "+name, want[name], got[name])
		}
	}
}

// deputyDiffers says why dera's verdict on services that may assume a role is not the scanner's.
var deputyDiffers = map[string]string{
	"cloudgoat-cloud_breach_s3 cg-banking-WAF-Role-cg01":          onlyItsOwn,
	"cloudgoat-iam_privesc_by_attachment cg-ec2-meek-role-cg01":   onlyItsOwn,
	"cloudgoat-iam_privesc_by_attachment cg-ec2-mighty-role-cg01": onlyItsOwn,
	"cloudgoat-rds_snapshot cg-ec2-admin-role":                    onlyItsOwn,
	"sadcloud terraform-20261122002230024700000006":               onlyItsOwn,
	"iam-vulnerable privesc-high-priv-service-role":               "alarm: six services may assume it, and no condition says on whose behalf; the scanner lets a statement with several services pass",
}

const onlyItsOwn = "miss: the service assumes a role for what is in the role's own account alone"

// ofServices compares with a scanner that says which roles a service may assume on behalf of
// anybody. It was run on some of the accounts.
func (s *score) ofServices(t *testing.T, env string, made map[string]bool, r app.ScanReport) {
	t.Helper()
	text, err := os.ReadFile(extraData(t, "envs", env+".prowler.json"))
	if os.IsNotExist(err) {
		return
	}
	var theirs struct {
		Findings []struct{ Check, Resource string }
	}
	if err == nil {
		err = json.Unmarshal(text, &theirs)
	}
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{}, map[string]bool{}
	for _, f := range theirs.Findings {
		if f.Check == "iam_role_cross_service_confused_deputy_prevention" {
			want[dera.ARN(f.Resource).Name()] = true
		}
	}
	for _, f := range r.Findings {
		if f.Control == "iam-role-weak-trust" && strings.HasPrefix(f.Key, "service") && made[f.ResourceName] {
			got[f.ResourceName] = true
		}
	}
	s.both(env, want, got)
}

// unusedOf are lines of a table: of each control and class how many findings there are, and
// what becomes of them.
func unusedOf(r app.ScanReport) (rows []string) {
	count := map[string]int{}
	for _, f := range r.Findings {
		if class := f.Key; strings.HasSuffix(f.Control, "-unused-permissions") {
			for _, whole := range []string{"unused/attached/", "unused/aws-managed/"} {
				if strings.HasPrefix(class, whole) {
					class = whole + "…"
				}
			}
			count[fmt.Sprintf("| %s | %s | %s |", f.Control, class, f.Disposition)]++
		}
	}
	for _, row := range sortedKeys(count) {
		rows = append(rows, fmt.Sprintf("%s %d |", row, count[row]))
	}
	slices.Sort(rows)
	return rows
}
