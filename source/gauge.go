package source

import (
	"slices"
	"sync"
	"time"
)

// Load is how much a queue source has to do. Counts are since the process started; ages are zero where
// nothing is known.
type Load struct {
	Receivers int `json:"receivers"`
	// InHand are the messages that are received and not deleted yet, and Bytes their bodies.
	InHand int `json:"in_hand"`
	Bytes  int `json:"bytes"`
	// Oldest is how long the first of them has been in hand.
	Oldest time.Duration `json:"oldest"`
	// Received, Handled and Deliveries count messages, those that are committed, and commits.
	Received   int64 `json:"received"`
	Handled    int64 `json:"handled"`
	Deliveries int64 `json:"deliveries"`
	// Lag is how long ago the oldest message came into the queue that was committed in the last minute,
	// as of its commit.
	Lag time.Duration `json:"lag"`
}

// gauge measures a source. It is safe for concurrent use.
type gauge struct {
	mu      sync.Mutex
	intakes []*intake
	load    Load
	lags    [2]time.Duration // of this minute and the one before
	minute  time.Time
}

func (g *gauge) add(in *intake) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.intakes = append(g.intakes, in)
}

func (g *gauge) leave(in *intake) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.intakes = slices.DeleteFunc(g.intakes, func(x *intake) bool { return x == in })
}

func (g *gauge) received(now time.Time, messages []Message) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.load.Received += int64(len(messages))
	g.turn(now)
}

func (g *gauge) handled(now time.Time, list []*item) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(now)
	g.load.Handled += int64(len(list))
	g.load.Deliveries++
	for _, x := range list {
		if !x.m.Sent.IsZero() {
			g.lags[0] = max(g.lags[0], now.Sub(x.m.Sent))
		}
	}
}

// turn begins another minute where this one is over.
func (g *gauge) turn(now time.Time) {
	m := now.Truncate(time.Minute)
	switch {
	case m.Equal(g.minute):
	case m.Sub(g.minute) == time.Minute:
		g.lags[0], g.lags[1] = 0, g.lags[0]
	default:
		g.lags = [2]time.Duration{}
	}
	g.minute = m
}

// Load returns what the source has to do. It asks nobody and may be called often.
func (s *SQS) Load() Load {
	now := s.cfg.Now().UTC()
	s.gauge.mu.Lock()
	s.gauge.turn(now)
	l := s.gauge.load
	l.Lag = max(s.gauge.lags[0], s.gauge.lags[1])
	running := slices.Clone(s.gauge.intakes)
	s.gauge.mu.Unlock()
	for _, in := range running {
		in.mu.Lock()
		l.Receivers, l.InHand, l.Bytes = l.Receivers+in.receivers, l.InHand+len(in.held), l.Bytes+in.bytes
		for x := range in.held {
			l.Oldest = max(l.Oldest, now.Sub(x.at))
		}
		in.mu.Unlock()
	}
	return l
}
