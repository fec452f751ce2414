package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// during calls what is registered for an operation before a request of it goes on to the
// server: what the document does that the request starts.
func during(t *testing.T, to string, do map[string]func(input map[string]any)) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if f := do[operation]; f != nil {
			var input map[string]any
			if err := json.Unmarshal(body, &input); err != nil {
				t.Error(err)
			}
			f(input)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const automation = `{"schemaVersion":"0.3","assumeRole":"{{ AutomationAssumeRole }}","parameters":{"AutomationAssumeRole":{"type":"String"},"KeyId":{"type":"String"}},` +
	`"mainSteps":[{"name":"call","action":"aws:executeAwsApi","inputs":{"Service":"kms","Api":"STEP","KeyId":"{{ KeyId }}"}}]}`

const customConfig = `version: 1
settle: 10ms
mode: enforce
controls: [kms-key-rotation-off]
custom_fixes:
  - control: kms-key-rotation-off
    run: {document: Acme-RotateKey, role: automation, parameters: {KeyId: "{resource_id}", Labels: [dera, "{account}"]}}
    undo: {document: Acme-StopRotation, role: automation, parameters: {KeyId: ["{resource_id}"]}}
`

// TestStubCustomFix: a key that does not rotate is found, and the document of the
// configuration is shown with its version, hash and parameters. Approved, it is started
// once, waited for and verified by reading; a rollback runs the second document. One that
// changed after the approval is not started, and success without effect is none.
func TestStubCustomFix(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newSettingWorld(t, server, "kms-key-rotation-off")
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(customConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	s := moto.StartStub(t).Before(t, w.creds, server.URL())
	creds := credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)
	keys := kms.New(kms.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL()), Credentials: creds})
	documents := ssm.New(ssm.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL()), Credentials: creds})
	for _, name := range []string{"Acme-RotateKey", "Acme-StopRotation"} {
		if _, err := documents.CreateDocument(t.Context(), &ssm.CreateDocumentInput{Name: &name, Content: aws.String(automation), DocumentType: types.DocumentTypeAutomation}); err != nil {
			t.Fatal(err)
		}
	}
	out, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{KeyUsage: kmstypes.KeyUsageTypeEncryptDecrypt})
	if err != nil {
		t.Fatal(err)
	}
	key := *out.KeyMetadata.KeyId
	rotates := func() bool {
		t.Helper()
		got, err := keys.GetKeyRotationStatus(t.Context(), &kms.GetKeyRotationStatusInput{KeyId: &key})
		if err != nil {
			t.Fatal(err)
		}
		return got.KeyRotationEnabled
	}
	works := false
	started := func(input map[string]any) { // the document runs, in moto
		id := input["Parameters"].(map[string]any)["KeyId"].([]any)[0].(string)
		var err error
		switch {
		case !works:
		case input["DocumentName"] == "Acme-RotateKey":
			_, err = keys.EnableKeyRotation(t.Context(), &kms.EnableKeyRotationInput{KeyId: &id})
		default:
			_, err = keys.DisableKeyRotation(t.Context(), &kms.DisableKeyRotationInput{KeyId: &id})
		}
		if err != nil {
			t.Error(err)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL", during(t, s.URL(), map[string]func(map[string]any){"StartAutomationExecution": started}))
	type members = map[string]any
	const id = "12345678-1234-4234-8234-123456789012"
	s.On("ssm", "StartAutomationExecution", moto.Answer{Output: members{"AutomationExecutionId": id}})
	ended := func(statuses ...string) {
		var list []moto.Answer
		for _, status := range statuses {
			list = append(list, moto.Answer{Output: members{"AutomationExecution": members{"AutomationExecutionId": id, "AutomationExecutionStatus": status}}})
		}
		s.On("ssm", "GetAutomationExecution", list...)
	}
	// waiting returns the plan that waits.
	waiting := func() app.PlanView {
		t.Helper()
		r := w.scan(exitNo, "--apply", "--no-exemptions")
		if len(r.Findings) != 1 || r.Findings[0].Plan == nil || r.Findings[0].Plan.State != dera.Waiting || r.Findings[0].Disposition != dera.Review {
			t.Fatalf("scan: got %+v, want one plan that waits", r.Findings)
		}
		return *r.Findings[0].Plan
	}
	approve := func(r app.PlanView, want int) string {
		t.Helper()
		text, errOut, code := w.dera("approve", r.Remediation, "--digest", r.Digest)
		if code != want {
			t.Errorf("approve: got exit code %d, want %d\n%s%s", code, want, text, errOut)
		}
		return text + errOut
	}

	r := waiting()
	shown, _, _ := w.dera("show", r.Remediation)
	for _, want := range []string{"the SSM Automation document Acme-RotateKey version 1 (hash ", "KeyId = " + key, "Labels = dera, " + w.creds.Account, "arn:aws:iam::" + w.creds.Account + ":role/automation", "undo: the SSM Automation document Acme-StopRotation"} {
		if !strings.Contains(shown, want) {
			t.Errorf("show: got\n%s\nwant %q in it", shown, want)
		}
	}
	if strings.Contains(shown, "proved") && !strings.Contains(shown, "not proved") {
		t.Errorf("show says that it is proved:\n%s", shown)
	}

	// The document changes between plan and approval.
	if _, err := documents.UpdateDocument(t.Context(), &ssm.UpdateDocumentInput{Name: aws.String("Acme-RotateKey"), Content: aws.String(strings.Replace(automation, "STEP", "EnableKeyRotation", 1)), DocumentVersion: aws.String("$LATEST")}); err != nil {
		t.Fatal(err)
	}
	if _, err := documents.UpdateDocumentDefaultVersion(t.Context(), &ssm.UpdateDocumentDefaultVersionInput{Name: aws.String("Acme-RotateKey"), DocumentVersion: aws.String("2")}); err != nil {
		t.Fatal(err)
	}
	approve(r, exitNo)
	if n := len(s.Calls("StartAutomationExecution")); n != 0 {
		t.Errorf("a document that changed was started %d times", n)
	}

	// It says that it succeeded, and did nothing.
	ended("Success")
	r = waiting()
	if text := approve(r, exitNo); !strings.Contains(text, "is still open") {
		t.Errorf("got %s, want that its success is not believed", text)
	}

	works = true
	ended("InProgress", "Success")
	r = waiting()
	if text := approve(r, exitGood); !strings.Contains(text, "verified by reading") || !rotates() {
		t.Errorf("rotates: %t, got %s", rotates(), text)
	}
	calls := s.Calls("StartAutomationExecution")
	last := calls[len(calls)-1].Input
	if last["DocumentVersion"] != "2" || last["ClientToken"] == calls[0].Input["ClientToken"] {
		t.Errorf("started with %v, before with %v", last, calls[0].Input)
	}
	parameters, _ := last["Parameters"].(map[string]any)
	if role, _ := parameters["AutomationAssumeRole"].([]any); !slices.Equal(role, []any{"arn:aws:iam::" + w.creds.Account + ":role/automation"}) {
		t.Errorf("parameters: got %v", parameters)
	}
	if text, errOut, code := w.dera("rollback", r.Remediation, "--reason", "test"); code != exitGood || rotates() {
		t.Errorf("rollback: got exit code %d, rotates %t\n%s%s", code, rotates(), text, errOut)
	}
	if again := w.scan(exitNo, "--no-exemptions"); openOf(again) != 1 {
		t.Errorf("after the rollback: got %+v, want it found again", again.Findings)
	}
	if text, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, text)
	}
	pack := filepath.Join(w.dir, "pack")
	for _, order := range [][]string{{"audit", "export", pack}, {"audit", "verify", pack}} {
		if text, errOut, code := w.dera(order...); code != exitGood {
			t.Errorf("%v: got exit code %d\n%s%s", order, code, text, errOut)
		}
	}
	text, _, _ := w.dera("doctor", "--output", "json")
	var d app.Diagnosis
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(d.Checks, func(c app.Check) bool {
		return c.Check == "custom fixes" && c.Health == app.Healthy && strings.Contains(c.Says, "Acme-RotateKey version 2, undone by the SSM Automation document Acme-StopRotation version 1")
	}) {
		t.Errorf("doctor: got %s, want it to name the documents", text)
	}
}
