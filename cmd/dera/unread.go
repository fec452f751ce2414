package main

import (
	"context"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/control"
	"dera.example/dera/store"
)

// nothingRead is what there is to say before the first scan.
const nothingRead = "nothing was read yet: dera scan reads everything once"

// places are what became of the last reads of what the configuration in force
// covers.
func (s *session) places(ctx context.Context) (app.Places, error) {
	list, err := s.store.Places(ctx)
	if err != nil {
		return app.Places{}, err
	}
	looked, err := s.store.Looked(ctx)
	if err != nil {
		return app.Places{}, err
	}
	covered, err := s.covered(ctx)
	if err != nil {
		return app.Places{}, err
	}
	running := s.config.controls()
	return app.NewPlaces(list, func(p store.Place) bool {
		i := slices.IndexFunc(running, func(c control.Control) bool { return c.Type == p.Type })
		return i >= 0 && covered(dera.Finding{Account: p.Account, Region: p.Region, Control: running[i].ID})
	}, len(looked) > 0), nil
}

// unreadText says of each place that was not read which one it is, since when, and
// why; those that nobody has tried yet are one line.
func unreadText(r app.ScanReport) []string {
	if r.NothingRead {
		return []string{nothingRead}
	}
	var out []string
	untried := 0
	for _, u := range r.Unreadable {
		if !u.Tried() {
			untried++
			continue
		}
		since := ""
		if u.Since != nil {
			since = " since " + app.Stamp(*u.Since)
		}
		what := u.Account + " " + u.Region // the error names the type
		out = append(out, fmt.Sprintf("not read%s: %s: %s", since, app.Plain(what), app.Plain(u.Error)))
	}
	if untried > 0 {
		out = append(out, fmt.Sprintf("not read yet: %s, which no scan or run has come to", counted(untried, "place")))
	}
	return out
}

// alertUnread says on standard error what was not read, also under --quiet.
func (a *cli) alertUnread(ctx context.Context, s *session) error {
	p, err := s.places(ctx)
	if err != nil {
		return err
	}
	for _, text := range unreadText(app.ScanReport{}.With(p)) {
		a.alert("dera: %s\n", text)
	}
	return nil
}
