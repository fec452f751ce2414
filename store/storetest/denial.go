package storetest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/usage"
)

// Denial is what a role was denied after a remediation.
func Denial(remediation, event string, at time.Time) dera.Denial {
	return dera.Denial{
		Remediation: remediation, Principal: "arn:aws:iam::" + account + ":role/app", Call: "s3:GetObject", Actions: []string{"s3:GetObject"}, Code: "AccessDenied",
		Cause: dera.CauseUnknown, First: at.UTC(), Last: at.UTC(), Events: []string{event},
	}
}

func deniedUse(list ...dera.Denial) usage.Batch {
	var b usage.Batch
	for _, d := range list {
		b.Denials = append(b.Denials, usage.Denied{Denial: d, Record: Record(d.Text(), d.First)})
	}
	return b
}

// denials count an event once, whichever process brings it and however often, and are
// recorded once; those of what is not in effect do not count.
func denials(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	app := "arn:aws:iam::" + account + ":role/"
	var b store.Batch
	for id, state := range map[string]dera.State{"r": dera.Resolved, "other": dera.Applying, "undone": dera.RolledBack} {
		r := Remediation(id, "sg-"+id, now)
		r.State = state
		b.Remediations = append(b.Remediations, r)
		b.Watches = append(b.Watches, dera.Watch{Remediation: id, Principal: app + "path/app", Since: now}, dera.Watch{Remediation: id, Principal: app + id, Since: now})
	}
	w.commit(b)
	again := b.Watches[0]
	again.Since = now.Add(time.Hour)
	w.commit(store.Batch{Watches: []dera.Watch{again}}) // a commit that is made again changes nothing
	want := []dera.Watch{{Remediation: "other", Principal: app + "app", Since: now}, {Remediation: "r", Principal: app + "app", Since: now}, {Remediation: "undone", Principal: app + "app", Since: now}}
	if diff := cmp.Diff(want, must(w.store.Watches(ctx, app+"app"))(w)); diff != "" {
		w.Errorf("watches: got (+) and want (-):\n%s", diff)
	}
	if got := must(w.store.Watches(ctx, ""))(w); len(got) != 6 {
		w.Errorf("all watches: got %v, want 6", got)
	}

	size := must(w.store.LogSize(ctx))(w)
	errs := w.race(8, func(s *store.Store, i int) error {
		return s.CommitUsage(ctx, deniedUse(Denial("r", fmt.Sprint("event-", i%4), now.Add(time.Duration(i%4)*time.Minute)), Denial("undone", "event", now), Denial("nothing", "event", now)))
	})
	for _, err := range errs {
		if err != nil {
			w.Fatal(err)
		}
	}
	list := must(w.store.DenialsOf(ctx, "r"))(w)
	if len(list) != 1 || len(list[0].Events) != 4 || list[0].More || !list[0].First.Equal(now) || !list[0].Last.Equal(now.Add(3*time.Minute)) {
		w.Errorf("denials: got %+v, want one of 4 events within 3 minutes", list)
	}
	if got := must(w.store.LogSize(ctx))(w) - size; got != 1 {
		w.Errorf("records: got %d, want 1", got)
	}
	for i := range 2 * dera.MaxDenialEvents {
		if err := w.store.CommitUsage(ctx, deniedUse(Denial("r", fmt.Sprint("flood-", i), now))); err != nil {
			w.Fatal(err)
		}
	}
	if list = must(w.store.Denials(ctx))(w); len(list) != 1 || len(list[0].Events) != dera.MaxDenialEvents || !list[0].More {
		w.Errorf("after a flood: got %d denials, want one of %d events and more", len(list), dera.MaxDenialEvents)
	}
	different := Denial("other", "event-0", now.Add(-time.Hour))
	different.Policy, different.Explicit, different.Cause = "session policy", true, dera.CauseOther
	w.commit(store.Batch{Use: deniedUse(different)})
	if list = must(w.store.Denials(ctx))(w); len(list) != 2 || !cmp.Equal(list[0], different) {
		w.Errorf("the oldest first: got %+v, want %+v and another", list, different)
	}
}
