package soc2_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/app/soc2"
	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
	"dera.example/dera/services"
)

// trail is a log in memory, with its key.
type trail struct {
	*audittest.Memory
	key *audit.FileKey
}

func (trail) Evidence(context.Context, string) ([]byte, error) { return nil, os.ErrNotExist }

func day(n int) time.Time { return time.Date(2026, 10, n, 12, 0, 0, 0, time.UTC) }

func (w trail) record(t *testing.T, r dera.AuditRecord) {
	t.Helper()
	r.Version = 1
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(t.Context(), string(text)); err != nil {
		t.Fatal(err)
	}
}

// finding records what a finding is, on a day.
func (w trail) finding(t *testing.T, id, control, why string, on int) {
	t.Helper()
	w.record(t, dera.AuditRecord{
		Kind: dera.RecordFinding, Time: day(on), Account: "111122223333", Region: "us-east-1", Control: control, Findings: []string{id}, Severity: "high",
		Resource: dera.ARN("arn:aws:ec2:us-east-1:111122223333:security-group/" + id), Owner: "=cmd()", Why: why, Decision: &dera.Decision{Disposition: dera.Auto},
	})
}

// fix records a remediation from its decision to its end.
func (w trail) fix(t *testing.T, id, finding, control string, on int) {
	t.Helper()
	r := dera.AuditRecord{Time: day(on), Control: control, Findings: []string{finding}, Remediation: id, Account: "111122223333"}
	for _, s := range []struct {
		kind  dera.RecordKind
		state dera.State
	}{{dera.RecordDecision, dera.Waiting}, {dera.RecordApproval, dera.Ready}, {dera.RecordIntent, dera.Applying}, {dera.RecordOutcome, dera.Resolved}} {
		r.Kind, r.State, r.Approval = s.kind, s.state, nil
		if s.kind == dera.RecordApproval {
			r.Approval = &dera.Approval{Approver: "ann", HowEstablished: "sts", Approved: true}
		}
		w.record(t, r)
	}
}

const (
	ssh  = "ec2-securitygroup-admin-ports-open"
	keys = "iam-accesskey-unused"
)

// newTrail is a log of October.
func newTrail(t *testing.T) trail {
	t.Helper()
	key, err := audit.NewFileKey(t.TempDir(), "dera/audit", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := trail{&audittest.Memory{}, key}
	w.finding(t, "f-early", ssh, "open: Security group allows SSH", 1)
	w.finding(t, "f-early", ssh, "resolved: Security group allows SSH", 2)
	w.finding(t, "f-stays", ssh, "open: Security group allows SSH", 3)
	for i := range 40 {
		id := fmt.Sprintf("f-%02d", i)
		w.finding(t, id, ssh, "open: <script>alert(1)</script>", 12)
		w.fix(t, fmt.Sprintf("r-%02d", i), id, ssh, 13)
		w.finding(t, id, ssh, "resolved: Security group allows SSH", 13)
	}
	w.finding(t, "f-key", keys, "open: Access key was not used", 14)
	w.finding(t, "f-custom", "own-control", "open: something", 14)
	w.finding(t, "f-late", ssh, "open: Security group allows SSH", 25)
	return w
}

func (w trail) sign(t *testing.T) []byte {
	t.Helper()
	c, err := audit.Head(t.Context(), w, "dera/audit", nil, day(26))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := c.Sign(w.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (w trail) make(t *testing.T, seed string) soc2.Pack {
	t.Helper()
	p, err := soc2.Make(t.Context(), w, soc2.Config{
		Period: app.Period{Since: day(10), Until: day(20)}, Checkpoint: w.sign(t), PublicKey: w.key.PublicKey(), Controls: services.Controls(), Sample: 5, Seed: seed, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// export writes the log and the pack to a folder, with the record of the pack.
func (w trail) export(t *testing.T, p soc2.Pack) string {
	t.Helper()
	dir, named := t.TempDir(), p.Named()
	w.record(t, dera.AuditRecord{Kind: dera.RecordExport, Time: day(26), Pack: &named})
	if _, err := audit.Export(t.Context(), w, audit.ExportConfig{Dir: dir, Checkpoint: w.sign(t), PublicKey: w.key.PublicKey()}); err != nil {
		t.Fatal(err)
	}
	if err := p.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wrong is what a verification of a folder finds.
func (w trail) wrong(t *testing.T, dir string) string {
	t.Helper()
	v := soc2.NewVerification(os.DirFS(dir))
	report, err := audit.Verify(t.Context(), os.DirFS(dir), audit.VerifyConfig{PublicKey: w.key.PublicKey(), Each: v.Record})
	if err != nil || !report.OK() {
		t.Fatalf("the log: %v, %v", report, err)
	}
	why, err := v.Conclude(t.Context(), w.key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return why
}

func TestPack(t *testing.T) {
	t.Parallel()
	w := newTrail(t)
	p := w.make(t, "")
	by := map[string]soc2.Counts{}
	for _, c := range p.Criteria {
		by[c.ID] = c
	}
	if c := by["CC6.6"]; c.Findings != 41 || c.Remediations != 40 || c.Sampled != 10 {
		t.Errorf("CC6.6: got %+v, want what is in the period or open when it began, 5 of each sampled", c)
	}
	if c := by["CC6.2"]; c.Findings != 1 || c.Sampled != 1 {
		t.Errorf("CC6.2: got %+v, want all of one", c)
	}
	if !slices.Equal(p.Unmapped, []string{"own-control"}) {
		t.Errorf("unmapped: got %q", p.Unmapped)
	}
	dir := w.export(t, p)
	if why := w.wrong(t, dir); why != "" {
		t.Errorf("verify: got %q", why)
	}
	rows, err := os.ReadFile(filepath.Join(dir, "soc2", "CC6.6", "findings.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"f-stays,", "f-00,", ",'=cmd(),", ",resolved,"} {
		if !strings.Contains(string(rows), want) {
			t.Errorf("findings.csv does not have %q:\n%s", want, rows)
		}
	}
	for _, not := range []string{"f-early", "f-late", "f-key"} {
		if strings.Contains(string(rows), not) {
			t.Errorf("findings.csv has %s, which is not of the period or the criterion", not)
		}
	}
	fixes, _ := os.ReadFile(filepath.Join(dir, "soc2", "CC6.6", "remediations.csv"))
	if !strings.Contains(string(fixes), "r-00,"+ssh+",f-00,,,resolved,") || !strings.Contains(string(fixes), ",ann,sts,") {
		t.Errorf("remediations.csv: got\n%s", fixes)
	}
	page, _ := os.ReadFile(filepath.Join(dir, "soc2", "index.html"))
	if bytes.Contains(page, []byte("<script")) || !bytes.Contains(page, []byte("CC7.4")) {
		t.Errorf("index.html: got\n%s", page)
	}
	if soc2.Free(dir) == nil {
		t.Error("a pack would be replaced")
	}
}

// TestSampleIsNotChosen: it follows from the log, and from what the auditor says.
func TestSampleIsNotChosen(t *testing.T) {
	t.Parallel()
	w := newTrail(t)
	sample := func(p soc2.Pack) string {
		text, err := os.ReadFile(filepath.Join(w.export(t, p), "soc2", "CC6.6", "sample.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	one, same, seeded := w.make(t, ""), w.make(t, ""), w.make(t, "the auditor's")
	a, b, c := sample(one), sample(same), sample(seeded)
	if a != b || a == c {
		t.Error("the sample is not that of the log and the seed alone")
	}
	if d := sample(w.make(t, "")); a == d { // three packs were recorded since
		t.Error("the sample does not follow from the root of the log")
	}
}

// TestTampered: whatever is changed, missing or added is found.
func TestTampered(t *testing.T) {
	t.Parallel()
	w := newTrail(t)
	dir := w.export(t, w.make(t, ""))
	var names []string
	_ = filepath.WalkDir(filepath.Join(dir, "soc2"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if len(names) < 50 {
		t.Fatalf("got %d files", len(names))
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for what, change := range map[string]func() error{
			"a byte is changed": func() error {
				bad := bytes.Clone(text)
				bad[len(bad)/2] ^= 1
				return os.WriteFile(name, bad, 0o600)
			},
			"it is empty":   func() error { return os.WriteFile(name, nil, 0o600) },
			"it is removed": func() error { return os.Remove(name) },
		} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if w.wrong(t, dir) == "" {
				t.Errorf("%s: %s, and nothing is found", name, what)
			}
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "soc2", "more.csv"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if why := w.wrong(t, dir); !strings.Contains(why, "more.csv") {
		t.Errorf("a file that was added: got %q", why)
	}
}

// TestByHand: what VERIFY.md says with Python is so.
func TestByHand(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	w := newTrail(t)
	dir := filepath.Join(w.export(t, w.make(t, "")), "soc2")
	text, err := os.ReadFile(filepath.Join(dir, "VERIFY.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(text), "```python\n")
	script, _, _ = strings.Cut(script, "```")
	script = strings.ReplaceAll(script, "\n   ", "\n")[3:]
	records, err := filepath.Glob(filepath.Join(dir, "records", "*[0-9].json"))
	if err != nil || len(records) < 5 {
		t.Fatalf("got %d records, %v", len(records), err)
	}
	run := func(name string) string {
		c := exec.CommandContext(t.Context(), python, "-c", script, strings.TrimLeft(strings.TrimSuffix(filepath.Base(name), ".json"), "0")+"")
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	for _, name := range records[1:6] {
		if got := run(name); got != "in the log" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if err := os.WriteFile(records[1], []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(records[1]); got != "NOT in the log" {
		t.Errorf("a record that was changed: got %q", got)
	}
}

// TestForged: a pack that says something else than the log is found, also where its hash was recorded.
func TestForged(t *testing.T) {
	t.Parallel()
	cut := func(s string) string { return s[:strings.LastIndexByte(strings.TrimSpace(s), '\n')+1] }
	for name, change := range map[string]func(string) string{
		"CC6.6/findings.csv":     cut,
		"CC6.6/remediations.csv": func(s string) string { return strings.Replace(s, "ann", "bob", 1) },
		"CC6.6/sample.json":      func(s string) string { return strings.Replace(s, `"id": "f-`, `"id": "f-9`, 1) },
		"pack.json":              func(s string) string { return strings.Replace(s, `"findings": 41`, `"findings": 40`, 1) },
		"record":                 func(s string) string { return strings.Replace(s, "111122223333", "444455556666", 1) },
		"proof":                  func(s string) string { return strings.Replace(s, `"index": `, `"index": 1`, 1) },
		"path": func(s string) string {
			return s[:strings.LastIndexByte(s, '=')-3] + "AAA=" + s[strings.LastIndexByte(s, '=')+1:]
		},
		"checkpoint": func(s string) string { return strings.Replace(s, "2026", "2025", 1) },
	} {
		w := newTrail(t)
		p := w.make(t, "")
		of := func(end string, not string) string {
			i := slices.IndexFunc(p.Names(), func(n string) bool {
				return strings.HasPrefix(n, "records/") && strings.HasSuffix(n, end) && (not == "" || !strings.HasSuffix(n, not))
			})
			return p.Names()[i]
		}
		file := name
		switch name {
		case "record":
			file = of(".json", ".proof.json")
		case "proof", "path":
			file = of(".proof.json", "")
		}
		p.Forge(file, change)
		if why := w.wrong(t, w.export(t, p)); !strings.Contains(why, strings.TrimSuffix(file, ".proof.json")) {
			t.Errorf("%s was forged: got %q", file, why)
		}
	}
}

// TestForgedLater: other files with a list of their own hashes are not those that the log names.
func TestForgedLater(t *testing.T) {
	t.Parallel()
	w := newTrail(t)
	p := w.make(t, "")
	dir := w.export(t, p)
	p.Forge("VERIFY.md", func(string) string { return "Believe it." })
	if err := p.Write(dir); err != nil {
		t.Fatal(err)
	}
	if why := w.wrong(t, dir); !strings.Contains(why, "no record of the log names its SHA256SUMS") {
		t.Errorf("got %q", why)
	}
}
