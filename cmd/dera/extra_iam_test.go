package main

import (
	"encoding/json"

	"io"
	"net/http"

	"os"
	"path/filepath"

	"strings"
	"testing"
	"time"

	"dera.example/dera/awssim/moto"
)

// recordedCall is one call by which an account was built.
type recordedCall struct {
	Op           string
	Read         bool
	Method, Path string
	Headers      map[string]string
	Body         []byte
	Status       int
}

// buildIAM makes the calls on IAM of an environment in the account of the world.
func (w *iamWorld) buildIAM(env string) (calls int) {
	w.t.Helper()
	for _, c := range extraLines[recordedCall](w.t, "envs", env+".calls.jsonl.gz") {
		if c.Read || !strings.Contains(c.Headers["Authorization"], "/iam/aws4_request") {
			continue
		}
		body := strings.ReplaceAll(string(c.Body), recordedAccount, w.creds.Account)
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
		if err != nil || answer.StatusCode != c.Status {
			w.t.Errorf("%s: %s: got %s, want %d (%v): %.200s", env, c.Op, answer.Status, c.Status, err, text)
		}
		calls++
	}
	return calls
}

// recordedAccount and recordedKey are those of the environments' calls.
const recordedAccount, recordedKey = "123456789012", "AKIAIOSFODNN7EXAMPLE"

// TestExtraIdentities builds the identities of misconfigured accounts in moto, each in an
// account of its own, and holds what the controls on IAM find: without a record of use, and
// with a whole record in which nobody used anything.
func TestExtraIdentities(t *testing.T) {
	text, err := os.ReadFile(extraData(t, "envs", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]environment
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	clock := filepath.Join(t.TempDir(), "clock")
	server := moto.Start(t, moto.Config{ManagedPolicies: true, Env: []string{"MOTO_CLOCK=" + clock}})
	w := &iamWorld{clock: clock}
	w.behind(t, 200)
	w.motoWorld = newSettingWorld(t, server, "iam-*")
	began := time.Now()
	for _, env := range sortedKeys(expected) {
		w.buildIAM(env)
	}
	w.behind(t, 0)
	t.Log(time.Since(began))
	r := w.scan(exitNo)
	t.Log(time.Since(began))
	for _, f := range r.Findings {
		t.Logf("   A %s %s %s %s %s", f.ResourceName, f.Control, f.Key, f.Disposition, f.Why)
	}
	w.recorded(nil)
	t.Log(time.Since(began))
	r = w.scan(exitNo)
	t.Log(time.Since(began))
	for _, f := range r.Findings {
		if strings.Contains(f.Control, "unused") { t.Logf("   B %s %s %s %s %s", f.ResourceName, f.Control, f.Key, f.Disposition, f.Why) }
	}
}
