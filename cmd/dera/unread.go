package main

import (
	"context"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/services"
	"dera.example/dera/store"
)

// nothingRead is what there is to say before the first scan.
const nothingRead = "nothing was read yet: dera scan reads everything once"

// places are what became of the last reads of what the configuration in force
// covers.
func (s *session) places(ctx context.Context) (app.Places, error) {
	_, places, err := s.seen(ctx)
	return places, err
}

// seen are the places that the configuration in force covers, and what is known of their reads.
func (s *session) seen(ctx context.Context) (in []store.Place, known app.Places, err error) {
	list, err := s.store.Places(ctx)
	if err != nil {
		return nil, known, err
	}
	looked, err := s.store.Looked(ctx)
	if err != nil {
		return nil, known, err
	}
	covered, err := s.covered(ctx)
	if err != nil {
		return nil, known, err
	}
	running := s.config.controls()
	if s.blind { // nobody knows what is covered
		covered, running = func(dera.Finding) bool { return true }, services.Controls()
	}
	never, err := s.neverRead(ctx, list)
	if err != nil {
		return nil, known, err
	}
	byType := map[string]string{}
	for _, c := range running {
		byType[c.Type] = c.ID
	}
	covers := func(p store.Place) bool {
		id, looks := byType[p.Type]
		return looks && covered(dera.Finding{Account: p.Account, Region: p.Region, Control: id})
	}
	all := slices.Concat(list, never)
	known = app.NewPlaces(all, covers, len(looked) > 0)
	if s.blind {
		known.Unread = append(known.Unread, app.Unreadable{Problem: "error", Error: "the configuration in force cannot be used, so dera does not know what it covers"})
	}
	return slices.DeleteFunc(all, func(p store.Place) bool { return !covers(p) }), known, nil
}

// neverRead are the places of the configuration in force of which the store knows
// nothing: no scan or run has come to them. Regions that it does not name are those
// of the places that are known.
func (s *session) neverRead(ctx context.Context, list []store.Place) (out []store.Place, err error) {
	type place struct{ account, region, typ string }
	known, regions := map[place]bool{}, slices.Clone(s.config.Regions)
	for _, p := range list {
		if p.Resource == "" {
			known[place{p.Account, p.Region, p.Type}] = true
		}
		if len(s.config.Regions) == 0 && p.Region != dera.GlobalRegion && !slices.Contains(regions, p.Region) {
			regions = append(regions, p.Region)
		}
	}
	accounts, err := s.coveredAccounts(ctx)
	if err != nil {
		return nil, err
	}
	types := services.Types()
	for _, c := range s.config.controls() {
		in := regions
		if kind, err := types.Lookup(c.Type); err == nil && kind.Global {
			in = []string{dera.GlobalRegion}
		}
		for _, account := range accounts {
			for _, region := range in {
				if p := (place{account, region, c.Type}); !known[p] {
					known[p] = true
					out = append(out, store.Place{Account: account, Region: region, Type: c.Type, Unread: s.app.now()})
				}
			}
		}
	}
	return out, nil
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
		what := ""
		if u.Account != "" {
			what = u.Account + " " + u.Region + ": " // the error names the type
		}
		out = append(out, fmt.Sprintf("not read%s: %s%s", since, app.Plain(what), app.Plain(u.Error)))
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
