// Package store keeps everything durable: findings, remediations, intents,
// jobs, leases, stops, budgets and the leaves and hashes of the audit log. One
// implementation over database/sql serves SQLite (the default: one process, or
// a few on one machine) and PostgreSQL (replicas); store/storetest holds both to
// the same promises. All changes of state go through Commit, in one transaction.
//
// Remediations, the payloads of audit records, evidence and events that could
// not be read lie encrypted in the database, since configurations and policies
// can carry secrets.
//
// Layer: may import the words, audit and usage.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dera.example/dera/usage"
)

var (
	// ErrConflict is returned by Commit when a remediation was changed by
	// someone else since it was read, and by Lease when someone else holds the
	// resource. Nothing is written then.
	ErrConflict = errors.New("changed by someone else since it was read")
	// ErrFenced is returned when the lease under which the caller works is not
	// its own any more. Nothing is written then.
	ErrFenced = errors.New("the lease is not ours any more")
	// ErrBudget is returned by Commit when a spend exceeds its limit. Nothing is
	// written then.
	ErrBudget = errors.New("the budget is spent")
	// ErrAlarm is returned by Commit for an alarm that stands already, and for the end of one
	// that does not. Nothing is written then.
	ErrAlarm = errors.New("the alarm stands as it is")
	// ErrTaken is returned by Commit for a message that was taken. Nothing is written then.
	ErrTaken = errors.New("the message was taken")
	// ErrNotFound is returned by reads of one thing by its ID.
	ErrNotFound = errors.New("not found")
	// ErrTorn is returned by reads for what cannot be opened or is no value of its type.
	ErrTorn = usage.ErrTorn
	// ErrSchema is returned by Open for a database of a newer dera.
	ErrSchema = errors.New("the database is of a newer version of dera")
	// ErrEmpty is returned by OpenExisting for a database in which there is nothing.
	ErrEmpty = errors.New("there is nothing in the database")
	// ErrKey is returned by Open for a database that was made with another key.
	ErrKey = errors.New("the database was made with another vault key")
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
	// URL is sqlite:PATH or a postgres:// URL. A new SQLite file is readable by
	// its owner alone.
	URL string
	// Sealer is required, and always the same for one database.
	Sealer Sealer
	// Now defaults to time.Now. Replicas need clocks that agree to well within
	// the duration of a lease.
	Now func() time.Time
	// KeptEvents bounds how many unreadable events are kept; 0 means 1,000.
	KeptEvents int
}

func (c Config) validate() error {
	switch {
	case c.Sealer == nil:
		return errors.New("Config.Sealer is missing")
	case c.KeptEvents < 0:
		return fmt.Errorf("Config.KeptEvents is %d", c.KeptEvents)
	}
	return nil
}

// Store is safe for concurrent use, also by several processes.
type Store struct {
	write   *pool
	read    *pool
	dialect dialect
	sealer  Sealer
	now     func() time.Time
	kept    int
	place   string // for people
	forms   forms
	// logged is how long the log was after the last turn of this process.
	logged atomic.Int64
	group  group
	// wrote counts transactions.
	wrote atomic.Int64
	// enqueued says that this process enqueued jobs since it last looked for some.
	enqueued atomic.Bool
	commits  commits
	// refuses says that the last transaction that wrote failed since the database was away, or took no
	// writes: full, read-only, demoted.
	refuses atomic.Bool
	// compacting is held by who compacts the usage ledger.
	compacting sync.Mutex
}

// Open opens the store and brings its schema up to date. It refuses a database
// of a newer version (ErrSchema) and of another key (ErrKey). No error of it
// holds a password.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	return open(ctx, cfg, (*Store).prepare)
}

// OpenExisting opens a store that exists and whose schema is this version's, for
// reading. It creates and changes nothing: a database of an older version is ErrSchema
// too, and an empty one is ErrSchema and ErrEmpty.
func OpenExisting(ctx context.Context, cfg Config) (*Store, error) {
	if path, local := strings.CutPrefix(cfg.URL, "sqlite:"); local {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	return open(ctx, cfg, (*Store).current)
}

func open(ctx context.Context, cfg Config, prepare func(*Store, context.Context) error) (*Store, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s := &Store{sealer: cfg.Sealer, now: cfg.Now, kept: cfg.KeptEvents}
	if s.now == nil {
		s.now = time.Now
	}
	if s.kept == 0 {
		s.kept = 1000
	}
	var err error
	scheme, rest, _ := strings.Cut(cfg.URL, ":")
	switch scheme {
	case "sqlite":
		err = s.openSQLite(rest)
	case "postgres", "postgresql":
		err = s.openPostgres(ctx, cfg.URL)
	default:
		err = errors.New("the URL must start with sqlite: or postgres://")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Close())
	}
	if err := prepare(s, ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %s: %w", s.place, err), s.Close())
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*pool{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Transactions returns how many transactions that write there were since the store was opened, in
// this process. Batches that share one count once.
func (s *Store) Transactions() int64 { return s.wrote.Load() }

// Ready returns an error where the database does not answer, or answers and takes no writes, since it is
// full, read-only or demoted. Where the last commit failed for that, it asks by a write.
func (s *Store) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var one int
	if err := s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	if !s.refuses.Load() {
		return nil
	}
	if err := s.Remember(ctx, map[string]string{"ready": Moment(s.now())}); err != nil {
		return fmt.Errorf("write to the database: %w", err)
	}
	return nil
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
