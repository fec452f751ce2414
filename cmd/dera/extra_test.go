package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/iam/policy"
)

// beside are findings that the labels do not name, each with why it is right.
var beside = map[string]string{
	"sadcloud sadcloud-ec2-opens_port_range sg-world-other":                          "alarm: the rule opens 21 to 25; the label names the worst port alone",
	"cloudgoat-s3_version_rollback_via_cfn cg-s3-version-flag-cg01 s3-public-policy": "alarm: anybody has access who sends a Referer header that the policy names; whoever calls chooses it",
	"cloudgoat-vulnerable_cognito cognitoctf-cg01 s3-public-policy":                  "miss: RestrictPublicBuckets of the bucket cuts the policy down to the account",
}

// environment is an account that others misconfigured on purpose.
type environment struct {
	Findings []struct{ Kind, Resource, Why string }
}

// TestExtraEnvironments builds misconfigured accounts in moto, call by call, and
// holds what dera scan finds against their labels. Then it lets dera fix them and
// takes everything back; boto3 looks each time.
func TestExtraEnvironments(t *testing.T) {
	text, err := os.ReadFile(extraData(t, "envs", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]environment
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	server := moto.Start(t, moto.Config{ManagedPolicies: true})
	s := newScore("sadcloud and CloudGoat accounts, built in moto", beside)
	second := newScore("Prowler's verdicts on these accounts", secondDiffers)
	fixes := 0
	for _, env := range sortedKeys(expected) {
		labels := expected[env].labels()
		if len(labels) == 0 {
			continue
		}
		w := newEnvironment(t, server, env)
		report := w.scan(exitNo)
		found := map[string]bool{}
		for _, f := range report.Findings {
			for _, kind := range kindsOf(f) {
				found[stableName(f.ResourceName)+" "+kind] = true
			}
		}
		s.cases++
		for _, label := range sortedKeys(labels) {
			s.judge(env+" "+label, true, found[label])
		}
		for _, label := range sortedKeys(found) {
			if !labels[label] {
				s.judge(env+" "+label, false, true)
			}
		}
		secondOpinion(t, second, env, report)
		fixes += w.fixAndTakeBack(env)
	}
	t.Logf("%d remediations by dera, judged by boto3 and taken back", fixes)
	if fixes < 20 {
		t.Errorf("%d remediations: the test says little", fixes)
	}
	s.done(t)
	second.done(t)
}

// labels are those that dera has controls for, as "RESOURCE KIND".
func (e environment) labels() map[string]bool {
	out := map[string]bool{}
	for _, f := range e.Findings {
		switch {
		case strings.HasPrefix(f.Kind, "sg-world"):
			_, group, _ := strings.Cut(f.Resource, "/")
			out[group+" "+f.Kind] = true
		case strings.HasPrefix(f.Kind, "s3-public"), f.Kind == "s3-no-public-access-block":
			out[stableName(f.Resource)+" "+f.Kind] = true
		}
	}
	return out
}

// stableName is the name without what AWS appends to the name of a resource of a
// stack.
func stableName(name string) string {
	head, _, _ := strings.Cut(name, "-s3bucket-")
	return head
}

// newEnvironment builds the account in an empty moto.
func newEnvironment(t *testing.T, server *moto.Server, env string) *motoWorld {
	t.Helper()
	if err := server.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	replay := exec.CommandContext(t.Context(), moto.Python(), extraData(t, "tools", "replay.py"), server.URL(), extraData(t, "envs", env+".calls.jsonl.gz"))
	if out, err := replay.CombinedOutput(); err != nil {
		t.Fatalf("build %s in moto: %v\n%s", env, err, out)
	}
	w := &motoWorld{t: t, server: server, dir: t.TempDir()}
	w.use(moto.Credentials{AccessKeyID: "test", SecretAccessKey: "test"})
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte("version: 1\nsettle: 10ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// kindsOf translates a finding into the labels of the data set.
func kindsOf(f app.FindingView) []string {
	switch {
	case f.Control == "s3-bucket-public-policy", f.Control == "s3-bucket-access-point-public":
		return []string{"s3-public-policy"}
	case f.Control == "s3-bucket-public-acl":
		return []string{"s3-public-acl"}
	case f.Control == "s3-bucket-access-block":
		return []string{"s3-no-public-access-block"}
	case strings.HasSuffix(f.Key, "/bounded"), f.Control == "ec2-securitygroup-default-group-rules", f.Control == "s3-account-access-block", f.Control == "s3-bucket-external-access":
		return nil // the labels know none of them
	case f.Key == "all":
		return []string{"sg-world-all"}
	case f.Key == "icmp":
		return []string{"sg-world-icmp"}
	case strings.Contains(f.Why, "all traffic from"):
		return nil // told by the key all
	case f.Key == "tcp/22":
		return []string{"sg-world-22"}
	case f.Key == "tcp/3389":
		return []string{"sg-world-3389"}
	case f.Control == "ec2-securitygroup-web-ports-open":
		return []string{"sg-world-web"}
	}
	return []string{"sg-world-other"}
}

// account is what boto3 sees of the whole account, part by part.
func (w *motoWorld) account() map[string]string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), moto.Python(), filepath.Join("testdata", "judge_account.py"))
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION=us-east-1")
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	var parts map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(text, &parts)
	}
	if err != nil {
		w.t.Fatalf("look at the account: %v\n%s", err, text)
	}
	out := map[string]string{}
	for k, v := range parts {
		out[k] = string(v)
	}
	return out
}

// fixAndTakeBack lets dera do what it does automatically, and what waits for a person
// too: what it says is resolved is gone for boto3, and nothing else in the account
// moved. After everything is rolled back the account is what it was.
func (w *motoWorld) fixAndTakeBack(env string) int {
	w.t.Helper()
	before := w.account()
	resolved := w.fix(env)
	after := w.account()
	may := map[string]bool{}
	for _, f := range resolved {
		part := partOf(f)
		may[part] = true
		if before[part] == after[part] {
			w.t.Errorf("%s: %s of %s is resolved, but boto3 sees no change", env, f.Key, f.Resource)
		}
		if why := remains(w.t, f, after[part]); why != "" {
			w.t.Errorf("%s: %s of %s is resolved, but boto3 still sees %s", env, f.Key, f.Resource, why)
		}
	}
	for _, part := range sortedKeys(union(before, after)) {
		if before[part] != after[part] && !may[part] {
			w.t.Errorf("%s: %s moved, and no resolved finding is about it\nbefore %.300s\nafter  %.300s", env, part, before[part], after[part])
		}
	}
	ids := w.inEffect()
	w.rollBackAll()
	back := w.account()
	for _, part := range sortedKeys(union(before, back)) {
		if before[part] != back[part] {
			w.t.Errorf("%s: %s after rolling everything back\ngot  %.300s\nwant %.300s", env, part, back[part], before[part])
		}
	}
	return len(ids)
}

// fix scans and approves until nothing is resolved any more: a block comes when
// nothing depends on public access, and that of the account last.
func (w *motoWorld) fix(env string) []dera.Finding {
	w.t.Helper()
	asked := map[string]bool{}
	for had := -1; ; {
		out, errOut, code := w.dera("scan", "--output", "json", "--apply", "--mode", "enforce", "--no-exemptions")
		if code != exitNo && code != exitGood {
			w.t.Fatalf("%s: dera scan: got exit code %d\n%s", env, code, errOut)
		}
		var r app.ScanReport
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			w.t.Fatal(err)
		}
		done := map[dera.ARN]bool{} // what is approved supersedes other plans of the resource: these come with the next scan
		for _, f := range r.Findings {
			if f.Plan == nil || f.Plan.State != dera.Waiting || asked[f.Plan.Remediation] || done[f.Resource] || f.Control == "s3-account-access-block" {
				continue
			}
			asked[f.Plan.Remediation], done[f.Resource] = true, true
			if _, errOut, code := w.dera("approve", f.Plan.Remediation, "--digest", f.Plan.Digest); code != exitGood {
				w.t.Errorf("%s: approve %s of %s: got exit code %d\n%s", env, f.Key, f.Resource, code, errOut)
			}
		}
		if out, errOut, code = w.dera("findings", "--all", "--output", "json"); code != exitNo && code != exitGood {
			w.t.Fatalf("%s: dera findings: got exit code %d\n%s", env, code, errOut)
		}
		var all []app.FindingView
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			w.t.Fatal(err)
		}
		var resolved []dera.Finding
		for _, f := range all {
			if f.State == dera.FindingResolved {
				resolved = append(resolved, f.Finding)
			}
		}
		if len(resolved) == had {
			return resolved
		}
		had = len(resolved)
	}
}

func union[V any](a, b map[string]V) map[string]V {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// partOf is the part of the account that the fix of a finding may change.
func partOf(f dera.Finding) string {
	name := f.Resource.Name()
	switch f.Control {
	case "s3-account-access-block":
		return "block of the account"
	case "s3-bucket-access-block":
		return "bucket " + name + " public_access_block"
	case "s3-bucket-public-policy":
		return "bucket " + name + " policy"
	case "s3-bucket-public-acl":
		return "bucket " + name + " acl"
	}
	return "group " + name + " inbound"
}

// remains says what of the finding boto3 still sees, by nothing but the text.
func remains(t *testing.T, f dera.Finding, part string) string {
	t.Helper()
	switch f.Control {
	case "s3-account-access-block", "s3-bucket-access-block":
		if n := strings.Count(part, ": true"); n != 4 {
			return fmt.Sprintf("%d of 4 settings on", n)
		}
	case "s3-bucket-public-acl":
		if strings.Contains(part, "groups/global/") {
			return "a grant to everybody"
		}
	case "s3-bucket-public-policy":
		var answer struct{ Policy string }
		if json.Unmarshal([]byte(part), &answer) != nil || answer.Policy == "" {
			return "" // no policy is left
		}
		doc, err := policy.Parse(answer.Policy)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range doc.Statements {
			if st.Effect == policy.Allow && len(st.Conditions) == 0 && (st.NotPrincipals != nil || st.Principals != nil && st.Principals.Any) {
				return "a statement for everybody"
			}
		}
	case "ec2-securitygroup-admin-ports-open":
		return openRule(t, f.Key, part)
	}
	return ""
}

// openRule is a rule that allows the whole internet on the port of a key such as
// tcp/22.
func openRule(t *testing.T, key, part string) string {
	t.Helper()
	var rules []struct {
		IpProtocol, CidrIpv4, CidrIpv6 string
		FromPort, ToPort               int
	}
	if err := json.Unmarshal([]byte(part), &rules); err != nil {
		t.Fatal(err)
	}
	var port int
	if _, err := fmt.Sscanf(key, "tcp/%d", &port); err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		wide := strings.HasSuffix(r.CidrIpv4, "/0") || strings.HasSuffix(r.CidrIpv6, "/0")
		if wide && (r.IpProtocol == "-1" || r.IpProtocol == "tcp" && r.FromPort <= port && port <= r.ToPort) {
			return fmt.Sprintf("%+v", r)
		}
	}
	return ""
}
