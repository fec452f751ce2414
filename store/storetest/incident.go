package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/store"
)

// Incident is one that is attached to a finding.
func Incident(f dera.Finding, reference string, at time.Time) dera.Incident {
	return dera.Incident{
		Finding: f.ID, Partition: f.Partition, Account: f.Account, Region: f.Region, Resource: f.Resource, ResourceType: f.ResourceType,
		Reference: reference, By: dera.Actor{Name: "alice", How: "sts"}, At: at.UTC(), Covers: dera.LastUse{Seen: at.Add(-time.Hour).UTC()},
	}
}

// incidents are all kept, however many a finding has, each once.
func incidents(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	a, b := Finding("sg-a", dera.High, now), Finding("sg-b", dera.High, now)
	b.Region = "us-east-1"
	first, second, same, other := Incident(a, "INC-1", now), Incident(a, "INC-2 <&>", now.Add(time.Second)), Incident(a, "INC-3", now.Add(time.Second)), Incident(b, "INC-1", now.Add(2*time.Second))
	check := func(what string, got []dera.Incident, want ...dera.Incident) {
		w.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("%s: got (+) and want (-):\n%s", what, diff)
		}
	}
	check("none", must(w.store.Incidents(ctx))(w))
	w.commit(store.Batch{Incidents: []dera.Incident{other, second}})
	w.commit(store.Batch{Incidents: []dera.Incident{same, first}})
	w.commit(store.Batch{Incidents: []dera.Incident{first}}) // a commit that is made again
	check("all, the oldest first", must(w.store.Incidents(ctx))(w), first, second, same, other)
	check("of a finding", must(w.store.IncidentsOf(ctx, a.ID))(w), first, second, same)
	check("in a place", must(w.store.IncidentsIn(ctx, account, "us-east-1", group))(w), other)
	check("of another type", must(w.store.IncidentsIn(ctx, account, region, "another"))(w))
}
