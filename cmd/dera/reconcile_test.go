package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/source"
)

// TestReconcile has dera fix something while calls go wrong, and compares its log
// with the CloudTrail of the simulation: first as it is, then with the call of
// someone who has dera's credentials, then with an event that is missing.
func TestReconcile(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 11})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	creds := account.AddUser("dera", "*")
	serving(t, cloud, creds)
	for _, name := range []string{"a", "b", "c"} {
		if _, err := region.CreateSecurityGroup(t.Context(), name, awssim.Rule{Protocol: "tcp", FromPort: 0, ToPort: 65535, CIDR: "0.0.0.0/0"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := region.CreateBucket(t.Context(), "reports"); err != nil {
		t.Fatal(err)
	}
	if err := region.PutPublicAccessBlock(t.Context(), "reports", nil); err != nil {
		t.Fatal(err)
	}
	write := func(c awssim.Call) bool {
		return !c.DryRun && strings.HasSuffix(c.Principal, "user/dera") && (strings.HasPrefix(c.Operation, "Authorize") || strings.HasPrefix(c.Operation, "Revoke"))
	}
	for _, f := range []awssim.Fault{{Kind: awssim.Error5xxAfter, Times: 1, After: 1}, {Kind: awssim.Throttle, Times: 2, After: 4}, {Kind: awssim.Error5xxBefore, Times: 1, After: 7}} {
		f.Match.Where = write
		cloud.Inject(f)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "fast.yaml")
	if err := os.WriteFile(config, []byte("version: 1\nsettle: 10ms\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if text, code := told(t, "scan", "--apply", "--mode", "enforce", "--no-exemptions", "--config", config, "--data", data); code != exitNo {
		t.Fatalf("scan: got exit code %d\n%s", code, text)
	}
	compare := func(leaveOut string) (reconcileReport, int) {
		t.Helper()
		history := t.TempDir()
		var records []json.RawMessage
		for _, e := range cloud.Events() {
			if e.ID != leaveOut {
				records = append(records, e.Record)
			}
		}
		text, err := json.Marshal(map[string]any{"Records": records})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(history, "log.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		a := &cli{in: strings.NewReader(""), out: &out, err: &out, now: func() time.Time { return time.Now().Add(time.Hour) }}
		a.flags = flags{data: data, output: "json"}
		err = a.stored(t.Context(), func(ctx context.Context, s *session) error { return a.reconcile(ctx, s, []string{history}, nil) })
		var r reconcileReport
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		return r, codeOf(err)
	}
	r, code := compare("")
	if code != exitGood || len(r.Pairs) < 12 || len(r.Unrecorded)+len(r.Unwitnessed)+r.Outside+r.Pending > 0 {
		t.Fatalf("as it is: got exit code %d, %+v, want every write with its event", code, r)
	}
	if i := slices.IndexFunc(r.Pairs, func(p audit.Pair) bool { return p.RequestID == "" }); i >= 0 {
		t.Errorf("got a write without AWS's request ID: %+v", r.Pairs[i])
	}
	last := r.Pairs[len(r.Pairs)-1]
	if r, code = compare(last.EventID); code != exitNo || len(r.Unwitnessed) != 1 || r.Unwitnessed[0].RequestID != last.RequestID {
		t.Errorf("without an event: got exit code %d, %+v", code, r.Unwitnessed)
	}
	stolen, err := region.As(creds).CreateSecurityGroup(t.Context(), "stolen")
	if err != nil {
		t.Fatal(err)
	}
	if r, code = compare(""); code != exitNo || len(r.Unrecorded) != 1 || r.Unrecorded[0].Name != "CreateSecurityGroup" {
		t.Errorf("with a stolen role (%s): got exit code %d, %+v", stolen, code, r.Unrecorded)
	}
	// The same, as dera run sees it.
	events := cloud.Events()
	reported := witnessing(t, data, config, events)
	if !strings.Contains(reported, "a call of dera's own role has no record: ec2:CreateSecurityGroup") || strings.Count(reported, "ATTENTION") != 1 {
		t.Errorf("dera run: got %q, want the one call reported, once", reported)
	}
	folder := filepath.Join(dir, "export")
	if text, code := told(t, "audit", "export", folder, "--data", data); code != exitGood {
		t.Fatalf("export: %d %s", code, text)
	}
	text, err := os.ReadFile(filepath.Join(folder, "reconcile.json"))
	if err != nil || !strings.Contains(string(text), `"event_id"`) {
		t.Errorf("evidence pack: got %v, %.200s, want the comparison", err, text)
	}
	if text, code := told(t, "audit", "verify", folder, "--key", filepath.Join(data, "keys", "audit.pub")); code != exitGood {
		t.Errorf("verify the export: got exit code %d\n%s", code, text)
	}
}

// witnessing hands the events to a controller as its queue does, and judges them
// twice, an hour later.
func witnessing(t *testing.T, data, config string, events []awssim.TrailEvent) string {
	t.Helper()
	var out bytes.Buffer
	a := &cli{in: strings.NewReader(""), out: &out, err: &out, now: func() time.Time { return time.Now().Add(time.Hour) }}
	a.flags = flags{data: data, config: config, output: "table", mode: "enforce", noExemptions: true}
	s, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.store.Close() }()
	if err := s.connect(t.Context(), options{controls: simulated()}); err != nil {
		t.Fatal(err)
	}
	for _, authenticated := range []bool{false, true} {
		d := source.Delivery{Source: "sqs", Authenticated: authenticated}
		for _, e := range events {
			d.Raw = append(d.Raw, e.Envelope())
		}
		b := s.batchOf(d)
		if !authenticated && len(b.Calls) > 0 {
			t.Error("events that anybody could have sent are taken for a witness")
		}
		if err := s.store.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := s.judge(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}
