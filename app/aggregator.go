package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dera.example/dera/cloud"
	"dera.example/dera/source"
	"dera.example/dera/store"
)

// rememberAggregated is the name under which it is kept up to when an aggregator was seen, and what
// came of the last look.
const rememberAggregated = "aggregated/"

// Aggregated is up to when what an aggregator of AWS Config has was seen, in the database.
type Aggregated struct {
	Store *store.Store
	Now   func() time.Time
	Name  string
}

var _ source.Place = Aggregated{}

// aggregated is what is kept.
type aggregated struct {
	Seen time.Time `json:"seen,omitzero"`
	backfilled
}

func (a Aggregated) last(ctx context.Context) (out aggregated, err error) {
	text, err := a.Store.Remembered(ctx, rememberAggregated+a.Name)
	if err != nil || text == "" {
		return out, err
	}
	if json.Unmarshal([]byte(text), &out) != nil {
		return aggregated{}, nil // like nothing: all of it is read
	}
	return out, nil
}

// Seen implements source.Place.
func (a Aggregated) Seen(ctx context.Context) (time.Time, error) {
	last, err := a.last(ctx)
	return last.Seen, err
}

// Note implements source.Place.
func (a Aggregated) Note(ctx context.Context, f source.Filled) error {
	last, err := a.last(ctx)
	if err != nil {
		return err
	}
	last.backfilled = backfilled{At: a.Now().UTC().Truncate(time.Second), Events: f.Events, Cut: f.Cut}
	batch := store.Batch{}
	if f.Err == nil {
		last.Seen = f.To
	} else {
		last.Error, last.Denied = plainCause(f.Err), cloud.Is(f.Err, cloud.Denied)
		batch.Counts = map[string]int64{source.AggregatorFailed: 1}
	}
	text, err := json.Marshal(last)
	if err != nil {
		return fmt.Errorf("keep what the aggregator has: %w", err)
	}
	batch.Remember = map[string]string{rememberAggregated + a.Name: string(text)}
	return a.Store.Commit(ctx, batch)
}

// aggregators says how the aggregator was read.
func (x *examination) aggregators(ctx context.Context) error {
	if x.Aggregator == "" {
		return nil
	}
	last, err := Aggregated{Store: x.Store, Now: x.Now, Name: x.Aggregator}.last(ctx)
	const check = "config aggregator"
	switch {
	case err != nil:
		return err
	case last.At.IsZero():
		x.says(check, "", NotTested, "dera run has not read it yet", "")
	case last.Error != "":
		fix := "is it there, in this account and region? (sources.config_aggregator)"
		if last.Denied {
			fix = "allow config:SelectAggregateResourceConfig to the reader of its account; until then sweeps find what its rules find"
		}
		x.says(check, "", ToDo, last.Error, fix)
	default:
		counts, err := x.Store.Counters(ctx)
		if err != nil {
			return err
		}
		says := fmt.Sprintf("read %s ago; %d resources were non-compliant, of which %d led to a look", x.Now().Sub(last.At).Truncate(time.Second), counts[source.AggregatorFailing], counts[source.AggregatorHinted])
		if last.Cut {
			says += ". There were more than are read at once, and sweeps find what is older"
		}
		x.says(check, "", Healthy, says, "")
	}
	return nil
}
