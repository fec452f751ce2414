package usage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/iam/catalog"
)

// WatchConfig says how denials are looked for after a change that took permissions away.
type WatchConfig struct {
	// Days is for how long after the change, and dera.StageWatch where it denies something for
	// now and that is longer; 0 looks for none.
	Days  int
	Actor dera.Actor
	// Found, if set, is called with the first denial of a remediation that is, or may be,
	// its doing, once that is in the store; one at a time.
	Found func(context.Context, dera.Denial)
}

// Watching returns the ledger that also looks for denials in what it is fed with.
func (l *Ledger) Watching(cfg WatchConfig) *Ledger {
	return &Ledger{l.store, l.now, cfg}
}

// Denied is a denial, and the audit record that is added with it when it is new.
type Denied struct {
	Denial dera.Denial
	Record dera.AuditRecord
	first  bool   // of its remediation
	action Action // that was called
	since  Second // when the change began
}

// PrincipalKey is the key of a principal that is named by an ARN.
func PrincipalKey(arn string) string { return cloudtrail.Key(arn) }

// denied is one denied call that came on an authenticated path. What a message says is
// not kept but for what is read from it.
type denied struct {
	principal, source, name, code, id string
	at                                Second
	said                              cloudtrail.Denial
}

// watching says whose denials an aggregate collects; nil collects none.
type watching struct {
	since map[string]Second // by key: the earliest change; nil is everybody since ever
}

// watched are the principals that an import looks for.
func (l *Ledger) watched(ctx context.Context) (*watching, error) {
	if l.watch.Days == 0 {
		return nil, nil
	}
	list, err := l.store.Watches(ctx, "")
	if err != nil || len(list) == 0 {
		return nil, err
	}
	w := &watching{map[string]Second{}}
	for _, x := range list {
		w.since[x.Principal] = earlier(w.since[x.Principal], SecondOf(x.Since))
	}
	return w, nil
}

// denial collects a denied call, if it is verified and of someone who is watched.
func (a *aggregate) denial(f *cloudtrail.Fields, source, name []byte, at uint32, trust Trust) {
	if a.watching == nil || trust != Verified {
		return // what anyone could have written is no denial
	}
	key, _, _, ok := f.Identity.Principal(a.scratch[:0])
	a.scratch = key
	if !ok {
		return
	}
	if a.watching.since != nil {
		if since, ok := a.watching.since[string(key)]; !ok || Second(at) < since {
			return
		}
	}
	message := string(cloudtrail.Text(f.ErrorMessage))
	if who := cloudtrail.WhoseDenial(message); who != "" && who != string(key) {
		return // it is of somebody else, such as the role that a service took on
	}
	id := cloudtrail.Text(f.ID)
	if len(id) == 0 || len(id) > 64 || !printable(id) {
		id = cloudtrail.Text(f.Time) // one without a good ID counts by its time
	}
	d := denied{string(key), string(source), string(name), "", string(id), Second(at), cloudtrail.DenialOf(message)}
	if code := cloudtrail.Text(f.ErrorCode); len(code) <= 128 && printable(code) {
		d.code = string(code)
	}
	a.denied = append(a.denied, d)
	a.size += 200 + len(d.principal) + len(d.source) + len(d.name) + len(d.id)
}

// packed is what was collected, with the denials among it.
func (l *Ledger) packed(ctx context.Context, a *aggregate, marks []Mark) (Batch, error) {
	b, err := a.batch(marks)
	if err == nil {
		b.Denials, err = l.denials(ctx, a.denied)
	}
	return b, err
}

// denials finds which denied calls are of what a remediation had removed.
func (l *Ledger) denials(ctx context.Context, list []denied) ([]Denied, error) {
	watches, changes, found := map[string][]dera.Watch{}, map[string]dera.Remediation{}, map[string]int{}
	var out []Denied
	for _, d := range list {
		if _, ok := watches[d.principal]; !ok {
			read, err := l.store.Watches(ctx, d.principal)
			if err != nil {
				return nil, err
			}
			watches[d.principal] = read
		}
		for _, w := range watches[d.principal] {
			at := d.at.Time()
			if !at.After(w.Since) || at.After(w.Since.AddDate(0, 0, max(l.watch.Days, dera.StageWatch))) {
				continue
			}
			r, ok := changes[w.Remediation]
			if !ok {
				var err error
				r, err = l.store.Remediation(ctx, w.Remediation)
				if errors.Is(err, ErrTorn) { // whatever it removed: the ledger goes on
					r, err = dera.Remediation{}, nil
				}
				if err != nil {
					return nil, fmt.Errorf("read what %s removed: %w", w.Remediation, err)
				}
				changes[w.Remediation] = r
			}
			if at.After(w.Since.AddDate(0, 0, l.watch.Days)) && !r.Plan.Stages() {
				continue
			}
			actions := d.removed(r)
			if len(actions) == 0 || !r.MayDeny(at) {
				continue
			}
			one := d.denial(r, actions)
			key := r.ID + one.Key()
			if i, ok := found[key]; ok {
				out[i].Denial = out[i].Denial.With(one)
				continue
			}
			found[key] = len(out)
			out = append(out, Denied{Denial: one, action: Action{d.source, d.name}, since: SecondOf(w.Since)})
		}
	}
	known := map[string][]dera.Denial{}
	for i := range out {
		d, r := &out[i], changes[out[i].Denial.Remediation]
		if _, ok := known[r.ID]; !ok {
			read, err := l.store.DenialsOf(ctx, r.ID)
			if err != nil && !errors.Is(err, ErrTorn) {
				return nil, err
			}
			known[r.ID] = read
		}
		if d.Denial.Cause == dera.CauseRemoved && !slices.ContainsFunc(known[r.ID], func(o dera.Denial) bool { return o.Key() == d.Denial.Key() }) {
			before, err := l.deniedBefore(ctx, *d)
			if err != nil {
				return nil, err
			}
			if before {
				d.Denial.Cause = dera.CauseUnknown
			}
		}
		d.first = r.State != dera.RolledBack && !slices.ContainsFunc(known[r.ID], func(o dera.Denial) bool { return o.Cause != dera.CauseOther })
		d.Record = l.record(d.Denial, r)
	}
	return out, nil
}

// deniedBefore reports whether the ledger knows that the call was denied before the change:
// then it may be on what was never allowed. It can tell until the first denial after it.
func (l *Ledger) deniedBefore(ctx context.Context, d Denied) (bool, error) {
	act, err := l.Principal(ctx, d.Denial.Principal)
	if errors.Is(err, ErrUnknown) {
		return false, nil
	}
	return slices.ContainsFunc(act.Uses, func(u Use) bool {
		return u.Action == d.action && u.Trust == Verified && u.LastDenied != 0 && u.LastDenied <= d.since
	}), err
}

// mostFindings bounds those that a record names; all are in the remediation.
const mostFindings = 300

// record is the audit record of a denial.
func (l *Ledger) record(d dera.Denial, r dera.Remediation) dera.AuditRecord {
	return dera.AuditRecord{
		Version: 1, Kind: dera.RecordDenial, Time: l.now().UTC(), Actor: l.watch.Actor, Account: r.Plan.Account, Region: r.Plan.Region, Resource: r.Plan.Resource,
		Control: r.Control, Findings: r.Findings[:min(len(r.Findings), mostFindings)], Remediation: r.ID, Digest: r.Digest, Denial: &d, Why: d.Text(),
	}
}

// put commits a batch of an import.
func (w *worker) put(ctx context.Context, b Batch) error {
	if err := w.store.CommitUsage(ctx, b); err != nil {
		return err
	}
	w.importer.mu.Lock()
	defer w.importer.mu.Unlock()
	w.found(ctx, b.Denials)
	return nil
}

// found says once of each remediation that it denied something. It is called after the commit.
func (l *Ledger) found(ctx context.Context, list []Denied) {
	said := map[string]bool{}
	for _, d := range list {
		if id := d.Denial.Remediation; d.first && d.Denial.Cause != dera.CauseOther && !said[id] && l.watch.Found != nil {
			said[id] = true
			l.watch.Found(ctx, d.Denial)
		}
	}
}

func (d denied) denial(r dera.Remediation, actions []string) dera.Denial {
	at := d.at.Time()
	out := dera.Denial{
		Remediation: r.ID, Principal: d.principal, Call: Action{d.source, d.name}.String(), Actions: actions, Code: d.code,
		Policy: string(d.said.Policy), Explicit: d.said.Explicit, Cause: dera.CauseOther, First: at, Last: at, Events: []string{d.id},
	}
	stages := r.Plan.Stages() // a stage denies, and what is out of the policies is not allowed
	switch {
	case d.said.Policy == cloudtrail.UnknownPolicy, d.said.Policy == cloudtrail.Boundary && d.said.Explicit == stages && bounds(r, d.principal):
		out.Cause = dera.CauseUnknown
	case d.said.Policy == cloudtrail.IdentityPolicy && d.said.Explicit == stages:
		out.Cause = dera.CauseRemoved
	case d.said.Policy == cloudtrail.IdentityPolicy && stages && !r.Plan.OnlyStages():
		out.Cause = dera.CauseUnknown // the plan also detaches something, or takes it out
	}
	return out
}

// bounds reports whether the policy that a remediation narrowed is a principal's permissions
// boundary too.
func bounds(r dera.Remediation, principal string) bool {
	return slices.ContainsFunc(r.Interfaces, func(name string) bool {
		who, ok := strings.CutSuffix(name, dera.AsBoundary)
		return ok && PrincipalKey(string(dera.NewARN(r.Plan.Partition, "iam", "", r.Plan.Account, who))) == principal
	})
}

// mostActions bounds the actions that an event is said to be, which nobody understands.
const mostActions = 8

// removed are the actions that a remediation removed and that the call needed: the one
// that the message names, or all that the event may stand for. Of an event that is not
// known that is each action of its service, or of all services.
func (d denied) removed(r dera.Remediation) (out []string) {
	var all []string
	for _, c := range r.Covers {
		all = append(all, c.Permissions...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	of := func(test func(action string) bool) []string {
		return slices.DeleteFunc(slices.Clone(all), func(a string) bool { return !test(strings.ToLower(a)) })
	}
	c := catalog.Embedded()
	call, known := c.Event(d.source, d.name)
	needed := slices.Concat(call.Actions, call.Maybe)
	switch {
	case d.said.Action != "":
		needed = []string{d.said.Action}
	case !known:
		services := c.Prefixes(d.source)
		out = of(func(a string) bool {
			service, _, _ := strings.Cut(a, ":")
			return len(services) == 0 || slices.Contains(services, service)
		})
		return out[:min(len(out), mostActions)]
	}
	return of(func(a string) bool {
		return slices.ContainsFunc(needed, func(n string) bool { return dera.MatchGlob(a, strings.ToLower(n)) })
	})
}
