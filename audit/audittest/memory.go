package audittest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera/audit"
)

var _ Log = (*Memory)(nil)

// Memory is a log in memory, and a thing to tamper with in tests. The zero
// Memory is empty. It is safe for concurrent use.
type Memory struct {
	mu     sync.RWMutex
	leaves [][]byte
	hashes []tlog.Hash
}

// Append implements Log; the texts are the leaves.
func (m *Memory) Append(_ context.Context, texts ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	leaves := make([][]byte, len(texts))
	for i, text := range texts {
		leaves[i] = []byte(text)
	}
	hashes, err := audit.Append(tlog.HashReaderFunc(m.read), int64(len(m.leaves)), leaves...)
	if err != nil {
		return err
	}
	m.leaves = append(m.leaves, leaves...)
	m.hashes = append(m.hashes, hashes...)
	return nil
}

// LogSize implements audit.Source.
func (m *Memory) LogSize(context.Context) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return int64(len(m.leaves)), nil
}

// Hashes implements audit.Source.
func (m *Memory) Hashes(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		m.mu.RLock()
		defer m.mu.RUnlock()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return m.read(indexes)
	})
}

func (m *Memory) read(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(m.hashes)) {
			return nil, fmt.Errorf("there is no hash %d among %d", x, len(m.hashes))
		}
		out[i] = m.hashes[x]
	}
	return out, nil
}

// Leaves implements audit.Source.
func (m *Memory) Leaves(ctx context.Context, from, n int64) ([][]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	size := int64(len(m.leaves))
	from, to := min(max(from, 0), size), min(max(from+n, 0), size)
	return slices.Clone(m.leaves[from:to]), nil
}

// SetLeaf puts another leaf in the place of one and leaves the hashes as they
// are: what someone does who can write to one table.
func (m *Memory) SetLeaf(index int64, leaf []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leaves[index] = leaf
}

// SetHash puts another hash in the place of a stored one.
func (m *Memory) SetHash(index int64, h tlog.Hash) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hashes[index] = h
}

// Forged is a log of other leaves with hashes that fit them: what someone makes
// who can write everything but has no key.
func (m *Memory) Forged(edit func(leaves [][]byte) [][]byte) (*Memory, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	forged := &Memory{leaves: edit(slices.Clone(m.leaves))}
	var err error
	forged.hashes, err = audit.Append(nil, 0, forged.leaves...)
	return forged, err
}
