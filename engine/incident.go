package engine

import (
	"context"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// skew is how far clocks may differ.
const skew = 10 * time.Minute

// Attach records that a person attached an incident to a finding about use: it covers the
// use that the finding is about now. The incident and its record commit together.
func (e *Engine) Attach(ctx context.Context, finding, reference, reason string, by dera.Actor) (dera.Incident, error) {
	f, err := e.cfg.Store.Finding(ctx, finding)
	if err != nil {
		return dera.Incident{}, err
	}
	switch {
	case f.Used == nil:
		return dera.Incident{}, refused("no use is known that %s is about, so there is nothing that an incident explains", f.ID)
	case f.State == dera.FindingResolved:
		return dera.Incident{}, refused("%s is resolved: there is no use that is not explained", f.ID)
	case f.Used.Seen.After(e.cfg.Now().Add(skew)): // it would cover what nobody can have seen yet
		return dera.Incident{}, refused("%s is about the call at %s, which is in the future: its record, or the clock here, is wrong", f.ID, f.Used.Seen.UTC().Format(time.RFC3339))
	case by.Name == "" || by.How == "":
		return dera.Incident{}, refused("who attaches the incident is not established")
	}
	i := dera.Incident{
		Finding: f.ID, Partition: f.Partition, Account: f.Account, Region: f.Region, Resource: f.Resource, ResourceType: f.ResourceType,
		Reference: reference, Reason: reason, By: by, At: e.cfg.Now().UTC(), Covers: *f.Used,
	}
	rec := e.findingRecord(f, "")
	rec.Kind, rec.Actor, rec.Incident, rec.Decision = dera.RecordIncident, by, &i, nil
	rec.Why = fmt.Sprintf("incident %q covers the use up to %s", reference, i.Covers.Text()) + reasonText(reason)
	return i, e.commit(ctx, store.Batch{Incidents: []dera.Incident{i}, Records: []dera.AuditRecord{rec}})
}

// explained says why a finding about use of a principal that does not exist any more may be
// resolved; nothing where no incident covers the use.
func (e *Engine) explained(ctx context.Context, f dera.Finding) (why string, err error) {
	list, err := e.cfg.Store.IncidentsOf(ctx, f.ID)
	for _, i := range list {
		if !f.Used.Beyond(i.Covers) {
			why = fmt.Sprintf("incident %q explains its use", i.Reference)
		}
	}
	return why, err
}
