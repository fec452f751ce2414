package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// doctor runs dera doctor and returns how each check went, by check and what it
// is about.
func (w *motoWorld) doctor(queue string) map[string]app.Health {
	w.t.Helper()
	out, errOut, code := w.dera("doctor", "--output", "json", "--queue", queue)
	var r app.Diagnosis
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		w.t.Fatalf("read the report (exit code %d): %v\n%s%s", code, err, out, errOut)
	}
	found := map[string]app.Health{}
	for _, c := range r.Checks {
		found[c.Check+" "+c.About] = c.Health
	}
	want := exitGood
	switch {
	case r.Summary[app.Unchecked] > 0:
		want = exitUndecided
	case r.Summary[app.ToDo]+r.Summary[app.Broken] > 0:
		want = exitNo
	}
	if code != want {
		w.t.Errorf("got exit code %d, want %d for %v", code, want, r.Summary)
	}
	return found
}

// TestMotoDoctor runs the whole command against an independent AWS: a good queue
// and one that everybody may write to.
func TestMotoDoctor(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	var queue struct{ QueueUrl string }
	motoCall(t, server, "sqs", "AmazonSQS.CreateQueue", map[string]string{"QueueName": "dera-events"}, &queue)
	var printed bytes.Buffer
	if code := run(t.Context(), []string{"pattern", "--queue", "https://sqs.us-east-1.amazonaws.com/123456789012/dera-events", "--output", "json"}, strings.NewReader(""), &printed, io.Discard); code != exitGood {
		t.Fatalf("dera pattern: got exit code %d", code)
	}
	var pattern patternReport
	if err := json.Unmarshal(printed.Bytes(), &pattern); err != nil {
		t.Fatal(err)
	}
	good, err := json.Marshal(pattern.QueuePolicy)
	if err != nil {
		t.Fatal(err)
	}
	set := func(policy string) {
		motoCall(t, server, "sqs", "AmazonSQS.SetQueueAttributes", map[string]any{"QueueUrl": queue.QueueUrl, "Attributes": map[string]string{"Policy": policy}}, nil)
	}
	w := &motoWorld{t: t, server: server, creds: moto.Credentials{Account: "123456789012", AccessKeyID: "test", SecretAccessKey: "test"}, dir: t.TempDir()}
	w.use(w.creds)
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		policy string
		want   app.Health
	}{
		"printed": {string(good), app.Healthy},
		"open":    {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}]}`, app.ToDo},
	} {
		set(tc.policy)
		r := w.doctor(queue.QueueUrl)
		if got := r["queue policy"]; got != tc.want {
			t.Errorf("%s: queue policy: got %s, want %s: %v", name, got, tc.want, r)
		}
		for _, check := range []string{"queue ", "clock ", "identity us-east-1", "regions " + w.creds.Account, "reads " + w.creds.Account + " us-east-1"} {
			if r[check] != app.Healthy && r[check] != app.NotTested {
				t.Errorf("%s: %q: got %q, want it good: %v", name, check, r[check], r)
			}
		}
	}
	if r := w.doctor(queue.QueueUrl + "-that-is-not-there"); r["queue "] != app.Broken {
		t.Errorf("a queue that is not there: got %v", r)
	}
}
