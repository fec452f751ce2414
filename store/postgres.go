//go:build !demo

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
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
		lock:       "SELECT pg_advisory_xact_lock(7301453802)",
		forUpdate:  " FOR UPDATE",
		skipLocked: " FOR UPDATE SKIP LOCKED",
		among:      "idx = ANY($1)",
		listArg:    func(list []int64) (any, error) { return list, nil },
		hasMeta:    "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('meta')",
		bytes:      "SELECT pg_database_size(current_database())",
	}
}

// openPostgres opens some connections that write and some that read, so that
// commits that wait for each other never keep a lease or a stop from being read.
func (s *Store) openPostgres(ctx context.Context, text string) error {
	s.dialect, s.place = postgres(), "PostgreSQL"
	cfg, err := pgx.ParseConfig(text)
	if err != nil {
		// What the parser says can hold pieces of the password.
		return errors.New("the PostgreSQL URL is not valid: postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of the password percent-encoded")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	s.write, s.read = &pool{DB: stdlib.OpenDB(*cfg)}, &pool{DB: stdlib.OpenDB(*cfg)}
	for _, db := range []*pool{s.write, s.read} {
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
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
