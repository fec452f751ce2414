package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// queryer is what reads; transaction also writes.
type (
	queryer interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
	transaction interface {
		queryer
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}
)

var (
	_ transaction = (*pool)(nil)
	_ transaction = (*sql.Tx)(nil)
	_ transaction = (*sql.Conn)(nil)
)

// pool is a pool of connections. On a local one a statement takes microseconds
// and waits for nobody: it is run to its end, for a goroutine that waits to
// interrupt it would cost more than the statement.
type pool struct {
	*sql.DB
	local bool
	most  int // connections, where it is not local
}

// calm is ctx without what can interrupt it, where that is not worth it. One
// that is over already stays so.
func (p *pool) calm(ctx context.Context) context.Context {
	if !p.local || ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// QueryContext implements queryer.
func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.DB.QueryContext(p.calm(ctx), query, args...)
}

// QueryRowContext implements queryer.
func (p *pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.DB.QueryRowContext(p.calm(ctx), query, args...)
}

// ExecContext implements transaction, as a transaction of its own.
func (p *pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if p.local {
		return p.DB.ExecContext(p.calm(ctx), query, args...)
	}
	ctx, cancel := context.WithTimeout(ctx, transactionTime)
	defer cancel()
	res, err := p.DB.ExecContext(ctx, query, args...)
	p.renew(err)
	return res, err
}

// tx runs f in one write transaction, which ends also when f panics: with
// SQLite's single writer, one left open would stop everything. f uses the
// context that it is given.
func (s *Store) tx(ctx context.Context, f func(context.Context, transaction) error) error {
	s.wrote.Add(1)
	if s.write.local {
		return s.noted(s.localTx(ctx, f))
	}
	ctx, cancel := context.WithTimeout(ctx, transactionTime)
	defer cancel()
	err := s.remoteTx(ctx, f)
	s.write.renew(err)
	s.read.renew(err)
	return s.noted(err)
}

// noted returns how a transaction that writes ended, and notes whether the database takes writes. A
// conflict says nothing about that.
func (s *Store) noted(err error) error {
	if err == nil {
		s.refuses.Store(false)
	} else if Away(err) {
		s.refuses.Store(true)
	}
	return err
}

// remoteTx is tx on PostgreSQL.
func (s *Store) remoteTx(ctx context.Context, f func(context.Context, transaction) error) error {
	tx, err := s.write.BeginTx(ctx, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect after Commit
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// localTx is tx on SQLite, by its own words: they are kept prepared.
func (s *Store) localTx(ctx context.Context, f func(context.Context, transaction) error) error {
	return s.onLocal(ctx, func(ctx context.Context, conn *sql.Conn, open *bool) error {
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return err
		}
		*open = true
		if err := f(ctx, conn); err != nil {
			return err
		}
		_, err := conn.ExecContext(ctx, "COMMIT")
		*open = err != nil
		return err
	})
}

// onLocal runs f on the connection to SQLite that writes. A transaction that f leaves open is undone, also when f
// panics.
func (s *Store) onLocal(ctx context.Context, f func(ctx context.Context, conn *sql.Conn, open *bool) error) error {
	conn, err := s.write.Conn(ctx) // here it may wait for other commits
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // gives it back to the pool
	ctx = context.WithoutCancel(ctx)
	open := false
	defer func() {
		if !open {
			return
		}
		if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			// A connection whose transaction may still be open is nobody's any more.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // so it is said
		}
	}()
	return f(ctx, conn, &open)
}

// once is tx for an f of one statement, which is a transaction by its own on PostgreSQL: one
// round trip.
func (s *Store) once(ctx context.Context, f func(context.Context, transaction) error) error {
	s.wrote.Add(1)
	if s.write.local {
		return s.noted(s.localTx(ctx, f))
	}
	ctx, cancel := context.WithTimeout(ctx, transactionTime)
	defer cancel()
	err := f(ctx, s.write)
	s.write.renew(err)
	s.read.renew(err)
	return s.noted(err)
}

// session runs f in one write transaction, which f begins and ends by its steps; one that it
// leaves open is undone, also when f panics.
func (s *Store) session(ctx context.Context, f func(context.Context, session) error) error {
	s.wrote.Add(1)
	if s.write.local {
		return s.noted(s.localSession(ctx, f))
	}
	ctx, cancel := context.WithTimeout(ctx, transactionTime)
	defer cancel()
	err := s.remoteSession(ctx, f)
	s.write.renew(err)
	s.read.renew(err)
	return s.noted(err)
}

// localSession is session on SQLite.
func (s *Store) localSession(ctx context.Context, f func(context.Context, session) error) error {
	return s.onLocal(ctx, func(ctx context.Context, conn *sql.Conn, open *bool) error {
		return f(ctx, &local{conn: conn, forms: &s.forms, open: open})
	})
}

// local is a session on SQLite, where a statement is no round trip.
type local struct {
	conn  *sql.Conn
	forms *forms
	open  *bool
}

// run implements session.
func (l *local) run(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		err := l.step(ctx, s)
		switch s.form {
		case l.forms.begin:
			*l.open = err == nil
		case l.forms.commit:
			if err != nil {
				return endError{err}
			}
			*l.open = false
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *local) step(ctx context.Context, s step) error {
	var changed int64
	err := s.pieces(s.rows, func(text string, args []any) error {
		if s.scan == nil {
			res, err := l.conn.ExecContext(ctx, text, args...)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			changed += n
			return err
		}
		rows, err := l.conn.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := s.scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return s.end(changed, err)
}
