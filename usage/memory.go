package usage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"dera.example/dera"
)

// Memory is a store of a ledger that forgets everything when the process ends: for a replay,
// whose record nobody shall take for one of now. It has no watches. It is safe for concurrent
// use.
type Memory struct {
	mu    sync.Mutex
	runs  [Parts][][]byte
	marks map[string]Mark
	hours map[place]*Hours
	facts map[string]Fact
}

// NewMemory returns an empty one.
func NewMemory() *Memory {
	return &Memory{marks: map[string]Mark{}, hours: map[place]*Hours{}, facts: map[string]Fact{}}
}

var _ Store = (*Memory)(nil)

// CommitUsage implements Store.
func (m *Memory) CommitUsage(_ context.Context, b Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range b.Marks {
		if m.marks[k.File].Records != k.From {
			return ErrMarked
		}
	}
	for _, k := range b.Marks {
		m.marks[k.File] = k
	}
	for part, run := range b.Runs {
		m.runs[part] = append(m.runs[part], run)
	}
	for _, h := range b.Hours {
		at := place{h.Account, h.Region, h.Month}
		if m.hours[at] == nil {
			m.hours[at] = &Hours{Account: h.Account, Region: h.Region, Month: h.Month}
		}
		m.hours[at].Merge(h)
	}
	for _, f := range b.Facts {
		if old, ok := m.facts[f.ID]; !ok || f.Kind != FactGrant || f.At >= old.At {
			m.facts[f.ID] = f
		}
	}
	return nil
}

// UsageMark implements Store.
func (m *Memory) UsageMark(_ context.Context, file string) (Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, ok := m.marks[file]; ok {
		return k, nil
	}
	return Mark{}, ErrNoMark
}

// UsageMarks implements Store.
func (m *Memory) UsageMarks(context.Context) (out []Mark, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.marks {
		if !k.Done || k.Damage != "" || k.Lost > 0 {
			out = append(out, k)
		}
	}
	return out, nil
}

// UsageRuns implements Store.
func (m *Memory) UsageRuns(_ context.Context, part int) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([][]byte(nil), m.runs[part]...), nil
}

// UsageHours implements Store.
func (m *Memory) UsageHours(_ context.Context, account string) (out []Hours, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.hours {
		if account == "" || h.Account == account {
			out = append(out, *h)
		}
	}
	return out, nil
}

// UsageFacts implements Store.
func (m *Memory) UsageFacts(_ context.Context, kind string) (out []Fact, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.facts {
		if f.Kind == kind {
			out = append(out, f)
		}
	}
	return out, nil
}

// CompactUsage implements Store.
func (m *Memory) CompactUsage(_ context.Context, most int, cutoff time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for part, runs := range m.runs {
		if len(runs) <= most {
			continue
		}
		merged, err := MergeRuns(runs, SecondOf(cutoff))
		if err != nil {
			return fmt.Errorf("compact the usage ledger: %w", err)
		}
		if m.runs[part] = nil; merged != nil {
			m.runs[part] = [][]byte{merged}
		}
	}
	return nil
}

// Watches implements Store: there are none.
func (m *Memory) Watches(context.Context, string) ([]dera.Watch, error) { return nil, nil }

// Remediation implements Store: there is none.
func (m *Memory) Remediation(_ context.Context, id string) (dera.Remediation, error) {
	return dera.Remediation{}, fmt.Errorf("remediation %s: a ledger in memory has none", id)
}

// DenialsOf implements Store: there are none.
func (m *Memory) DenialsOf(context.Context, string) ([]dera.Denial, error) { return nil, nil }
