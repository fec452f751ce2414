package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
)

// runCommand runs one command in a folder of its own and returns its output
// and exit code.
func runCommand(t *testing.T, data string, command func(*cli) *cobra.Command, list ...string) (out, errOut string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &cli{in: strings.NewReader(""), out: &stdout, err: &stderr, now: func() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }}
	cmd := command(a)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	a.flags.register(cmd)
	cmd.SetArgs(append(list, "--data", data))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err := cmd.ExecuteContext(t.Context())
	var e *exitError
	if err != nil && (!errors.As(err, &e) || e.err != nil) {
		fmt.Fprintf(&stderr, "dera: %v\n", err)
	}
	return stdout.String(), stderr.String(), codeOf(err)
}

func writeFile(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const scopeExample = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Queues",
            "Effect": "Allow",
            "Action": ["sqs:*Queue", "ecs:ListTasks"],
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}}
        }
    ]
}
`

func TestPolicyScope(t *testing.T) {
	t.Parallel()
	queue := func(actions string) string {
		return strings.Replace(scopeExample, `"sqs:*Queue", "ecs:ListTasks"`, actions, 1)
	}
	for _, test := range []struct {
		name, policy, used string
		flags              []string
		code               int
		out, errOut        string // parts
	}{
		{name: "narrowed", policy: scopeExample, used: "sqs:PurgeQueue # yes\n\n# no\n", out: queue(`"sqs:PurgeQueue", "sqs:TagQueue", "sqs:UntagQueue"`), errOut: "(read 2026-11-28), and nothing stays that it is used with: ecs:ListTasks\nnarrowed: 3 actions kept\nproved: nothing new"},
		{name: "tags_stay", policy: scopeExample, used: "sqs:PurgeQueue", out: `"sqs:TagQueue"`, errOut: "its use may come with that of sqs:PurgeQueue, without an event of its own: sqs:TagQueue"},
		{name: "a_source_of_no_service", policy: scopeExample, used: "sqs:PurgeQueue\n? newservice\n", code: exitNo, errOut: "stands for no service that the catalogue knows"},
		{name: "a_gap", policy: scopeExample, used: "sqs:PurgeQueue\n! hours-missing 2026-10-01 eu-central-1\n", code: exitNo, errOut: "refused: the record of what"},
		{name: "a_misspelt_action", policy: scopeExample, used: "sqs:PurgQueue", code: exitFailed, errOut: "the nearest are sqs:PurgeQueue"},
		{name: "an_event", policy: scopeExample, used: "sqs:SendMessageBatch", code: exitFailed, errOut: "write sqs:SendMessage"},
		{name: "nothing_to_do", policy: queue(`"sqs:PurgeQueue"`), used: "sqs:PurgeQueue", code: exitNo, errOut: "nothing to do"},
		{name: "detach", policy: queue(`"ecs:ListTasks"`), used: "", errOut: "detach: nothing of"},
		{name: "refused", policy: strings.Replace(queue(`"ecs:ListTasks"`), "Action", "NotAction", 1), code: exitNo, errOut: "refused: statement 1"},
		{name: "unclear", policy: queue(`"ecs:ListTasks"`), used: "? ecs\n", code: exitNo, errOut: "not understood"},
		{name: "keep", policy: queue(`"ecs:ListTasks"`), flags: []string{"--keep", "ecs:List*"}, code: exitNo, errOut: "must stay"},
		{name: "data_events_are_not_recorded", policy: queue(`"s3:GetObject"`), code: exitNo, errOut: "data event"},
		{name: "data_events_are_recorded", policy: queue(`"s3:GetObject"`), flags: []string{"--data-events"}, errOut: "detach"},
		{name: "json", policy: scopeExample, used: "sqs:PurgeQueue", flags: []string{"--output", "json"}, out: `"verdict": "proved"`},
		{name: "service_level", policy: queue(`"ec2:*"`), used: strings.Join([]string{"ec2:DescribeInstances", "ec2:RunInstances", "ec2:DescribeVpcs"}, "\n"), flags: []string{"--limit", "200"}, code: exitNo, errOut: "nothing to do"},
		{name: "bad_line", policy: scopeExample, used: "sqs:PurgeQueue\nsqs:*\n", code: exitFailed, errOut: "used.txt:2: \"sqs:*\" is no action"},
		{name: "bad_flag", policy: scopeExample, flags: []string{"--days", "-1"}, code: exitUsage, errOut: "no negative"},
		{name: "bad_policy", policy: "{", code: exitFailed, errOut: "policy.json:1:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			list := append([]string{writeFile(t, folder, "policy.json", test.policy), "--used", writeFile(t, folder, "used.txt", test.used)}, test.flags...)
			if test.used == "" {
				list = append(list, "--never-used")
			}
			if !slices.Contains(list, "--days") {
				list = append(list, "--days", "30")
			}
			out, errOut, code := runCommand(t, folder, newPolicyScopeCommand, list...)
			if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(errOut, test.errOut) {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, test.code, out, errOut)
			}
		})
	}
	if _, errOut, code := runCommand(t, t.TempDir(), newPolicyScopeCommand, "policy.json"); code != exitUsage {
		t.Errorf("without --used: exit code %d\n%s", code, errOut)
	}
	folder := t.TempDir()
	example, empty := writeFile(t, folder, "p.json", scopeExample), writeFile(t, folder, "empty.txt", "# nothing\n")
	if _, errOut, code := runCommand(t, folder, newPolicyScopeCommand, example, "--used", empty, "--days", "90"); code != exitUsage || !strings.Contains(errOut, "empty.txt lists no action") {
		t.Errorf("an empty list: exit code %d\n%s", code, errOut)
	}
	if _, errOut, code := runCommand(t, folder, newPolicyScopeCommand, example, "--used", writeFile(t, folder, "one.txt", "sqs:PurgeQueue\n")); code != exitUsage || !strings.Contains(errOut, "--days is missing") {
		t.Errorf("no window: exit code %d\n%s", code, errOut)
	}
	for _, w := range []struct{ name, window, days, want string }{
		{"the_list_says_how_long", "window 2026-08-03 2026-11-01", "", "narrowed: 3 actions kept"},
		{"less_than_the_list_says", "window 2026-08-03 2026-11-01", "30", "narrowed: 3 actions kept"},
		{"more_than_the_list_says", "window 2026-10-25 2026-11-01", "365", "it covers 7 days, and --days says 365"},
		{"an_old_list", "window 2025-10-25 2026-10-01", "90", "it ends on 2026-10-01"},
		{"no_window", "window 2026-11-01 2026-10-25", "", "window.txt:1: "},
	} {
		list := []string{example, "--used", writeFile(t, folder, "window.txt", w.window+"\nsqs:PurgeQueue\n")}
		if w.days != "" {
			list = append(list, "--days", w.days)
		}
		if _, errOut, _ := runCommand(t, folder, newPolicyScopeCommand, list...); !strings.Contains(errOut, w.want) {
			t.Errorf("%s: got %s, want %q", w.name, errOut, w.want)
		}
	}
	if _, _, code := runCommand(t, folder, newPolicyScopeCommand, example, "--days", "90", "--used", folder+"/none"); code != exitFailed {
		t.Errorf("missing file: exit code %d", code)
	}
}

func TestPolicyScope_certificate(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	outside := t.TempDir() // not the data folder
	file, questions := filepath.Join(outside, "evidence.json"), filepath.Join(outside, "questions")
	beside := writeFile(t, folder, "beside.json", strings.Replace(scopeExample, `"sqs:*Queue", "ecs:ListTasks"`, `"ec2:StopInstances"`, 1))
	out, errOut, code := runCommand(t, folder, newPolicyScopeCommand, writeFile(t, folder, "policy.json", scopeExample), "--beside", beside, "--days", "90",
		"--used", writeFile(t, folder, "used.txt", "sqs:PurgeQueue\n"), "--certificate", file, "--output", "json")
	var answer scopeJSON
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != exitGood {
		t.Fatalf("exit code %d: %v\n%s%s", code, err, out, errOut)
	}
	if len(answer.Claims) != 5 || answer.Claims["nothing-lost"].Verdict != "proved" || answer.Claims["less"].Witness == nil || !strings.Contains(answer.Diff, `+            "Action": ["sqs:PurgeQueue", "sqs:TagQueue", "sqs:UntagQueue"]`) {
		t.Errorf("got %+v", answer)
	}
	out, errOut, code = runCommand(t, folder, newPolicyCheckCertificateCommand, file, "--smtlib", questions)
	if code != exitGood || !strings.Contains(out, "accepted") || !strings.Contains(out, "nothing is lost of the 3 actions") ||
		!strings.Contains(out, "3 actions were not used in 90 days") || !strings.Contains(out, "ecs:ListTasks: class O1, https://docs.aws.amazon.com/AmazonECS/") || !strings.Contains(out, "for example: ") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
	for _, claim := range []string{"nothing-new", "nothing-new-alone", "nothing-lost", "gone"} {
		if text, err := os.ReadFile(filepath.Join(questions, claim+".smt2")); err != nil || !bytes.Contains(text, []byte("(check-sat)")) {
			t.Errorf("%s: %v", claim, err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := writeFile(t, folder, "forged.json", strings.Replace(string(data), "sqs:PurgeQueue", "sqs:DeleteQueue", 1))
	if out, _, code = runCommand(t, folder, newPolicyCheckCertificateCommand, other); code != exitNo || !strings.Contains(out, "rejected") {
		t.Errorf("forged: exit code %d\n%s", code, out)
	}
	if out, _, code = runCommand(t, folder, newPolicyCheckCertificateCommand, other, "-o", "json"); code != exitNo || !strings.Contains(out, `"accepted": false`) {
		t.Errorf("forged, as JSON: exit code %d\n%s", code, out)
	}
	if _, _, code = runCommand(t, folder, newPolicyCheckCertificateCommand, folder+"/none"); code != exitFailed {
		t.Errorf("missing: exit code %d", code)
	}
}

func TestProveCertificate(t *testing.T) {
	t.Parallel()
	doc := func(action string) reason.Policies {
		d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		return reason.Policies{d}
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "c.json")
	if err := proveCertificate(t.Context(), file, doc("s3:*"), doc("s3:Get*")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a certificate for what is refuted")
	}
	if err := proveCertificate(t.Context(), file, doc("s3:Get*"), doc("s3:*")); err != nil {
		t.Fatal(err)
	}
	if out, _, code := runCommand(t, folder, newPolicyCheckCertificateCommand, file, "-o", "json"); code != exitGood || !strings.Contains(out, `"subset"`) {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if err := proveCertificate(t.Context(), filepath.Join(folder, "no", "folder"), doc("s3:Get*"), doc("s3:*")); err == nil {
		t.Error("no error for a file that cannot be written")
	}
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	service := `{"Name":"sqs","Actions":[{"Name":"PurgeQueue"},{"Name":"FrobQueue"}]}`
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	serve := func(path, text string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
	}
	serve("/v1/service-list.json", `[{"service":"sqs","url":"`+server.URL+`/v1/sqs.json"}]`)
	serve("/v1/sqs.json", service)
	serve("/v1/elsewhere.json", `[{"service":"sqs","url":"https://example.com/sqs.json"}]`)
	serve("/v1/gone.json", `[{"service":"sqs","url":"/none.json"}]`)
	serve("/v1/broken.json", `[{"service":"sqs","url":"/v1/service-list.json"}]`)
	serve("/v1/twice.json", `[{"service":"sqs","url":"/v1/sqs.json"},{"service":"sqs","url":"/v1/sqs.json"}]`)

	data := filepath.Join(t.TempDir(), "data")
	if out, _, code := runCommand(t, data, newCatalogCommand); code != exitGood || !strings.Contains(out, "iam-data") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	for _, bad := range []string{"elsewhere", "gone", "broken", "twice", "none"} {
		if _, _, code := runCommand(t, data, newCatalogCommand, "update", "--url", server.URL+"/v1/"+bad+".json"); code != exitFailed {
			t.Errorf("%s: exit code %d", bad, code)
		}
	}
	if _, err := os.Stat(filepath.Join(data, catalogueFile)); err == nil {
		t.Error("a catalogue was written though reading failed")
	}
	out, errOut, code := runCommand(t, data, newCatalogCommand, "update", "--url", server.URL+"/v1/service-list.json")
	if want := "AWS service reference, read 2026-11-01: 1 services, 2 actions\n"; code != exitGood || out != want {
		t.Errorf("exit code %d, got %q, want %q\n%s", code, out, want, errOut)
	}
	if out, _, _ := runCommand(t, data, newCatalogCommand, "-o", "json"); !strings.Contains(out, `"actions": 2`) {
		t.Errorf("got %s", out)
	}
	writeFile(t, data, catalogueFile, "damaged")
	if _, errOut, code := runCommand(t, data, newCatalogCommand); code != exitFailed || !strings.Contains(errOut, "no catalogue") {
		t.Errorf("damaged: exit code %d\n%s", code, errOut)
	}
}
