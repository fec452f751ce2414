package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/replay"
	"dera.example/dera/resource"
)

// offline is the cloud of a replay: there is none.
type offline struct{}

var _ remediate.Cloud = offline{}

// Read implements remediate.Cloud.
func (offline) Read(context.Context, dera.Plan) (dera.Resource, bool, error) {
	return dera.Resource{}, false, errors.New("a replay is offline")
}

// Do implements remediate.Cloud.
func (offline) Do(context.Context, dera.Plan, resource.Operation, func(context.Context) error) (string, error) {
	return "", errors.New("a replay is offline: nothing is written")
}

// DryRun implements remediate.Cloud.
func (offline) DryRun(context.Context, dera.Plan, resource.Operation) error {
	return errors.New("a replay is offline: nothing is written")
}

// Clock is the clock of a replay: it stands at the event that is replayed.
type Clock struct{ at time.Time }

// NewClock stands at the first event, or at now where there is none.
func NewClock(rec Recording, now time.Time) *Clock {
	if len(rec.events) > 0 {
		now = rec.events[0].Time
	}
	return &Clock{at: now}
}

// Now is when it is.
func (c *Clock) Now() time.Time { return c.at }

// Replay runs the whole loop over recorded events, offline.
type Replay struct {
	// Engine is the engine's configuration: types, store, controls, settings, gate,
	// owners, budgets. Its cloud, reader, places, mode and clock are the replay's own.
	Engine   engine.Config
	Clock    *Clock
	Progress Progress
}

// replaying is one run over a recording.
type replaying struct {
	Replay
	engine   *engine.Engine
	state    *replay.State
	detector detect.Detector
	event    recordedEvent // being replayed
	// episodes are the times that each finding was open, in order; open are those
	// that still are, by the finding's ID, and at the same by the resource's name.
	episodes   []*episode
	open       map[string]*episode
	at         map[string]map[string]*episode
	unfollowed []Unfollowed
	lost       int
	unread     []UnreadableLine
}

// Run replays the events, second by second, and reports what the loop found.
func (r Replay) Run(ctx context.Context, rec Recording) (ReplayReport, error) {
	p := &replaying{Replay: r, open: map[string]*episode{}, at: map[string]map[string]*episode{}}
	if err := p.wire(rec); err != nil {
		return ReplayReport{}, err
	}
	p.Progress.Total(len(rec.events))
	for events := rec.events; len(events) > 0; {
		n := 1
		for n < len(events) && events[n].Time.Unix() == events[0].Time.Unix() {
			n++
		}
		if err := p.second(ctx, events[:n]); err != nil {
			return ReplayReport{}, err
		}
		events = events[n:]
	}
	return p.report(ctx, rec)
}

// wire puts the real engine on the recorded state.
func (p *replaying) wire(rec Recording) error {
	cfg := p.Engine
	now := p.Clock.Now
	p.state = replay.New(now, cfg.Types.Types()...)
	rebuilt := slices.DeleteFunc(slices.Clone(cfg.Controls), func(c control.Control) bool { return !p.state.Rebuilds(c.Type) })
	p.detector = detect.Detector{Reader: p.state, Controls: p.state.Careful(rebuilt), Settings: cfg.Settings.At(now())}
	cfg.Reader, cfg.Cloud, cfg.Controls = p.state, offline{}, p.detector.Controls
	cfg.Accounts, cfg.Regions, cfg.Mode = rec.accounts, rec.regions, func(dera.Account, string) dera.Mode { return dera.Observe }
	cfg.Actor, cfg.Owner = dera.Actor{Name: "dera replay", How: "engine"}, "replay"
	cfg.Now, cfg.Tell = now, p.tell
	cfg.Settle = -1 // what is recorded does not lag
	var err error
	p.engine, err = engine.New(cfg)
	return err
}

// second takes in the events of one second, in the order that AWS's rules give.
func (p *replaying) second(ctx context.Context, events []recordedEvent) error {
	records := make([]cloudtrail.Record, len(events))
	for i, ev := range events {
		records[i] = ev.Record
	}
	for i, lost := range p.state.Second(records) {
		if err := p.step(ctx, events[i], lost); err != nil {
			return err
		}
		p.Progress.Step(Stamp(events[i].Time))
	}
	return nil
}

// step is one event that the state has taken in: the loop runs as it would have.
func (p *replaying) step(ctx context.Context, ev recordedEvent, lost error) error {
	p.Clock.at, p.event = ev.Time, ev
	if err := lost; err != nil {
		p.lost++
		if len(p.unfollowed) < MostListed {
			p.unfollowed = append(p.unfollowed, Unfollowed{Position: ev.position, Time: ev.Time, ID: ev.ID, Why: err.Error()})
		}
	}
	var events []dera.Event
	actor, agent := ev.Actor(), ev.UserAgent
	if ev.Failed() {
		actor, agent = "", ""
	}
	for _, scope := range ev.hints {
		// The files' word is taken for who did what: it can only lower a decision
		// here, and nothing is written.
		events = append(events, dera.Event{
			Source: "replay", ID: ev.ID, Name: ev.Name, Scope: scope, Actor: actor, UserAgent: agent, Time: ev.Time, Authenticated: true,
		})
	}
	if err := p.engine.Ingest(ctx, events, nil, nil); err != nil {
		return err
	}
	if err := p.engine.Drain(ctx); err != nil {
		return err
	}
	return p.closeEpisodes(ctx)
}

// tell takes what the engine decides.
func (p *replaying) tell(n engine.News) {
	switch n.What {
	case "finding":
		f := *n.Finding
		if f.State != dera.FindingOpen || p.open[f.ID] != nil {
			return
		}
		e := &episode{finding: f, from: p.Clock.Now(), cause: p.cause(), partly: p.unknownOf(f)}
		p.open[f.ID] = e
		if p.at[f.Resource.Name()] == nil {
			p.at[f.Resource.Name()] = map[string]*episode{}
		}
		p.at[f.Resource.Name()][f.ID] = e
		p.episodes = append(p.episodes, e)
	case "unread", "job":
		p.unread = append(p.unread, UnreadableLine{p.event.position, n.Err.Error()})
	}
}

// unknownOf says what is not known of the finding's resource as it is now.
func (p *replaying) unknownOf(f dera.Finding) string {
	page, err := p.state.Read(context.Background(), scopeOf(f), true)
	if err != nil || len(page.Resources) == 0 {
		return ""
	}
	r := page.Resources[0]
	return cmp.Or(p.state.Partly(r), p.state.Unreported(r))
}

func scopeOf(f dera.Finding) dera.Scope {
	return dera.Scope{Partition: f.Partition, Account: f.Account, Region: f.Region, Type: f.ResourceType, IDs: []string{f.Resource.Name()}}
}

func (p *replaying) cause() Cause {
	ev := p.event
	if ev.Failed() { // it did not do what it shows
		return Cause{Event: ev.Name + ", refused with " + ev.ErrorCode, ID: ev.ID}
	}
	return Cause{Event: ev.Name, ID: ev.ID, Actor: ev.Actor(), UserAgent: ev.UserAgent}
}

// closeEpisodes ends those that the event took back: the finding is resolved, or
// of a partly known resource what was found is no longer there.
func (p *replaying) closeEpisodes(ctx context.Context) error {
	for id, e := range p.touched() {
		f, err := p.Engine.Store.Finding(ctx, id)
		if err != nil {
			return err
		}
		gone := f.State == dera.FindingResolved
		if !gone {
			if gone, err = p.notFoundAgain(ctx, f); err != nil {
				return err
			}
		}
		if gone {
			by := p.cause()
			e.to, e.by, e.sure = p.Clock.Now(), &by, f.State == dera.FindingResolved
			delete(p.open, id)
			delete(p.at[f.Resource.Name()], id)
		}
	}
	return nil
}

// touched are the open findings at whose resources the event being replayed is a
// hint.
func (p *replaying) touched() map[string]*episode {
	out := map[string]*episode{}
	take := func(s dera.Scope, from map[string]*episode) {
		for id, e := range from {
			if s.Account == e.finding.Account && s.Type == e.finding.ResourceType {
				out[id] = e
			}
		}
	}
	for _, s := range p.event.hints {
		if s.Sweep() {
			take(s, p.open)
		}
		for _, name := range s.IDs {
			take(s, p.at[name])
		}
	}
	return out
}

// notFoundAgain looks whether the failure behind an open finding is still told.
func (p *replaying) notFoundAgain(ctx context.Context, f dera.Finding) (bool, error) {
	look, err := p.detector.Look(ctx, scopeOf(f), nil)
	if err != nil {
		return false, fmt.Errorf("look at %s again: %w", f.Resource, err)
	}
	for _, a := range look.Assessments {
		for _, j := range a.Results {
			for _, failure := range j.Result.Failures {
				if j.Control.ID == f.Control && failure.Key == f.Key {
					return false, nil
				}
			}
		}
	}
	return true, nil
}
