package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/store"
)

// TestRetentionConfig: days alone are taken, none that something still goes by, and nothing written keeps all.
func TestRetentionConfig(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"retention: {findings: 400d, remediations: 500d, calls: 90d, events: 1d}": "",
		"retention: {}":                   "",
		"retention: {findings: 399d}":     "write at least 400d",
		"retention: {remediations: 30d}":  "write at least 400d",
		"retention: {calls: 89d}":         "write at least 90d",
		"retention: {findings: 9600h}":    "is no number of days",
		"retention: {findings: -400d}":    "is no number of days",
		"retention: {evidence: 400d}":     "unknown field",
		"retention: {findings: 9999999d}": "is no number of days",
	} {
		_, err := loadConfig(fileIn(t, t.TempDir(), "c.yaml", "version: 1\n"+text+"\n"))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	c, err := loadConfig(fileIn(t, t.TempDir(), "c.yaml", "version: 1\nretention: {findings: 400d}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Retention.since(now)
	if got := []bool{r.Findings.Equal(now.AddDate(0, 0, -400)), r.Remediations.IsZero(), r.Calls.IsZero(), r.Events.IsZero()}; !slices.Equal(got, []bool{true, true, true, true}) {
		t.Errorf("got %+v", r)
	}
	if (&session{}).retain(nil) != nil {
		t.Error("without a configuration something is removed")
	}
}

// TestRetentionAndTheLog: after what is old was removed the log verifies, an export leaves out the evidence that lapsed and says so by a record, and evidence that is missing without such a record is found.
func TestRetentionAndTheLog(t *testing.T) {
	sim := awssim.New(awssim.Config{Seed: 7})
	account := sim.Account("111122223333")
	serving(t, sim, account.Credentials())
	region := account.Region("us-east-1")
	b := backed{t, t.TempDir()}
	fix := func(name string) {
		if _, err := region.CreateSecurityGroup(t.Context(), name, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}); err != nil {
			t.Fatal(err)
		}
		if out, code := b.dera("scan", "--apply", "--mode", "enforce", "--no-exemptions"); code > exitNo {
			t.Fatalf("got %d\n%s", code, out)
		}
	}
	fix("old")
	later := time.Now().Add(401 * 24 * time.Hour)
	a := &cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: func() time.Time { return later }}
	a.flags.data = filepath.Join(b.dir, "data")
	s, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.config.Retention = retentionConfig{Findings: days(400 * 24 * time.Hour), Remediations: days(400 * 24 * time.Hour)}
	s.identity = cloud.Identity{ARN: "arn:aws:sts::111122223333:assumed-role/dera/dera"}
	proofs := map[string][]byte{}
	list, err := s.store.Remediations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Evidence == "" {
			continue
		}
		if proofs[r.Evidence], err = s.store.Evidence(t.Context(), r.Evidence); err != nil {
			t.Fatal(err)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	s.retainToday(t.Context(), quiet, false) // the clock of a process that has just started may be years ahead
	if list, err := s.store.Remediations(t.Context()); err != nil || len(list) == 0 {
		t.Fatalf("got %v, %v, want that nothing was removed yet", list, err)
	}
	got, err := s.retainOnce(t.Context())
	if err != nil || got.Remediations == 0 || got.Findings == 0 || len(got.Evidence) == 0 {
		t.Fatalf("got %+v, %v, want that something was removed", got, err)
	}
	s.retainToday(t.Context(), quiet, true)
	if last, err := s.store.Remembered(t.Context(), retainedName); err != nil || last != store.Moment(later) {
		t.Errorf("got %q, %v, want that the day is noted", last, err)
	}
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	fix("new")
	if out, code := b.dera("audit", "verify"); code != exitGood {
		t.Errorf("got %d\n%s", code, out)
	}
	export, pub := filepath.Join(b.dir, "export"), filepath.Join(b.dir, "data", "keys", "audit.pub")
	if out, code := b.dera("audit", "export", export); code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	if out, code := b.dera("audit", "verify", export, "--key", pub); code != exitGood || !strings.HasPrefix(out, "valid") {
		t.Errorf("got %d\n%s", code, out)
	}
	lapsed := 0
	for i := range 10 {
		if out, _ := b.dera("audit", "show", fmt.Sprint(i)); strings.Contains(out, `"evidence_lapsed": true`) {
			lapsed++
		}
	}
	if lapsed == 0 {
		t.Error("no record says that its evidence lapsed")
	}
	kept, err := filepath.Glob(filepath.Join(export, "evidence", "*.json"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("got the evidence %v, %v", kept, err)
	}
	if err := os.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	if out, code := b.dera("audit", "verify", export, "--key", pub); code != exitNo || !strings.Contains(out, "is not there") {
		t.Errorf("evidence that is missing: got %d\n%s", code, out)
	}
	if s, err = a.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := got.Evidence[len(got.Evidence)-1] // is recorded once more after it lapsed
	named := dera.AuditRecord{Version: 1, Kind: dera.RecordDecision, Time: later.UTC(), Actor: dera.Actor{Name: "test", How: "engine"}, Evidence: again}
	if err := s.store.Commit(t.Context(), store.Batch{Records: []dera.AuditRecord{named}, Evidence: map[string][]byte{again: proofs[again]}}); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	export = filepath.Join(b.dir, "export2")
	if out, code := b.dera("audit", "export", export); code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	if err := os.Remove(filepath.Join(export, "evidence", again+".json")); err != nil {
		t.Fatal(err)
	}
	if out, code := b.dera("audit", "verify", export, "--key", pub); code != exitNo || !strings.Contains(out, "is not there") {
		t.Errorf("evidence that lapsed, was recorded once more and is missing: got %d\n%s", code, out)
	}
}
