package main

import (
	"github.com/spf13/pflag"

	"dera.example/dera/app"
)

// periodFlags are the ends of a period, as they are given.
type periodFlags struct{ since, until string }

func (f *periodFlags) flags(p *pflag.FlagSet) {
	p.StringVar(&f.since, "since", "", "where the period begins: so long ago (90d, 36h), a day (2026-10-01, UTC) or a time (RFC 3339); default: 90d before it ends")
	p.StringVar(&f.until, "until", "", "before when the period ends, written likewise; default: now")
}

func (a *cli) periodOf(f periodFlags) (app.Period, error) {
	p, err := app.ParsePeriod(f.since, f.until, a.now())
	if err != nil {
		return p, usage("%w", err)
	}
	return p, nil
}
