// Package store keeps everything durable: findings, remediations, intents,
// jobs, leases, stops, budgets and the leaves and hashes of the audit log. One
// implementation over database/sql serves SQLite (the default: one process, or
// a few on one machine) and PostgreSQL (replicas). All changes go through
// Commit, in one transaction. Room: may import the words, audit and usage.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // driver sqlite
)

//go:embed migrations
var migrations embed.FS

var (
	// ErrConflict is returned by Commit when a remediation was changed by
	// somebody else since it was read. Nothing is written then.
	ErrConflict = errors.New("changed by somebody else since it was read")
	// ErrFenced is returned when the lease under which the caller works is not
	// its own any more. Nothing is written then.
	ErrFenced = errors.New("the lease is not ours any more")
	// ErrBudget is returned by Commit when a spend exceeds its limit. Nothing is
	// written then.
	ErrBudget = errors.New("the budget is spent")
	// ErrNotFound is returned by reads of one thing by its ID.
	ErrNotFound = errors.New("not found")
)

// Sealer encrypts what must not lie in the database in clear, and makes the
// keyed commitments that stand for it in the audit log.
type Sealer interface {
	Seal(context string, plain []byte) ([]byte, error)
	Open(context string, sealed []byte) ([]byte, error)
	Commit(payload []byte) string
}

// Config says where the store is.
type Config struct {
	// URL is sqlite:PATH or a postgres:// URL.
	URL string
	// Sealer is required.
	Sealer Sealer
	// Now defaults to time.Now.
	Now func() time.Time
	// KeptEvents bounds how many unreadable events are kept; 0 means 1,000.
	KeptEvents int
}

// Store is safe for concurrent use, also by several processes.
type Store struct {
	write   *sql.DB
	read    *sql.DB
	dialect dialect
	sealer  Sealer
	now     func() time.Time
	kept    int
}

type dialect struct {
	driver string
	goose  goose.Dialect
	dir    string
	// lockLog serialises writers of the log within a transaction; SQLite has one
	// writer anyway.
	lockLog string
	// skipLocked lets several claimers pass each other.
	skipLocked string
}

// Open opens the store and brings its schema up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Sealer == nil {
		return nil, errors.New("open store: Config.Sealer is missing")
	}
	s := &Store{sealer: cfg.Sealer, now: cfg.Now, kept: cfg.KeptEvents}
	if s.now == nil {
		s.now = time.Now
	}
	if s.kept == 0 {
		s.kept = 1000
	}
	var err error
	switch {
	case strings.HasPrefix(cfg.URL, "sqlite:"):
		err = s.openSQLite(strings.TrimPrefix(cfg.URL, "sqlite:"))
	case strings.HasPrefix(cfg.URL, "postgres://"), strings.HasPrefix(cfg.URL, "postgresql://"):
		err = s.openPostgres(cfg.URL)
	default:
		err = errors.New("the URL must start with sqlite: or postgres://")
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := s.migrate(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("open store: bring the schema up to date: %w", err)
	}
	return s, nil
}

func (s *Store) openSQLite(path string) error {
	s.dialect = dialect{driver: "sqlite", goose: goose.DialectSQLite3, dir: "migrations/sqlite"}
	pragmas := url.Values{"_pragma": {"busy_timeout(15000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas.Encode()
	var err error
	if s.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(4)
	return nil
}

func (s *Store) openPostgres(dsn string) error {
	s.dialect = dialect{
		driver: "pgx", goose: goose.DialectPostgres, dir: "migrations/postgres",
		lockLog:    "SELECT pg_advisory_xact_lock(7301453802)",
		skipLocked: " FOR UPDATE SKIP LOCKED",
	}
	var err error
	if s.write, err = sql.Open("pgx", dsn); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(8)
	s.read = s.write
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, s.dialect.dir)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(s.dialect.goose, s.write, dir, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	if s.read != nil && s.read != s.write {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	return errors.Join(errs...)
}

// tx runs f in one write transaction.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
