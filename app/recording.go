package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/source"
)

// Recording is what was read: the events that can matter, in the order of their
// times.
type Recording struct {
	events     []recordedEvent
	unreadable []UnreadableLine
	leftOut    []cloudtrail.Unread
	leftFiles  int
	counts     ReplayCounts
	watch      cloudtrail.Watch
	accounts   []dera.Account
	regions    []string
	uses       map[string]*dataUse // by the ARN of the resource
}

// Regions are those that were asked for, or those of the events.
func (r Recording) Regions() []string { return r.regions }

// noFileError keeps the words of the error of the file.
type noFileError struct{ error }

// Is reports whether target is [ErrNoFile].
func (noFileError) Is(target error) bool { return target == ErrNoFile }

// Unwrap returns the error of the file.
func (e noFileError) Unwrap() error { return e.error }

// recordedEvent is a record that names something to look at.
type recordedEvent struct {
	cloudtrail.Record
	hints    []dera.Scope
	position string
}

// better reports whether of two copies of an event this is the one to go by: it
// says more. Which file is read first decides nothing.
func (e recordedEvent) better(o recordedEvent) bool {
	said := func(e recordedEvent) string {
		var out []byte
		for _, raw := range []json.RawMessage{e.Request, e.Response} {
			var left struct {
				Omitted bool `json:"omitted"`
			}
			if err := json.Unmarshal(raw, &left); err == nil && left.Omitted { // CloudTrail's own word for too large
				raw = nil
			}
			out = append(append(out, raw...), 0)
		}
		return string(out)
	}
	a, b := said(e), said(o)
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b), strings.Compare(o.position, e.position)) > 0
}

// UnreadableLine is what could not be read of the files.
type UnreadableLine struct {
	Position string `json:"position"`
	Why      string `json:"why"`
}

// ReplayCounts says what became of the events; each is counted once as read and
// once below.
type ReplayCounts struct {
	Read       int `json:"read"`
	Irrelevant int `json:"irrelevant"`
	Failed     int `json:"failed_calls"`
	Foreign    int `json:"foreign"`
	Duplicate  int `json:"duplicate"`
	Unreadable int `json:"unreadable"`
	Hinted     int `json:"hinted"`
}

// MostListed bounds the lists of what could not be read or followed; the counts are
// whole.
const MostListed = 100

// ErrNoFile says that a file or folder that was named is not there.
var ErrNoFile = errors.New("file was named and is not there")

// ReadRecording reads all files. watch knows the events that matter. configured are
// the accounts to look at; none means those of the events, and so with regions. It
// fails with [ErrNoFile] where a path does not exist; what cannot be read of the
// files is in the recording.
func ReadRecording(ctx context.Context, paths []string, watch cloudtrail.Watch, configured []dera.Account, regions []string, bar Progress) (Recording, error) {
	r := Recording{accounts: configured, regions: regions, watch: watch}
	seen := map[string]int{}
	for raw, err := range source.FilesExcept(r.leave, paths...) {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && slices.Contains(paths, raw.File) {
				return r, noFileError{err}
			}
			if errors.Is(err, cloudtrail.ErrOtherEvent) {
				r.counts.Read++
				r.counts.Irrelevant++
				continue
			}
			r.unread(raw, err)
			continue
		}
		bar.Step(filepath.Base(raw.File))
		if err := r.take(raw, seen); err != nil {
			r.unread(raw, err)
		}
	}
	slices.SortStableFunc(r.events, func(a, b recordedEvent) int { return a.Time.Compare(b.Time) }) // within a second: replay.State.Second
	r.places(len(configured) == 0, len(regions) == 0)
	return r, nil
}

func (r *Recording) unread(raw source.Raw, err error) {
	r.counts.Read++
	r.counts.Unreadable++
	if len(r.unreadable) < MostListed {
		r.unreadable = append(r.unreadable, UnreadableLine{raw.Position(), err.Error()})
	}
}

// leave notes a file that holds no events.
func (r *Recording) leave(f cloudtrail.Unread) {
	if r.leftFiles++; len(r.leftOut) < MostListed {
		r.leftOut = append(r.leftOut, f)
	}
}

// take sorts one event into exactly one count; an error is for unread.
// seen is where each event stands among those that matter.
func (r *Recording) take(raw source.Raw, seen map[string]int) error {
	r.use(raw.Body)
	if !r.watch.Triage(raw.Body) {
		r.counts.Read++
		r.counts.Irrelevant++
		return nil
	}
	rec, err := cloudtrail.Decode(raw.Body)
	if err != nil {
		return err
	}
	if rec.Time.IsZero() { // no other event says when it was
		return errors.New("event has no eventTime that can be read")
	}
	r.counts.Read++
	done := rec
	if r.watch.Reveals(rec) {
		done.ErrorCode = "" // it changed nothing, and says what is there
	}
	ev := recordedEvent{rec, r.watch.Hints(done), raw.Position()}
	key := strings.Join([]string{rec.Account, rec.Region, cmp.Or(rec.ID, string(rec.Request)+string(rec.Response)+rec.Actor()), rec.Name, rec.ErrorCode, rec.Time.String()}, "/")
	at, again := seen[key]
	switch {
	case rec.Failed() && (len(ev.hints) == 0 || again || !r.ours(rec, ev.hints)):
		r.counts.Failed++
		return nil
	case len(ev.hints) == 0:
		r.counts.Irrelevant++
		return nil
	case again:
		r.counts.Duplicate++
		if ev.better(r.events[at]) {
			r.events[at] = ev
		}
		return nil
	case !r.ours(rec, ev.hints):
		r.counts.Foreign++
		return nil
	case rec.Failed():
		r.counts.Failed++
	default:
		r.counts.Hinted++
	}
	seen[key] = len(r.events)
	r.events = append(r.events, ev)
	return nil
}

// ours reports whether the event can concern an account and region that were
// asked for: what happens in one region can matter in others.
func (r *Recording) ours(rec cloudtrail.Record, hints []dera.Scope) bool {
	known := len(r.accounts) == 0 || slices.ContainsFunc(r.accounts, func(a dera.Account) bool { return a.ID == rec.Account })
	return known && (len(r.regions) == 0 || slices.ContainsFunc(hints, func(s dera.Scope) bool {
		return s.Region == dera.EveryRegion || s.Region == dera.GlobalRegion || slices.Contains(r.regions, s.Region)
	}))
}

// places fills in the accounts and regions of the events where none were asked
// for.
func (r *Recording) places(accounts, regions bool) {
	for _, ev := range r.events {
		if accounts && !slices.ContainsFunc(r.accounts, func(a dera.Account) bool { return a.ID == ev.Account }) {
			r.accounts = append(r.accounts, dera.Account{ID: ev.Account, Partition: ev.Partition})
		}
		for _, scope := range ev.hints {
			if regions && scope.Region != dera.EveryRegion && scope.Region != dera.GlobalRegion && !slices.Contains(r.regions, scope.Region) {
				r.regions = append(r.regions, scope.Region)
			}
		}
	}
	slices.SortFunc(r.accounts, func(a, b dera.Account) int { return cmp.Compare(a.ID, b.ID) })
	slices.Sort(r.regions)
	for i := range r.accounts {
		if r.accounts[i].Partition == "" && len(r.regions) > 0 {
			r.accounts[i].Partition = dera.PartitionOf(r.regions[0]).ID
		}
	}
}
