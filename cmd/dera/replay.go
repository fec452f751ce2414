package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
	"dera.example/dera/source"
)

func newReplayCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "replay FILE…",
		Short: "The whole loop over recorded CloudTrail, offline: what dera would have done",
		Long: "replay reads recorded CloudTrail events in every form that docs/usage.md lists, detected by content, and folders\n" +
			"of them. It rebuilds from the calls what security groups and buckets were set to, and runs the loop on that in\n" +
			"observe mode, event by event, with the clock of the events. It needs no credentials and writes nothing to AWS.\n\n" +
			"What was there before the first event is not known. A resource that no event created is partly known: what\n" +
			"the events tell of it is judged, and a check that finds nothing is unknown, never pass.\n\n" +
			"It keeps its findings to itself; with --data DIR, which must be new, they stay there.\n\n" +
			"Exit codes: 0 nothing found, 3 findings, 4 something could not be read, followed or judged in full.",
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			return a.replay(cmd.Context(), paths, cmd.Flags().Changed("data"))
		},
	}
}

// recording is what was read: the events that can matter, in the order of their
// times.
type recording struct {
	events     []recordedEvent
	unreadable []unreadableLine
	leftOut    []cloudtrail.Unread
	leftFiles  int
	counts     replayCounts
	watch      cloudtrail.Watch
	accounts   []dera.Account
	regions    []string
}

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

// unreadableLine is what could not be read of the files.
type unreadableLine struct {
	Position string `json:"position"`
	Why      string `json:"why"`
}

// replayCounts says what became of the events; each is counted once as read and
// once below.
type replayCounts struct {
	Read       int `json:"read"`
	Irrelevant int `json:"irrelevant"`
	Failed     int `json:"failed_calls"`
	Foreign    int `json:"foreign"`
	Duplicate  int `json:"duplicate"`
	Unreadable int `json:"unreadable"`
	Hinted     int `json:"hinted"`
}

// most bounds the lists of what could not be read or followed; the counts are
// whole.
const most = 100

// readRecording reads all files. configured are the accounts to look at; none
// means those of the events.
func readRecording(ctx context.Context, paths []string, configured []dera.Account, regions []string, bar *progress) (recording, error) {
	r := recording{accounts: configured, regions: regions, watch: services.Watch()}
	seen := map[string]int{}
	for raw, err := range source.FilesExcept(r.leave, paths...) {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && slices.Contains(paths, raw.File) {
				return r, usage("%v", err)
			}
			if errors.Is(err, cloudtrail.ErrOtherEvent) {
				r.counts.Read++
				r.counts.Irrelevant++
				continue
			}
			r.unread(raw, err)
			continue
		}
		bar.step(filepath.Base(raw.File))
		if err := r.take(raw, seen); err != nil {
			r.unread(raw, err)
		}
	}
	slices.SortStableFunc(r.events, func(a, b recordedEvent) int { return a.Time.Compare(b.Time) }) // within a second: replay.State.Second
	r.places(len(configured) == 0, len(regions) == 0)
	return r, nil
}

func (r *recording) unread(raw source.Raw, err error) {
	r.counts.Read++
	r.counts.Unreadable++
	if len(r.unreadable) < most {
		r.unreadable = append(r.unreadable, unreadableLine{raw.Position(), err.Error()})
	}
}

// leave notes a file that holds no events.
func (r *recording) leave(f cloudtrail.Unread) {
	if r.leftFiles++; len(r.leftOut) < most {
		r.leftOut = append(r.leftOut, f)
	}
}

// take sorts one event into exactly one count; an error is for unread.
// seen is where each event stands among those that matter.
func (r *recording) take(raw source.Raw, seen map[string]int) error {
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
func (r *recording) ours(rec cloudtrail.Record, hints []dera.Scope) bool {
	known := len(r.accounts) == 0 || slices.ContainsFunc(r.accounts, func(a dera.Account) bool { return a.ID == rec.Account })
	return known && (len(r.regions) == 0 || slices.ContainsFunc(hints, func(s dera.Scope) bool {
		return s.Region == dera.EveryRegion || s.Region == dera.GlobalRegion || slices.Contains(r.regions, s.Region)
	}))
}

// places fills in the accounts and regions of the events where none were asked
// for.
func (r *recording) places(accounts, regions bool) {
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

// replay runs the loop over the files and reports.
func (a *app) replay(ctx context.Context, paths []string, keep bool) (err error) {
	if a.flags.db != "" {
		return usage("--db: replay keeps its findings to itself; name a new folder with --data to keep them")
	}
	if a.flags.mode != "" && a.flags.mode != dera.Observe.String() {
		return usage("--mode %s: replay only observes", a.flags.mode)
	}
	if a.flags.allRegions {
		return usage("--all-regions: replay looks at the regions of the events, or at those of --region")
	}
	cfg, err := loadConfig(a.flags.config)
	if err != nil {
		return err
	}
	var accounts []dera.Account
	for _, acct := range cfg.Accounts {
		accounts = append(accounts, dera.Account{ID: acct.ID, Name: acct.Name, OU: acct.OU, Tags: acct.Tags, Owner: acct.Owner})
	}
	bar := newProgress(a.err, "reading")
	rec, err := readRecording(ctx, paths, accounts, a.flags.regions, bar)
	bar.end()
	if err != nil {
		return err
	}
	forget, err := a.replayData(keep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget()) }()
	report, err := a.runReplay(ctx, rec)
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		a.printReplay(report)
	}
	return report.exit()
}

// replayData points the command at a folder of its own: a new one that was asked
// for, or one that goes when the command ends. What other commands keep is never
// opened.
func (a *app) replayData(keep bool) (forget func() error, err error) {
	if keep {
		if list, err := os.ReadDir(a.flags.data); err == nil && len(list) > 0 {
			return nil, usage("--data %s is not empty; replay wants a new folder, so that no finding of its own gets among yours", a.flags.data)
		}
		return func() error { return nil }, nil
	}
	if a.flags.data, err = os.MkdirTemp("", "dera-replay-"); err != nil {
		return nil, fmt.Errorf("make a folder for the replay: %w", err)
	}
	return func() error { return os.RemoveAll(a.flags.data) }, nil
}
