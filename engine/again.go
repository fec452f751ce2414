package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/detect"
)

// request is a look that is asked for, and what earlier looks leave to it. AWS is
// eventually consistent: a finding is resolved by the second of two equal reads
// that lie the settling time apart, and every event is looked at once more: what
// the first look finds may be of an earlier change.
type request struct {
	dera.Event
	// Hint says that an event tells of a change.
	Hint bool `json:"hint,omitempty"`
	// Repeat says that there was an earlier look at the event, which found nothing
	// that is to be read a second time.
	Repeat bool `json:"repeat,omitempty"`
	// Passed is what an earlier look read of resources that do not fail any more,
	// by ID: a digest, or resourceGone.
	Passed map[string]string `json:"passed,omitempty"`
	// Rank is the priority of the look; 0 means lookPriority, or that of a sweep.
	Rank int `json:"rank,omitempty"`
	// Tries is how often reads have differed.
	Tries int `json:"tries,omitempty"`
	// Walk are the pages of the sweep so far.
	Walk walk `json:"walk,omitzero"`
	// Due is when to look; zero means now. Of requests with one key the store keeps
	// what the last one says and when the first one is due.
	Due time.Time `json:"due,omitzero"`
}

// resourceGone stands for the digest of a resource that does not exist.
const resourceGone = "does not exist"

// again reports whether the request repeats another.
func (r request) again() bool { return r.Repeat || len(r.Passed) > 0 }

// early reports whether a repetition came to its turn when an earlier one was due:
// what its own event tells of may not show yet.
func (r request) early(now time.Time) bool { return r.Repeat && len(r.Passed) == 0 && r.Due.After(now) }

// job is the request as durable work. A repetition has a key of its own: it does
// not take the place of the look at a new event. So has what is to be read a
// second time: a first read that found something else does not set its time.
func (r request) job(now time.Time) (dera.Job, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return dera.Job{}, fmt.Errorf("look at %s: %w", r.Scope.Key(), err)
	}
	j := dera.Job{Kind: lookJob, Key: r.Scope.Key(), Priority: lookPriority, RunAt: later(now, r.Due), Payload: body}
	switch {
	case r.Scope.Sweep():
		j.Priority = sweepPriority
	case r.Rank > 0:
		j.Priority = r.Rank
	}
	if r.Now && r.Authenticated { // a key of its own: a later event does not take its place
		j.Priority = nowPriority
		j.Key += "/now"
	}
	if r.again() {
		j.Key += "/again"
	}
	if len(r.Passed) > 0 {
		passed, err := json.Marshal(r.Passed)
		if err != nil {
			return dera.Job{}, fmt.Errorf("look at %s: %w", r.Scope.Key(), err)
		}
		sum := sha256.Sum256(passed)
		j.Key += "/" + hex.EncodeToString(sum[:8])
	}
	return j, nil
}

// settleTime is how far apart two equal reads must lie, as package remediate has
// it; negative means that one read is enough.
func (e *Engine) settleTime() time.Duration {
	if e.cfg.Settle == 0 {
		return 2 * time.Second
	}
	return e.cfg.Settle
}

// follow gathers what a look must leave to another one.
type follow struct {
	*Engine
	o      order
	passed map[string]string
}

// confirmed reports whether an earlier look read the same of a resource; if not,
// the look that follows does.
func (f *follow) confirmed(id, digest string) bool {
	if f.settleTime() < 0 || f.o.Passed[id] == digest {
		return true
	}
	f.passed[id] = digest
	return false
}

// resolves reports whether an assessment may resolve what it does not find any
// more.
func (f *follow) resolves(a detect.Assessment, before []dera.Finding) (bool, error) {
	if !a.Resolves(before) {
		return false, nil
	}
	d, err := f.digest(a.Resource)
	return err == nil && f.confirmed(a.Resource.ID, d), err
}

// digest is equal for two reads of a resource that found the same, be they cheap
// or full.
func (e *Engine) digest(r dera.Resource) (string, error) {
	kind, err := e.cfg.Types.Lookup(r.Type)
	if err != nil {
		return "", err
	}
	config := r.Config
	if kind.Brief != nil {
		if config, err = kind.Brief(config); err != nil {
			return "", err
		}
	}
	canon, err := kind.Canon(config)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(canon))
	return hex.EncodeToString(sum[:16]), nil
}

// requests are the looks that follow.
func (f *follow) requests() []request {
	if f.settleTime() < 0 {
		return nil
	}
	var out []request
	r := f.o.request
	r.Due = f.cfg.Now().Add(f.settleTime() << min(r.Tries, 8))
	first := r.Hint && !r.again()
	if first && (r.Scope.Sweep() && r.Scope.Page == "" || !r.Scope.Sweep() && len(f.passed) == 0) {
		repeat := r
		repeat.Repeat = true
		out = append(out, repeat)
	}
	if len(f.passed) > 0 {
		if r.Scope.Sweep() || !first {
			r.Scope.IDs, r.Scope.Page, r.Walk = slices.Sorted(maps.Keys(f.passed)), "", walk{}
		}
		if len(r.Passed) > 0 {
			r.Tries++
		}
		r.Passed = f.passed
		out = append(out, r)
	}
	return out
}

// wait waits until a request is due.
func (e *Engine) wait(ctx context.Context, until time.Time) error {
	d := until.Sub(e.cfg.Now())
	if d <= 0 {
		return ctx.Err()
	}
	if e.cfg.Wait != nil {
		return e.cfg.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// errEndless means that the pages of a sweep do not come to an end.
var errEndless = errors.New("the pages of the sweep do not end")

// walk remembers the page tokens of a sweep over its jobs: the last ones exactly,
// and one of long ago that moves up with each doubling of the pages, so that a
// circle of any length is noticed.
type walk struct {
	Pages int      `json:"pages"`
	Last  []string `json:"last,omitempty"`
	Mark  string   `json:"mark,omitempty"`
}

const (
	// mostPages is more than an account and region have (package cloud).
	mostPages    = 20_000
	lastRemember = 512
)

// on is the walk with one more token, or an error for one that it has seen.
func (w walk) on(token string) (walk, error) {
	sum := sha256.Sum256([]byte(token))
	short := hex.EncodeToString(sum[:8])
	if slices.Contains(w.Last, short) || w.Mark == short {
		return w, fmt.Errorf("%w: a page token came twice within %d pages", errEndless, w.Pages+1)
	}
	if w.Pages++; w.Pages > mostPages {
		return w, fmt.Errorf("%w: there are more than %d", errEndless, mostPages)
	}
	if w.Pages&(w.Pages-1) == 0 {
		w.Mark = short
	}
	w.Last = append(slices.Clone(w.Last), short)
	w.Last = w.Last[max(0, len(w.Last)-lastRemember):]
	return w, nil
}
