package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/store"
)

// Store is what the console reads.
type Store interface {
	app.OverviewStore
	Finding(ctx context.Context, id string) (dera.Finding, error)
	LogSize(ctx context.Context) (int64, error)
	Leaves(ctx context.Context, from, n int64) ([][]byte, error)
}

// How often the board looks for news, makes another overview where there was some, and reads
// everything again whether there was some or not.
const (
	lookEvery      = time.Second
	overviewEvery  = 5 * time.Second
	reloadEvery    = 10 * time.Minute
	overviewAnyway = 30 * time.Second // what it says of places and exemptions changes without a record
	lateAfter      = time.Minute      // a store that was not read for so long does not answer, and pages say so
	mostLeaves     = 2000             // of the log at a time; behind by more, everything is read again
)

// board is what pages list, in memory: it follows the audit log, which has a record for each finding
// that is opened, decided otherwise or resolved, and for each remediation that goes on. A page takes
// a snapshot, which nobody changes.
type board struct {
	cfg Config

	at       int64 // how much of the log is in it
	rows     map[string]listed
	loaded   time.Time
	overview time.Time // when the overview was made
	stale    bool      // there was news since
	pending  bool      // something was read that is not shown
	next     time.Time // no snapshot before: making them takes a twentieth of the time at most
	stops    []dera.Stop
	failing  bool // the last look failed

	mu   sync.Mutex
	view *snapshot
	read time.Time     // when the store was last read
	news chan struct{} // closed when view is replaced
}

// snapshot is what the store said at a moment. Nothing of it is changed.
type snapshot struct {
	number   int64    // grows with each
	rows     []listed // the worst and newest first
	waiting  []app.Waiting
	stops    []dera.Stop // that hold
	overview app.Overview
	trend    []day
	failed   error // why the store could not be read last; what is here is older then
}

func newBoard(cfg Config) *board {
	return &board{cfg: cfg, rows: map[string]listed{}, news: make(chan struct{})}
}

// now is the newest snapshot, nil before the first one, and what is closed when there is another.
func (b *board) now() (*snapshot, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view, b.news
}

func (b *board) run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		err := b.look(ctx)
		if err != nil && ctx.Err() == nil {
			if !b.failing { // once, not each second
				b.cfg.Log.WarnContext(ctx, "the console could not read what is new", "err", err)
			}
			b.fail(err)
		}
		b.failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look reads what is new, and shows it.
func (b *board) look(ctx context.Context) error {
	size, err := b.cfg.Store.LogSize(ctx)
	if err != nil {
		return err
	}
	if err := b.stopped(ctx); err != nil {
		return err
	}
	now := b.cfg.Now()
	switch {
	case b.loaded.IsZero(), size-b.at > mostLeaves, size < b.at, now.Sub(b.loaded) > reloadEvery:
		err = b.load(ctx)
	case size > b.at:
		err = b.follow(ctx, size)
	}
	if err != nil {
		return err
	}
	old, _ := b.now()
	b.pending = b.pending || size != b.at || old == nil || old.failed != nil
	b.at, b.stale = size, b.stale || b.pending || now.Sub(b.overview) >= overviewAnyway
	b.mu.Lock()
	b.read = now
	b.mu.Unlock()
	if now.Before(b.next) || !b.pending && (!b.stale || now.Sub(b.overview) < overviewEvery) {
		return nil
	}
	if err := b.show(ctx, now); err != nil {
		return err
	}
	b.pending, b.next = false, now.Add(20*b.cfg.Now().Sub(now))
	return nil
}

// stopped reads the stops that hold. They are shown at once, however long the lists take: a page that
// says "stopped" where nothing is, or does not where something is, makes people do the wrong thing.
func (b *board) stopped(ctx context.Context) error {
	list, err := b.cfg.Store.Stops(ctx)
	if err != nil {
		return err
	}
	b.stops = list
	old, _ := b.now()
	if old == nil || slices.EqualFunc(old.stops, list, sameStop) {
		return nil
	}
	v := *old
	v.stops = list
	b.publish(&v)
	return nil
}

func sameStop(x, y dera.Stop) bool {
	at := x.At.Equal(y.At)
	x.At, y.At = time.Time{}, time.Time{}
	return at && x == y
}

// load reads all findings.
func (b *board) load(ctx context.Context) error {
	list, err := b.cfg.Store.Findings(ctx)
	if err != nil {
		return err
	}
	clear(b.rows)
	for _, f := range list {
		b.rows[f.ID] = brief(f)
	}
	b.loaded, b.stale = b.cfg.Now(), true
	return nil
}

// follow reads the findings that the new records name.
func (b *board) follow(ctx context.Context, size int64) error {
	leaves, err := b.cfg.Store.Leaves(ctx, b.at, size-b.at)
	if err != nil {
		return err
	}
	changed := map[string]bool{}
	for _, leaf := range leaves {
		var rec struct {
			Kind     dera.RecordKind `json:"kind"`
			Findings []string        `json:"findings"`
		}
		if err := json.Unmarshal(leaf, &rec); err != nil {
			return err
		}
		if rec.Kind == dera.RecordRetention {
			return b.load(ctx)
		}
		for _, id := range rec.Findings {
			changed[id] = true
		}
	}
	for id := range changed {
		switch f, err := b.cfg.Store.Finding(ctx, id); {
		case errors.Is(err, store.ErrNotFound):
			delete(b.rows, id)
		case err != nil:
			return err
		default:
			b.rows[id] = brief(f)
		}
	}
	return nil
}

// listed is a finding as lists need it: the rest is read when it is shown alone.
type listed struct {
	dera.Finding
	searched  string         // what a search looks through, in lower case
	privilege *app.Privilege // of an open finding on unused permissions
}

func brief(f dera.Finding) listed {
	var privilege *app.Privilege
	if list := app.Privileges([]dera.Finding{f}); len(list) == 1 {
		privilege = &list[0]
	}
	f.Reasons = against(f.Reasons)
	f.Why, f.Sources, f.Permissions, f.Granted, f.Used = "", nil, nil, nil, nil
	text := []string{f.Title, string(f.Resource), f.ResourceName, f.Owner, f.ID, f.Control, f.Account, f.Remediation, f.LastActor}
	return listed{f, strings.ToLower(strings.Join(text, "\n")), privilege}
}

// against are the reasons that tell what dera would do, and by what a finding is exempt: those against
// automation, or one that is for it where there is no other.
func against(list []dera.Reason) []dera.Reason {
	var out []dera.Reason
	for _, r := range list {
		if r.Disposition != dera.Auto {
			out = append(out, r)
		}
	}
	if out == nil && len(list) > 0 {
		return slices.Clone(list[:1])
	}
	return out
}

// show makes a snapshot of what was read.
func (b *board) show(ctx context.Context, now time.Time) error {
	rows := make([]listed, 0, len(b.rows))
	for _, f := range b.rows {
		rows = append(rows, f)
	}
	slices.SortFunc(rows, func(x, y listed) int {
		return cmp.Or(cmp.Compare(y.Severity, x.Severity), y.FirstSeen.Compare(x.FirstSeen), cmp.Compare(x.ID, y.ID))
	})
	v := &snapshot{rows: rows, stops: b.stops, trend: trend(rows, now)}
	held := held{b.cfg.Store, make([]dera.Finding, len(rows))}
	for i, f := range rows {
		held.rows[i] = f.Finding
	}
	var err error
	if v.waiting, err = app.WaitingFor(ctx, held, b.cfg.Flags, now); err != nil {
		return err
	}
	old, _ := b.now()
	if old != nil && old.failed == nil && now.Sub(b.overview) < overviewEvery {
		v.overview = old.overview // another follows soon
		v.overview.Waiting = v.waiting
	} else {
		if v.overview, err = b.cfg.Overview(ctx, held); err != nil {
			return err
		}
		b.overview, b.stale = now, false
	}
	b.publish(v)
	return nil
}

// fail says in the snapshot that what it shows is older.
func (b *board) fail(err error) {
	v, _ := b.now()
	if v == nil || v.failed != nil {
		return
	}
	older := *v
	older.failed = err
	b.publish(&older)
}

// poke makes pages fetch themselves again, for what is shown and is not in the store.
func (b *board) poke() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.view != nil {
		v := *b.view
		b.put(&v)
	}
}

// lastRead is when the store was last read.
func (b *board) lastRead() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read
}

func (b *board) publish(v *snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.put(v)
}

// put replaces the snapshot; the caller holds the lock.
func (b *board) put(v *snapshot) {
	if b.view != nil {
		v.number = b.view.number + 1
	}
	b.view = v
	close(b.news)
	b.news = make(chan struct{})
}

// held is the store, with the findings in memory.
type held struct {
	Store
	rows []dera.Finding
}

func (h held) Findings(context.Context) ([]dera.Finding, error) { return h.rows, nil }

// day is how many findings were left open when a day ended, and how many were found and closed in it.
type day struct {
	begins                time.Time // 00:00 UTC
	open, opened, closing int
}

const trendDays = 30

// trend counts the last days, as far as the findings tell: of one that came back, only since when it
// was first seen and when it was resolved last.
func trend(rows []listed, now time.Time) []day {
	first := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-trendDays)
	days := make([]day, trendDays)
	for i := range days {
		days[i].begins = first.AddDate(0, 0, i)
	}
	index := func(t time.Time) int { // of the day of t; -1 before the first
		if t.Before(first) {
			return -1
		}
		return min(int(t.Sub(first)/(24*time.Hour)), trendDays-1)
	}
	for _, f := range rows {
		if f.Disposition == dera.Exempt {
			continue
		}
		from, to := index(f.FirstSeen), trendDays
		if from >= 0 {
			days[from].opened++
		}
		if f.ResolvedAt != nil && f.State == dera.FindingResolved {
			if to = index(*f.ResolvedAt); to >= 0 {
				days[to].closing++
			}
		}
		for i := max(from, 0); i < to; i++ {
			days[i].open++
		}
	}
	return days
}
