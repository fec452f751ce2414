package store

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera"
	"dera.example/dera/audit"

	"time"
)

// writer is a transaction of what is no batch of the loop: few statements, each by its own.
type writer struct {
	*Store
	tx  transaction
	now time.Time
}

// append adds records that seal nothing to the Merkle log.
func (w writer) append(ctx context.Context, records ...dera.AuditRecord) error {
	size, err := logSize(ctx, w.tx)
	if err != nil {
		return err
	}
	leaves := make([][]byte, len(records))
	for i, r := range records {
		if leaves[i], err = dera.CanonicalJSON(r); err != nil {
			return fmt.Errorf("write audit record %d: %w", size+int64(i), err)
		}
	}
	hashes, err := audit.Append(&hashReader{ctx, w.tx, w.dialect}, size, leaves...)
	if err != nil {
		return fmt.Errorf("write audit records: %w", err)
	}
	for i, leaf := range leaves {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO leaves (idx, leaf) VALUES ($1, $2)`, size+int64(i), leaf); err != nil {
			return fmt.Errorf("write audit records: %w", err)
		}
	}
	for i := range hashes {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO hashes (idx, hash) VALUES ($1, $2)`, tlog.StoredHashIndex(0, size)+int64(i), hashes[i][:]); err != nil {
			return fmt.Errorf("write hashes of audit records: %w", err)
		}
	}
	return nil
}
