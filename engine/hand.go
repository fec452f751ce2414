package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"dera.example/dera"
)

// hand holds jobs that are claimed and wait for a worker: to claim many at once is one commit
// where each alone is one. It is no more than what workers began within the last poll, so
// that what is in it is begun within about one more; what workers do not come to is given back.
// It is used by one goroutine.
type hand struct {
	jobs []dera.Job // the most urgent first
	// begun are the jobs that workers began since the last poll, ahead how many it is worth
	// to claim beyond what is free, and urgent says that something may be due that goes before
	// what is here.
	begun, ahead int
	urgent       bool
}

// What is claimed beyond what is free: at most mostAhead, and for what may go before what is
// in the hand fewAhead.
const (
	mostAhead = 64
	fewAhead  = 4
)

// toClaim is how many jobs to claim, with so many workers free; 0 is none.
func (h *hand) toClaim(free int) int {
	switch most := free + h.ahead; {
	case len(h.jobs) <= most/2 && most > 0:
		return most - len(h.jobs)
	case h.urgent && len(h.jobs) > 0 && !h.jobsAreUrgent():
		return fewAhead
	}
	return 0
}

// jobsAreUrgent reports whether those that are begun next go before a look already: more of them
// are better left to a process whose workers are free.
func (h *hand) jobsAreUrgent() bool {
	return len(h.jobs) >= fewAhead && h.jobs[fewAhead-1].Priority < lookPriority
}

// over takes out the last ones of more than there may be with so many workers free.
func (h *hand) over(free int) (back []dera.Job) {
	if most := free + h.ahead + fewAhead; len(h.jobs) > most {
		back, h.jobs = slices.Clone(h.jobs[most:]), h.jobs[:most]
	}
	return back
}

// add takes claimed jobs.
func (h *hand) add(jobs []dera.Job) {
	h.urgent = false
	h.jobs = append(h.jobs, jobs...)
	slices.SortStableFunc(h.jobs, func(a, b dera.Job) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.RunAt.Compare(b.RunAt))
	})
}

// next is the job that a worker begins.
func (h *hand) next() dera.Job {
	j := h.jobs[0]
	h.jobs = h.jobs[1:]
	h.begun++
	return j
}

// poll is called once in a poll. It returns what is to be given back: all, where no worker
// began any.
func (h *hand) poll() (back []dera.Job) {
	if h.begun == 0 {
		back, h.jobs = h.jobs, nil
	}
	h.ahead, h.begun, h.urgent = min(h.begun, mostAhead), 0, true
	return back
}

// late takes out what has waited for so long that its claim could run out in the hands of a
// worker sooner than that of a job which is claimed now, by half.
func (h *hand) late(now time.Time, ttl time.Duration) (back []dera.Job) {
	h.jobs = slices.DeleteFunc(h.jobs, func(j dera.Job) bool {
		late := j.LeasedUntil.Sub(now) < ttl/2
		if late {
			back = append(back, j)
		}
		return late
	})
	return back
}

// giveBack gives claimed jobs back that nobody began. Those that this fails for are due again
// when their claim is over.
func (e *Engine) giveBack(ctx context.Context, jobs []dera.Job) {
	if len(jobs) == 0 {
		return
	}
	for _, j := range jobs {
		e.shares.ended(j)
	}
	ctx, cancel := bounded(context.WithoutCancel(ctx))
	defer cancel()
	if err := e.cfg.Store.Unclaim(ctx, jobs); err != nil {
		e.cfg.Log.WarnContext(ctx, "give claimed jobs back", "jobs", len(jobs), "err", err)
	}
}
