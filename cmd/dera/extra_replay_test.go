package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/app"
)

// replayed runs dera replay and reads its report.
func replayed(t *testing.T, paths ...string) (app.ReplayReport, int) {
	t.Helper()
	return replayedWith(t, append([]string{"replay", "--output", "json"}, paths...)...)
}

// replayedWith runs a whole command line.
func replayedWith(t *testing.T, args ...string) (app.ReplayReport, int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), &out, &errOut)
	var r app.ReplayReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("read the report (exit code %d): %v\n%s%s", code, err, out.String(), errOut.String())
	}
	return r, code
}

// TestExtraReplay runs the loop over recorded attacks: SSH to the whole internet,
// also written as a /0 with host bits, is found, would be fixed automatically, and
// what did not touch a watched resource is not blamed.
func TestExtraReplay(t *testing.T) {
	t.Parallel()
	data := os.Getenv("DERA_EXTRA_DATA")
	if data == "" {
		t.Skip("DERA_EXTRA_DATA names no folder of real data")
	}
	for _, folder := range []string{filepath.Join(data, "stratus", "normalised"), filepath.Join(data, "stratus")} {
		r, code := replayed(t, folder)
		if code != exitUndecided || len(r.Findings) != 1 {
			t.Fatalf("%s: got exit code %d and %d findings, want 4 (a group that is partly known) and one", folder, code, len(r.Findings))
		}
		f := r.Findings[0]
		if f.Key != "tcp/22" || f.Disposition.String() != "auto" || len(f.Diff) != 5 || f.Diff[4] != "- tcp 22 from 0.0.0.0/0" || f.CausedBy.Actor == "" || f.PartlyKnown == "" {
			t.Errorf("%s: got %+v, want the rule of the attack revoked, its actor, and that the group is partly known", folder, f)
		}
	}
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join(data, "cloudtrail", "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %v, %v", files, err)
	}
	lines := 0
	for _, path := range files {
		lines += unwrapEvents(t, path, filepath.Join(dir, strings.TrimSuffix(filepath.Base(path), ".gz")))
	}
	r, _ := replayed(t, dir)
	// None of these records is as long as the window: identities are rebuilt, and nothing is automatic.
	if r.IAM == nil || r.IAM.Summary.Principals == 0 || r.IAM.Summary.Plans > 0 || r.IAM.Summary.Broken > 0 {
		t.Errorf("got %+v of identities, want some and no plan", r.IAM)
	} else {
		t.Logf("identities: %+v", r.IAM.Summary)
	}
	e := r.Summary.Events
	if e.Read != lines || e.Read != e.Irrelevant+e.Failed+e.Foreign+e.Duplicate+e.Unreadable+e.Hinted {
		t.Errorf("got counts %+v of %d events: each must be counted once", e, lines)
	}
	for _, f := range r.Findings {
		if f.Disposition.String() == "auto" && f.ResourceType == "AWS::S3::Bucket" {
			t.Errorf("%s: got auto, want review: no event tells whether a distribution serves it", f.Resource)
		}
		t.Logf("%s %s %s %s %s %q", f.AppearedAt.Format("2006-01-02"), f.Disposition, f.Resource, f.Key, f.CausedBy.Event, f.PartlyKnown)
	}
	t.Logf("%+v, %d not followed, %d resources partly known", e, r.Summary.Unfollowed, r.Summary.PartlyKnown)
}

// unwrapEvents writes the events of a collection, one a line, and counts them.
func unwrapEvents(t *testing.T, from, to string) int {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	n := 0
	for d := json.NewDecoder(unzipped); ; n++ {
		var line struct{ Event json.RawMessage }
		if err := d.Decode(&line); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		out.Write(line.Event)
		out.WriteByte('\n')
	}
	if err := os.WriteFile(to, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return n
}
