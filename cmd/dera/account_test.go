package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim"
)

// said runs one command line and returns what it prints, and its exit code.
func said(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return o.String(), e.String(), code
}

func openSSH(t *testing.T, r *awssim.Region, name string) string {
	t.Helper()
	id, err := r.CreateSecurityGroup(t.Context(), name, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func fileIn(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOrdersOnAnAccountThatIsNotConfigured: they are refused by name, and what is
// not there for other credentials is not resolved.
func TestOrdersOnAnAccountThatIsNotConfigured(t *testing.T) {
	const ours, theirs = "111122223333", "444455556666"
	cloud := awssim.New(awssim.Config{Seed: 8})
	openSSH(t, cloud.Account(ours).Region("us-east-1"), "web")
	serving(t, cloud, cloud.Account(ours).Credentials())
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if _, errOut, code := said(t, "scan", "--mode", "review", "--data", data); code != exitNo {
		t.Fatalf("scan: got %d\n%s", code, errOut)
	}
	findings := func() (list []app.FindingView, text string) {
		text, _, _ = said(t, "findings", "-o", "json", "--data", data)
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		return list, text
	}
	before, text := findings()
	remediation := regexp.MustCompile(`r-[0-9a-f]{20}`).FindString(text)
	finding := before[0].ID
	other := cloud.Account(theirs).Credentials()
	t.Setenv("AWS_ACCESS_KEY_ID", other.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", other.SecretAccessKey)
	config := fileIn(t, dir, "theirs.yaml", "version: 1\naccounts: [{id: \""+theirs+"\"}]\n")
	for _, order := range [][]string{
		{"remediate", finding}, {"remediate", finding, "--mode", "enforce", "--no-exemptions"}, {"remediate", finding, "--config", config},
		{"approve", remediation, "--digest", strings.Repeat("0", 64)}, {"reject", remediation, "--reason", "no"}, {"rollback", remediation, "--reason", "no"},
	} {
		_, errOut, code := said(t, append(order, "--data", data)...)
		if code != exitUsage || !strings.Contains(errOut, "--config") || !strings.Contains(errOut, ours) {
			t.Errorf("%v: got %d, want it refused with the account and --config\n%s", order, code, errOut)
		}
	}
	// A look with the other credentials does not resolve it either.
	out, _, code := said(t, "scan", "--data", data)
	if code != exitNo || !strings.Contains(out, "not read since") {
		t.Errorf("scan: got %d, want the finding of the account that left\n%s", code, out)
	}
	after, _ := findings()
	if f := after[0]; f.ID != finding || f.State != "open" || f.NotRead == nil || !f.NotRead.Equal(before[0].LastSeen) {
		t.Errorf("findings: got %s %s, not read since %v, want the one of before", f.ID, f.State, f.NotRead)
	}
	if out, _, _ := said(t, "show", finding, "--data", data); !strings.Contains(out, "not read since") {
		t.Errorf("show: got\n%s", out)
	}
	if out, _, _ := said(t, "show", finding, "--data", data, "-o", "json"); !strings.Contains(out, `"not_read_since"`) {
		t.Errorf("show: got\n%s", out)
	}
	// Configured, and reached with the wrong credentials: refused before anything is recorded.
	wrong := fileIn(t, dir, "wrong.yaml", "version: 1\nsettle: 5ms\naccounts: [{id: \""+ours+"\"}]\n")
	log, _, _ := said(t, "audit", "show", "--data", data)
	digest := before[0].Plan.Digest
	for _, order := range [][]string{{"remediate", finding}, {"approve", remediation, "--digest", digest}, {"rollback", remediation, "--reason", "no"}, {"reject", remediation, "--reason", "no"}} {
		_, errOut, code := said(t, append(order, "--mode", "review", "--config", wrong, "--data", data)...)
		if code != exitFailed || !strings.Contains(errOut, "wrong account") || !strings.Contains(errOut, theirs) || !strings.Contains(errOut, ours) {
			t.Errorf("%v: got %d, want it refused with both accounts\n%s", order, code, errOut)
		}
	}
	if now, _, _ := said(t, "audit", "show", "--data", data); now != log {
		t.Errorf("a refused order was recorded:\n%s", now)
	}
	// An account whose session is another's is not read, and does not stop the others.
	both := fileIn(t, dir, "both.yaml", "version: 1\naccounts: [{id: \""+ours+"\"}, {id: \""+theirs+"\"}]\n")
	openSSH(t, cloud.Account(theirs).Region("us-east-1"), "shop")
	out, errOut, code := said(t, "scan", "--config", both, "--data", data)
	if code != exitUndecided || !strings.Contains(out, "(shop)") || !strings.Contains(out, "open, not read since") ||
		!regexp.MustCompile(`not read: `+ours+`.*wrong account.*`+theirs+`.*role_arn`).MatchString(out) {
		t.Errorf("scan of both: got %d\n%s%s", code, out, errOut)
	}
}

// TestBareScanKeepsWhatIsRemembered: no command slips past an exemption list that
// an earlier one named, and what dera show prints goes by it.
func TestBareScanKeepsWhatIsRemembered(t *testing.T) {
	for name, named := range map[string][]string{
		"list_of_the_configuration": {"--config", "with.yaml"},
		"list_of_the_flag":          {"--config", "without.yaml", "--exemptions", "list.yaml"},
		"list_alone":                {"--exemptions", "list.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := awssim.New(awssim.Config{Seed: 9})
			id := openSSH(t, cloud.Account("111122223333").Region("us-east-1"), "sftp")
			if _, err := cloud.Account("111122223333").Region("us-east-1").CreateSecurityGroup(t.Context(), "rdp", awssim.Rule{Protocol: "tcp", FromPort: 3389, ToPort: 3389, CIDR: "0.0.0.0/0"}); err != nil {
				t.Fatal(err)
			}
			serving(t, cloud, cloud.Account("111122223333").Credentials())
			dir := t.TempDir()
			t.Chdir(dir)
			fileIn(t, dir, "list.yaml", "version: 1\nexemptions:\n  - id: A\n    match: {keys: [tcp/22]}\n    owner: net@example.com\n    reason: Partner uploads\n    expires: 2099-01-01\n")
			fileIn(t, dir, "with.yaml", "version: 1\nsettle: 5ms\nexemptions: list.yaml\n")
			fileIn(t, dir, "without.yaml", "version: 1\nsettle: 5ms\n")
			if out, errOut, _ := said(t, append([]string{"scan", "--mode", "review"}, named...)...); !strings.Contains(out, "exempt") {
				t.Fatalf("scan: got\n%s%s", out, errOut)
			}
			list, _, _ := said(t, "findings")
			finding := regexp.MustCompile(`(f-[0-9a-f]{20}).*SSH`).FindStringSubmatch(list)[1]
			_, errOut, _ := said(t, "scan")
			if !strings.Contains(errOut, "list.yaml") && !strings.Contains(errOut, "with.yaml") {
				t.Errorf("a bare scan does not say what it goes by:\n%s", errOut)
			}
			t.Chdir(t.TempDir()) // the printed command holds wherever it is copied to
			rdp := regexp.MustCompile(`(f-[0-9a-f]{20}).*RDP`).FindStringSubmatch(list)[1]
			show, _, _ := said(t, "show", rdp, "--data", filepath.Join(dir, "dera-data"))
			printed := regexp.MustCompile(`dera (scan .*)`).FindStringSubmatch(show)
			if printed == nil || !strings.Contains(printed[1], "--config "+dir) && !strings.Contains(printed[1], "--exemptions "+dir) {
				t.Fatalf("show: got\n%s", show)
			}
			for _, order := range [][]string{strings.Fields(printed[1]), {"remediate", finding}, {"remediate", finding, "--mode", "enforce"}, {"scan", "--mode", "enforce", "--apply"}, {"scan"}, {"remediate", finding}} {
				out, errOut, code := said(t, append(order, "--data", filepath.Join(dir, "dera-data"))...)
				if !strings.Contains(out, "exempt") {
					t.Errorf("%v: got %d\n%s%s", order, code, out, errOut)
				}
			}
			if g, _ := cloud.Snapshot().Group(id); len(g.Rules) < 2 {
				t.Errorf("the exempt port was closed: %+v", g.Rules)
			}
		})
	}
}

// TestBucketThatAnotherAccountHasNow: a name that another account took since is
// neither judged nor changed, and what was found under it is not resolved by it.
func TestBucketThatAnotherAccountHasNow(t *testing.T) {
	const ours, theirs = "111122223333", "444455556666"
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"}]}`
	cloud := awssim.New(awssim.Config{Seed: 8})
	mine, other := cloud.Account(ours).Region("us-east-1"), cloud.Account(theirs).Region("us-east-1")
	open := func(r *awssim.Region) {
		t.Helper()
		for _, err := range []error{r.CreateBucket(t.Context(), "media"), r.PutPublicAccessBlock(t.Context(), "media", nil), r.PutBucketPolicy(t.Context(), "media", policy)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	open(mine)
	serving(t, cloud, cloud.Account(ours).Credentials())
	data := filepath.Join(t.TempDir(), "data")
	if out, _, _ := said(t, "scan", "--data", data); !strings.Contains(out, "media") {
		t.Fatalf("scan: got\n%s", out)
	}
	if err := mine.DeleteBucket(t.Context(), "media"); err != nil {
		t.Fatal(err)
	}
	open(other)
	out, errOut, code := said(t, "scan", "--mode", "enforce", "--no-exemptions", "--apply", "--data", data)
	if code == exitGood || !strings.Contains(out, "media") {
		t.Errorf("scan: got %d\n%s%s", code, out, errOut)
	}
	text, _, _ := said(t, "findings", "--all", "-o", "json", "--data", data)
	var list []app.FindingView
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.ResourceName == "media" && f.State == dera.FindingResolved {
			t.Errorf("%s %s is resolved by a bucket of another account", f.Control, f.Key)
		}
	}
	if b, _ := cloud.Snapshot().Bucket("media"); b.Policy != policy {
		t.Errorf("the bucket of another account was changed: %s", b.Policy)
	}
}

func TestPayloadHasStandIns(t *testing.T) {
	t.Chdir(t.TempDir())
	cloud := awssim.New(awssim.Config{Seed: 13})
	region := cloud.Account("111122223333").Region("us-east-1")
	const policy = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*", "Condition": {"StringEquals": {"aws:Referer": "REFSECRET"}}}]}`
	if err := errors.Join(region.CreateBucket(t.Context(), "site"), region.PutPublicAccessBlock(t.Context(), "site", nil), region.PutBucketPolicy(t.Context(), "site", policy)); err != nil {
		t.Fatal(err)
	}
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	said(t, "scan", "--mode", "review")
	_, _, _ = said(t, "findings")
	sealed, verbatim := 0, 0
	for i := range 30 {
		out, errOut, code := said(t, "audit", "show", strconv.Itoa(i), "--payload")
		if code == exitGood {
			sealed++
		}
		if strings.Contains(out+errOut, "REFSECRET") {
			t.Errorf("record %d: the payload shows a value that can be secret: %s", i, out)
		}
		if out, _, _ := said(t, "audit", "show", strconv.Itoa(i), "--payload", "--verbatim"); strings.Contains(out, "REFSECRET") {
			verbatim++
		}
	}
	if sealed == 0 || verbatim == 0 {
		t.Errorf("got %d payloads, %d of them with the value as it was sealed; want some of each", sealed, verbatim)
	}
	if _, errOut, code := said(t, "audit", "show", "0", "--verbatim"); code != exitUsage {
		t.Errorf("--verbatim alone: got exit code %d, %s", code, errOut)
	}
}
