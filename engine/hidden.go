package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/store"
)

// detectorAt is the detector with the settings that hold at a moment: an own
// network can lapse while the process runs.
func (e *Engine) detectorAt(now time.Time) detect.Detector {
	d := e.detector
	d.Settings = d.Settings.At(now)
	return d
}

// hidden counts the failures that nobody hears of since the sources are declared
// to be the organisation's own networks.
func hidden(d detect.Detector, list []detect.Assessment) (n int) {
	if len(d.Settings.Allow) == 0 {
		return 0
	}
	d.Settings.Allow = nil
	for _, a := range list {
		for i, j := range d.Assess(a.Resource).Results {
			for _, f := range j.Result.Failures {
				if !slices.ContainsFunc(a.Results[i].Result.Failures, func(o control.Failure) bool { return o.Key == f.Key }) {
					n++
				}
			}
		}
	}
	return n
}

// hides keeps with the page of a sweep how many failures the own networks hide in
// the place, up to this page.
func (e *Engine) hides(ctx context.Context, s dera.Scope, n int, b *store.Batch) error {
	if !s.Sweep() {
		return nil
	}
	name := store.HiddenName(s.Account, s.Region, s.Type)
	text, err := e.cfg.Store.Remembered(ctx, name)
	if err != nil {
		return err
	}
	was, err := strconv.Atoi(text)
	if text != "" && err != nil {
		return fmt.Errorf("recall %s: %w", name, err)
	}
	if s.Page != "" {
		n += was
	}
	if n != was {
		b.Remember = map[string]string{name: strconv.Itoa(n)}
	}
	return nil
}
