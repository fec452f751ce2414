package cloud

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// clockOf is a clock that stands until somebody waits: then it goes on by as much.
type clockOf struct{ at time.Time }

func (c *clockOf) now() time.Time { return c.at }

func limitsAt(t *testing.T, c *clockOf, share float64) *Limits {
	t.Helper()
	l, err := NewLimits(LimitsConfig{Share: share, Now: c.now, Wait: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// starts are the moments at which calls begin that ask for their turn as fast as they can, for a while, over so many
// processes with one clock.
func starts(t *testing.T, replicas int, share float64, d time.Duration, write func(int) bool) (out []time.Duration) {
	t.Helper()
	begin := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	clock := &clockOf{begin}
	var all []*Limits
	for range replicas {
		l := limitsAt(t, clock, share)
		l.cfg.Wait = func(_ context.Context, w time.Duration) error {
			out = append(out, clock.at.Add(w).Sub(begin))
			return nil
		}
		l.Among(replicas)
		all = append(all, l)
	}
	for n := 0; clock.at.Before(begin.Add(d)); n++ {
		for _, l := range all {
			for range 20 {
				had := len(out)
				if err := l.turn(t.Context(), bucketKey{"111122223333", "eu-west-1", "ec2"}, write(n)); err == nil && len(out) == had {
					out = append(out, clock.at.Sub(begin))
				}
			}
		}
		clock.at = clock.at.Add(time.Duration(50+rand.IntN(100)) * time.Millisecond)
	}
	return out
}

// TestLimitsHold: over any number of processes there are never more calls than the burst and the rate allow, whoever
// makes them, and as many as that where enough are wanted.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	q := quotas()["ec2"]
	const share, span = 0.3, 20 * time.Second
	for name, write := range map[string]func(int) bool{
		"reads": func(int) bool { return false }, "writes": func(int) bool { return true }, "both": func(n int) bool { return n%2 == 0 },
	} {
		for _, replicas := range []int{1, 2, 7, 50} {
			list := starts(t, replicas, share, span, write)
			for _, until := range []time.Duration{0, time.Second, 5 * time.Second, span, span + 19*time.Second} {
				n := 0
				for _, at := range list {
					if at <= until {
						n++
					}
				}
				if most := share * (q.Burst + q.Rate*until.Seconds()); float64(n) > most+0.01 {
					t.Errorf("%s of %d processes: got %d calls in %s, want at most %.1f", name, replicas, n, until, most)
				} else if least := 0.7 * most; replicas < 10 && until == span && float64(n) < least {
					t.Errorf("%s of %d processes: got %d calls in %s, want at least %.1f", name, replicas, n, until, least)
				}
			}
		}
	}
}

// TestWritesPassSweeps: a fix waits for no sweep that has all turns of reads for the next seconds.
func TestWritesPassSweeps(t *testing.T) {
	t.Parallel()
	clock := &clockOf{time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)}
	l := limitsAt(t, clock, 0.3)
	key := bucketKey{"111122223333", "eu-west-1", "ec2"}
	for l.turn(t.Context(), key, false) == nil {
	}
	waited := l.Load().Waited
	if waited == 0 {
		t.Fatal("no read waited, so that this shows nothing")
	}
	for range 3 {
		if err := l.turn(t.Context(), key, true); err != nil || l.Load().Waited != waited {
			t.Errorf("a write waits behind reads: %v", err)
		}
	}
	var later *LaterError
	err := l.turn(t.Context(), key, false)
	if !errors.As(err, &later) || !later.At.After(clock.at.Add(20*time.Second)) {
		t.Errorf("a read beyond the patience: got %v, want that it comes later", err)
	}
	if err := l.turn(t.Context(), bucketKey{"444455556666", "eu-west-1", "ec2"}, false); err != nil || l.Load().Waited != waited {
		t.Errorf("another account waits too: %v", err)
	}
}

// rateOf is how many calls a second get a turn now, over ten seconds.
func rateOf(t *testing.T, l *Limits, clock *clockOf) float64 {
	t.Helper()
	n := 0
	l.cfg.Patience = time.Nanosecond
	for range 100 {
		for l.turn(t.Context(), bucketKey{"111122223333", "eu-west-1", "ec2"}, false) == nil {
			if n++; n > 100_000 {
				return float64(n) / 10
			}
		}
		clock.at = clock.at.Add(100 * time.Millisecond)
	}
	return float64(n) / 10
}

// TestRefusedHalves: AWS refuses calls, and there are half as many; one moment counts once; then the rate comes back.
func TestRefusedHalves(t *testing.T) {
	t.Parallel()
	clock := &clockOf{time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)}
	l := limitsAt(t, clock, 0.5)
	key := bucketKey{"111122223333", "eu-west-1", "ec2"}
	rateOf(t, l, clock) // the burst
	full := rateOf(t, l, clock)
	for range 5 {
		l.refused(key)
	}
	half := rateOf(t, l, clock)
	for range 300 {
		l.refused(key)
		clock.at = clock.at.Add(2 * time.Second)
	}
	least := rateOf(t, l, clock)
	clock.at = clock.at.Add(5 * time.Minute)
	rateOf(t, l, clock)
	back := rateOf(t, l, clock)
	if full < 7.5 || full > 8.5 || half < 0.45*full || half > 0.7*full || least > 0.2*full || back < 0.95*full || back > 1.05*full {
		t.Errorf("got %.1f calls a second, then %.1f, at least %.1f, and %.1f in the end", full, half, least, back)
	}
}

// TestNoShare: without a share nothing limits, until AWS refuses calls: then about half of what was too much is made,
// and in the end nothing limits again.
func TestNoShare(t *testing.T) {
	t.Parallel()
	clock := &clockOf{time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)}
	l := limitsAt(t, clock, 0)
	key := bucketKey{"111122223333", "eu-west-1", "ec2"}
	for range 3 {
		clock.at = clock.at.Add(time.Second)
		for range 100 {
			if err := l.turn(t.Context(), key, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	if w := l.Load().Waits; w > 0 {
		t.Errorf("got %d waits before AWS refused anything", w)
	}
	l.refused(key)
	if got := rateOf(t, l, clock); got < 30 || got > 60 {
		t.Errorf("got %.1f calls a second after one in a hundred a second was too many, want about 45", got)
	}
	for range 60 {
		rateOf(t, l, clock)
		clock.at = clock.at.Add(time.Minute)
	}
	if got := rateOf(t, l, clock); got < 1000 {
		t.Errorf("got %.1f calls a second after an hour, want no limit", got)
	}
}

// TestReplicasShare: who joins takes a part of each rate, and what it had is there again when it is away.
func TestReplicasShare(t *testing.T) {
	t.Parallel()
	clock := &clockOf{time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)}
	l := limitsAt(t, clock, 0.5)
	rateOf(t, l, clock)
	alone := rateOf(t, l, clock)
	l.Among(4)
	rateOf(t, l, clock)
	four := rateOf(t, l, clock)
	l.Among(0) // nobody knows: nothing changes
	l.Among(1)
	rateOf(t, l, clock)
	again := rateOf(t, l, clock)
	if four < alone/4*0.9 || four > alone/4*1.1 || again < alone*0.95 || again > alone*1.05 {
		t.Errorf("got %.2f calls a second alone, %.2f among four, %.2f alone again", alone, four, again)
	}
	if clock.at = clock.at.Add(-time.Hour); rateOf(t, l, clock) > 1 {
		t.Error("a clock that goes back gives turns away")
	}
}

// TestNewLimits refuses what cannot be.
func TestNewLimits(t *testing.T) {
	t.Parallel()
	for _, cfg := range []LimitsConfig{{Share: -0.1}, {Share: 1.1}, {Rates: map[string]float64{"ec2": 0}}} {
		if _, err := NewLimits(cfg); err == nil {
			t.Errorf("%+v: got no error", cfg)
		}
	}
	for service, q := range quotas() {
		if q.Rate <= 0 || q.Burst < q.Rate || service == "" {
			t.Errorf("%s: got %+v", service, q)
		}
	}
}
