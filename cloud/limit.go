package cloud

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// LimitsConfig says how much of AWS's quotas dera takes.
type LimitsConfig struct {
	// Share is the share of the quota of an account, region and service, in (0, 1]; 0 means all that AWS takes, until
	// AWS refuses a call as too many.
	Share float64
	// Rates are calls a second that AWS takes in an account and region beyond its defaults, by service.
	Rates map[string]float64
	// Patience is how long a call may wait for its turn; 20 s if zero. One that would wait longer is not made.
	Patience time.Duration
	Now      func() time.Time                           // time.Now if nil
	Wait     func(context.Context, time.Duration) error // waits in real time if nil
}

// Limits are token buckets by account, region and service, which all clients of a process share. They are adaptive:
// a call that AWS refuses as one too many halves the rate, and a quiet minute brings it back. Writes have a fifth of
// the rate for themselves, and what is left of the rest, so that sweeps never hold a fix up. Safe for concurrent use.
type Limits struct {
	cfg LimitsConfig

	mu       sync.Mutex
	replicas int
	quotas   map[string]Quota
	buckets  map[bucketKey]*bucket
	load     LimitLoad
}

// LimitLoad is what the limits did since the process started.
type LimitLoad struct {
	Calls     int64         `json:"calls"`
	Waits     int64         `json:"waits"`     // calls that waited
	Waited    time.Duration `json:"waited"`    // in all
	Later     int64         `json:"later"`     // calls that were not made, since they would have waited for too long
	Throttled int64         `json:"throttled"` // calls that AWS refused as too many
	Replicas  int           `json:"replicas"`  // that share the rates
}

type bucketKey struct{ account, region, service string }

// bucket gives turns away at a rate. Its tokens can be negative: what is less than none was given away for later.
type bucket struct {
	rate, burst float64 // that it may have at most
	reads       tokens
	writes      tokens
	factor      float64 // of the rate, by what AWS refused; 1 is all of it
	free        bool    // nothing limits it but what AWS refused lately
	cut         time.Time
	// Of a bucket without a limit: the calls of this second and of the one before.
	second    time.Time
	now, last float64
}

// tokens is one class of a bucket.
type tokens struct {
	n  float64
	at time.Time
}

const (
	forWrites = 0.2 // the part of a rate that only writes have
	leastPart = 1.0 / 64
	recovery  = 1.0 / 60 // of the rate, in a second
)

// NewLimits returns limits that one process shares, or an error for a share or a rate that cannot be.
func NewLimits(cfg LimitsConfig) (*Limits, error) {
	if cfg.Share < 0 || cfg.Share > 1 {
		return nil, fmt.Errorf("a share of %g, must be more than 0 and at most 1", cfg.Share)
	}
	if cfg.Patience == 0 {
		cfg.Patience = 20 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = waitFor
	}
	l := &Limits{cfg: cfg, replicas: 1, quotas: quotas(), buckets: map[bucketKey]*bucket{}}
	for service, rate := range cfg.Rates {
		if rate <= 0 {
			return nil, fmt.Errorf("a rate of %g for %s, must be more than 0", rate, service)
		}
		l.quotas[service] = Quota{Rate: rate, Burst: rate, Source: "the configuration"}
	}
	return l, nil
}

// waitFor waits in real time.
func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Among says how many processes share the rates, this one included: each has an equal part.
func (l *Limits) Among(replicas int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if replicas < 1 || replicas == l.replicas {
		return
	}
	now := l.cfg.Now()
	for key, b := range l.buckets {
		b.fill(now)
		if rate, burst := l.part(key.service, replicas); rate > 0 {
			b.rate, b.burst = rate, burst
		}
		b.reads.n, b.writes.n = min(b.reads.n, b.cap(false)), min(b.writes.n, b.cap(true))
	}
	l.replicas = replicas
}

// Load returns what the limits did. It may be called often.
func (l *Limits) Load() LimitLoad {
	l.mu.Lock()
	defer l.mu.Unlock()
	load := l.load
	load.Replicas = l.replicas
	return load
}

// part is the rate and the burst of one of so many processes; 0 is no limit.
func (l *Limits) part(service string, replicas int) (rate, burst float64) {
	q, ok := l.quotas[service]
	if !ok {
		q = unknownQuota()
	}
	part := l.cfg.Share / float64(replicas)
	return q.Rate * part, q.Burst * part
}

// LaterError means that a call was not made, since its turn was too far away: nothing is known by it.
type LaterError struct {
	At  time.Time
	Why string
}

// Error implements error.
func (e *LaterError) Error() string { return e.Why }

// NothingDone tells that nothing was sent.
func (e *LaterError) NothingDone() bool { return true }

// Later tells callers that do not know this package when another try makes sense.
func (e *LaterError) Later() time.Time { return e.At }

// turn waits until a call may be made. Its error is a LaterError, or that of ctx. The time that it waits counts
// against no timeout of within.
func (l *Limits) turn(ctx context.Context, key bucketKey, write bool) error {
	l.mu.Lock()
	now := l.cfg.Now()
	b := l.buckets[key]
	if b == nil {
		b = &bucket{factor: 1, reads: tokens{at: now}, writes: tokens{at: now}}
		b.rate, b.burst = l.part(key.service, l.replicas)
		b.reads.n, b.writes.n = b.part(false), b.part(true)
		l.buckets[key] = b
	}
	most := min(l.cfg.Patience, 3*l.cfg.Patience-pausedFor(ctx)) // of a read with many calls too
	wait := b.take(now, write, most)
	if wait > 0 && wait > most {
		l.load.Later++
		l.mu.Unlock()
		return &LaterError{now.Add(wait), fmt.Sprintf("%s in %s %s is not asked yet: dera keeps to its share of the calls, and the next one is free in %s", key.service, orUnknown(key.account), key.region, wait.Round(time.Second))}
	}
	l.load.Calls++
	if wait > 0 {
		l.load.Waits++
		l.load.Waited += wait
	}
	l.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	defer pausing(ctx)()
	return l.cfg.Wait(ctx, wait)
}

// refused notes that AWS refused a call as one too many.
func (l *Limits) refused(key bucketKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load.Throttled++
	b := l.buckets[key]
	now := l.cfg.Now()
	if b == nil || now.Sub(b.cut) < time.Second { // the calls of one moment are refused together
		return
	}
	b.fill(now)
	if b.rate == 0 { // without a limit so far: what was just too much is one
		b.rate = max(b.now, b.last, 1)
		b.burst, b.factor, b.free = b.rate, 1, true
	}
	b.cut = now
	b.factor = max(b.factor/2, leastPart)
	b.reads.n, b.writes.n = min(b.reads.n, 0), min(b.writes.n, b.cap(true))
}

// cap is how many tokens a class holds at most: one of them however small the part is, since with less than one no
// call could ever be made.
func (b *bucket) cap(write bool) float64 { return max(1, b.part(write)) }

// part is the part of the burst that a class has.
func (b *bucket) part(write bool) float64 {
	if write {
		return b.burst * forWrites
	}
	return b.burst * (1 - forWrites)
}

// speed is the rate of a class now.
func (b *bucket) speed(write bool) float64 {
	if write {
		return b.rate * b.factor * forWrites
	}
	return b.rate * b.factor * (1 - forWrites)
}

// fill brings the tokens up to a moment, at the rate that was, and then the rate.
func (b *bucket) fill(now time.Time) {
	for _, c := range []struct {
		t     *tokens
		write bool
	}{{&b.reads, false}, {&b.writes, true}} {
		if d := now.Sub(c.t.at).Seconds(); d > 0 {
			c.t.n = min(c.t.n+d*b.speed(c.write), max(b.cap(c.write), c.t.n))
		}
	}
	if d := now.Sub(b.reads.at).Seconds(); d > 0 && b.rate > 0 {
		b.recover(d)
	}
	b.reads.at, b.writes.at = later(b.reads.at, now), later(b.writes.at, now)
}

// recover gives back what AWS refused before, over some seconds. What had no limit has none again in the end.
func (b *bucket) recover(seconds float64) {
	switch {
	case !b.free:
		b.factor = min(1, b.factor+seconds*recovery)
	case b.factor < 1:
		b.factor += seconds * recovery
	default:
		b.factor += seconds * recovery * b.factor
	}
	if b.factor >= 1/leastPart {
		b.rate, b.free, b.factor = 0, false, 1
	}
}

// later is the later of two moments: a clock that goes back gives nothing twice.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// take gives the next turn away, unless it is further off than most, and returns how far off it is.
func (b *bucket) take(now time.Time, write bool, most time.Duration) time.Duration {
	if s := now.Truncate(time.Second); !s.Equal(b.second) {
		b.last = 0
		if s.Sub(b.second) == time.Second {
			b.last = b.now
		}
		b.second, b.now = s, 0
	}
	b.now++
	b.fill(now)
	if b.rate == 0 {
		return 0
	}
	wait, from := b.wait(&b.reads, false), &b.reads
	if write {
		if own := b.wait(&b.writes, true); own <= wait {
			wait, from = own, &b.writes
		}
	}
	if wait <= most {
		from.n--
	}
	return wait
}

// wait is how far off the next turn of a class is.
func (b *bucket) wait(t *tokens, write bool) time.Duration {
	if t.n >= 1 {
		return 0
	}
	seconds := (1 - t.n) / b.speed(write)
	return time.Duration(min(seconds, 24*3600) * float64(time.Second))
}
