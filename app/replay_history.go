package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// HistoryDays is how far back the event history of CloudTrail goes.
const HistoryDays = 90

// FixedWithin is how soon after a call dera aims to have it undone and verified, most of which
// is the time that AWS takes to deliver the event.
const FixedWithin = 90 * time.Second

// ReplayedHistory says what of the event history of AWS was read for a replay.
type ReplayedHistory struct {
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Calls    []string         `json:"calls"` // the names that were looked up, and no others
	Requests int              `json:"requests"`
	Places   []HistoryPlace   `json:"places"`
	Torn     []UnreadableLine `json:"torn,omitempty"`
}

// Whole reports whether every place was read, up to the first day, and each of its events.
func (h ReplayedHistory) Whole() bool {
	return len(h.Torn) == 0 && !slices.ContainsFunc(h.Places, func(p HistoryPlace) bool { return p.Error != "" || p.Cut != nil })
}

// HistoryPlace is one account in one region.
type HistoryPlace struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Events  int    `json:"events"`
	// Cut is the time up to which events were left out, because there are too many.
	Cut *time.Time `json:"cut,omitempty"`
	// Error says why the place was not read; none of its events count then.
	Error string `json:"error,omitempty"`
}

// Past reads the event history of AWS into a folder.
type Past struct {
	Client   *cloud.Client
	Accounts []dera.Account
	Regions  []string
	From, To time.Time
	// Calls are the names of the calls to look up, and Most how many events of one name are
	// read in one place.
	Calls    []string
	Most     int
	Progress Progress
}

// RebuiltCalls are the names of the calls from which a replay rebuilds resources, sorted.
func RebuiltCalls(watch cloudtrail.Watch, types []resource.Type) (out []string) {
	for _, c := range watch.Calls() {
		if slices.ContainsFunc(types, func(t resource.Type) bool { return t.History != nil && slices.Contains(c.Types, t.Name) }) {
			out = append(out, c.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// placesAtOnce is how many places are read at the same time; CloudTrail's limit is of each.
const placesAtOnce = 8

// Read writes the events of each place into a file of the folder, by account and region. What
// could not be read is in the answer; an error is one of the folder, or of ctx.
func (p Past) Read(ctx context.Context, folder string) (ReplayedHistory, error) {
	h := ReplayedHistory{From: p.From, To: p.To, Calls: p.Calls}
	p.Progress.Total(len(p.Accounts) * len(p.Regions) * len(p.Calls))
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	slots := make(chan struct{}, placesAtOnce)
	for _, a := range p.Accounts {
		for _, region := range p.Regions {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				r := placeReader{past: p, mu: &mu, place: HistoryPlace{Account: a.ID, Region: region}, api: p.Client.History(a.ID, region)}
				err := r.read(ctx)
				if err == nil {
					err = r.write(filepath.Join(folder, a.ID, region+".json"))
				}
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				h.Requests += r.api.Requests
				h.Places, h.Torn = append(h.Places, r.place), append(h.Torn, r.torn...)
			})
		}
	}
	wg.Wait()
	slices.SortFunc(h.Places, func(a, b HistoryPlace) int { return strings.Compare(a.Account+"/"+a.Region, b.Account+"/"+b.Region) })
	slices.SortFunc(h.Torn, func(a, b UnreadableLine) int { return strings.Compare(a.Position, b.Position) })
	return h, errors.Join(append(errs, ctx.Err())...)
}

// placeReader reads one place.
type placeReader struct {
	past  Past
	mu    *sync.Mutex // of the progress
	api   *cloud.History
	place HistoryPlace
	list  []cloud.PastEvent
	torn  []UnreadableLine
}

// read looks up each call. A place of which one lookup fails is not read at all: calls that
// are missing could have closed what the others opened.
func (r *placeReader) read(ctx context.Context) error {
	for _, name := range r.past.Calls {
		var token string
		for n, pages := 0, 0; ; {
			page, next, err := r.api.Page(ctx, name, r.past.From, token)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				r.place.Error, r.list, r.torn, r.place.Cut = err.Error(), nil, nil, nil
				return nil
			}
			r.list, n, token, pages = append(r.list, page...), n+len(page), next, pages+1
			if token == "" {
				break
			}
			if pages > r.past.Most { // of empty ones there may be some
				r.place.Error, r.list, r.torn, r.place.Cut = fmt.Sprintf("the event history of %s has no end after %d pages", name, pages), nil, nil, nil
				return nil
			}
			if n >= r.past.Most {
				if at := r.list[len(r.list)-1].Time; r.place.Cut == nil || at.After(*r.place.Cut) {
					r.place.Cut = &at
				}
				break
			}
		}
		r.mu.Lock()
		r.past.Progress.Step(r.place.Account + " " + r.place.Region + " " + name)
		r.mu.Unlock()
	}
	return nil
}

// write writes what was read as a log file: nothing up to a cut, of which only a part of the
// calls is known.
func (r *placeReader) write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write what was looked up: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write what was looked up: %w", err)
	}
	w := bufio.NewWriter(f)
	sep := `{"Records":[` + "\n"
	for _, e := range r.list {
		if r.place.Cut != nil && !e.Time.After(*r.place.Cut) {
			continue
		}
		text := bytes.TrimSpace([]byte(e.Text))
		if !json.Valid(text) || text[0] != '{' {
			r.torn = append(r.torn, UnreadableLine{r.place.Account + "/" + r.place.Region + ", event " + e.ID, "its record is not whole"})
			continue
		}
		r.place.Events++
		_, _ = w.WriteString(sep) // Flush reports it
		_, _ = w.Write(text)
		sep = ",\n"
	}
	if r.place.Events == 0 {
		_, _ = w.WriteString(sep)
	}
	_, _ = w.WriteString("\n]}\n")
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write what was looked up: %w", err)
	}
	return nil
}

// Below shortens the positions of a recording that stand in the folder.
func (r *Recording) Below(folder string) {
	for i := range r.unreadable {
		r.unreadable[i].Position = strings.TrimPrefix(r.unreadable[i].Position, folder+string(filepath.Separator))
	}
	for i := range r.events {
		r.events[i].position = strings.TrimPrefix(r.events[i].position, folder+string(filepath.Separator))
	}
}
