package usage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/store/storetest"
	"dera.example/dera/usage"
)

func TestImport(t *testing.T) {
	t.Parallel()
	dir, s := folder(t, 6, 50), newStore(t)
	write(t, dir, "AWSLogs/111122223333/CloudTrail-Insight/us-east-1/x.json.gz", []byte("not read"))
	write(t, dir, "notes.txt", []byte("not read"))
	var progress []usage.Progress
	r := importing(t, s, usage.ImportConfig{Progress: func(p usage.Progress) { progress = append(progress, p) }}, dir)
	if r.Files != 6 || r.Records != 300 || r.Counts[usage.Counted] != 300 || r.Skipped+r.Verified+len(r.Damaged) != 0 {
		t.Errorf("report: got %+v", r)
	}
	if len(progress) != 7 || progress[6].Files != 7 || progress[6].Of != 7 {
		t.Errorf("progress: got %v", progress)
	}
	if r.LeftOutFiles != 2 || len(r.LeftOut) != 2 || !strings.HasSuffix(r.LeftOut[0].File, "x.json.gz") || !strings.HasSuffix(r.LeftOut[1].File, "notes.txt") || r.LeftOut[1].Why == "" {
		t.Errorf("left out: got %+v, want the insights and the notes", r.LeftOut)
	}
	a, err := usage.New(s, nil).Principal(t.Context(), "arn:aws:sts::111122223333:assumed-role/r0/session")
	if err != nil || len(a.Uses) != 7 || a.Uses[0].Trust != usage.Unverified || a.Uses[0].Action.String() != "s3:Get0" {
		t.Errorf("activity: got %+v, %v", a, err)
	}

	want := all(t, s)
	again := importing(t, s, usage.ImportConfig{}, dir, filepath.Join(dir, "AWSLogs"))
	if again.Files != 0 || again.Skipped != 6 || again.Records != 0 {
		t.Errorf("report of the second time: got %+v", again)
	}
	if diff := cmp.Diff(want, all(t, s)); diff != "" {
		t.Errorf("the second time changes the ledger:\n%s", diff)
	}
}

// TestImportIsTheSameInAnyWay reads files side by side, in small pieces, twice,
// with copies under other names and in another order.
func TestImportIsTheSameInAnyWay(t *testing.T) {
	t.Parallel()
	dir := folder(t, 4, 5000)
	first := newStore(t)
	importing(t, first, usage.ImportConfig{Workers: 1}, dir)
	want := all(t, first)
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			paths = append(paths, path, write(t, t.TempDir(), "copy.json.gz", text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(paths)
	for _, cfg := range []usage.ImportConfig{{Workers: 3}, {Workers: 2, Memory: 1}, {Workers: 1, Memory: 1}} {
		s := newStore(t)
		r := importing(t, s, cfg, paths...)
		if r.Files != 4 || r.Skipped != 4 || r.Records != 20_000 {
			t.Errorf("report: got %+v", r)
		}
		if diff := cmp.Diff(want, all(t, s)); diff != "" {
			t.Errorf("%+v: the ledger differs:\n%s", cfg, diff)
		}
	}
}

// TestImportGoesOnAfterAFault breaks every commit, before and after it took
// effect; the same import then ends with the same ledger.
func TestImportGoesOnAfterAFault(t *testing.T) {
	t.Parallel()
	dir, whole := folder(t, 2, 9000), newStore(t)
	importing(t, whole, usage.ImportConfig{}, dir)
	want := all(t, whole)
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after_%t", after), func(t *testing.T) {
			t.Parallel()
			for in := 1; ; in++ {
				s := newStore(t)
				f := &faulty{Store: s, in: in, after: after}
				_, err := usage.New(f, nil).Import(t.Context(), usage.ImportConfig{Workers: 1, Memory: 1}, dir)
				if !errors.Is(err, errBroken) {
					if err != nil || in < 6 {
						t.Errorf("commit %d: got %v", in, err)
					}
					return
				}
				importing(t, s, usage.ImportConfig{Workers: 1, Memory: 1}, dir)
				if diff := cmp.Diff(want, all(t, s)); diff != "" {
					t.Fatalf("commit %d: the ledger differs:\n%s", in, diff)
				}
			}
		})
	}
}

// TestImportGoesOnAfterKill kills the process that imports, again and again.
func TestImportGoesOnAfterKill(t *testing.T) {
	const env = "DERA_TEST_IMPORT"
	if at := os.Getenv(env); at != "" {
		url, dir, _ := strings.Cut(at, "|")
		s := storetest.Open(t, storetest.Database{URL: url}, storetest.NewClock())
		cfg := usage.ImportConfig{Workers: 2, Memory: 1, Progress: func(p usage.Progress) { fmt.Println("progress", p.Files) }}
		importing(t, s, cfg, dir)
		return
	}
	t.Parallel()
	dir, whole := folder(t, 9, 1000), newStore(t)
	importing(t, whole, usage.ImportConfig{}, dir)
	db := storetest.SQLite(t)
	s := storetest.Open(t, db, storetest.NewClock())
	for kills := range 3 {
		ctx, kill := context.WithCancel(t.Context())
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestImportGoesOnAfterKill$")
		cmd.Env = append(os.Environ(), env+"="+db.URL+"|"+dir)
		cmd.Stdout = writer(func(p []byte) {
			if bytes.Contains(p, fmt.Appendf(nil, "progress %d\n", 3*kills+1)) {
				kill()
			}
		})
		_ = cmd.Run() // killed
		kill()
	}
	importing(t, s, usage.ImportConfig{}, dir)
	if diff := cmp.Diff(all(t, whole), all(t, s)); diff != "" {
		t.Errorf("the ledger differs:\n%s", diff)
	}
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

func TestImportOfDamagedFiles(t *testing.T) {
	t.Parallel()
	good := logFile(record("1", "a", "Get", start), record("2", "a", "Get", start))
	packed := pack(t, good)
	for _, tt := range []struct {
		name    string
		text    []byte
		records int64
		why     string
	}{
		{"cut_off_zip", packed[:len(packed)-10], 0, "unexpected EOF"},
		{"broken_zip", append([]byte("\x1f\x8b"), bytes.Repeat([]byte{7}, 100)...), 0, "invalid"},
		{"bad_checksum", append(packed[:len(packed)-8:len(packed)-8], 1, 2, 3, 4, 5, 6, 7, 8), 0, "checksum"},
		{"cut_off_text", good[:len(good)-20], 1, "unexpected EOF"},
		{"no_json", []byte("hello"), 0, "neither JSON nor CSV"},
		{"broken_middle", logFile(record("1", "a", "Get", start), `{"eventName" 7}`, record("2", "a", "Get", start)), 1, "not a JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, s := folder(t, 2, 3), newStore(t)
			path := write(t, dir, "AWSLogs/0.json", tt.text)
			r := importing(t, s, usage.ImportConfig{}, dir)
			if len(r.Damaged) != 1 || r.Damaged[0].File != path || !strings.Contains(r.Damaged[0].Why, tt.why) || r.Records < 6+tt.records {
				t.Errorf("report: got %+v, want %q", r, tt.why)
			}
			gaps := gapsOf(t, s, start, start.Add(2*time.Hour))
			if !slices.ContainsFunc(gaps, func(g usage.Gap) bool {
				return g.Kind == usage.GapDamaged && strings.Contains(g.Why, tt.why) && g.Matters(usage.Need{})
			}) {
				t.Errorf("gaps: got %v, want the damaged file", gaps)
			}
		})
	}
}

// TestImportCountsEveryForm imports one event in the forms that people have; the
// ledger is the same each time. Which forms there are is the matter of
// cloudtrail.LogReader.
func TestImportCountsEveryForm(t *testing.T) {
	t.Parallel()
	one := record("1", "a", "Get", start)
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	first := newStore(t)
	importing(t, first, usage.ImportConfig{}, write(t, t.TempDir(), "log.json", logFile(one)))
	want := all(t, first)
	for name, form := range map[string]string{
		"lines":        one + "\r\n",
		"envelope":     `{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":"111122223333","region":"us-east-1","detail":` + one + `}`,
		"lookup":       `{"NextToken":"t","Events":[{"EventId":"1","CloudTrailEvent":` + string(text) + `}]}`,
		"subscription": `{"messageType":"DATA_MESSAGE","logEvents":[{"message":` + string(text) + `}]}`,
		"lake":         `{"QueryResultRows":[[{"eventJson":` + string(text) + `}]]}`,
	} {
		s := newStore(t)
		r := importing(t, s, usage.ImportConfig{}, write(t, t.TempDir(), "stream-without-extension", pack(t, []byte(form))))
		if r.Files != 1 || r.Records != 1 || r.Counts[usage.Counted] != 1 || r.Nothing() || len(r.Damaged) != 0 {
			t.Errorf("%s: report: got %+v", name, r)
		}
		if diff := cmp.Diff(want, all(t, s)); diff != "" {
			t.Errorf("%s: the ledger differs:\n%s", name, diff)
		}
	}
}

// TestImportOfNothing: what counts nothing says so, also the second time.
func TestImportOfNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text    string
		damaged string // what the report says of the file
	}{
		"empty":        {"", ""},
		"no_records":   {`{"Records":[]}`, ""},
		"no_times":     {string(logFile(strings.Replace(record("1", "a", "Get", start), `"eventTime"`, `"x"`, 1))), ""},
		"no_principal": {string(logFile(strings.Replace(record("1", "a", "Get", start), `"userIdentity"`, `"x"`, 1))), ""},
		"elastic":      {`{"@timestamp":"2026-03-01T00:00:00Z","event":{"action":"Get"},"aws":{"cloudtrail":{}}}`, "An Elastic copy of CloudTrail is not read"},
		"parquet":      {"PAR1", "Parquet"},
		"other":        {`{"a":1}`, "not a CloudTrail event"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path := newStore(t), write(t, t.TempDir(), "f", []byte(tt.text))
			for range 2 {
				r := importing(t, s, usage.ImportConfig{}, path)
				if len(r.Damaged) > 0 != (tt.damaged != "") || tt.damaged != "" && !strings.Contains(r.Damaged[0].Why, tt.damaged) {
					t.Errorf("damaged: got %v, want %q", r.Damaged, tt.damaged)
				}
				if len(r.Damaged) == 0 && r.Skipped == 0 && !r.Nothing() {
					t.Errorf("report: got %+v, want it to say that nothing was counted", r)
				}
			}
		})
	}
}

// TestImportNamesLimits: what is above a limit is a gap that says which, and costs
// no other record.
func TestImportNamesLimits(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	large := strings.Replace(record("1", "a", "Get", start), `{`, `{"x":"`+strings.Repeat("y", 5<<20)+`",`, 1)
	r := importing(t, s, usage.ImportConfig{}, write(t, t.TempDir(), "f.json", logFile(large, record("2", "a", "Get", start))))
	if r.Counts[usage.TooLarge] != 1 || r.Counts[usage.Counted] != 1 || !strings.Contains(string(usage.TooLarge), "1 MiB") {
		t.Errorf("counts: got %v, want one that is too large and one that counts", r.Counts)
	}
	if gaps := gapsOf(t, s, start, start.Add(time.Hour)); !slices.ContainsFunc(gaps, func(g usage.Gap) bool { return g.Kind == usage.GapLost }) {
		t.Errorf("gaps: got %v, want the record that is lost", gaps)
	}
}

func TestImportRefusals(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"nowhere": filepath.Join(t.TempDir(), "none"), "empty_folder": t.TempDir()} {
		if _, err := usage.New(newStore(t), nil).Import(t.Context(), usage.ImportConfig{}, path); err == nil || !strings.Contains(err.Error(), "find log files") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := usage.New(newStore(t), nil).Import(ctx, usage.ImportConfig{}, folder(t, 1, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: got %v", err)
	}
}

func TestLostRecordsAreAGap(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	nobody := strings.Replace(record("1", "a", "Get", start), `"userIdentity"`, `"x"`, 1)
	twice := strings.Replace(record("2", "a", "Get", start), `"eventName":"Get"`, `"eventName":"Get","eventName":"Put"`, 1)
	r := importing(t, s, usage.ImportConfig{}, write(t, t.TempDir(), "f.json", logFile(nobody, twice, record("3", "a", "Get", start))))
	if r.Counts[usage.NoPrincipal] != 1 || r.Counts[usage.TwiceNamed] != 1 || r.Counts[usage.Counted] != 1 {
		t.Errorf("counts: got %v", r.Counts)
	}
	gaps := gapsOf(t, s, start, start.Add(time.Hour))
	if !slices.ContainsFunc(gaps, func(g usage.Gap) bool { return g.Kind == usage.GapLost && strings.Contains(g.Why, "1 of 3") }) ||
		!slices.ContainsFunc(gaps, func(g usage.Gap) bool { return g.Kind == usage.GapLost && g.Account == "111122223333" }) {
		t.Errorf("gaps: got %v", gaps)
	}
}

// TestEventsWithoutIdentity: they are of nobody that the ledger knows, not even of
// the root user, and a gap; what they changed of a trail is noted all the same.
func TestEventsWithoutIdentity(t *testing.T) {
	t.Parallel()
	before, rest, ok := strings.Cut(strings.Replace(record("1", "a", "StopLogging", start), "s3.amazonaws", "cloudtrail.amazonaws", 1), `"userIdentity":`)
	_, after, also := strings.Cut(rest, `"resources":`)
	if !ok || !also {
		t.Fatalf("got a record of another shape: %s", rest)
	}
	for _, identity := range []string{"", `"userIdentity":null,`, `"userIdentity":{},`, `"userIdentity":{"type":"Root"},`, `"userIdentity":{"type":"AWSAccount"},`, `"userIdentity":{"type":"Unknown","accountId":"111122223333"},`} {
		s, one := newStore(t), before+identity+`"resources":`+after
		r := importing(t, s, usage.ImportConfig{}, write(t, t.TempDir(), "f.json", logFile(one)))
		if r.Counts[usage.NoPrincipal] != 1 || !r.Nothing() || len(all(t, s)) != 0 {
			t.Errorf("%s: got %+v and principals %v, want no principal", identity, r, all(t, s))
		}
		gaps := gapsOf(t, s, start, start.Add(time.Hour))
		if !slices.ContainsFunc(gaps, func(g usage.Gap) bool { return g.Kind == usage.GapLost }) {
			t.Errorf("%s: gaps: got %v, want the event", identity, gaps)
		}
		gaps, err := usage.New(s, nil).Gaps(t.Context(), usage.Window{Account: "111122223333", From: start, To: start.Add(time.Hour)})
		if err != nil || !slices.ContainsFunc(gaps, func(g usage.Gap) bool {
			return g.Kind == usage.GapChanged && strings.Contains(g.Why, "StopLogging by an unknown principal")
		}) {
			t.Errorf("%s: gaps of the account: got %v, %v, want the trail that was stopped", identity, gaps, err)
		}
	}
}

// TestTimesThatCannotBeRead are gaps: no other event says when it was.
func TestTimesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	good := record("1", "a", "Get", start)
	when := start.Format(time.RFC3339)
	for _, text := range []string{"", "yesterday", "1709251200", "2026-02-30T10:00:00Z", "2026-13-01T10:00:00Z", "2025-02-29T10:00:00Z", "2026-04-31T10:00:00Z", "0001-01-01T00:00:00Z"} {
		s := newStore(t)
		r := importing(t, s, usage.ImportConfig{}, write(t, t.TempDir(), "f.json", logFile(good, strings.Replace(record("2", "b", "Put", start), when, text, 1))))
		if r.Counts[usage.NoTime] != 1 || r.Counts[usage.Counted] != 1 {
			t.Errorf("%q: counts: got %v", text, r.Counts)
		}
		if gaps := gapsOf(t, s, start, start.Add(time.Hour)); !slices.ContainsFunc(gaps, func(g usage.Gap) bool { return g.Kind == usage.GapLost }) {
			t.Errorf("%q: gaps: got %v, want the event", text, gaps)
		}
	}
}

func gapsOf(t testing.TB, s usage.Store, from, to time.Time) []usage.Gap {
	t.Helper()
	gaps, err := usage.New(s, nil).Gaps(t.Context(), usage.Window{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	return gaps
}
