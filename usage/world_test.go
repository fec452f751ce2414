package usage_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/usage"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// record is an event of a role.
func record(id, role, name string, at time.Time) string {
	return fmt.Sprintf(`{"eventID":%q,"eventTime":%q,"eventSource":"s3.amazonaws.com","eventName":%q,"awsRegion":"us-east-1","recipientAccountId":"111122223333",`+
		`"userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/%s"}}},`+
		`"resources":[{"ARN":"arn:aws:s3:::bucket-%s"}]}`, id, at.Format(time.RFC3339), name, role, id)
}

// logFile is a log file as CloudTrail writes it, unpacked.
func logFile(records ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

func pack(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t testing.TB, dir, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// logPath is where CloudTrail puts the log file of an hour.
func logPath(at time.Time, n int) string {
	return fmt.Sprintf("AWSLogs/111122223333/CloudTrail/us-east-1/%s/111122223333_CloudTrail_us-east-1_%s_%016d.json.gz",
		at.Format("2006/01/02"), at.Format("20060102T1504Z"), n)
}

// folder writes log files with some records each.
func folder(t testing.TB, files, each int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range files {
		var records []string
		for j := range each {
			records = append(records, record(fmt.Sprintf("%d-%d", i, j), fmt.Sprintf("r%d", (i+j)%5), fmt.Sprintf("Get%d", j%7), start.Add(time.Duration(i)*time.Hour+time.Duration(j)*time.Second)))
		}
		write(t, dir, logPath(start.Add(time.Duration(i)*time.Hour), i), pack(t, logFile(records...)))
	}
	return dir
}

func newStore(t testing.TB) *store.Store {
	t.Helper()
	return storetest.Open(t, storetest.SQLite(t), storetest.NewClock())
}

func importing(t testing.TB, s usage.Store, cfg usage.ImportConfig, paths ...string) usage.Report {
	t.Helper()
	r, err := usage.New(s, nil).Import(t.Context(), cfg, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// all is the whole ledger as text.
func all(t testing.TB, s usage.Store) string {
	t.Helper()
	var out strings.Builder
	err := usage.New(s, nil).Each(t.Context(), func(a usage.Activity) error {
		fmt.Fprintf(&out, "%s %s %s %s\n", a.Key, a.Kind, a.ARN, a.SessionEnd)
		for _, u := range a.Uses {
			fmt.Fprintf(&out, "  %s %s %s %s %d %s %d %v %t\n", u.Action, u.Trust, u.First, u.Last, u.Count, u.LastDenied, u.Denied, u.Resources, u.More)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var errBroken = errors.New("the disk is gone")

// faulty fails one commit, before or after it took effect.
type faulty struct {
	usage.Store
	in    int // commits until then
	after bool
}

func (f *faulty) CommitUsage(ctx context.Context, b usage.Batch) error {
	f.in--
	if f.in == 0 && !f.after {
		return errBroken
	}
	err := f.Store.CommitUsage(ctx, b)
	if f.in == 0 && err == nil {
		return errBroken
	}
	return err
}
