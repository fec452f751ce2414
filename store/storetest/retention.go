package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
)

// retentionTests are what is removed for its age, and what never is.
func retentionTests() map[string]func(*world) {
	return map[string]func(*world){
		"retention_removes_what_is_over": (*world).retentionRemoves,
		"retention_keeps_what_is_needed": (*world).retentionKeeps,
		"retention_goes_on_over_commits": (*world).retentionPages,
	}
}

const day = 24 * time.Hour

// retain removes what ended more than 400 days ago, and returns what and the records of it.
func (w *world) retain() (dera.Retention, []dera.AuditRecord) {
	w.Helper()
	before := w.clock.Now().Add(-400 * day)
	size := must(w.store.LogSize(w.Context()))(w)
	got := must(w.store.Retain(w.Context(), store.Retention{Findings: before, Remediations: before, Calls: before, Events: before}, func(r dera.Retention) dera.AuditRecord {
		return dera.AuditRecord{Version: 1, Kind: dera.RecordRetention, Time: w.clock.Now().UTC(), Actor: dera.Actor{Name: "test"}, Retention: &r}
	}))(w)
	var records []dera.AuditRecord
	for _, leaf := range must(w.store.Leaves(w.Context(), size, 1000))(w) {
		var r dera.AuditRecord
		if err := json.Unmarshal(leaf, &r); err != nil {
			w.Fatal(err)
		}
		records = append(records, r)
	}
	return got, records
}

// resolved is a finding that was resolved now.
func (w *world) resolved(name string) dera.Finding {
	now := w.clock.Now()
	f := Finding(name, dera.High, now)
	f.State, f.ResolvedAt = dera.FindingResolved, &now
	return f
}

// ended is a remediation that ended now, with evidence.
func (w *world) ended(id, name, evidence string, state dera.State) dera.Remediation {
	r := Remediation(id, name, w.clock.Now())
	r.State, r.Evidence, r.Steps = state, evidence, []dera.Step{{State: state, At: w.clock.Now()}}
	return r
}

func (w *world) has(id string) bool {
	w.Helper()
	_, err := w.store.Remediation(w.Context(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.Fatal(err)
	}
	return err == nil
}

func (w *world) retentionRemoves() {
	t := w.T
	f, r := w.resolved("a"), w.ended("r-1", "a", "e1", dera.Resolved)
	in := Intent("r-1", 1, w.clock.Now())
	in.State = dera.IntentApplied
	w.commit(store.Batch{
		Findings: []dera.Finding{f}, Remediations: []dera.Remediation{r}, Intents: []dera.Intent{in}, Evidence: map[string][]byte{"e1": []byte("proof")},
		Calls: []audit.Call{{EventID: "c1", Time: w.clock.Now()}, {EventID: "c2", Time: w.clock.Now()}}, Kept: []store.KeptEvent{kept(1, w.clock.Now())},
		Records: []dera.AuditRecord{Record("an outcome", w.clock.Now())},
	})
	w.commit(store.Batch{Judged: []string{"c1"}})
	w.clock.Advance(399 * day)
	if got, records := w.retain(); !got.Empty() || len(records) > 0 {
		t.Errorf("after 399 days: got %+v, %v, want nothing", got, records)
	}
	w.clock.Advance(2 * day)
	got, records := w.retain()
	if got.Findings != 1 || got.Remediations != 1 || got.Calls != 1 || got.Events != 1 || !slices.Equal(got.Evidence, []string{"e1"}) {
		t.Errorf("after 401 days: got %+v", got)
	}
	said := dera.Retention{}
	for _, r := range records {
		said.Findings, said.Remediations, said.Calls, said.Events = said.Findings+r.Retention.Findings, said.Remediations+r.Retention.Remediations, said.Calls+r.Retention.Calls, said.Events+r.Retention.Events
		said.Evidence = append(said.Evidence, r.Retention.Evidence...)
		if len(r.Retention.Before) != 1 {
			t.Errorf("got %+v, want a time", r.Retention)
		}
	}
	if said.Findings != 1 || said.Remediations != 1 || said.Calls != 1 || said.Events != 1 || len(said.Evidence) != 1 {
		t.Errorf("the records say %+v", said)
	}
	if list := must(w.store.Findings(t.Context()))(t); len(list) != 0 || w.has("r-1") {
		t.Errorf("got %d findings, remediation %t", len(list), w.has("r-1"))
	}
	if _, err := w.store.Evidence(t.Context(), "e1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("evidence: got %v", err)
	}
	if lapsed := must(w.store.Lapsed(t.Context(), "e1"))(t); !lapsed {
		t.Error("nothing says that the evidence lapsed")
	}
	if lapsed := must(w.store.Lapsed(t.Context(), "never"))(t); lapsed {
		t.Error("evidence that never was lapsed")
	}
	if list := must(w.store.Intents(t.Context(), "r-1"))(t); len(list) != 0 {
		t.Errorf("got the intents %v", list)
	}
	if calls := must(w.store.Calls(t.Context(), false, time.Time{}))(t); len(calls) != 1 || calls[0].EventID != "c2" {
		t.Errorf("got the calls %v, want the one that was not compared", calls)
	}
	if got, records := w.retain(); !got.Empty() || len(records) > 0 {
		t.Errorf("a second time: got %+v, %v", got, records)
	}
}

func (w *world) retentionKeeps() {
	t := w.T
	b := store.Batch{Evidence: map[string][]byte{}}
	put := func(r dera.Remediation) {
		b.Remediations = append(b.Remediations, r)
		if r.Evidence != "" {
			b.Evidence[r.Evidence] = []byte(r.Evidence)
		}
	}
	for _, state := range []dera.State{dera.Waiting, dera.Ready, dera.Applying, dera.Verifying, dera.Undoing, dera.Planned, dera.Collateral, dera.RolledBack, dera.UndoFailed, dera.Rejected} {
		put(w.ended("r-"+string(state), string(state), "e-"+string(state), state))
	}
	put(w.ended("r-shared", "shared", "e-waiting", dera.Resolved)) // its evidence is named by one that waits
	put(w.ended("r-older", "stacked", "", dera.Collateral))
	newer := w.ended("r-newer", "stacked", "e-newer", dera.Resolved) // a rollback of the older one asks for it
	newer.CreatedAt = newer.CreatedAt.Add(time.Second)
	put(newer)
	open := Finding("open", dera.High, w.clock.Now())
	open.Remediation = "r-open"
	b.Findings = append(b.Findings, open)
	put(w.ended("r-open", "open", "e-open", dera.Expired)) // an open finding names it
	put(w.ended("r-intent", "intent", "e-intent", dera.Resolved))
	b.Intents = append(b.Intents, Intent("r-intent", 1, w.clock.Now()))
	put(w.ended("r-took", "took", "e-took", dera.Resolved))
	b.Accesses = append(b.Accesses, dera.Access{ID: "a-1", Account: account, Type: group, Took: []string{"r-took"}, At: w.clock.Now()})
	put(w.ended("r-granted", "granted", "e-granted", dera.Resolved))
	b.Accesses = append(b.Accesses, dera.Access{ID: "a-2", Account: account, Type: group, Grant: "r-granted", At: w.clock.Now()})
	rolled := w.resolved("rolled")
	rolled.RolledBack = 1
	under := w.resolved(string(dera.Applying)) // its remediation is under way
	seen := w.resolved("seen")
	seen.LastSeen = w.clock.Now().Add(300 * day)
	b.Findings = append(b.Findings, rolled, under, seen)
	w.commit(b)
	late := w.ended("r-late", "late", "e-late", dera.Resolved) // created long ago, ended lately
	late.Steps[0].At = w.clock.Now().Add(300 * day)
	w.commit(store.Batch{Remediations: []dera.Remediation{late}, Evidence: map[string][]byte{"e-late": []byte("x")}})
	against := w.speaking()
	w.clock.Advance(500 * day)
	got, _ := w.retain()
	if got.Remediations != 2 || got.Findings != 0 || len(got.Evidence) != 0 || w.has("r-shared") || w.has("r-other-policy") {
		t.Errorf("got %+v, want r-shared and r-other-policy alone, and the evidence kept", got)
	}
	for _, r := range append(append(b.Remediations, late), against...) {
		if r.ID != "r-shared" && !w.has(r.ID) {
			t.Errorf("%s was removed", r.ID)
		}
		if r.Evidence == "" {
			continue
		}
		if _, err := w.store.Evidence(t.Context(), r.Evidence); err != nil {
			t.Errorf("evidence of %s: %v", r.ID, err)
		}
	}
	if list := must(w.store.Findings(t.Context()))(t); len(list) != len(b.Findings) {
		t.Errorf("got %d findings, want %d", len(list), len(b.Findings))
	}
}

// speaking commits remediations that speak against their control, and one that another policy denied
// something, and returns the former.
func (w *world) speaking() []dera.Remediation {
	now := w.clock.Now()
	undone := w.ended("r-undone", "undone", "", dera.Failed) // made, taken back and failed
	undone.Steps = []dera.Step{{State: dera.Verifying, At: now}, {State: dera.Undoing, At: now}, {State: dera.Failed, At: now}}
	denied, other := w.ended("r-denied", "denied", "", dera.Resolved), w.ended("r-other-policy", "other-policy", "", dera.Resolved)
	b := store.Batch{Remediations: []dera.Remediation{undone, denied, other}}
	for _, r := range b.Remediations {
		b.Watches = append(b.Watches, dera.Watch{Remediation: r.ID, Principal: "arn:aws:iam::" + account + ":role/app", Since: now})
	}
	w.commit(b)
	elsewhere := Denial(other.ID, "event-2", now)
	elsewhere.Cause = dera.CauseOther
	if err := w.store.CommitUsage(w.Context(), deniedUse(Denial(denied.ID, "event-1", now), elsewhere)); err != nil {
		w.Fatal(err)
	}
	return []dera.Remediation{undone, denied}
}

func (w *world) retentionPages() {
	const n = 450 // more than two commits
	for i := range n {
		name := fmt.Sprintf("p%04d", i)
		w.commit(store.Batch{Findings: []dera.Finding{w.resolved(name)}, Remediations: []dera.Remediation{w.ended("r-"+name, name, "e-"+name, dera.Resolved)}, Evidence: map[string][]byte{"e-" + name: []byte("x")}})
	}
	w.clock.Advance(401 * day)
	got, records := w.retain()
	if got.Findings != n || got.Remediations != n || len(got.Evidence) != n || len(records) != 6 {
		w.Errorf("got %d findings, %d remediations, %d pieces of evidence, %d records", got.Findings, got.Remediations, len(got.Evidence), len(records))
	}
}
