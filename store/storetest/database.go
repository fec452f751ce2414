package storetest

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // driver sqlite

	"dera.example/dera/store/storetest/postgres"
)

// Database is one database under test.
type Database struct {
	// URL is what store.Open takes.
	URL string
	// SQL opens it behind the store's back.
	SQL func(t testing.TB) *sql.DB
	// Begin are the statements after which nobody else can write jobs.
	Begin []string
	// Tables names all tables.
	Tables string
	// Waiting counts the statements that wait for a lock; empty where it cannot
	// be told.
	Waiting string
	// Raw returns all bytes that lie in it.
	Raw func(t testing.TB) []byte
}

// SQLite makes a database in a new folder.
func SQLite(t testing.TB) Database {
	t.Helper()
	return SQLiteIn(t.TempDir())
}

// SQLiteIn is the database that is kept in a folder.
func SQLiteIn(dir string) Database {
	path := filepath.Join(dir, "dera.db")
	return Database{
		URL:    "sqlite:" + path,
		SQL:    func(t testing.TB) *sql.DB { return openSQL(t, "sqlite", "file:"+path+"?_pragma=busy_timeout(15000)") },
		Begin:  []string{"BEGIN IMMEDIATE"},
		Tables: "SELECT name FROM sqlite_master WHERE type = 'table'",
		Raw: func(t testing.TB) []byte {
			t.Helper()
			var out []byte
			for _, name := range must(filepath.Glob(path + "*"))(t) {
				out = append(out, must(os.ReadFile(name))(t)...)
			}
			return out
		},
	}
}

// Postgres makes databases on a server.
func Postgres(s *postgres.Server) func(t testing.TB) Database {
	return func(t testing.TB) Database {
		t.Helper()
		return PostgresAt(s.URL(t))
	}
}

// PostgresAt is the database at a URL.
func PostgresAt(url string) Database {
	db := Database{
		URL:     url,
		SQL:     func(t testing.TB) *sql.DB { return openSQL(t, "pgx", url) },
		Begin:   []string{"BEGIN", "LOCK TABLE jobs IN SHARE MODE"},
		Tables:  "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
		Waiting: "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
	}
	db.Raw = func(t testing.TB) []byte { return []byte(Dump(t, db)) }
	return db
}

func openSQL(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db := must(sql.Open(driver, dsn))(t)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// exec runs statements behind the store's back.
func exec(t testing.TB, db Database, statements ...string) {
	t.Helper()
	conn := db.SQL(t)
	defer conn.Close()
	for _, s := range statements {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// tables are all tables of a store.
func tables(t testing.TB, db Database) []string {
	t.Helper()
	conn := db.SQL(t)
	defer conn.Close()
	rows := must(conn.QueryContext(t.Context(), db.Tables))(t)
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// batchTables are the tables that a full batch writes to.
func batchTables() []string {
	return []string{
		"calls", "counters", "evidence", "findings", "hashes", "intents", "jobs", "kept_events", "leaves", "places", "remediations", "sealed", "spends", "stops", "watches",
	}
}

// Dump returns every row of every table.
func Dump(t testing.TB, db Database) string {
	t.Helper()
	conn := db.SQL(t)
	defer conn.Close()
	var out strings.Builder
	for _, table := range tables(t, db) {
		var lines []string
		rows := must(conn.QueryContext(t.Context(), "SELECT * FROM "+table))(t)
		columns := must(rows.Columns())(t)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			var line bytes.Buffer
			for i, v := range values {
				if b, ok := v.([]byte); ok {
					v = string(b)
				}
				fmt.Fprintf(&line, " %s=%v", columns[i], v)
			}
			lines = append(lines, line.String())
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(lines)
		for _, line := range lines {
			fmt.Fprintf(&out, "%s:%s\n", table, line)
		}
	}
	return out.String()
}
