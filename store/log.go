package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera"
	"dera.example/dera/audit"
)

// append adds the records to the Merkle log within the transaction. What a
// record seals is encrypted beside the leaf, which then holds only its keyed
// commitment.
func (w writer) append(ctx context.Context, b Batch) error {
	if len(b.Records) == 0 {
		return nil
	}
	size, err := logSize(ctx, w.tx)
	if err != nil {
		return err
	}
	leaves := make([][]byte, len(b.Records))
	for i, r := range b.Records {
		if len(r.Sealed) > 0 {
			if r.Commitment, err = w.seal(ctx, r.Sealed); err != nil {
				return err
			}
		}
		if leaves[i], err = dera.CanonicalJSON(r); err != nil {
			return fmt.Errorf("write audit record %d: %w", size+int64(i), err)
		}
	}
	hashes, err := audit.Append(&hashReader{ctx, w.tx, w.dialect}, size, leaves...)
	if err != nil {
		return fmt.Errorf("write audit records: %w", err)
	}
	if err := w.number(ctx, "leaves (idx, leaf)", size, leaves); err != nil {
		return fmt.Errorf("write audit records: %w", err)
	}
	bodies := make([][]byte, len(hashes))
	for i := range hashes {
		bodies[i] = hashes[i][:]
	}
	if err := w.number(ctx, "hashes (idx, hash)", tlog.StoredHashIndex(0, size), bodies); err != nil {
		return fmt.Errorf("write hashes of audit records: %w", err)
	}
	return nil
}

// seal keeps the payload of a record, encrypted, and returns its commitment.
func (w writer) seal(ctx context.Context, payload []byte) (string, error) {
	commitment := w.sealer.Commit(payload)
	body, err := w.sealer.Seal("payload/"+commitment, payload)
	if err != nil {
		return "", fmt.Errorf("seal payload of an audit record: %w", err)
	}
	if _, err := w.tx.ExecContext(ctx, `INSERT INTO sealed (commitment, body) VALUES ($1, $2) ON CONFLICT (commitment) DO NOTHING`, commitment, body); err != nil {
		return "", fmt.Errorf("keep payload of an audit record: %w", err)
	}
	return commitment, nil
}

// number inserts the bodies with numbers from first on, some in one statement.
func (w writer) number(ctx context.Context, into string, first int64, bodies [][]byte) error {
	for chunk := range slices.Chunk(bodies, 64) {
		var values strings.Builder
		args := make([]any, 0, 2*len(chunk))
		for i, body := range chunk {
			fmt.Fprintf(&values, ", ($%d, $%d)", 2*i+1, 2*i+2)
			args = append(args, first+int64(i), body)
		}
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO `+into+` VALUES `+values.String()[2:], args...); err != nil {
			return err
		}
		first += int64(len(chunk))
	}
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
	found := make(map[int64]tlog.Hash, len(indexes))
	for rows.Next() {
		var idx int64
		var b []byte
		if err := rows.Scan(&idx, &b); err != nil {
			return nil, fmt.Errorf("read hashes of the audit log: %w", err)
		}
		if len(b) != tlog.HashSize {
			return nil, fmt.Errorf("hash %d of the audit log has %d bytes, want %d: %w", idx, len(b), tlog.HashSize, audit.ErrFork)
		}
		found[idx] = tlog.Hash(b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read hashes of the audit log: %w", err)
	}
	out := make([]tlog.Hash, len(indexes))
	for i, idx := range indexes {
		v, ok := found[idx]
		if !ok {
			return nil, fmt.Errorf("hash %d of the audit log is missing: %w", idx, audit.ErrFork)
		}
		out[i] = v
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
