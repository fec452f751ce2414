package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
	"dera.example/dera/resource"
	typed "dera.example/dera/resource/world"
)

// fault notes what must not be.
func (s *storm) fault(format string, args ...any) {
	s.broken = append(s.broken, fmt.Sprintf(format, args...))
}

// noteSent holds each request that reaches the service: its intent is recorded.
func (s *storm) noteSent(c typed.Call) {
	s.sends++
	s.sent[c.Operation.Name+" "+string(c.Plan.Resource)]++
	list, err := s.look.RemediationsOf(s.t.Context(), dera.ResourceKey(c.Plan.Partition, c.Plan.Account, c.Plan.Region, c.Plan.Resource))
	if err != nil {
		s.t.Fatal(err)
	}
	r, in := s.sender(list, c.Operation.Name)
	if r == nil || s.clock.Now().Sub(in.At) > 6*time.Minute { // one that hung can have been settled meanwhile
		s.fault("unrecorded: %s on %s is sent without a recorded intent", c.Operation.Name, c.Plan.Resource)
		return
	}
	s.holdPlan(*r, in, *c.Plan, c.Operation)
	for _, o := range list {
		active := o.State == dera.Applying || o.State == dera.Verifying || o.State == dera.Undoing
		if active && o.ID != r.ID && slices.ContainsFunc(o.Findings, func(id string) bool { return slices.Contains(r.Findings, id) }) {
			s.fault("twice: %s and %s change %s for the same finding", r.ID, o.ID, c.Plan.Resource)
		}
	}
}

// sender is the remediation, and its latest intent, that the operation is sent for.
func (s *storm) sender(list []dera.Remediation, operation string) (r *dera.Remediation, in dera.Intent) {
	for i := range list {
		intents, err := s.look.Intents(s.t.Context(), list[i].ID)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, x := range intents {
			if x.Operation == operation && (r == nil || !x.At.Before(in.At)) {
				r, in = &list[i], x
			}
		}
	}
	return r, in
}

// holdPlan: nothing is sent but the operations of the plan and their undos.
func (s *storm) holdPlan(r dera.Remediation, in dera.Intent, p dera.Plan, op resource.Operation) {
	if r.Plan.Resource != p.Resource || in.Step >= len(r.Plan.Changes) {
		s.fault("outside: %s of %s is sent to %s", in.Operation, r.ID, p.Resource)
		return
	}
	c := r.Plan.Changes[in.Step]
	if !slices.ContainsFunc(r.Plan.Changes, func(c dera.Change) bool {
		return c.Operation == op.Name && bytes.Equal(c.Input, op.Input) || c.Undo != nil && c.Undo.Operation == op.Name
	}) {
		s.fault("outside: %s is sent to %s, and change %d of %s is %s", op.Name, p.Resource, in.Step, r.ID, c.Operation)
	}
}

// holdLease: who signs holds the lease under which the intent was recorded, and
// nobody has a newer one.
func (s *storm) holdLease(owner string, p dera.Plan, op resource.Operation) {
	ctx, key := s.t.Context(), dera.ResourceKey(p.Partition, p.Account, p.Region, p.Resource)
	list, err := s.look.RemediationsOf(ctx, key)
	if err != nil {
		s.t.Fatal(err)
	}
	_, in := s.sender(list, op.Name)
	// To take it again keeps the token of one that is held, and is refused where
	// someone else holds it.
	if l, err := s.look.Lease(ctx, key, owner, time.Minute); err != nil || l.Token != in.Token {
		s.fault("fenced: %s signs %s under token %d, and the newest is %d (%v)", owner, op.Name, in.Token, l.Token, err)
	}
}

// known holds, in the midst of it, that what is wrong is known or about to be looked
// at.
func (s *storm) known() {
	if s.world.Lost() > 0 || s.now.process.Dead() {
		return
	}
	jobs, err := s.look.Jobs(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	findings, err := s.look.Findings(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	d := detect.Detector{Controls: s.people.controls(), Settings: s.people.settings}
	for _, r := range s.world.Resources() {
		due := slices.ContainsFunc(jobs, func(j dera.Job) bool { return j.Kind != "expire" })
		if due || len(s.world.History(r.Key())) == 1 || s.world.Coming(r.Key()) || s.people.under(r.Type) || s.misled(r.Key()) {
			continue // no event tells of how it was made
		}
		for _, j := range d.Assess(r).Results {
			for _, x := range j.Result.Failures {
				if !slices.ContainsFunc(findings, func(f dera.Finding) bool {
					return f.ResourceKey() == r.Key() && f.Control == j.Control.ID && f.Key == x.Key && f.State != dera.FindingResolved
				}) {
					s.fault("missed in the storm: %s %s of %s is there, not known, and nothing is due", j.Control.ID, x.Key, r.ARN)
				}
			}
		}
	}
}

// hear holds what the engine says as it happens.
func (s *storm) hear(n engine.News) {
	switch {
	case !s.watched:
	case n.What == "finding" && n.Finding.State == dera.FindingResolved:
		s.holdResolved(*n.Finding)
	case n.What == "remediation" && n.Remediation.State == dera.Resolved:
		s.holdVerified(*n.Remediation)
	}
}

// trust is how old the truth may be that two equal reads show: they lie the
// settling time apart, and each is behind for less than that.
const trust = 8 * time.Second

// misled reports whether the world gave two wrong reads of the resource lately, far
// enough apart to be taken for the truth.
func (s *storm) misled(key string) bool {
	lies := slices.DeleteFunc(s.world.Untrue(key), func(at time.Time) bool { return s.clock.Now().Sub(at) > 10*time.Minute })
	return len(lies) > 1 && lies[len(lies)-1].Sub(lies[0]) >= 2*time.Second
}

// holdResolved: a finding is resolved only where it was not there for a moment.
func (s *storm) holdResolved(f dera.Finding) {
	if s.people.under(f.ResourceType) {
		return // what holds for it is also in another resource's history
	}
	past := s.world.History(f.ResourceKey())
	if always(past, s.clock.Now().Add(-trust), func(config any) bool { return slices.Contains(s.failing(f, config), f.Key) }) && !s.misled(f.ResourceKey()) {
		s.fault("false: finding %s %s of %s is called resolved and was there all the while", f.Control, f.Key, f.Resource)
	}
}

// failing are the keys that the finding's control finds on a configuration.
func (s *storm) failing(f dera.Finding, config any) []string {
	if config == nil {
		return nil
	}
	i := slices.IndexFunc(s.people.list, func(o *owned) bool { return o.Key() == f.ResourceKey() })
	r := s.people.list[i].Resource
	r.Config, r.Full, r.ReadAt = config, true, s.clock.Now()
	var out []string
	for _, c := range rulebook(f.ResourceType) {
		if c.ID != f.Control {
			continue
		}
		res, err := c.Check(r, s.people.settings)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, x := range res.Failures {
			out = append(out, x.Key)
		}
	}
	return out
}

// holdVerified: a fix is called resolved only where the world was for a moment as
// the plan says.
func (s *storm) holdVerified(r dera.Remediation) {
	typ, err := registry().Lookup(r.Plan.Type)
	if err != nil {
		s.t.Fatal(err)
	}
	past := s.world.History(r.ResourceKey())
	from := s.clock.Now().Add(-trust)
	if always(past, from, func(config any) bool {
		if config == nil {
			return true
		}
		canon, err := typ.Canon(config)
		return err != nil || canon != r.Expect()
	}) && !s.misled(r.ResourceKey()) {
		s.fault("unverified: %s (%s of %s) is called resolved, and the world never was as it says", r.ID, r.Control, r.Plan.Resource)
	}
}

// found holds that everything that is wrong is known: closed, or reported to a
// person. What dera decided to fix automatically is fixed.
func (s *storm) found(when string) {
	findings, err := s.look.Findings(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	d := detect.Detector{Controls: s.people.controls(), Settings: s.people.settings}
	for _, r := range s.world.Resources() {
		open := slices.DeleteFunc(slices.Clone(findings), func(f dera.Finding) bool { return f.ResourceKey() != r.Key() || !f.LeftOpen() })
		for _, j := range d.Assess(r).Results {
			for _, x := range j.Result.Failures {
				s.holdFound(when, r, j.Control, x, open)
			}
		}
		if o := s.people.list[slices.IndexFunc(s.people.list, func(o *owned) bool { return o.Key() == r.Key() })]; o.kind.exposed(r.Config) && len(open) == 0 {
			s.fault("exposed %s: %s, and nobody knows", when, r.ARN)
		}
	}
}

func (s *storm) holdFound(when string, r dera.Resource, c control.Control, x control.Failure, open []dera.Finding) {
	i := slices.IndexFunc(open, func(f dera.Finding) bool { return f.Control == c.ID && f.Key == x.Key })
	switch {
	case i < 0:
		s.fault("missed %s: %s %s of %s is there and not known", when, c.ID, x.Key, r.ARN)
	case open[i].Disposition == dera.Auto && open[i].State == dera.FindingOpen:
		s.fault("left %s: %s %s of %s is to be fixed without a person, and is not (remediation %s, waits for %q)", when, c.ID, x.Key, r.ARN, open[i].Remediation, open[i].WaitsFor)
	}
}

// end holds what must hold when all is over.
func (s *storm) end() {
	ctx := s.t.Context()
	open, err := s.look.OpenIntents(ctx)
	if err != nil || len(open) > 0 {
		s.fault("unsettled: intents %+v (%v)", open, err)
	}
	list, err := s.look.Remediations(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range list {
		if !r.State.Final() && r.State != dera.Waiting {
			s.fault("unsettled: remediation %s is %s", r.ID, r.State)
		}
	}
	s.log()
	for _, o := range s.people.list {
		lost, extra := s.people.missing(o)
		told := slices.ContainsFunc(list, func(r dera.Remediation) bool {
			return r.ResourceKey() == o.Key() && r.Overwrote != ""
		})
		typ, err := registry().Lookup(o.Type)
		if err != nil {
			s.t.Fatal(err)
		}
		if typ.Whole() && (told || s.world.Lost() > 0) {
			continue // documents have no compare-and-set; an event tells of it
		}
		if len(lost) > 0 {
			s.fault("lost: %s: %s", o.ARN, strings.Join(lost, ", "))
		}
		if len(extra) > 0 {
			s.fault("opened: %s: %s", o.ARN, strings.Join(extra, ", "))
		}
	}
}

// log holds that the audit log verifies, and that each request has an intent of its
// own in it.
func (s *storm) log() {
	ctx := s.t.Context()
	head, err := audit.Head(ctx, s.look, "dera/audit", nil, s.clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	report, err := audit.VerifySource(ctx, s.look, head)
	if err != nil || !report.OK() {
		s.fault("log: %s (%v)", report, err)
	}
	size, err := s.look.LogSize(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	leaves, err := s.look.Leaves(ctx, 0, size)
	if err != nil {
		s.t.Fatal(err)
	}
	intents := map[string]int{}
	for _, leaf := range leaves {
		var r dera.AuditRecord
		if err := json.Unmarshal(leaf, &r); err != nil {
			s.t.Fatal(err)
		}
		if r.Kind == dera.RecordIntent {
			intents[r.Operation+" "+string(r.Resource)]++
		}
	}
	for what, n := range s.sent {
		if n > intents[what] {
			s.fault("unrecorded: %s was sent %d times, and %d intents say so", what, n, intents[what])
		}
	}
}
