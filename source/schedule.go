package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dera.example/dera"
)

// ScheduleConfig configures sweeps. The first four are mandatory.
type ScheduleConfig struct {
	Accounts []dera.Account
	Regions  []string
	Types    []string // resource types, of which there are some in each region
	Global   []string // resource types of which an account has one, in dera.GlobalRegion
	// Interval is the time from one sweep to the next; each is drawn from
	// within a tenth of it, so that engines and accounts drift apart.
	Interval time.Duration
	Timeout  time.Duration    // of the handler; a minute if zero
	Log      *slog.Logger     // discards if nil
	Now      func() time.Time // time.Now if nil
	Random   func() float64   // in [0, 1); spreads sweeps and retries
}

// Schedule asks for a look at everything, again and again: what an event did
// not tell is found by the next sweep (invariant I3). Make one with NewSchedule.
type Schedule struct{ cfg ScheduleConfig }

// NewSchedule returns a schedule, or an error for one that would look at nothing.
func NewSchedule(cfg ScheduleConfig) (*Schedule, error) {
	var ids []string
	for _, a := range cfg.Accounts {
		ids = append(ids, a.ID)
	}
	err := validAccounts(ids)
	switch {
	case err != nil:
	case len(cfg.Types)+len(cfg.Global) == 0:
		err = errors.New("no resource types")
	case cfg.Interval <= 0:
		err = fmt.Errorf("interval of %s, must be a positive one", cfg.Interval)
	case cfg.Timeout < 0:
		err = errors.New("negative timeout")
	case len(scopes(cfg)) == 0:
		err = errors.New("no region is of an account's partition")
	}
	if err != nil {
		return nil, fmt.Errorf("configure sweeps: %w", err)
	}
	cfg.Timeout = orElse(cfg.Timeout, time.Minute)
	cfg.Log = orElse(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.Now, cfg.Random = clock(cfg.Now), randomness(cfg.Random)
	return &Schedule{cfg: cfg}, nil
}

// Run hands a delivery with one sweep event for every account, region and type
// to handle: the first at once, then at each interval, until ctx ends; then it
// returns nil. After an error the same sweep is asked for again.
func (s *Schedule) Run(ctx context.Context, handle Handler) error {
	retry := backoff{random: s.cfg.Random}
	for ctx.Err() == nil {
		if err := s.round(ctx, handle); err != nil {
			retry.pause(ctx, s.cfg.Log, sweep, err)
			continue
		}
		retry.reset()
		sleep(ctx, time.Duration(float64(s.cfg.Interval)*(0.9+0.2*s.cfg.Random())))
	}
	return nil
}

func (s *Schedule) round(ctx context.Context, handle Handler) error {
	work, cancel := inHand(ctx, s.cfg.Timeout)
	defer cancel()
	if err := handle(work, s.delivery()); err != nil {
		return fmt.Errorf("handle sweep: %w", err)
	}
	return nil
}

// sweep is the source and the name of scheduled events.
const sweep = "sweep"

func (s *Schedule) delivery() Delivery {
	now := s.cfg.Now().UTC()
	d := Delivery{Source: sweep, At: now}
	for _, scope := range scopes(s.cfg) {
		d.Events = append(d.Events, dera.Event{Source: sweep, Name: sweep, Scope: scope, Time: now})
	}
	return d
}

// scopes lists what a sweep covers. An account has only the regions of its own
// partition.
func scopes(cfg ScheduleConfig) []dera.Scope {
	var out []dera.Scope
	for _, a := range cfg.Accounts {
		for _, typ := range cfg.Global {
			out = append(out, dera.Scope{Partition: orElse(a.Partition, "aws"), Account: a.ID, Region: dera.GlobalRegion, Type: typ})
		}
		for _, region := range cfg.Regions {
			if dera.PartitionOf(region).ID != orElse(a.Partition, "aws") {
				continue
			}
			for _, typ := range cfg.Types {
				out = append(out, dera.Scope{Partition: dera.PartitionOf(region).ID, Account: a.ID, Region: region, Type: typ})
			}
		}
	}
	return out
}
