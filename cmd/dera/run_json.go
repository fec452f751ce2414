package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
)

// lines writes what happens in this process as JSON Lines. Whoever tells it
// something does not wait: run reads the store and writes.
type lines struct {
	app  *cli
	log  *slog.Logger
	poke chan struct{}

	mu    sync.Mutex
	queue []notice
	last  map[string]bool // the pages after which a sweep of their place ends

	// Of run alone.
	follower *app.Follower
	at       time.Time // of what is being written
	swept    map[string]app.Happening
	touched  map[string]touch
}

// notice is one thing that happened, and when.
type notice struct {
	at   time.Time
	news engine.News
	own  *app.Happening
}

// touch is a place that was looked at lately.
type touch struct {
	scope dera.Scope
	until time.Time
}

func newLines(a *cli, log *slog.Logger) *lines {
	return &lines{app: a, log: log, poke: make(chan struct{}, 1), last: map[string]bool{}, swept: map[string]app.Happening{}, touched: map[string]touch{}}
}

// tell takes what the engine tells.
func (l *lines) tell(n engine.News) {
	if n.Finding != nil {
		f := *n.Finding
		n.Finding = &f
	}
	if n.Remediation != nil {
		r := *n.Remediation
		n.Remediation = &r
	}
	l.add(notice{news: n})
}

// happened takes what something else than the engine tells.
func (l *lines) happened(h app.Happening) { l.add(notice{own: &h}) }

func (l *lines) add(t notice) {
	t.at = l.app.now().UTC()
	l.mu.Lock()
	l.queue = append(l.queue, t)
	l.mu.Unlock()
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// begin remembers what there is already: that is no news.
func (l *lines) begin(ctx context.Context, from app.FollowStore) (err error) {
	l.follower, err = app.NewFollower(ctx, from, func() time.Time { return l.at })
	return err
}

// run writes until ctx is done.
func (l *lines) run(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		l.flush(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-l.poke:
		case <-tick.C:
			l.beside(ctx)
		}
	}
}

// end writes what is left when everything else has ended.
func (l *lines) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signWithin)
	defer cancel()
	l.flush(ctx)
	l.beside(ctx)
}

func (l *lines) flush(ctx context.Context) {
	l.mu.Lock()
	queue := l.queue
	l.queue = nil
	l.mu.Unlock()
	for _, t := range queue {
		l.at = t.at
		if t.own != nil {
			l.write(*t.own)
			continue
		}
		l.write(l.happenings(ctx, t.news)...)
	}
}

// beside looks for what nobody tells: stops, and findings that went with their
// resource.
func (l *lines) beside(ctx context.Context) {
	l.at = l.app.now().UTC()
	stops, err := l.follower.Stops(ctx)
	l.write(stops...)
	for key, t := range l.touched {
		gone, wrong := l.follower.Closed(ctx, t.scope)
		l.write(gone...)
		err = errors.Join(err, wrong)
		if l.at.After(t.until) {
			delete(l.touched, key)
		}
	}
	l.trouble(ctx, err)
}

func (l *lines) trouble(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		l.log.WarnContext(ctx, "read what happened", "err", err)
	}
}

// happenings are what a piece of news means.
func (l *lines) happenings(ctx context.Context, n engine.News) []app.Happening {
	switch n.What {
	case "finding":
		return l.follower.Finding(*n.Finding)
	case "flapping":
		return []app.Happening{l.follower.Flaps(*n.Finding)}
	case "remediation":
		list, err := l.follower.Remediation(ctx, *n.Remediation)
		l.trouble(ctx, err)
		return list
	case "unread":
		u := app.UnreadableIn(*n.Scope, n.Err)
		return []app.Happening{{Time: l.at, What: app.Unread, Account: u.Account, Region: u.Region, ResourceType: u.Type, Unreadable: &u, Why: u.Error}}
	case "job":
		return []app.Happening{{Time: l.at, What: app.JobFailed, Why: n.Err.Error()}}
	case "alarm", "alarm_ended":
		return []app.Happening{app.AlarmOf(n.What, l.at, *n.Alarm)}
	case "page":
		return l.page(n)
	}
	return nil
}

// page counts a page of a sweep; the last one ends it.
func (l *lines) page(n engine.News) []app.Happening {
	const lately = 20 * time.Second
	s := *n.Scope
	place := strings.Join([]string{s.Account, s.Region, s.Type}, "/")
	l.touched[place] = touch{s, l.at.Add(lately)}
	if !s.Sweep() {
		return nil
	}
	h := l.swept[place]
	if h.Resources == nil || s.Page == "" {
		h = app.Happening{What: app.SweepEnded, Account: s.Account, Region: s.Region, ResourceType: s.Type, Resources: new(int)}
	}
	*h.Resources += n.Resources
	h.Hidden += n.Hidden
	h.Time = l.at
	l.swept[place] = h
	l.mu.Lock()
	last := l.last[s.Key()]
	delete(l.last, s.Key())
	l.mu.Unlock()
	if !last {
		return nil
	}
	delete(l.swept, place)
	return []app.Happening{h}
}

// write writes a line for each.
func (l *lines) write(list ...app.Happening) {
	e := json.NewEncoder(app.PlainJSON(l.app.out))
	e.SetEscapeHTML(false)
	for _, h := range list {
		_ = e.Encode(h) // a closed pipe ends the program
	}
}

// watching is a reader that notes which page of a sweep is the last.
type watching struct {
	reader
	lines *lines
}

var _ detect.Completer = watching{}

// Read implements detect.Reader.
func (w watching) Read(ctx context.Context, scope dera.Scope, full bool) (detect.Page, error) {
	page, err := w.reader.Read(ctx, scope, full)
	if err == nil && scope.Sweep() && page.Next == "" {
		w.lines.mu.Lock()
		w.lines.last[scope.Key()] = true
		w.lines.mu.Unlock()
	}
	return page, err
}
