package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/store"
)

// runsBefore tells from the database what controls did in accounts. It remembers that for
// a minute, so that a sweep reads it once.
type runsBefore struct {
	store *store.Store
	now   func() time.Time

	mu   sync.Mutex
	read map[string]runsRead // by partition and accounts
}

type runsRead struct {
	at   time.Time
	runs []evaluate.RunBefore
}

var _ evaluate.RunsBefore = (*runsBefore)(nil)

const (
	runsKept = time.Minute
	// runsPast is how far back remediations are read: denials are looked for up to a year
	// and a month after a change, which may have waited for a month.
	runsPast = mostWindow*24*time.Hour + longestWait
)

// RunsBefore implements evaluate.RunsBefore.
func (r *runsBefore) RunsBefore(ctx context.Context, partition string, accounts []string, since time.Time) ([]evaluate.RunBefore, error) {
	r.mu.Lock() // who comes meanwhile has the same question
	defer r.mu.Unlock()
	key, now := partition+" "+strings.Join(accounts, " "), r.now()
	if known, ok := r.read[key]; ok && known.at.After(since) && now.Sub(known.at) < runsKept && !now.Before(known.at) {
		return known.runs, nil
	}
	list, denials, err := r.store.Ran(ctx, partition, accounts, now.Add(-runsPast))
	if err != nil {
		return nil, err
	}
	of := map[string][]dera.Denial{}
	for _, d := range denials {
		of[d.Remediation] = append(of[d.Remediation], d)
	}
	known := runsRead{at: now}
	for _, x := range list {
		known.runs = append(known.runs, evaluate.RunOf(x, of[x.ID]))
	}
	if r.read == nil {
		r.read = map[string]runsRead{}
	}
	r.read[key] = known
	return known.runs, nil
}
