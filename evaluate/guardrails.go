package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Ledger is what the guardrails ask of the store.
type Ledger interface {
	Stops(ctx context.Context) ([]dera.Stop, error)
	Spent(ctx context.Context, account, control string, since time.Time) (int, error)
}

// Observing is what the guardrail mode says where the mode is observe.
const Observing = "the mode is observe: this is what would be done, nothing is written"

// Mode sends a finding to review where the mode is review. In observe mode
// nothing is written whatever the decision, so that it shows what would be.
type Mode struct{}

// Name implements Guardrail.
func (Mode) Name() string { return "mode" }

// Check implements Guardrail.
func (Mode) Check(_ context.Context, c Case) (dera.Reason, error) {
	switch c.Mode {
	case dera.ReviewOnly:
		return review("the mode of this control in this account is review: a person approves each change"), nil
	case dera.Observe:
		return pass(Observing), nil
	case dera.Enforce:
		return pass("the mode is enforce"), nil
	}
	return dera.Reason{}, fmt.Errorf("mode %v is not known", c.Mode)
}

// Stopped sends to review what a stop covers.
type Stopped struct{ Ledger Ledger }

// Name implements Guardrail.
func (Stopped) Name() string { return "stop" }

// Check implements Guardrail.
func (g Stopped) Check(ctx context.Context, c Case) (dera.Reason, error) {
	stops, err := g.Ledger.Stops(ctx)
	if err != nil {
		return dera.Reason{}, err
	}
	for _, s := range stops {
		if s.Covers(c.Finding.Account, c.Finding.Control) {
			r := review("dera is stopped (%s) by %s: %s", s.Where(), s.By, s.Reason)
			r.Ref = s.At.UTC().Format(time.RFC3339)
			return r, nil
		}
	}
	return pass("no stop covers it"), nil
}

// RolledBackBefore sends to review a finding whose fix was taken back before:
// whoever did that had a reason.
type RolledBackBefore struct{}

// Name implements Guardrail.
func (RolledBackBefore) Name() string { return "rolled-back-before" }

// Check implements Guardrail.
func (RolledBackBefore) Check(_ context.Context, c Case) (dera.Reason, error) {
	if c.Finding.RolledBack > 0 {
		return review("a fix of this finding was rolled back before (%s)", count(c.Finding.RolledBack, "time")), nil
	}
	// The counter could have been read before the rollback was committed.
	for _, r := range c.Earlier {
		if r.Undo == "rollback" && slices.Contains(r.Findings, c.Finding.ID) {
			return dera.Reason{Disposition: dera.Review, Ref: r.ID, Why: "a fix of this finding was rolled back before (" + r.ID + ")"}, nil
		}
	}
	return pass("no fix of it was rolled back"), nil
}

// FailedBefore sends to review a resource on which fixes keep failing, and one
// that a failed undo left half-way.
type FailedBefore struct {
	Now func() time.Time
	// Most is the number of failures within a day after which a person looks;
	// 0 means 3.
	Most int
}

// Name implements Guardrail.
func (FailedBefore) Name() string { return "failed-before" }

// Check implements Guardrail.
func (g FailedBefore) Check(_ context.Context, c Case) (dera.Reason, error) {
	most := g.Most
	if most == 0 {
		most = 3
	}
	failed := 0
	for _, r := range c.Earlier {
		switch {
		case r.State == dera.UndoFailed:
			return review("an undo on this resource failed (%s): it is frozen until a person has reviewed it", r.ID), nil
		case r.State == dera.Failed && r.Control == c.Finding.Control && g.Now().Sub(r.CreatedAt) < 24*time.Hour:
			failed++
		}
	}
	if failed >= most {
		return review("the fix failed %d times within a day", failed), nil
	}
	return pass("%s within a day; from %d on a person decides", count(failed, "failure"), most), nil
}

// Reversible sends to review a plan with a change that cannot be taken back. A change that is
// kept on purpose, such as a snapshot, takes nothing away: the others must undo without it.
type Reversible struct{}

// Name implements Guardrail.
func (Reversible) Name() string { return "reversible" }

// Check implements Guardrail. It undoes the plan on the configuration as read
// and wants back what was there.
func (Reversible) Check(_ context.Context, c Case) (dera.Reason, error) {
	if c.Refusal != "" {
		return review("there is no plan: %s", c.Refusal), nil
	}
	if len(c.Plan.Changes) == 0 {
		return review("the plan is empty"), nil
	}
	if c.Plan.Custom() {
		if c.Plan.Changes[0].Undo == nil {
			return review("the custom fix has no undo"), nil
		}
		return review("whether the undo of the custom fix takes it back is not known before it ran"), nil
	}
	undone := c.Plan
	undone.Changes = slices.DeleteFunc(slices.Clone(c.Plan.Changes), func(ch dera.Change) bool { return ch.Kept && ch.Undo == nil })
	kept := len(c.Plan.Changes) - len(undone.Changes)
	if len(undone.Changes) == 0 {
		return review("the plan makes nothing that can be taken back"), nil
	}
	for i, ch := range undone.Changes {
		if ch.Undo == nil {
			return review("change %d (%s) has no undo", i+1, ch.Operation), nil
		}
	}
	why, err := undoes(c.Type, c.Resource.Config, undone)
	if err != nil {
		return dera.Reason{}, err
	}
	if why != "" {
		return review("%s", why), nil
	}
	if kept > 0 {
		return pass("each of the %d changes has its undo; what %s makes is kept", len(undone.Changes), count(kept, "other")), nil
	}
	return pass("each of the %d changes has its undo", len(c.Plan.Changes)), nil
}

// undoes makes each change and its undo on the configuration and says what does
// not come back. An undo that needs an output of the real change (the ID of a
// rule that AWS is yet to make) takes away only what the change added.
func undoes(kind resource.Type, config any, p dera.Plan) (why string, err error) {
	if kind.Name == "" || p.Type != kind.Name {
		return "", fmt.Errorf("the plan is about %q, which is not the type of the resource", p.Type)
	}
	for i, ch := range p.Changes {
		before, err := kind.Canon(config)
		if err != nil {
			return "", err
		}
		if config, err = kind.Apply(config, resource.Of(ch)); err != nil {
			return "", err
		}
		if bytes.Contains(ch.Undo.Input, []byte("${out.")) {
			continue
		}
		op, err := resource.OfUndo(*ch.Undo, nil)
		if err != nil {
			return "", err
		}
		back, err := kind.Apply(config, op)
		if err != nil {
			return fmt.Sprintf("the undo of change %d (%s) is not possible: %v", i+1, ch.Operation, err), nil
		}
		if after, err := kind.Canon(back); err != nil || after != before {
			return fmt.Sprintf("the undo of change %d (%s) does not bring back what was there", i+1, ch.Operation), err
		}
		if reserved(op) {
			return fmt.Sprintf("change %d (%s) takes away tags whose names start with aws:, which nobody but AWS can bring back", i+1, ch.Operation), nil
		}
	}
	return "", nil
}

// reserved reports whether the operation would write tags that AWS keeps for
// itself: tag keys that start with aws: (AWS tagging guide, "Tag naming limits").
func reserved(op resource.Operation) bool {
	var in any
	return json.Unmarshal(op.Input, &in) == nil && reservedTags(in, false)
}

func reservedTags(v any, tags bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			if tags && strings.HasPrefix(strings.ToLower(k), "aws:") || reservedTags(member, k == "tags" || k == "add") {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return reservedTags(item, false) })
	}
	return false
}

// Proved sends to review a plan whose evidence is not complete.
type Proved struct{}

// Name implements Guardrail.
func (Proved) Name() string { return "evidence" }

// Check implements Guardrail.
func (Proved) Check(_ context.Context, c Case) (dera.Reason, error) {
	if c.Refusal != "" {
		return review("there is no plan, so there is nothing to prove"), nil
	}
	for _, claim := range c.Evidence.Claims {
		if claim.Verdict != dera.Proved {
			return review("%s: %s (%s)", claim.Says, claim.Verdict, claim.Witness), nil
		}
	}
	if !c.Evidence.Proved() {
		return review("the plan has no evidence"), nil
	}
	return pass("all %d claims are proved", len(c.Evidence.Claims)), nil
}

// Unanswered begins the reason where nobody answered an earlier plan in time: it holds
// back nothing that is decided auto.
const Unanswered = "nobody approved this plan in time"

// NoBudget is what the guardrail says where the budget is none, which does not pass.
const NoBudget = "the budget of automatic remediations is 0, so nothing is automatic"

// Budget sends to review what exceeds the number of automatic remediations of
// an account and control within an hour (requirement E9).
type Budget struct {
	Ledger Ledger
	Now    func() time.Time
	// PerHour is the budget; 0 means 20, and less than 0 that nothing is automatic.
	PerHour int
	// Everywhere is that of all accounts and controls together; 0 means no limit,
	// and less than 0 that nothing is automatic.
	Everywhere int
}

// Name implements Guardrail.
func (Budget) Name() string { return "budget" }

// Check implements Guardrail. A remediation that was counted already passes.
func (g Budget) Check(ctx context.Context, c Case) (dera.Reason, error) {
	if g.PerHour < 0 || g.Everywhere < 0 {
		return review(NoBudget), nil
	}
	most := g.PerHour
	if most == 0 {
		most = 20
	}
	spent, err := g.Ledger.Spent(ctx, c.Finding.Account, c.Finding.Control, g.Now().Add(-time.Hour))
	if err != nil {
		return dera.Reason{}, err
	}
	if c.Remediation != nil {
		// Its own spend was recorded with the decision.
		spent--
	}
	if spent >= most {
		return review("the budget of %d automatic remediations an hour for this account and control is spent", most), nil
	}
	if g.Everywhere > 0 {
		all, err := g.Ledger.Spent(ctx, "", "", g.Now().Add(-time.Hour))
		if err != nil {
			return dera.Reason{}, err
		}
		if c.Remediation != nil {
			all--
		}
		if all >= g.Everywhere {
			return review("the budget of %d automatic remediations an hour for all accounts together is spent", g.Everywhere), nil
		}
	}
	return pass("%d of %d automatic remediations of this hour are spent", max(spent, 0), most), nil
}
