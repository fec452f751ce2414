package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"dera.example/dera/audit"
)

func TestAway(t *testing.T) {
	t.Parallel()
	pg := func(code string) error { return fmt.Errorf("commit: %w", &pgconn.PgError{Code: code}) }
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{name: "nothing"},
		{name: "a_file_of_ours", err: fmt.Errorf("write public key: %w", &fs.PathError{Op: "open", Path: "audit.pub", Err: syscall.EEXIST})},
		{name: "reset", err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}, want: true},
		{name: "refused", err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}, want: true},
		{name: "no_such_host", err: &net.DNSError{Err: "no such host", Name: "db"}, want: true},
		{name: "broken_off", err: fmt.Errorf("read: %w", io.ErrUnexpectedEOF), want: true},
		{name: "bad_connection", err: driver.ErrBadConn, want: true},
		{name: "no_answer", err: fmt.Errorf("commit: %w", context.DeadlineExceeded), want: true},
		{name: "shut_down", err: pg("57P01"), want: true},
		{name: "starts_up", err: pg("57P03"), want: true},
		{name: "read_only_after_a_failover", err: pg("25006"), want: true},
		{name: "disk_full", err: pg("53100"), want: true},
		{name: "too_many_connections", err: pg("53300"), want: true},
		{name: "serialization", err: pg("40001"), want: true},
		{name: "connection_failure", err: pg("08006"), want: true},
		{name: "wrong_password", err: pg("28P01")},
		{name: "no_such_database", err: pg("3D000")},
		{name: "no_such_table", err: pg("42P01")},
		{name: "forked", err: fmt.Errorf("x: %w", audit.ErrFork)},
		{name: "newer_schema", err: ErrSchema},
		{name: "other_key", err: ErrKey},
		{name: "conflict", err: ErrConflict},
		{name: "ended_by_the_caller", err: context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Away(tt.err); got != tt.want {
				t.Errorf("%v: got %t, want %t", tt.err, got, tt.want)
			}
		})
	}
}

// TestAwaySQLite: what SQLite itself says of a file that someone holds, and of
// one that cannot be written.
func TestAwaySQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dera.db")
	open := func(query string) *sql.DB {
		connector, err := newPreparing("file:" + path + query)
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	holder, other := open(""), open("")
	if _, err := holder.ExecContext(t.Context(), "CREATE TABLE t (x INT)"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "INSERT INTO nowhere VALUES (1)"); err == nil || Away(err) {
		t.Errorf("no such table: got %v, want an error that is not that the database is away", err)
	}
	if _, err := open("?mode=ro").ExecContext(t.Context(), "INSERT INTO t VALUES (1)"); !Away(err) {
		t.Errorf("read only: got %v, want that the database is away", err)
	}
	if _, err := holder.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "INSERT INTO t VALUES (1)"); !Away(err) {
		t.Errorf("locked: got %v, want that the database is away", err)
	}
}
