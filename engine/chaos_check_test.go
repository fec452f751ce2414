package engine_test

import (
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
	for _, r := range slices.Backward(list) {
		intents, err := s.look.Intents(s.t.Context(), r.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, in := range intents {
			// One that hung can have been settled by another process meanwhile.
			if in.Operation == c.Operation.Name && s.clock.Now().Sub(in.At) <= 6*time.Minute {
				return
			}
		}
	}
	s.fault("unrecorded: %s on %s is sent without a recorded intent", c.Operation.Name, c.Plan.Resource)
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
// person. What dera decided to fix by itself is fixed.
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
