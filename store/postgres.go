//go:build !demo

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

func postgres() dialect {
	return dialect{
		name: "postgres",
		// Each statement sees what was committed before it, so also what was
		// committed while the transaction waited for the lock.
		isolation:  sql.LevelReadCommitted,
		begin:      "BEGIN ISOLATION LEVEL READ COMMITTED",
		lock:       "SELECT pg_advisory_xact_lock(7301453802)",
		lockUsage:  "SELECT pg_advisory_xact_lock(7301453803)",
		arrays:     true,
		forUpdate:  " FOR UPDATE",
		skipLocked: " FOR UPDATE SKIP LOCKED",
		among:      "idx = ANY($1)",
		listArg:    func(list []int64) (any, error) { return list, nil },
		hasMeta:    "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('meta')",
		time:       "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
		bytes:      "SELECT pg_database_size(current_database())",
	}
}

// openPostgres opens some connections that write and some that read, so that
// commits that wait for each other never keep a lease or a stop from being read.
func (s *Store) openPostgres(ctx context.Context, text string) error {
	s.dialect, s.place = postgres(), "PostgreSQL"
	s.forms = newForms(s.dialect)
	cfg, err := pgx.ParseConfig(text)
	if err != nil {
		// What the parser says can hold pieces of the password.
		return errors.New("the PostgreSQL URL is not valid: postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of the password percent-encoded")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	cfg.ValidateConnect = primary(cfg.ValidateConnect)
	s.write, s.read = &pool{DB: stdlib.OpenDB(*cfg), most: writing}, &pool{DB: stdlib.OpenDB(*cfg), most: reading}
	for _, db := range []*pool{s.write, s.read} {
		db.SetMaxOpenConns(db.most)
		db.SetMaxIdleConns(db.most)
	}
	var encoding, sync string
	err = s.read.QueryRowContext(ctx, "SELECT current_setting('server_encoding'), current_setting('synchronous_commit')").Scan(&encoding, &sync)
	switch {
	case err != nil:
		return fmt.Errorf("talk to PostgreSQL: %w", err)
	case encoding != "UTF8":
		return fmt.Errorf("the PostgreSQL database has the encoding %s and must have UTF8, which is set when it is created", encoding)
	case sync == "off":
		return errors.New("the PostgreSQL setting synchronous_commit is off and must not be: a crash would lose what is recorded before each write")
	}
	return nil
}

// primary has a connection refused that leads to a stand-by: it is behind, so that a lease or a stop that is read there
// can be over. Where a URL names several hosts, the next one is tried. A server becomes a stand-by by a restart, which
// ends its connections. also is what the URL asks for besides, or nil.
func primary(also pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, c *pgconn.PgConn) error {
		err := pgconn.ValidateConnectTargetSessionAttrsPrimary(ctx, c)
		if err == nil && also != nil {
			err = also(ctx, c)
		}
		return err
	}
}

// postgresCode is the SQLSTATE that PostgreSQL answered with, if it did.
func postgresCode(err error) (code string, ok bool) {
	var pg *pgconn.PgError
	if ok = errors.As(err, &pg); ok {
		code = pg.Code
	}
	return code, ok
}

// postgresPlace is where no connection came about, and the cause.
func postgresPlace(err error) (where string, cause error, ok bool) {
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) {
		return "", nil, false
	}
	if c := connect.Config; c != nil {
		where = fmt.Sprintf("%q on %s", c.Database, net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return where, errors.New(refused.Message + " (SQLSTATE " + refused.Code + ")"), true
	}
	return where, connect.Unwrap(), true
}

// postgresUnreached reports whether no connection to PostgreSQL came about.
func postgresUnreached(err error) bool {
	var connect *pgconn.ConnectError
	return errors.As(err, &connect)
}

// remoteSession is session on PostgreSQL.
func (s *Store) remoteSession(ctx context.Context, f func(context.Context, session) error) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // gives it back to the pool
	raw := conn.Raw(func(driven any) error {
		c := driven.(*stdlib.Conn).Conn()
		err = f(ctx, &remote{conn: c, forms: &s.forms})
		if c.IsClosed() || c.PgConn().TxStatus() == 'I' {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if _, failed := c.Exec(ctx, "ROLLBACK"); failed != nil {
			return driver.ErrBadConn // whose transaction may still be open
		}
		return nil
	})
	if err == nil {
		err = raw
	}
	return err
}

// remote is a session on PostgreSQL: the steps of a script go there in one piece, and so do
// their answers come back.
type remote struct {
	conn  *pgx.Conn
	forms *forms
}

// run implements session. After a step that fails the server does none of the others.
func (r *remote) run(ctx context.Context, steps ...step) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	var batch pgx.Batch
	for _, s := range steps {
		batch.Queue(s.text(0), s.columns(s.rows)...)
	}
	answers := r.conn.SendBatch(ctx, &batch)
	defer func() {
		if closed := answers.Close(); err == nil {
			err = closed
		}
		if err != nil && steps[len(steps)-1].form == r.forms.commit && !refused(err) {
			err = endError{err}
		}
	}()
	for _, s := range steps {
		if err := r.answer(answers, s); err != nil {
			return err
		}
	}
	return nil
}

// refused reports whether an error says for certain that a transaction did not end well: the
// server has answered, and not that it is about to stop, or nothing was sent. One that stops
// can have committed before (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func refused(err error) bool {
	code, answered := postgresCode(err)
	return answered && !strings.HasPrefix(code, "57") && !strings.HasPrefix(code, "08") || pgconn.SafeToRetry(err) || errors.Is(err, errRolledBack)
}

// errRolledBack is what PostgreSQL's answer to a COMMIT says of a transaction that had failed.
var errRolledBack = errors.New("the transaction was rolled back by its COMMIT")

func (r *remote) answer(answers pgx.BatchResults, s step) error {
	if s.scan == nil {
		tag, err := answers.Exec()
		if err == nil && s.form == r.forms.commit && tag.String() != "COMMIT" {
			return errRolledBack
		}
		return s.end(tag.RowsAffected(), err)
	}
	rows, err := answers.Query()
	if err != nil {
		return s.end(0, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := s.scan(rows); err != nil {
			return s.end(0, err)
		}
	}
	return s.end(0, rows.Err())
}
