package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera/usage"
)

// fileKey is the key of a mark: the 16 bytes of a file's hash and one of its trust
// for a name of package usage, and any other name as it is.
func fileKey(file string) []byte {
	if len(file) == 34 && file[32] == '-' && file == strings.ToLower(file) {
		if key, err := hex.DecodeString(file[:32] + "0" + file[33:]); err == nil {
			return key
		}
	}
	return []byte(file)
}

// UsageMark returns the mark of a file, or usage.ErrNoMark.
func (s *Store) UsageMark(ctx context.Context, file string) (usage.Mark, error) {
	return readMark(ctx, s.read, file)
}

func readMark(ctx context.Context, q queryer, file string) (usage.Mark, error) {
	m, err := scanMark(q.QueryRowContext(ctx, `SELECT at, body FROM usage_files WHERE file = $1`, fileKey(file)))
	if errors.Is(err, sql.ErrNoRows) {
		return usage.Mark{}, usage.ErrNoMark
	}
	if err != nil {
		return usage.Mark{}, fmt.Errorf("read mark: %w", err)
	}
	if m.File == "" {
		m.File = file
	}
	return m, nil
}

// UsageMarks returns the marks of files that were not read whole.
func (s *Store) UsageMarks(ctx context.Context) ([]usage.Mark, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM usage_files WHERE body IS NOT NULL ORDER BY file`)
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return collect[usage.Mark](rows, "marks")
}

// forgetMarks deletes the marks of files that were read before the cutoff. Each of
// 256 parts of the keys is a transaction of its own, so that other writers wait
// for a part of hundreds of millions of rows and not for all of them.
func (s *Store) forgetMarks(ctx context.Context, cutoff time.Time) error {
	for first := range 256 {
		from, to := []byte{byte(first)}, []byte{byte(first + 1)}
		if first == 255 {
			to = bytes.Repeat([]byte{255}, 64)
		}
		err := s.tx(ctx, func(ctx context.Context, tx transaction) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM usage_files WHERE file >= $1 AND file < $2 AND at < $3`, from, to, int64(usage.SecondOf(cutoff)))
			return err
		})
		if err != nil {
			return fmt.Errorf("forget marks: %w", err)
		}
	}
	return nil
}
