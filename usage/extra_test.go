package usage

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/cloudtrail"
)

// TestExtra_ledger counts every recorded event of the folder that DERA_EXTRA_DATA
// names, or refuses it with a reason. Its fields are those of encoding/json.
func TestExtra_ledger(t *testing.T) {
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA is not set: it names the folder with recorded events (cloudtrail/*.jsonl.gz, stratus/*.json)")
	}
	files, err := filepath.Glob(filepath.Join(dir, "cloudtrail/*.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(dir, "stratus/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	a := newAggregate()
	t.Logf("%-55s %7s %8s %7s  %s", "file", "records", "counted", "denied", "refused")
	for _, path := range append(files, more...) {
		a.file()
		counts, denied := Counts{}, 0
		events := extraEvents(t, path)
		for i, raw := range events {
			counts[extraOne(t, a, fmt.Sprintf("%s %d", filepath.Base(path), i), raw, &denied)]++
		}
		if counts.Total() != int64(len(events)) {
			t.Errorf("%s: got %d records counted or refused, want %d", path, counts.Total(), len(events))
		}
		var refused []string
		for reason, n := range counts {
			if reason != Counted {
				refused = append(refused, fmt.Sprintf("%d %s", n, reason))
			}
		}
		slices.Sort(refused)
		t.Logf("%-55.55s %7d %8d %7d  %s", filepath.Base(path), len(events), counts[Counted], denied, strings.Join(refused, ", "))
	}
	kinds := map[string]int{}
	for _, list := range activities(a) {
		for _, act := range list {
			kinds[act.Kind.String()]++
			for _, u := range act.Uses {
				if u.Action == PassRole() {
					t.Logf("%s passed %v", act.Key, u.Resources)
				}
			}
		}
	}
	t.Logf("principals: %v", kinds)
	if kinds["role"] == 0 || kinds["user"] == 0 || kinds["root"] == 0 || kinds["service"] == 0 {
		t.Errorf("principals: got %v, want roles, users, root and services", kinds)
	}
}

func extraEvents(t *testing.T, path string) []json.RawMessage {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []json.RawMessage
	if strings.HasSuffix(path, ".json") {
		if err := json.NewDecoder(f).Decode(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 8<<20)
	for s.Scan() {
		var line struct{ Event json.RawMessage }
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line.Event)
	}
	return out
}

func extraOne(t *testing.T, a *aggregate, name string, raw json.RawMessage, denied *int) Reason {
	t.Helper()
	var f cloudtrail.Fields
	if err := f.Skim(raw); err != nil {
		return Unreadable
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	for member, got := range map[string][]byte{
		"eventName": f.Name, "eventSource": f.Source, "eventTime": f.Time, "awsRegion": f.Region, "errorCode": f.ErrorCode,
		"recipientAccountId": f.Account, "requestParameters": f.Request, "eventID": f.ID, "readOnly": f.ReadOnly,
	} {
		if string(got) != string(want[member]) {
			t.Errorf("%s: %s: got %s, want %s", name, member, got, want[member])
		}
	}
	if cloudtrail.Denied("", string(cloudtrail.Text(f.ErrorCode))) {
		*denied++
	}
	return a.add(&f, Unverified)
}
