package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
)

// threatsFor is how long what GuardDuty reports of a region is remembered for sweeps, which
// read page by page.
const threatsFor = time.Minute

// threats tells what GuardDuty reports, in the region of what is read, or of what an account has
// once in every region that is covered and the home of the partition. It is safe for
// concurrent use.
type threats struct {
	s  *session
	mu sync.Mutex
	of map[string]*threatsOf
}

// threatsOf is what one region answered last.
type threatsOf struct {
	mu  sync.Mutex
	at  time.Time
	got resource.Threats
	err error
}

var _ resource.Threatening = (*threats)(nil)

// Threats implements resource.Threatening.
func (t *threats) Threats(ctx context.Context, at dera.Scope, member string) (out resource.Threats, _ error) {
	regions := []string{at.Region}
	if at.Region == dera.GlobalRegion {
		regions = slices.Clone(t.s.regions)
		if home := dera.PartitionOf(t.s.client.Region()).Home; !slices.Contains(regions, home) {
			regions = append(regions, home)
		}
	}
	for _, region := range regions {
		got, err := t.region(ctx, at, region, member)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			why, _ := cloud.Cause(err)
			out.Without = append(out.Without, "what GuardDuty reports in "+region+" could not be read: "+why)
		}
		out.Detectors += got.Detectors
		for _, x := range got.List {
			if !slices.ContainsFunc(out.List, func(o resource.Threat) bool { return o.ID == x.ID }) {
				out.List = append(out.List, x)
			}
		}
	}
	slices.SortFunc(out.List, func(a, b resource.Threat) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// region asks one region: afresh where resources are named.
func (t *threats) region(ctx context.Context, at dera.Scope, region, member string) (resource.Threats, error) {
	if len(at.IDs) > 0 {
		return t.s.client.Reading(at.Account, region).Threats(ctx, member, at.IDs)
	}
	t.mu.Lock()
	if t.of == nil {
		t.of = map[string]*threatsOf{}
	}
	key := at.Account + "/" + region
	known := t.of[key]
	if known == nil {
		known = &threatsOf{}
		t.of[key] = known
	}
	t.mu.Unlock()
	known.mu.Lock()
	defer known.mu.Unlock()
	if now := t.s.app.now(); known.at.IsZero() || now.Sub(known.at) >= threatsFor || now.Before(known.at) {
		got, err := t.s.client.Reading(at.Account, region).Threats(ctx, member, nil)
		if ctx.Err() != nil {
			return got, ctx.Err() // of a caller who went nothing is remembered
		}
		known.at, known.got, known.err = now, got, err
	}
	return known.got, known.err
}
