package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// socketName is the file of the socket in the folder of a server.
const socketName = ".s.PGSQL.5432"

// Socket is the path of the server's socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, socketName) }

// Kill ends the server as a power cut does: no connection is ended in order, and nothing is written any more.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatalf("find the server: %v", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("find the server: %v", err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		t.Fatalf("kill the server: %v", err)
	}
	for range 500 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		pause(t, 20*time.Millisecond)
	}
	t.Fatal("the server does not end")
}

// Restart starts a server again that was killed.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	stop, log, err := serve(s.bin, s.dir, s.as, s.cfg)
	if err == nil {
		err = ready(t.Context(), s.admin)
	}
	if err != nil {
		t.Fatalf("start the server again: %v", err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stop the server: %v\n%s", err, log.String())
		}
	})
}

// Standby starts a server that follows this one. From then on a commit on this one returns when both have it: what is
// committed is there after a fail-over (synchronous_standby_names).
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	follower, err := s.standby(t.Context())
	if err != nil {
		t.Fatalf("start a stand-by: %v", err)
	}
	stop, log, err := serve(s.bin, follower.dir, s.as, s.cfg)
	if err == nil {
		follower.admin, err = sql.Open("pgx", follower.url("postgres"))
	}
	if err == nil {
		err = ready(t.Context(), follower.admin)
	}
	if err != nil {
		t.Fatalf("start a stand-by: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(follower.admin.Close(), stop()); err != nil {
			t.Errorf("stop the stand-by: %v\n%s", err, log.String())
		}
	})
	for _, q := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		if _, err := s.admin.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("wait for the stand-by: %v", err)
		}
	}
	for range 500 {
		var n int
		if err := s.admin.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&n); err != nil {
			t.Fatalf("wait for the stand-by: %v", err)
		}
		if n == 1 {
			return follower
		}
		pause(t, 20*time.Millisecond)
	}
	t.Fatal("the stand-by does not follow")
	return nil
}

// standby copies the server.
func (s *Server) standby(ctx context.Context) (*Server, error) {
	dir, err := os.MkdirTemp(tempDir(), "dera-pg-")
	if err == nil && s.as != nil {
		err = os.Chown(dir, int(s.as.Uid), int(s.as.Gid))
	}
	if err != nil {
		return nil, err
	}
	backup := exec.CommandContext(ctx, filepath.Join(s.bin, "pg_basebackup"), "--pgdata", filepath.Join(dir, "data"), "--host", s.dir, "--username", "dera",
		"--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast", "--no-sync")
	backup.Dir, backup.SysProcAttr = dir, &syscall.SysProcAttr{Credential: s.as}
	if out, err := backup.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return &Server{dir: dir, bin: s.bin, as: s.as, cfg: s.cfg}, nil
}

// Promote makes a stand-by the server that takes writes.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	var done bool
	if err := s.admin.QueryRowContext(t.Context(), "SELECT pg_promote()").Scan(&done); err != nil || !done {
		t.Fatalf("promote the stand-by: %t, %v", done, err)
	}
}

func pause(t testing.TB, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal("the test is over")
	case <-time.After(d):
	}
}
