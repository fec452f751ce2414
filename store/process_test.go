package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestMain is the test, or a process that commits to a store until it is done or
// killed.
func TestMain(m *testing.M) {
	if url := os.Getenv("DERA_STORE_URL"); url != "" {
		if err := commitAll(url, os.Getenv("DERA_STORE_NAME"), os.Getenv("DERA_STORE_BATCHES")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// commitAll commits batches and says after each that it is there.
func commitAll(url, name, batches string) error {
	n, err := strconv.Atoi(batches)
	if err != nil {
		return err
	}
	vault, err := audit.NewVault([]byte(strings.Repeat("\x01", audit.VaultKeySize)), nil)
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{URL: url, Sealer: vault})
	if err != nil {
		return err
	}
	for i := range n {
		if err := commitPair(ctx, s, fmt.Sprintf("%s-%d", name, i)); err != nil {
			return err
		}
		fmt.Println(i)
	}
	return s.Close()
}

// commitPair makes a remediation with its record, and then changes it and adds
// an intent with a record of its own.
func commitPair(ctx context.Context, s *store.Store, id string) error {
	now := time.Now()
	r := storetest.Remediation(id, "sg-"+id, now)
	record := storetest.Record("decided "+id, now)
	record.Kind, record.Remediation, record.Sealed = dera.RecordDecision, id, []byte("payload of "+id)
	l, err := s.Lease(ctx, r.ResourceKey(), id, time.Minute)
	if err != nil {
		return err
	}
	err = s.Commit(ctx, store.Batch{
		Fence: &l, Remediations: []dera.Remediation{r}, Records: []dera.AuditRecord{record},
		Jobs: []dera.Job{{Kind: "remediate", Key: id, RunAt: now}}, Counts: map[string]int64{"pairs": 1},
	})
	if err != nil {
		return err
	}
	r.Revision, r.State = 1, dera.Applying
	record = storetest.Record("intends "+id, now)
	record.Kind, record.Remediation = dera.RecordIntent, id
	return s.Commit(ctx, store.Batch{
		Fence: &l, Remediations: []dera.Remediation{r}, Intents: []dera.Intent{storetest.Intent(id, l.Token, now)}, Records: []dera.AuditRecord{record},
		Done: []dera.Job{{Kind: "remediate", Key: id, Seq: 1}},
	})
}

// child starts a process that commits, and reports each pair on its output.
func child(t *testing.T, url, name string, batches int) (cmd *exec.Cmd, out io.Reader) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "DERA_STORE_URL="+url, "DERA_STORE_NAME="+name, "DERA_STORE_BATCHES="+strconv.Itoa(batches))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// consistent holds state, jobs and log against each other: each remediation has
// the records of the state that it is in, and nothing else has one.
func consistent(t *testing.T, s *store.Store) (pairs int) {
	t.Helper()
	ctx := t.Context()
	remediations, err := s.Remediations(ctx)
	if err != nil {
		t.Fatal(err)
	}
	applying, records := 0, map[string]bool{}
	leaves, err := s.Leaves(ctx, 0, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range leaves {
		_, why, _ := strings.Cut(string(leaf), `"why":"`)
		why, _, _ = strings.Cut(why, `"`)
		records[why] = true
	}
	for _, r := range remediations {
		intents, err := s.Intents(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		second := r.State == dera.Applying
		if second {
			applying++
		}
		if !records["decided "+r.ID] || records["intends "+r.ID] != second || (len(intents) == 1) != second || r.Revision != int64(1+len(intents)) {
			t.Errorf("remediation %s: got state %s, revision %d, %d intents, records %v and %v", r.ID, r.State, r.Revision, len(intents),
				records["decided "+r.ID], records["intends "+r.ID])
		}
		if _, err := s.Sealed(ctx, storetest.Vault(t, 1).Commit([]byte("payload of "+r.ID))); err != nil {
			t.Errorf("payload of %s: got %v", r.ID, err)
		}
	}
	jobs, err := s.Jobs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != len(remediations)-applying {
		t.Errorf("jobs: got %d, want %d", len(jobs), len(remediations)-applying)
	}
	if counts, err := s.Counters(ctx); err != nil || counts["pairs"] != int64(len(remediations)) {
		t.Errorf("counter: got %v, %v, want %d", counts, err, len(remediations))
	}
	storetest.CheckLog(t, s, int64(len(remediations)+applying))
	return applying
}

// TestTwoProcesses has two processes open one new SQLite file and commit to it
// at the same time.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	const each = 200
	var group sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		cmd, out := child(t, db.URL, name, each)
		group.Go(func() {
			if _, err := io.Copy(io.Discard, out); err != nil {
				t.Errorf("read from %s: %v", name, err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %s: %v", name, err)
			}
		})
	}
	group.Wait()
	if got := consistent(t, storetest.Open(t, db, storetest.NewClock())); got != 2*each {
		t.Errorf("pairs: got %d, want %d", got, 2*each)
	}
}

// TestKilled kills a process in the middle of its commits, again and again on
// the same file, while another one goes on.
func TestKilled(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	other, out := child(t, db.URL, "other", 150)
	reported := 150
	for round := range 6 {
		cmd, out := child(t, db.URL, fmt.Sprintf("round%d", round), 1_000_000)
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			if n++; n == 5+7*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		reported += 5 + 7*round
		for lines.Scan() {
			reported++ // what it said before it died
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
			t.Fatalf("round %d: got %v, want it killed", round, err)
		}
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
	// What was reported is there, and at most one pair more for each kill.
	if got := consistent(t, storetest.Open(t, db, storetest.NewClock())); got < reported || got > reported+6 {
		t.Errorf("pairs: got %d, want %d to %d", got, reported, reported+6)
	}
}

// TestOpenAtOnce has processes open one new file at the same moment: SQLite's change
// to a write-ahead log waits for nobody, it fails where another process is at it.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	for range 15 {
		db := storetest.SQLite(t)
		var group sync.WaitGroup
		for range 4 {
			cmd, out := child(t, db.URL, "nobody", 0)
			group.Go(func() {
				if _, err := io.Copy(io.Discard, out); err != nil {
					t.Error(err)
				}
				if err := cmd.Wait(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
}
