package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera/audit"
)

// rightEdge are the indexes of the hashes that appending to a log of a size can need.
func rightEdge(size int64) [][]any {
	var out [][]any
	for level := 0; size>>level > 0; level++ {
		if size>>level&1 == 1 {
			out = append(out, row(tlog.StoredHashIndex(level, size>>level-1)))
		}
	}
	return out
}

// edgeRead is the step that reads the hashes on the right edge of the log at a size.
func (t *turn) edgeRead(size int64) step {
	t.known.edge = map[int64][]byte{}
	return step{form: t.forms.edge, rows: rightEdge(size), scan: func(s scanner) error {
		var idx int64
		var hash []byte
		err := s.Scan(&idx, &hash)
		t.known.edge[idx] = hash
		return err
	}}
}

// logReads are the steps that read how long the log is, and its edge where it has not grown
// since the last turn of this process: as a rule that saves a round trip.
func (t *turn) logReads() []step {
	out := []step{{form: t.forms.size, scan: func(s scanner) error { return s.Scan(&t.known.size) }}}
	if t.guess = t.logged.Load(); t.guess > 0 {
		out = append(out, t.edgeRead(t.guess))
	}
	return out
}

// append adds the records of the changes to the Merkle log, in their order.
func (t *turn) append(ctx context.Context, leaves [][]byte, rows map[*form][][]any) error {
	if len(leaves) == 0 {
		return nil
	}
	size := t.known.size
	if size > 0 && size != t.guess { // another process appended
		if err := t.session.run(ctx, t.edgeRead(size)); err != nil {
			return err
		}
	}
	hashes, err := audit.Append(storedHashes(t.known.edge), size, leaves...)
	if err != nil {
		return fmt.Errorf("write audit records: %w", err)
	}
	for i, body := range leaves {
		rows[t.forms.leaves] = append(rows[t.forms.leaves], row(size+int64(i), body))
	}
	first := tlog.StoredHashIndex(0, size)
	for i := range hashes {
		rows[t.forms.hashes] = append(rows[t.forms.hashes], row(first+int64(i), hashes[i][:]))
	}
	t.grown = size + int64(len(leaves))
	return nil
}

// hashReader is a tlog.HashReader over the hashes table.
type hashReader struct {
	ctx     context.Context // tlog.HashReader has none to pass
	q       queryer
	dialect dialect
}

var _ tlog.HashReader = (*hashReader)(nil)

// ReadHashes implements tlog.HashReader. An index may be asked for twice.
func (h *hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	list, err := h.dialect.listArg(indexes)
	if err != nil {
		return nil, err
	}
	rows, err := h.q.QueryContext(h.ctx, `SELECT idx, hash FROM hashes WHERE `+h.dialect.among, list)
	if err != nil {
		return nil, fmt.Errorf("read hashes of the audit log: %w", err)
	}
	defer rows.Close()
	found := make(storedHashes, len(indexes))
	for rows.Next() {
		var idx int64
		var b []byte
		if err := rows.Scan(&idx, &b); err != nil {
			return nil, fmt.Errorf("read hashes of the audit log: %w", err)
		}
		found[idx] = b
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read hashes of the audit log: %w", err)
	}
	return found.ReadHashes(indexes)
}

// storedHashes are hashes by their indexes, as they lie in the database.
type storedHashes map[int64][]byte

// ReadHashes implements tlog.HashReader.
func (s storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, idx := range indexes {
		b, ok := s[idx]
		switch {
		case !ok:
			return nil, fmt.Errorf("hash %d of the audit log is missing: %w", idx, audit.ErrFork)
		case len(b) != tlog.HashSize:
			return nil, fmt.Errorf("hash %d of the audit log has %d bytes, want %d: %w", idx, len(b), tlog.HashSize, audit.ErrFork)
		}
		out[i] = tlog.Hash(b)
	}
	return out, nil
}

func logSize(ctx context.Context, q queryer) (int64, error) {
	var n int64
	if err := q.QueryRowContext(ctx, `SELECT coalesce(max(idx) + 1, 0) FROM leaves`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read size of the audit log: %w", err)
	}
	return n, nil
}

var _ audit.Source = (*Store)(nil)

// LogSize returns the number of leaves of the audit log.
func (s *Store) LogSize(ctx context.Context) (int64, error) { return logSize(ctx, s.read) }

// Hashes returns the log's stored hashes for proofs and roots.
func (s *Store) Hashes(ctx context.Context) tlog.HashReader {
	return &hashReader{ctx, s.read, s.dialect}
}

// Leaves returns n leaves from index from on; fewer at the end of the log.
func (s *Store) Leaves(ctx context.Context, from, n int64) ([][]byte, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT leaf FROM leaves WHERE idx >= $1 ORDER BY idx LIMIT $2`, from, max(n, 0))
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	defer rows.Close()
	var out [][]byte
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, fmt.Errorf("read audit log: %w", err)
		}
		out = append(out, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return out, nil
}

// SaveCheckpoint keeps a signed checkpoint of the log at a size.
func (s *Store) SaveCheckpoint(ctx context.Context, size int64, note string) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO checkpoints (size, note) VALUES ($1, $2) ON CONFLICT (size) DO UPDATE SET note = excluded.note`, size, note)
	if err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

// LastCheckpoint returns the newest saved checkpoint, or ErrNotFound.
func (s *Store) LastCheckpoint(ctx context.Context) (size int64, note string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1`).Scan(&size, &note)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", fmt.Errorf("checkpoint: %w", ErrNotFound)
	}
	if err != nil {
		return 0, "", fmt.Errorf("read checkpoint: %w", err)
	}
	return size, note, nil
}
