package main

import (
	"context"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/detect"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	"dera.example/dera/source"
	"dera.example/dera/store"
)

// The packages do not know each other; these few lines fit their ports together.

type reader struct{ client *cloud.Client }

var (
	_ detect.Reader    = reader{}
	_ detect.Completer = reader{}
)

// Read implements detect.Reader.
func (r reader) Read(ctx context.Context, scope dera.Scope, full bool) (detect.Page, error) {
	p, err := r.client.Read(ctx, scope, full)
	return detect.Page(p), err
}

// Complete implements detect.Completer.
func (r reader) Complete(ctx context.Context, scope dera.Scope, quick []dera.Resource) (detect.Page, error) {
	p, err := r.client.Complete(ctx, scope, quick)
	return detect.Page(p), err
}

type changer struct{ client *cloud.Client }

var _ remediate.Cloud = changer{}

// Read implements remediate.Cloud.
func (c changer) Read(ctx context.Context, p dera.Plan) (dera.Resource, bool, error) {
	scope := dera.Scope{Partition: p.Partition, Account: p.Account, Region: p.Region, Type: p.Type, IDs: []string{p.Resource.Name()}}
	page, err := c.client.ReadAgain(ctx, scope)
	if err != nil || len(page.Resources) == 0 {
		return dera.Resource{}, false, err
	}
	return page.Resources[0], true, nil
}

// Do implements remediate.Cloud.
func (c changer) Do(ctx context.Context, p dera.Plan, op resource.Operation, allowed func(context.Context) error) (string, error) {
	return c.client.Do(ctx, p, op, allowed)
}

// DryRun implements remediate.Cloud.
func (c changer) DryRun(ctx context.Context, p dera.Plan, op resource.Operation) error {
	return c.client.DryRun(ctx, p, op)
}

type queue struct{ *cloud.Queue }

var _ source.Queue = queue{}

// Receive implements source.Queue.
func (q queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]source.Message, error) {
	list, err := q.Queue.Receive(ctx, limit, wait)
	out := make([]source.Message, 0, len(list))
	for _, m := range list {
		out = append(out, source.Message(m))
	}
	return out, err
}

// Delete implements source.Queue.
func (q queue) Delete(ctx context.Context, messages []source.Message) error {
	return q.Queue.Delete(ctx, receipts(messages))
}

// Extend implements source.Queue.
func (q queue) Extend(ctx context.Context, messages []source.Message, visibility time.Duration) error {
	return q.Queue.Extend(ctx, receipts(messages), visibility)
}

func receipts(messages []source.Message) []cloud.Message {
	out := make([]cloud.Message, 0, len(messages))
	for _, m := range messages {
		out = append(out, cloud.Message(m))
	}
	return out
}

// ingest hands a delivery of a source to the engine.
func (s *session) ingest() source.Handler {
	return s.app.meter.counting(s.app.now, func(ctx context.Context, d source.Delivery) error {
		return s.engine.Accept(ctx, d.Events, s.batchOf(d), d.Older...)
	})
}

// batchOf is what of a delivery is kept beside the events.
func (s *session) batchOf(d source.Delivery) store.Batch {
	b := store.Batch{Counts: d.Counts.Names(), Calls: s.witnessed(d), Taken: d.Taken}
	for name, n := range d.Tallies {
		b.Counts[name] += n
	}
	for _, k := range d.Kept {
		b.Kept = append(b.Kept, store.KeptEvent{ID: k.ID, At: k.At, Source: d.Source, Why: k.Why, Body: k.Body})
	}
	return b
}

// awsSchedules tells what AWS starts by the clock, in every region that is covered.
type awsSchedules struct {
	client  *cloud.Client
	regions []string
	// rare says of which it matters what they start.
	rare func(evaluate.Start) bool
}

var _ evaluate.Starts = awsSchedules{}

// Starts implements evaluate.Starts.
func (a awsSchedules) Starts(ctx context.Context, account string, since time.Time) ([]evaluate.Start, error) {
	var out []evaluate.Start
	for _, region := range a.regions {
		list, err := a.client.Schedules(ctx, cloud.ScheduleLook{Account: account, Region: region, Since: since, Follow: func(s cloud.Schedule) bool { return a.rare(evaluate.Start(s)) }})
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			out = append(out, evaluate.Start(s))
		}
	}
	return out, nil
}

// ownChanges tells what dera changed lately, from its database.
type ownChanges struct {
	store *store.Store
	now   func() time.Time
}

// longestWait is longer than a plan can wait for an approval and then lasts.
const longestWait = 31 * 24 * time.Hour

var _ resource.Changes = ownChanges{}

// Changed implements resource.Changes, for what was planned in the last 31 days.
func (o ownChanges) Changed(ctx context.Context, at dera.Scope, operation string) (map[dera.ARN]time.Time, error) {
	list, err := o.store.Lasting(ctx, dera.ResourceKey(at.Partition, at.Account, at.Region, dera.ARN("arn:")), o.now().Add(-longestWait))
	if err != nil {
		return nil, err
	}
	out := map[dera.ARN]time.Time{}
	for _, r := range list {
		if r.Plan.Type != at.Type || !slices.ContainsFunc(r.Plan.Changes, func(c dera.Change) bool { return c.Operation == operation }) {
			continue
		}
		for _, s := range r.Steps { // its changes are done when it verifies
			if s.State == dera.Verifying && s.At.After(out[r.Plan.Resource]) {
				out[r.Plan.Resource] = s.At
			}
		}
	}
	return out, nil
}
