package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dera.example/dera/cloudtrail"
)

// BackfillPlace is one account in one region.
type BackfillPlace struct{ Account, Region string }

// Past is the event history of CloudTrail of a place. It is asked by one goroutine at a time.
type Past interface {
	// Changes reads a page of the calls between two times that change something, newest first,
	// as messages whose bodies are records; next is "" after the last page.
	Changes(ctx context.Context, from, to time.Time, token string) (page []Message, next string, err error)
}

// Filled is what one look at the history of a place came to.
type Filled struct {
	From, To time.Time
	Events   int
	// Cut says that there were more than is read at once: the older ones are left to sweeps.
	Cut bool
	// Err is why it was not read; nothing up to To counts as seen then.
	Err error
}

// Positions remembers up to when the events of each place have been seen.
type Positions interface {
	// Seen returns that time, or the zero time for a place of which nothing is known.
	Seen(ctx context.Context, p BackfillPlace) (time.Time, error)
	// Note keeps what came of a look.
	Note(ctx context.Context, p BackfillPlace, f Filled) error
}

// BackfillConfig configures the back-fill. All but the last three are mandatory.
type BackfillConfig struct {
	Places    []BackfillPlace
	Past      func(p BackfillPlace) Past
	Positions Positions
	Watch     cloudtrail.Watch
	// After is how long the events of a place may be silent before its history is looked up.
	After time.Duration
	// Most is how many events of a place are read at once; 10,000 if zero.
	Most   int
	Log    *slog.Logger     // discards if nil
	Now    func() time.Time // time.Now if nil
	Random func() float64   // in [0, 1); spreads the looks
}

// Backfill looks up what happened while nothing was heard of a place: because the process was
// down, a rule was off, or nothing happened. Make one with NewBackfill.
type Backfill struct {
	cfg    BackfillConfig
	sieves map[string]sieve
	mu     sync.Mutex
	past   map[BackfillPlace]Past
	said   map[BackfillPlace]string // the last error of a place
	// filled is up to when the history of a place was read: the last minutes of it may not have been there yet.
	filled map[BackfillPlace]time.Time
}

const (
	// backfill is the source of what is looked up.
	backfill = "backfill"
	// overlap is how late an event can come into the history: CloudTrail delivers within 15 minutes on average.
	//
	// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-troubleshooting.html
	overlap = 20 * time.Minute
	// reach is how far back the event history goes.
	reach = 90 * 24 * time.Hour
	// backfillAtOnce is how many places are looked up at the same time; the limit of CloudTrail is of each.
	backfillAtOnce = 8
	mostBackfilled = 10_000
)

// The counters of the back-fill.
const (
	BackfillEvents  = "backfill_events"  // events that were looked up
	BackfillHinted  = "backfill_hinted"  // those that led to a look
	BackfillCut     = "backfill_cut"     // looks that left older events out
	BackfillFailed  = "backfill_failed"  // looks that failed
	BackfillLookups = "backfill_lookups" // looks
)

// NewBackfill returns a back-fill, or an error for a configuration that cannot work.
func NewBackfill(cfg BackfillConfig) (*Backfill, error) {
	switch {
	case len(cfg.Places) == 0:
		return nil, errors.New("configure the back-fill: no places")
	case cfg.Past == nil || cfg.Positions == nil:
		return nil, errors.New("configure the back-fill: no history, or no positions")
	case cfg.After <= 0 || cfg.Most < 0:
		return nil, errors.New("configure the back-fill: no time after which it looks, or less than no events")
	}
	cfg.Most = orElse(cfg.Most, mostBackfilled)
	cfg.Log = orElse(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.Now, cfg.Random = clock(cfg.Now), randomness(cfg.Random)
	b := &Backfill{cfg: cfg, sieves: map[string]sieve{}, past: map[BackfillPlace]Past{}, said: map[BackfillPlace]string{}, filled: map[BackfillPlace]time.Time{}}
	for _, p := range cfg.Places {
		b.sieves[p.Account] = newSieve(backfill, cfg.Watch, []string{p.Account}, true)
	}
	return b, nil
}

// Run looks at each place at once, and then again and again, until ctx ends; then it returns nil. A
// place that cannot be read is said once, and looked up again later: it stops nothing.
func (b *Backfill) Run(ctx context.Context, handle Handler) error {
	for ctx.Err() == nil {
		b.round(ctx, handle)
		sleep(ctx, time.Duration(float64(b.cfg.After)*(0.4+0.2*b.cfg.Random())))
	}
	return nil
}

func (b *Backfill) round(ctx context.Context, handle Handler) {
	places := make(chan BackfillPlace)
	var wg sync.WaitGroup
	for range min(backfillAtOnce, len(b.cfg.Places)) {
		wg.Go(func() {
			for p := range places {
				if err := b.place(ctx, p, handle); err != nil && ctx.Err() == nil {
					b.cfg.Log.WarnContext(ctx, "the event history is not kept; trying again later", "account", p.Account, "region", p.Region, "err", err)
				}
			}
		})
	}
	for _, p := range b.cfg.Places {
		if ctx.Err() != nil {
			break
		}
		places <- p
	}
	close(places)
	wg.Wait()
}

// place looks a place up where it was silent for too long. Its error is one of the positions.
func (b *Backfill) place(ctx context.Context, p BackfillPlace, handle Handler) error {
	seen, err := b.cfg.Positions.Seen(ctx, p)
	if err != nil {
		return err
	}
	now := b.cfg.Now().UTC()
	switch {
	case seen.IsZero(): // what was before dera is for the sweep
		return b.cfg.Positions.Note(ctx, p, Filled{From: now, To: now})
	case now.Sub(seen) < b.cfg.After:
		return b.late(ctx, p, now, seen, handle)
	}
	f := b.fill(ctx, p, Filled{From: latest(seen.Add(-overlap), now.Add(-reach)), To: now}, handle)
	if ctx.Err() != nil {
		return nil // the next start looks again
	}
	b.say(ctx, p, f)
	if f.Err == nil {
		b.fills(p, f.To)
	}
	return b.cfg.Positions.Note(ctx, p, f)
}

// fills remembers up to when a place was read, or with the zero time that nothing of it is owed.
func (b *Backfill) fills(p BackfillPlace, to time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.filled[p] = to
}

// late looks once more at the end of what was looked up, where events of the place come again: what happened in
// the minutes before that came into the history later, and no other look would reach it.
func (b *Backfill) late(ctx context.Context, p BackfillPlace, now, seen time.Time, handle Handler) error {
	b.mu.Lock()
	to := b.filled[p]
	b.mu.Unlock()
	if to.IsZero() || !seen.After(to) || now.Sub(to) < overlap {
		return nil
	}
	f := b.fill(ctx, p, Filled{From: to.Add(-overlap), To: to}, handle)
	if ctx.Err() != nil {
		return nil
	}
	b.say(ctx, p, f)
	if f.Err == nil {
		b.fills(p, time.Time{})
	}
	return nil
}

// fill reads the history of a place and hands each page over.
func (b *Backfill) fill(ctx context.Context, p BackfillPlace, f Filled, handle Handler) Filled {
	past := b.history(p)
	var token string
	for pages := 0; ; pages++ {
		page, next, err := past.Changes(ctx, f.From, f.To, token)
		f.Events, token = f.Events+len(page), next
		if err == nil {
			f.Cut = token != "" && (f.Events >= b.cfg.Most || pages > b.cfg.Most)
			err = b.hand(ctx, p, page, token == "" || f.Cut, f.Cut, handle)
		}
		if err != nil {
			f.Err = err
		}
		if err != nil || f.Cut || token == "" {
			return f
		}
	}
}

// hand hands a page over as one delivery.
func (b *Backfill) hand(ctx context.Context, p BackfillPlace, page []Message, last, cut bool, handle Handler) error {
	for i := range page {
		page[i].Body = enveloped(p, page[i].Body)
	}
	work, cancel := inHand(ctx, time.Minute)
	defer cancel()
	d := b.sieves[p.Account].sift(page, b.cfg.Now().UTC())
	// The usage ledger goes by what is whole; these are the calls that change something alone.
	d.Raw = nil
	if d.Tallies == nil {
		d.Tallies = map[string]int64{}
	}
	d.Tallies[BackfillEvents], d.Tallies[BackfillHinted] = int64(d.Counts.Received), int64(d.Counts.Hinted)
	if last {
		d.Tallies[BackfillLookups]++
	}
	if cut {
		d.Tallies[BackfillCut]++
	}
	if err := handle(work, d); err != nil {
		return fmt.Errorf("take over what was looked up: %w", err)
	}
	return nil
}

// enveloped is the record as EventBridge would have delivered it from the place, so that it is
// trusted where it agrees with that. What is no record stays as it is, and is kept as such.
func enveloped(p BackfillPlace, record string) string {
	body, err := json.Marshal(map[string]any{
		"detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudtrail", "account": p.Account, "region": p.Region, "detail": json.RawMessage(record),
	})
	if err != nil {
		return record
	}
	return string(body)
}

// history is that of a place, made once.
func (b *Backfill) history(p BackfillPlace) Past {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.past[p] == nil {
		b.past[p] = b.cfg.Past(p)
	}
	return b.past[p]
}

// say says what came of a look; an error only once until it is another.
func (b *Backfill) say(ctx context.Context, p BackfillPlace, f Filled) {
	text := ""
	if f.Err != nil {
		text = f.Err.Error()
	}
	b.mu.Lock()
	again := b.said[p] == text
	b.said[p] = text
	b.mu.Unlock()
	at := []any{"account", p.Account, "region", p.Region, "since", f.From, "events", f.Events}
	switch {
	case f.Err != nil && !again:
		b.cfg.Log.WarnContext(ctx, "the event history was not read; allow cloudtrail:LookupEvents (dera role --backfill). Sweeps go on", append(at, "err", f.Err)...)
	case f.Err != nil:
	case f.Cut:
		b.cfg.Log.WarnContext(ctx, "the event history has more than is read at once; sweeps find what is older", at...)
	case f.Events > 0:
		b.cfg.Log.InfoContext(ctx, "looked up what happened meanwhile", at...)
	}
}

// latest is the later of two times.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
