package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	lite "modernc.org/sqlite"
)

// readOnly is the SQLSTATE of a server that was demoted by a failover.
const readOnly = "25006"

// Away reports whether the database did not answer, or answered that it cannot
// work now: it is stopped, restarts, is no longer the primary, is full or busy.
// The same call may do later.
func Away(err error) bool {
	if code, ok := postgresCode(err); ok {
		// https://www.postgresql.org/docs/current/errcodes-appendix.html
		return code == readOnly || code == "55P03" || // lock_not_available
			slices.Contains([]string{"08", "40", "53", "57", "58"}, code[:min(2, len(code))])
	}
	var local *lite.Error
	if errors.As(err, &local) {
		// https://www.sqlite.org/rescode.html: BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN
		return slices.Contains([]int{5, 6, 7, 8, 10, 13, 14}, local.Code()&0xff)
	}
	var file *fs.PathError
	if errors.As(err, &file) {
		return false // a file of ours, whose error number would pass for one of the network
	}
	var network net.Error
	for _, is := range []error{driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded, net.ErrClosed} {
		if errors.Is(err, is) {
			return true
		}
	}
	return errors.As(err, &network) || postgresUnreached(err) ||
		err != nil && strings.Contains(err.Error(), "conn closed") // pgx says it without a type
}

// Unreached says in one line which database did not answer, and why, without user and
// password; false where another thing is wrong.
func Unreached(err error) (text string, ok bool) {
	where, cause, ok := postgresPlace(err)
	if !ok {
		return "", false
	}
	why := strings.Join(strings.Fields(cause.Error()), " ")
	var name *net.DNSError
	var op *net.OpError
	var late net.Error
	switch {
	case errors.As(cause, &name):
		why = "no address is known for " + name.Name
	case errors.As(cause, &late) && late.Timeout(), errors.Is(cause, context.DeadlineExceeded):
		why = "no answer in time"
	case errors.As(cause, &op):
		why = op.Err.Error()
		if call := new(os.SyscallError); errors.As(op.Err, &call) {
			why = call.Err.Error()
		}
	}
	return "the PostgreSQL database " + where + " is not reachable: " + why, true
}

// renew lets go of idle connections, where an error says that they lead to a
// server that does not take writes any more: after a failover a new one leads to
// the one that does.
func (p *pool) renew(err error) {
	if code, _ := postgresCode(err); code == readOnly {
		p.SetMaxIdleConns(0)
		p.SetMaxIdleConns(p.most)
	}
}
