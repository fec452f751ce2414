// Package postgres runs a PostgreSQL server for tests: a new cluster in a
// temporary folder, with a database for each test, gone when the test is over.
// A machine without PostgreSQL fails the test; nothing is skipped.
package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
)

// Install is the command that installs PostgreSQL.
const Install = "scripts/postgres-install"

// Server is a running server. It is safe for concurrent use.
type Server struct {
	dir     string
	bin     string
	as      *syscall.Credential
	cfg     Config
	admin   *sql.DB
	created atomic.Int64
}

// Config says how the server treats its disk.
type Config struct {
	// Sync makes commits durable, as in production. Tests of behaviour go without.
	Sync bool
}

// Start starts a server and stops it by t.Cleanup, or when the process ends in
// any other way.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, stop, err := start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return s
}

// URL makes a new, empty database and returns its URL.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.created.Add(1))
	if _, err := s.admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return s.url(name)
}

// Copy makes a copy of the database that was made last, to which nobody is connected, and
// returns its URL.
func (s *Server) Copy(t testing.TB) string {
	t.Helper()
	n := s.created.Add(1)
	if _, err := s.admin.ExecContext(t.Context(), fmt.Sprintf("CREATE DATABASE test_%d TEMPLATE test_%d", n, n-1)); err != nil {
		t.Fatalf("copy a database: %v", err)
	}
	return s.url(fmt.Sprintf("test_%d", n))
}

func (s *Server) url(database string) string {
	return "postgres:///" + database + "?user=dera&host=" + url.QueryEscape(s.dir)
}

func start(ctx context.Context, cfg Config) (*Server, func() error, error) {
	bin, err := binaries()
	if err != nil {
		return nil, nil, err
	}
	as, err := account()
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp(tempDir(), "dera-pg-")
	if err != nil {
		return nil, nil, err
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	// Sorting by language shows queries that rely on the order of bytes.
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata", filepath.Join(dir, "data"), "--username=dera", "--auth=trust",
		"--encoding=UTF8", "--no-locale", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w: %s", initdb.Path, err, out), os.RemoveAll(dir))
	}
	s := &Server{dir: dir, bin: bin, as: as, cfg: cfg}
	stop, log, err := serve(bin, dir, as, cfg)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	if s.admin, err = sql.Open("pgx", s.url("postgres")); err == nil {
		err = ready(ctx, s.admin)
	}
	if err != nil {
		return nil, nil, errors.Join(err, stop(), errors.New(log.String()))
	}
	return s, func() error { return errors.Join(s.admin.Close(), stop()) }, nil
}

// serve runs the server under a shell that waits for the end of its input: it
// comes when stop closes it and also when this process dies, however it dies. So
// no server is left behind.
func serve(bin, dir string, as *syscall.Credential, cfg Config) (stop func() error, log *bytes.Buffer, err error) {
	sync := "off"
	if cfg.Sync {
		sync = "on"
	}
	const script = `dir=$1; shift; "$@" & pid=$!; cat >/dev/null; kill -INT $pid; wait $pid; rm -rf "$dir"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", dir,
		filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data"), "-k", dir,
		"-c", "listen_addresses=", "-c", "fsync="+sync, "-c", "full_page_writes="+sync, "-c", "max_connections=300")
	log = &bytes.Buffer{}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	// A group of its own: an interrupt from the keyboard is for the test alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	return func() error {
		// What wait says of an interrupted server is of no interest.
		_ = in.Close()
		_ = cmd.Wait()
		return os.RemoveAll(dir)
	}, log, nil
}

// ready waits until the server takes connections.
func ready(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// tempDir is where the cluster goes: the path of a socket has about 100 bytes at
// most.
func tempDir() string {
	if dir := os.TempDir(); len(dir) < 60 {
		return dir
	}
	return "/tmp"
}

// binaries finds the newest server that is installed.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	newest, version := "", 0
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb", "/usr/local/opt/postgresql@*/bin/initdb"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, path := range found {
			if v := number(path); v > version {
				newest, version = filepath.Dir(path), v
			}
		}
	}
	if newest == "" {
		return "", errors.New("PostgreSQL is not installed; run " + Install)
	}
	return newest, nil
}

// number is the first number in a path.
func number(path string) int {
	var digits []byte
	for _, c := range []byte(path) {
		if c >= '0' && c <= '9' {
			digits = append(digits, c)
		} else if len(digits) > 0 {
			break
		}
	}
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		return 0
	}
	return n
}

// account is who the server runs as: it refuses to run as root.
func account() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}
