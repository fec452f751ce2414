package main

import (
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/store/storetest/postgres"
)

// socket stands between dera and PostgreSQL and can be cut: what is under way
// breaks off, and new connections are refused.
type socket struct {
	t        *testing.T
	dir      string
	upstream string
	delay    atomic.Int64 // of each packet to PostgreSQL, in nanoseconds

	mu       sync.Mutex
	listener net.Listener
	open     []net.Conn
}

const socketName = ".s.PGSQL.5432"

func newSocket(t *testing.T, database string) (*socket, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "dera-away-") // short: the path of a socket has about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{t: t, dir: dir, upstream: filepath.Join(u.Query().Get("host"), socketName)}
	t.Cleanup(func() { s.cut(); _ = os.RemoveAll(dir) })
	s.restore()
	q := u.Query()
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	return s, u.String()
}

// slow writes late.
type slow struct {
	io.Writer
	by *atomic.Int64
}

// Write implements io.Writer.
func (s slow) Write(p []byte) (int, error) {
	if d := time.Duration(s.by.Load()); d > 0 {
		<-time.After(d)
	}
	return s.Writer.Write(p)
}

func (s *socket) restore() {
	l, err := net.Listen("unix", filepath.Join(s.dir, socketName))
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", s.upstream)
			if err != nil {
				_ = in.Close()
				continue
			}
			s.mu.Lock()
			s.open = append(s.open, in, out)
			s.mu.Unlock()
			go func() { _, _ = io.Copy(slow{out, &s.delay}, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
}

func (s *socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.listener.Close()
	for _, c := range s.open {
		_ = c.Close()
	}
	s.open = nil
}

// TestControllerWaitsForItsDatabase: the database is away at the start, and again
// in the middle. The process stays, acknowledges no message meanwhile, and goes on.
func TestControllerWaitsForItsDatabase(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 7})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	serving(t, cloud, account.Credentials())
	events, err := region.CreateQueue(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.ForwardEvents(awssim.Forward{Account: account.ID(), Queue: events}); err != nil {
		t.Fatal(err)
	}
	proxy, database := newSocket(t, postgres.Start(t, postgres.Config{}).URL(t))
	proxy.cut()
	c := startController(t, "--db", database, "--queue", events, "--sweep", "1h")
	says := func(text string) func() bool { return func() bool { return strings.Contains(c.errOut.String(), text) } }
	c.eventually(t, "it waits at the start", says("the database is unreachable; waiting"))
	proxy.restore()
	c.eventually(t, "it runs", says("dera runs"))

	proxy.cut()
	id, err := region.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"})
	if err != nil {
		t.Fatal(err)
	}
	c.eventually(t, "the source and the workers wait", func() bool { return says("source interrupted")() && says("claim jobs")() })
	if n := len(cloud.Snapshot().Queues[0].Bodies); n == 0 {
		t.Error("the queue is empty, and nothing was committed")
	}
	proxy.restore()
	c.eventually(t, "the rule is revoked", func() bool {
		g, ok := cloud.Snapshot().Group(id)
		return ok && !slices.ContainsFunc(g.Rules, func(r awssim.Rule) bool { return r.FromPort == 22 && r.CIDR == "0.0.0.0/0" })
	})
	c.eventually(t, "the queue is empty", func() bool { return len(cloud.Snapshot().Queues[0].Bodies) == 0 })
	proxy.cut() // also the end does not need it
	c.stop(t)
}

// TestOnlyAForkedLogEndsTheProcess: of the signing of the log, no other error does.
func TestOnlyAForkedLogEndsTheProcess(t *testing.T) {
	proxy, database := newSocket(t, postgres.Start(t, postgres.Config{}).URL(t))
	a := &cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: time.Now}
	a.flags.data, a.flags.db = t.TempDir(), database
	s, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := (engine.Switch{Store: s.store, Now: time.Now}).Stop(t.Context(), dera.Stop{Reason: "test"}, dera.Actor{Name: "ann", How: "sts"}); err != nil {
		t.Fatal(err)
	}
	tick, ended := make(chan time.Time), make(chan error, 1)
	go func() { ended <- s.sign(t.Context(), slog.New(slog.DiscardHandler), tick) }()
	for _, step := range []func(){func() {}, proxy.cut, func() {}, proxy.restore, func() {}} {
		step()
		select {
		case tick <- time.Now():
		case err := <-ended:
			t.Fatalf("signing ended with %v", err)
		}
	}
	// Someone takes records away behind the checkpoint.
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "DELETE FROM leaves"); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case tick <- time.Now():
			continue
		case err := <-ended:
			if !errors.Is(err, audit.ErrFork) {
				t.Errorf("a forked log: got %v, want that error", err)
			}
		}
		break
	}
}

// TestControllerEndsWhileAReadHangs: the server of a read never answers, and the
// end comes all the same, well before a scheduler kills the process.
func TestControllerEndsWhileAReadHangs(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 8})
	account := cloud.Account("111122223333")
	serving(t, cloud, account.Credentials())
	hangs := cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: "DescribeSecurityGroups"}, Kind: awssim.Hang})
	c := startController(t, "--sweep", "1h")
	c.eventually(t, "a read hangs", func() bool { return hangs.Fired() > 0 })
	c.cancel()
	select {
	case code := <-c.code:
		if code != exitGood {
			t.Errorf("dera run ended with %d\n%s", code, c.errOut.String())
		}
	case <-time.After(20 * time.Second): // what the promise says
		t.Fatal("dera run does not end")
	}
}
