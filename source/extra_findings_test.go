package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"dera.example/dera/services"
)

// TestExtra_findings: every recorded finding and envelope is mapped or counted, none is lost:
// bare findings as the webhook has them, envelopes as the queue has them.
func TestExtra_findings(t *testing.T) {
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA is not set: it names the folder with recorded findings (findings/*.jsonl)")
	}
	files, err := filepath.Glob(filepath.Join(dir, "findings", "*.jsonl"))
	if err != nil || len(files) < 10 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	account := regexp.MustCompile(`"\d{12}"`)
	hinted := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, 1<<22)
		total := Counts{}
		for n := 1; lines.Scan(); n++ {
			var line struct{ Finding json.RawMessage }
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatalf("%s:%d: %v", name, n, err)
			}
			accounts := []string{ours}
			for _, a := range account.FindAllString(string(line.Finding), -1) {
				accounts = append(accounts, a[1:13])
			}
			s := newSieve("extra", services.Watch(), accounts, true)
			m := Message{ID: name, Body: string(line.Finding)}
			for _, d := range []Delivery{s.sift([]Message{m}, time.Unix(0, 0)), s.posted(m, time.Unix(0, 0))} {
				c := d.Counts
				if c.Received != 1 || c.Irrelevant+c.Failed+c.Foreign+c.Malformed+c.Hinted+c.Unmapped+c.Left+c.Test != 1 {
					t.Errorf("%s:%d: got %+v, want it counted once", name, n, c)
				}
				if c.Malformed+c.Foreign+c.Unmapped > 0 && len(d.Kept) == 0 {
					t.Errorf("%s:%d: got %+v, and nothing is kept", name, n, c)
				}
				if c.Hinted > 0 != (len(d.Events) > 0) {
					t.Errorf("%s:%d: got %+v and %d looks", name, n, c, len(d.Events))
				}
				total.Hinted, total.Unmapped, total.Malformed, total.Left = total.Hinted+c.Hinted, total.Unmapped+c.Unmapped, total.Malformed+c.Malformed, total.Left+c.Left
				hinted[name] += c.Hinted
			}
		}
		t.Logf("%-28s %+v", name, total)
	}
	for name, least := range map[string]int{"asff.jsonl": 30, "securityhub-event.jsonl": 12, "config-event.jsonl": 2, "accessanalyzer-event.jsonl": 2} {
		if hinted[name] < least {
			t.Errorf("%s: got %d hints, want %d at least", name, hinted[name], least)
		}
	}
	if slices.Max([]int{hinted["eventbridge-other.jsonl"], hinted["config-evaluation.jsonl"]}) > 0 {
		t.Errorf("got hints of what names no resource of ours: %v", hinted)
	}
}
