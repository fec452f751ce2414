package postgres_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dera.example/dera/store/storetest/postgres"
)

func TestEachURLIsAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	s := postgres.Start(t, postgres.Config{})
	for range 2 {
		db, err := sql.Open("pgx", s.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE same (n BIGINT)"); err != nil {
			t.Errorf("make a table: got %v", err)
		}
	}
}

// TestServerDiesWithItsTest kills a process that has a server and looks that
// nothing of the server is left.
func TestServerDiesWithItsTest(t *testing.T) {
	t.Parallel()
	if os.Getenv("DERA_POSTGRES_CHILD") != "" {
		s := postgres.Start(t, postgres.Config{})
		_, _ = os.Stdout.WriteString("url " + s.URL(t) + "\n")
		select {}
	}
	tmp, err := os.MkdirTemp("", "dera-pg-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	if err := os.Chmod(tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerDiesWithItsTest$")
	cmd.Env = append(os.Environ(), "DERA_POSTGRES_CHILD=1", "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := out.Read(buf)
	if err != nil || !strings.Contains(string(buf[:n]), "url postgres:///") {
		t.Fatalf("start: got %q, %v, want a URL", buf[:n], err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		left, err := filepath.Glob(filepath.Join(tmp, "dera-pg-*"))
		if err == nil && len(left) == 0 {
			return // the shell removes the folder after the server has ended
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the test was killed: got %v, want nothing", left)
		}
	}
}
