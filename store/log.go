package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"dera"
)

// lock keeps other writers of the log and of budgets out until the transaction
// ends. SQLite has one writer anyway.
func (w writer) lock(ctx context.Context, b Batch) error {
	if w.dialect.lockLog == "" || len(b.Records) == 0 && len(b.Spends) == 0 {
		return nil
	}
	if _, err := w.tx.ExecContext(ctx, w.dialect.lockLog); err != nil {
		return fmt.Errorf("lock the audit log: %w", err)
	}
	return nil
}

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
	hashes := &hashCache{ctx: ctx, q: w.tx, fresh: map[int64]tlog.Hash{}}
	for _, r := range b.Records {
		if len(r.Sealed) > 0 {
			r.Commitment = w.sealer.Commit(r.Sealed)
			body, err := w.sealer.Seal("payload/"+r.Commitment, r.Sealed)
			if err != nil {
				return fmt.Errorf("seal payload of an audit record: %w", err)
			}
			if _, err := w.tx.ExecContext(ctx, `INSERT INTO sealed (commitment, body) VALUES ($1, $2) ON CONFLICT (commitment) DO NOTHING`, r.Commitment, body); err != nil {
				return fmt.Errorf("keep payload of an audit record: %w", err)
			}
		}
		leaf, err := dera.CanonicalJSON(r)
		if err != nil {
			return fmt.Errorf("write audit record %d: %w", size, err)
		}
		if err := w.appendLeaf(ctx, size, leaf, hashes); err != nil {
			return fmt.Errorf("write audit record %d: %w", size, err)
		}
		size++
	}
	return nil
}

// maxLeaf is what a C2SP entry bundle can hold of one entry.
const maxLeaf = 1<<16 - 1

func (w writer) appendLeaf(ctx context.Context, idx int64, leaf []byte, hashes *hashCache) error {
	if len(leaf) > maxLeaf {
		return fmt.Errorf("the record has %d bytes, at most %d fit a leaf", len(leaf), maxLeaf)
	}
	if _, err := w.tx.ExecContext(ctx, `INSERT INTO leaves (idx, leaf) VALUES ($1, $2)`, idx, leaf); err != nil {
		return err
	}
	added, err := tlog.StoredHashes(idx, leaf, hashes)
	if err != nil {
		return err
	}
	at := tlog.StoredHashIndex(0, idx)
	for i, h := range added {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO hashes (idx, hash) VALUES ($1, $2)`, at+int64(i), h[:]); err != nil {
			return err
		}
		hashes.fresh[at+int64(i)] = h
	}
	return nil
}

// queryer is what *sql.DB and *sql.Tx have in common here.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// hashCache is a tlog.HashReader over the hashes table and those just added.
type hashCache struct {
	ctx   context.Context
	q     queryer
	fresh map[int64]tlog.Hash
}

// ReadHashes implements tlog.HashReader.
func (h *hashCache) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	var want []string
	at := map[int64]int{}
	for i, idx := range indexes {
		if v, ok := h.fresh[idx]; ok {
			out[i] = v
			continue
		}
		at[idx] = i
		want = append(want, strconv.FormatInt(idx, 10))
	}
	if len(want) == 0 {
		return out, nil
	}
	rows, err := h.q.QueryContext(h.ctx, `SELECT idx, hash FROM hashes WHERE idx IN (`+strings.Join(want, ",")+`)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := 0
	for rows.Next() {
		var idx int64
		var b []byte
		if err := rows.Scan(&idx, &b); err != nil {
			return nil, err
		}
		if len(b) != tlog.HashSize {
			return nil, fmt.Errorf("hash %d has %d bytes, want %d", idx, len(b), tlog.HashSize)
		}
		copy(out[at[idx]][:], b)
		found++
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if found != len(want) {
		return nil, fmt.Errorf("%d of %d hashes of the audit log are missing", len(want)-found, len(want))
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

// LogSize returns the number of leaves of the audit log.
func (s *Store) LogSize(ctx context.Context) (int64, error) { return logSize(ctx, s.read) }

// Hashes returns the log's stored hashes for proofs and roots.
func (s *Store) Hashes(ctx context.Context) tlog.HashReader {
	return &hashCache{ctx: ctx, q: s.read}
}

// Leaves returns n leaves from index from on; fewer at the end of the log.
func (s *Store) Leaves(ctx context.Context, from, n int64) ([][]byte, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT leaf FROM leaves WHERE idx >= $1 AND idx < $2 ORDER BY idx`, from, from+n)
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
	return out, rows.Err()
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
