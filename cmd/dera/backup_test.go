package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"dera.example/dera/awssim"
	"dera.example/dera/store/storetest/postgres"
)

// backed is a data folder that commands run on.
type backed struct {
	t   *testing.T
	dir string
}

func (b backed) dera(args ...string) (string, int) {
	b.t.Helper()
	var out, errOut strings.Builder
	if !strings.Contains(strings.Join(args, " "), "--data") {
		args = append(args, "--data", filepath.Join(b.dir, "data"))
	}
	code := run(b.t.Context(), args, strings.NewReader(""), &out, &errOut)
	return strings.Join(strings.Fields(out.String()+errOut.String()), " "), code
}

// TestBackupAndRestore: a copy that is made while others write is of one moment and verifies; restored with the keys it goes on, and against a checkpoint that somebody kept it is found to be older. Without the keys it
// opens nothing, and a copy that was changed is found out.
func TestBackupAndRestore(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 7})
	account := cloud.Account("111122223333")
	serving(t, cloud, account.Credentials())
	if _, err := account.Region("us-east-1").CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}); err != nil {
		t.Fatal(err)
	}
	b := backed{t, t.TempDir()}
	if out, code := b.dera("scan", "--apply", "--mode", "enforce", "--no-exemptions"); code > exitNo {
		t.Fatalf("got %d\n%s", code, out)
	}
	var wait sync.WaitGroup
	for i := range 3 { // others write meanwhile
		wait.Go(func() {
			for j := range 5 {
				b.dera("stop", "--account", fmt.Sprintf("11112222%04d", i*10+j), "--reason", "a writer beside the copy")
			}
		})
	}
	file := filepath.Join(b.dir, "copy.db")
	out, code := b.dera("backup", file)
	if code != exitGood || !strings.Contains(out, "verified") {
		t.Fatalf("got %d\n%s", code, out)
	}
	wait.Wait()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want a file of its owner alone", info.Mode(), err)
	}
	if out, code := b.dera("backup", file); code == exitGood {
		t.Errorf("over a file that is there: got %d\n%s", code, out)
	}
	if out, code := b.dera("audit", "export", filepath.Join(b.dir, "export")); code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	archive := filepath.Join(b.dir, "archive")
	for range 2 { // the second time it gets what is new
		if out, code := b.dera("audit", "archive", archive); code != exitGood {
			t.Fatalf("got %d\n%s", code, out)
		}
		if out, code := b.dera("stop", "--reason", "one more record"); code != exitGood {
			t.Fatalf("got %d\n%s", code, out)
		}
	}
	pub := filepath.Join(b.dir, "data", "keys", "audit.pub")
	if out, code := b.dera("audit", "verify", archive, "--log-only", "--key", pub); code != exitGood || !strings.HasPrefix(out, "valid") {
		t.Errorf("archive: got %d\n%s", code, out)
	}
	if out, code := b.dera("audit", "verify", archive, "--log-only", "--key", pub, "--since", filepath.Join(b.dir, "export", "checkpoint")); code != exitGood {
		t.Errorf("archive, against an earlier checkpoint: got %d\n%s", code, out)
	}
	newer := filepath.Join(b.dir, "export", "checkpoint")

	restored := filepath.Join(b.dir, "restored")
	if err := os.CopyFS(filepath.Join(restored, "keys"), os.DirFS(filepath.Join(b.dir, "data", "keys"))); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"vault.key", "audit.key"} {
		if err := os.Chmod(filepath.Join(restored, "keys", f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fileIn(t, restored, "dera.db", string(copied(t, file)))
	if out, code := b.dera("audit", "verify", "--data", restored); code != exitGood || !strings.HasPrefix(out, "valid") {
		t.Errorf("restored: got %d\n%s", code, out)
	}
	if out, code := b.dera("audit", "verify", "--data", restored, "--since", newer); code != exitNo || !strings.Contains(out, "checkpoint") {
		t.Errorf("against a newer checkpoint: got %d\n%s", code, out)
	}
	if out, code := b.dera("rollback", "--since", "2h", "--account", "111122223333", "--reason", "test", "--yes", "--no-exemptions", "--data", restored, "--despite-stop"); code != exitGood { // its undo data came with it
		t.Errorf("rollback from the copy: got %d\n%s", code, out)
	}

	alone := filepath.Join(b.dir, "alone")
	if err := os.MkdirAll(alone, 0o700); err != nil {
		t.Fatal(err)
	}
	fileIn(t, alone, "dera.db", string(copied(t, file)))
	if out, code := b.dera("findings", "--data", alone); code == exitGood || code == exitNo || !strings.Contains(out, "keys") {
		t.Errorf("without the keys: got %d\n%s", code, out)
	}

	db, err := sql.Open("sqlite", filepath.Join(b.dir, "data", "dera.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE leaves SET leaf = CAST(replace(CAST(leaf AS TEXT), '"version":1', '"version":2') AS BLOB) WHERE idx = 1`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if out, code := b.dera("backup", filepath.Join(b.dir, "forged.db")); code != exitNo || !strings.Contains(out, "NOT VALID") {
		t.Errorf("a log that was changed: got %d\n%s", code, out)
	}
}

// TestBackupOfPostgres: it is said what to use.
func TestBackupOfPostgres(t *testing.T) {
	t.Parallel()
	b := backed{t, t.TempDir()}
	url := postgres.Start(t, postgres.Config{}).URL(t)
	if out, code := b.dera("stop", "--reason", "test", "--db", url); code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	if out, code := b.dera("backup", filepath.Join(b.dir, "x.db"), "--db", url); code != exitUsage || !strings.Contains(out, "pg_dump") {
		t.Errorf("got %d\n%s", code, out)
	}
}
