package main

import (
	"context"
	"log/slog"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/source"
	ledger "dera.example/dera/usage"
)

// feed hands the deliveries of the queue to the engine and, where only our rules
// can write to the queue, everything in them to the usage ledger, in the same
// commit: a message leaves the queue after both know of it. An event may name
// whom it likes on a queue that others can write to, so such a queue feeds
// nothing (design of the ledger: docs/usage.md).
func (s *session) feed(ctx context.Context, log *slog.Logger) (source.Handler, error) {
	if !s.config.QueueOurs {
		log.InfoContext(ctx, "the usage ledger ignores the queue, because queue_is_ours is not set")
		return s.ingest(), nil
	}
	l := ledger.New(s.store, s.app.now).Watching(s.watching(s.identity.ARN, func(ctx context.Context, d dera.Denial) {
		attrs := []any{"ask", app.AskCommand(d), "remediation", d.Remediation, "why", d.Text()}
		if r, err := s.store.Remediation(ctx, d.Remediation); err == nil { // without it dera show says why
			for i, c := range app.GiveBackCommands(r, []dera.Denial{d}, s.app.orderFlags()) {
				attrs = append(attrs, []string{"for_8_hours", "for_good"}[i%2], c)
			}
		}
		log.WarnContext(ctx, "denied after a change: dera show has it, dera why says whether it was dera, dera rollback undoes the change, or with --since all that was changed lately, dera access gives single actions back", attrs...)
	}))
	scope := ledger.Coverage{Accounts: s.accountIDs(), Regions: s.regions, RuleState: s.config.RuleState}
	if err := l.DeclareQueue(ctx, scope); err != nil {
		return nil, err
	}
	if !scope.Complete() {
		log.WarnContext(ctx, "the queue does not get every management event, as far as queue_rule_state says; dera usage gaps lists what that leaves unknown")
	}
	o := l.Observer(ledger.ObserverConfig{Accounts: scope.Accounts, Complete: scope.Complete()})
	return s.app.meter.counting(s.app.now, func(ctx context.Context, d source.Delivery) error {
		events := make([]ledger.Message, len(d.Raw))
		for i, raw := range d.Raw {
			events[i] = ledger.Message{Body: raw, Authenticated: d.Authenticated}
		}
		_, err := o.Through(ctx, events, func(ctx context.Context, use ledger.Batch, counts ledger.Counts) error {
			b := s.batchOf(d)
			b.Use = use
			if n := counts[ledger.Counted]; n > 0 {
				b.Counts["usage_counted"] = n
			}
			if n := counts.Lost(); n > 0 {
				b.Counts["usage_not_understood"] = n
			}
			return s.engine.Accept(ctx, d.Events, b, d.Older...)
		})
		return err
	}), nil
}

func (s *session) accountIDs() []string {
	ids := make([]string, len(s.accounts))
	for i, a := range s.accounts {
		ids[i] = a.ID
	}
	return ids
}
