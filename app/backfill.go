package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/source"
	"dera.example/dera/store"
)

// rememberSeen is the name under which it is kept, for each place, up to when its events were seen;
// rememberBackfill, what came of the last look at its history.
const (
	rememberSeen     = "seen/"
	rememberBackfill = "backfill/"
)

// Positions are up to when the events of each place have been seen, in the database: so another
// process and the next start know it too.
type Positions struct {
	Store *store.Store
	Now   func() time.Time
}

var _ source.Positions = Positions{}

// backfilled is what is kept of a look.
type backfilled struct {
	At     time.Time `json:"at"`
	Events int       `json:"events"`
	Cut    bool      `json:"cut,omitempty"`
	Error  string    `json:"error,omitempty"`
	Denied bool      `json:"denied,omitempty"`
}

func placeName(p source.BackfillPlace) string { return p.Account + "/" + p.Region }

// Seen implements source.Positions. What cannot be read as a time is like nothing: it is for the sweep.
func (p Positions) Seen(ctx context.Context, at source.BackfillPlace) (time.Time, error) {
	text, err := p.Store.Remembered(ctx, rememberSeen+placeName(at))
	if err != nil || text == "" {
		return time.Time{}, err
	}
	seen, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, nil
	}
	return seen, nil
}

// Note implements source.Positions.
func (p Positions) Note(ctx context.Context, at source.BackfillPlace, f source.Filled) error {
	b := backfilled{At: p.Now().UTC().Truncate(time.Second), Events: f.Events, Cut: f.Cut}
	values := map[string]string{}
	if f.Err == nil {
		values[rememberSeen+placeName(at)] = f.To.UTC().Format(time.RFC3339)
	} else {
		b.Error, b.Denied = plainCause(f.Err), cloud.Is(f.Err, cloud.Denied)
	}
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("keep what was looked up: %w", err)
	}
	values[rememberBackfill+placeName(at)] = string(text)
	batch := store.Batch{Remember: values}
	if f.Err != nil {
		batch.Counts = map[string]int64{source.BackfillFailed: 1}
	}
	return p.Store.Commit(ctx, batch)
}

// Hearing keeps beside what handle commits in which places calls by CloudTrail came from just now, each at most
// once in a while: of these nothing has to be looked up. A place that was silent for longer than after
// stays so until its history was looked up: what comes first does not tell what was missed.
func (p Positions) Hearing(after time.Duration, handle source.Handler) source.Handler {
	var mu sync.Mutex
	noted := map[source.BackfillPlace]time.Time{}
	return func(ctx context.Context, d source.Delivery) error {
		if err := handle(ctx, d); err != nil {
			return err
		}
		for _, at := range heardOf(d, after/4) {
			mu.Lock()
			due := d.At.Sub(noted[at]) >= after/4
			noted[at] = d.At
			mu.Unlock()
			if !due {
				continue
			}
			seen, err := p.Seen(ctx, at)
			if err == nil && !seen.IsZero() && d.At.Sub(seen) < after {
				// The events are committed: where this fails, more is looked up.
				_ = p.Store.Remember(ctx, map[string]string{rememberSeen + placeName(at): d.At.UTC().Add(-after / 4).Format(time.RFC3339)})
			}
		}
		return nil
	}
}

// heardOf are the places of calls of a delivery that are no older than late.
func heardOf(d source.Delivery, late time.Duration) (out []source.BackfillPlace) {
	for at, newest := range d.Heard {
		if d.At.Sub(newest) <= late {
			out = append(out, at)
		}
	}
	return out
}

// mostBackfillsTold is how many places whose history cannot be read are listed.
const mostBackfillsTold = 5

// backfills says how the event histories were read.
func (x *examination) backfills(ctx context.Context) error {
	if x.Backfill <= 0 {
		return nil
	}
	all, err := x.Store.RememberedUnder(ctx, rememberBackfill)
	if err != nil {
		return err
	}
	var failed []string
	var last time.Time
	denied, cut := false, 0
	for name, text := range all {
		var b backfilled
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			return fmt.Errorf("recall what was looked up of %s: %w", name, err)
		}
		if b.Error != "" {
			failed = append(failed, name+": "+b.Error)
			denied = denied || b.Denied
		}
		if b.Cut {
			cut++
		}
		if b.At.After(last) {
			last = b.At
		}
	}
	slices.Sort(failed)
	for _, text := range failed[:min(len(failed), mostBackfillsTold)] {
		x.says("event history", "", ToDo, text, map[bool]string{true: "allow cloudtrail:LookupEvents to the reader: dera role --backfill; until then sweeps find what was missed"}[denied])
	}
	counts, err := x.Store.Counters(ctx)
	if err != nil {
		return err
	}
	switch {
	case len(all) == 0:
		x.says("event history", "", NotTested, "dera run has not looked any up yet", "")
	case len(failed) < len(all):
		says := fmt.Sprintf("looked up for %d places, last %s ago: %d events, of which %d led to a look", len(all)-len(failed), x.Now().Sub(last).Truncate(time.Second), counts[source.BackfillEvents], counts[source.BackfillHinted])
		if cut > 0 {
			says += fmt.Sprintf(". Of %d there were more than are read at once, and sweeps find what is older", cut)
		}
		x.says("event history", "", Healthy, says, "")
	}
	return nil
}

// BackfillPlaces are the places whose history is looked up: each account in each region of its
// partition, and in the one where the events of global services are.
func BackfillPlaces(accounts []dera.Account, regions []string) (out []source.BackfillPlace) {
	for _, a := range accounts {
		for _, p := range dera.Partitions() {
			if p.ID != cmp.Or(a.Partition, dera.Partitions()[0].ID) {
				continue
			}
			of := []string{p.Home}
			for _, r := range regions {
				if dera.PartitionOf(r).ID == p.ID && !slices.Contains(of, r) && !strings.EqualFold(r, dera.GlobalRegion) {
					of = append(of, r)
				}
			}
			for _, r := range of {
				out = append(out, source.BackfillPlace{Account: a.ID, Region: r})
			}
		}
	}
	return out
}
