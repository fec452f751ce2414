package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	driversqlite "modernc.org/sqlite"
)

// preparing opens connections to SQLite that keep their statements prepared:
// the loop says the same few dozen over and over, and parsing one costs more
// than running it. (The driver of PostgreSQL does so automatically.)
type preparing struct{ driver.Connector }

// newPreparing is a connector for sql.OpenDB.
func newPreparing(dsn string) (driver.Connector, error) {
	base, err := driversqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return preparing{base}, nil
}

// plainConn is what the driver's connections are.
type plainConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// plainStmt is what its statements are.
type plainStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.wait(ctx)
	if err != nil {
		return nil, err
	}
	plain, ok := conn.(plainConn)
	if !ok {
		return conn, nil // another version of the driver: it works, it is only slower
	}
	return &preparedConn{plainConn: plain, idle: map[string]plainStmt{}}, nil
}

// busyTime is how long a connection waits for other processes. busyPause is between
// two attempts to open one.
const (
	busyTime  = 15 * time.Second
	busyPause = 5 * time.Millisecond
)

// wait opens a connection. A new file is changed to a write-ahead log, and that is
// the one thing for which SQLite does not wait by its busy_timeout: of two processes
// that open a file at once one gets SQLITE_BUSY at once
// (https://www.sqlite.org/pragma.html#pragma_journal_mode, rescode.html#busy).
func (p preparing) wait(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, busyTime)
	defer cancel()
	for {
		conn, err := p.Connector.Connect(context.WithoutCancel(ctx))
		var local *driversqlite.Error
		if err == nil || !errors.As(err, &local) || local.Code()&0xff != codeBusy {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(busyPause):
		}
	}
}

// codeBusy is SQLITE_BUSY.
const codeBusy = 5

// preparedConn is used by one goroutine at a time, as database/sql promises, but
// several results of it may be open at once, even of the same text.
type preparedConn struct {
	plainConn
	// idle are the statements that nobody uses, at most maxPrepared.
	idle map[string]plainStmt
}

// maxPrepared is more than the store has texts.
const maxPrepared = 256

var (
	_ driver.ExecerContext  = (*preparedConn)(nil)
	_ driver.QueryerContext = (*preparedConn)(nil)
)

// take returns a statement that is the caller's until it is given back or
// closed. nil stands for one that the driver is better left alone with.
func (c *preparedConn) take(ctx context.Context, text string) (plainStmt, error) {
	if stmt, ok := c.idle[text]; ok {
		delete(c.idle, text)
		return stmt, nil
	}
	stmt, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	plain, ok := stmt.(plainStmt)
	if !ok {
		return nil, stmt.Close()
	}
	return plain, nil
}

// give keeps the statement for the next time; one that failed is let go of.
func (c *preparedConn) give(text string, stmt plainStmt, failed error) error {
	if _, there := c.idle[text]; there || failed != nil || len(c.idle) >= maxPrepared {
		return stmt.Close()
	}
	c.idle[text] = stmt
	return nil
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	stmt, err := c.take(ctx, text)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return nil, driver.ErrSkip // database/sql prepares it then
	}
	res, err := stmt.ExecContext(ctx, args)
	if closed := c.give(text, stmt, err); err == nil {
		err = closed
	}
	return res, err
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	stmt, err := c.take(ctx, text)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return nil, driver.ErrSkip
	}
	rows, err := stmt.QueryContext(ctx, args)
	if err != nil {
		_ = c.give(text, stmt, err) // the first error is the one that tells
		return nil, err
	}
	return &preparedRows{Rows: rows, conn: c, text: text, stmt: stmt}, nil
}

// Close lets go of the statements first: SQLite keeps a connection open for them.
func (c *preparedConn) Close() error {
	for text, stmt := range c.idle {
		delete(c.idle, text)
		_ = stmt.Close() // the connection's own end tells
	}
	return c.plainConn.Close()
}

// preparedRows give their statement back when they are closed.
type preparedRows struct {
	driver.Rows
	conn *preparedConn
	text string
	stmt plainStmt
}

// Close implements driver.Rows.
func (r *preparedRows) Close() error {
	if r.stmt == nil {
		return nil
	}
	err := r.Rows.Close()
	if given := r.conn.give(r.text, r.stmt, err); err == nil {
		err = given
	}
	r.stmt = nil
	return err
}
