package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dera.example/dera/cloudtrail"
)

// Aggregate is an aggregator of AWS Config.
type Aggregate interface {
	// Page reads a page of the resources that rules found non-compliant, newest first; unread are those
	// that could not be read, and next is "" after the last page.
	Page(ctx context.Context, token string) (list []Failing, unread int, next string, err error)
}

// Failing is a resource that a rule of AWS Config found non-compliant; Time is the zero time where that is
// not known.
type Failing struct {
	Account, Region, Type, ID string
	Time                      time.Time
}

// Place remembers up to when what an aggregator has was seen.
type Place interface {
	// Seen returns that time, or the zero time where nothing was.
	Seen(ctx context.Context) (time.Time, error)
	// Note keeps what came of a look.
	Note(ctx context.Context, f Filled) error
}

// AggregatorConfig configures the source. All but the last four are mandatory.
type AggregatorConfig struct {
	Accounts  []string // those that are covered
	Aggregate Aggregate
	Place     Place
	Watch     cloudtrail.Watch
	Every     time.Duration
	// Most is how many resources are read at once; 20,000 if zero.
	Most   int
	Log    *slog.Logger     // discards if nil
	Now    func() time.Time // time.Now if nil
	Random func() float64   // in [0, 1); spreads the looks
}

// Aggregator asks an aggregator of AWS Config, again and again, what its rules found since the last time: the
// first time all of it. Each resource is a hint, as the event is that AWS Config sends. Make one with
// NewAggregator.
type Aggregator struct {
	cfg   AggregatorConfig
	sieve sieve
	said  string // the last error
}

const (
	// aggregator is the source of what it has.
	aggregator = "aggregator"
	// aggregated is how late a result can come into an aggregator.
	aggregated     = time.Hour
	mostAggregated = 20_000
)

// The counters of the aggregator.
const (
	AggregatorFailing = "aggregator_failing" // resources that were non-compliant since the last time
	AggregatorHinted  = "aggregator_hinted"  // those that led to a look
	AggregatorUnread  = "aggregator_unread"  // those that could not be read
	AggregatorFailed  = "aggregator_failed"  // looks that failed
)

// NewAggregator returns the source, or an error for a configuration that cannot work.
func NewAggregator(cfg AggregatorConfig) (*Aggregator, error) {
	if err := validAccounts(cfg.Accounts); err != nil {
		return nil, fmt.Errorf("configure the aggregator: %w", err)
	}
	if cfg.Aggregate == nil || cfg.Place == nil || cfg.Every <= 0 || cfg.Most < 0 {
		return nil, errors.New("configure the aggregator: it needs one, a place, an interval, and no negative number of resources")
	}
	cfg.Most = orElse(cfg.Most, mostAggregated)
	cfg.Log = orElse(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.Now, cfg.Random = clock(cfg.Now), randomness(cfg.Random)
	return &Aggregator{cfg: cfg, sieve: newSieve(aggregator, cfg.Watch, cfg.Accounts, true)}, nil
}

// Run asks at once, and then at each interval, until ctx ends; then it returns nil. An aggregator that cannot
// be read is said once: it stops nothing.
func (a *Aggregator) Run(ctx context.Context, handle Handler) error {
	for ctx.Err() == nil {
		if err := a.look(ctx, handle); err != nil && ctx.Err() == nil {
			a.cfg.Log.WarnContext(ctx, "what the aggregator of AWS Config has is not kept; trying again later", "err", err)
		}
		sleep(ctx, time.Duration(float64(a.cfg.Every)*(0.9+0.2*a.cfg.Random())))
	}
	return nil
}

// look asks once. Its error is one of the place.
func (a *Aggregator) look(ctx context.Context, handle Handler) error {
	seen, err := a.cfg.Place.Seen(ctx)
	if err != nil {
		return err
	}
	f := Filled{To: a.cfg.Now().UTC()}
	if !seen.IsZero() {
		f.From = seen.Add(-aggregated)
	}
	f = a.fill(ctx, f, handle)
	if ctx.Err() != nil {
		return nil // the next start asks again
	}
	text := ""
	if f.Err != nil {
		text = f.Err.Error()
	}
	switch again := a.said == text; {
	case f.Err != nil && !again:
		a.cfg.Log.WarnContext(ctx, "the aggregator of AWS Config was not read; allow config:SelectAggregateResourceConfig in its account. Sweeps go on", "err", f.Err)
	case f.Cut:
		a.cfg.Log.WarnContext(ctx, "the aggregator of AWS Config has more than is read at once; sweeps find what is older", "resources", f.Events)
	}
	a.said = text
	return a.cfg.Place.Note(ctx, f)
}

// fill reads the pages and hands each over, up to what was seen already.
func (a *Aggregator) fill(ctx context.Context, f Filled, handle Handler) Filled {
	token := ""
	for pages := 0; ; pages++ {
		list, unread, next, err := a.cfg.Aggregate.Page(ctx, token)
		if err != nil {
			f.Err = err
			return f
		}
		var page []Message
		old := len(list) > 0
		for _, x := range list {
			if x.Time.IsZero() || !x.Time.Before(f.From) {
				page, old = append(page, failing(x)), false
			}
		}
		if f.Err = a.hand(ctx, page, unread, handle); f.Err != nil {
			return f
		}
		f.Events, token = f.Events+len(page), next
		if token == "" || old { // newest first: a page of which all was seen ends it
			return f
		}
		if f.Cut = f.Events >= a.cfg.Most || pages >= a.cfg.Most; f.Cut {
			return f
		}
	}
}

// hand hands a page over as one delivery.
func (a *Aggregator) hand(ctx context.Context, page []Message, unread int, handle Handler) error {
	work, cancel := inHand(ctx, time.Minute)
	defer cancel()
	d := a.sieve.sift(page, a.cfg.Now().UTC())
	d.Kinds, d.Raw = nil, nil // no sign that the queue delivers
	if d.Tallies == nil {
		d.Tallies = map[string]int64{}
	}
	d.Tallies[AggregatorFailing], d.Tallies[AggregatorHinted] = int64(len(page)), int64(d.Counts.Hinted)
	if unread > 0 {
		d.Tallies[AggregatorUnread] = int64(unread)
	}
	if err := handle(work, d); err != nil {
		return fmt.Errorf("take over what the aggregator has: %w", err)
	}
	return nil
}

// failing is the resource in the event that AWS Config would have sent.
func failing(x Failing) Message {
	body, err := json.Marshal(map[string]any{
		"id": "aggregator", "detail-type": cloudtrail.ComplianceKind, "source": "aws.config", "account": x.Account, "region": x.Region, "time": x.Time.UTC().Format(time.RFC3339),
		"detail": map[string]any{
			"awsAccountId": x.Account, "awsRegion": x.Region, "resourceType": x.Type, "resourceId": x.ID,
			"newEvaluationResult": map[string]string{"complianceType": "NON_COMPLIANT"},
		},
	})
	if err != nil {
		body = nil // texts can be written
	}
	return Message{ID: "aggregator/" + x.Account + "/" + x.Type + "/" + x.ID, Body: string(body)}
}
