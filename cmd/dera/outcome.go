package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/remediate"
	"dera.example/dera/services"
)

// after is a remediation as an order left it, with what stays open and what an undo
// did.
func (s *session) after(ctx context.Context, r dera.Remediation) (app.Shown, error) {
	v, _, err := app.Show(ctx, s.store, r.ID, s.app.orderFlags(), s.app.now())
	if err != nil {
		return v, err
	}
	return app.Shown{Remediation: &r, Left: v.Left, Undone: v.Undone, Kept: v.Kept}, nil
}

// printOutcome shows what was done now: of a rollback the undo, of all else the
// plan; and what of the same resource waits for a person.
func (a *cli) printOutcome(ctx context.Context, s *session, v app.Shown) error {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	r := *v.Remediation
	if len(v.Undone) > 0 || r.State == dera.RolledBack {
		a.wrapf("\n%s  %s  %s\n", p.bold("remediation "+r.ID), p.state(r.State), r.Plan.Resource)
		for _, line := range v.Undone {
			a.wrapf("  %s\n", p.diff(line))
		}
		for _, line := range v.Kept {
			a.wrapf("  not undone, since someone else changed it: %s\n", p.diff(line))
		}
		for _, m := range r.Unexpected {
			a.printf("  %s\n", p.colour("1", "changed: "+m))
		}
		if r.Failure != "" {
			a.printf("%s\n", p.colour("1", wrap(r.Failure, "  ", width)))
		}
	} else {
		a.printRemediation(p, v, false, width)
	}
	if n := len(r.Steps); n > 0 {
		a.printf("%s\n", wrap(r.Steps[n-1].Why, "  ", width))
	}
	if r.State == dera.Waiting {
		a.printf("  approve with: %s\n", app.ApproveCommand(r)+s.app.orderFlags())
	}
	list, err := s.store.RemediationsOf(ctx, r.ResourceKey())
	if err != nil {
		return err
	}
	for _, o := range list {
		if o.State == dera.Waiting && o.ID != r.ID {
			a.printf("%s\n", wrap("next on the same resource: "+o.ID+" waits for an approval; see it with: "+a.again("show %s", o.ID), "  ", width))
		}
	}
	return nil
}

// beginOne looks at the resource of a finding and begins the finding's plan, and no
// other one. A plan of it that was approved for an earlier state of the resource is let
// go of first.
func (s *session) beginOne(ctx context.Context, ev dera.Event, id string) (dera.Finding, error) {
	for try := 0; ; try++ {
		err := s.engine.LookFor(ctx, ev, func(list []dera.Finding) bool {
			return slices.ContainsFunc(list, func(f dera.Finding) bool { return f.ID == id })
		})
		if err != nil {
			return dera.Finding{}, err
		}
		f, err := s.store.Finding(ctx, id)
		if err != nil || f.WaitsFor == "" || try > 0 {
			return f, err
		}
		r, err := s.store.Remediation(ctx, f.WaitsFor)
		if err != nil || r.State != dera.Ready || !slices.Contains(r.Findings, id) || s.mayAct(r) != nil {
			return f, err
		}
		if _, err := s.engine.Carry(ctx, r.ID); err != nil {
			return f, err
		}
	}
}

// carried looks at the resource of a remediation that was carried out or rolled back,
// and prints the outcome: also where that look fails, since the change is made.
func (a *cli) carried(ctx context.Context, s *session, r dera.Remediation, err error, want dera.State) error {
	if r, err = s.awaited(ctx, r, err); err != nil {
		return a.outcome(ctx, s, r, s.unbegun(r, err), want)
	}
	looked := s.engine.LookNow(ctx, lookAt(r, a.now()), false)
	err = a.outcome(ctx, s, r, nil, want)
	if looked != nil {
		a.alert("dera: %s is %s; the resource could not be read again afterwards: %s\n", r.ID, r.State, cloud.Explain(looked))
	}
	return err
}

// unbegun says of an error that it left an approved plan not begun, and the command
// that goes on.
func (s *session) unbegun(r dera.Remediation, err error) error {
	if err == nil || r.State != dera.Ready || !r.Approved() {
		return err
	}
	how := "go on with: "
	if errors.Is(err, remediate.ErrStopped) {
		how = "when the stop is lifted, dera run carries it out, or: "
	}
	return fmt.Errorf("%s is approved, and nothing is written yet: %w; %s%s (the approval runs out at %s)", r.ID, err, how, s.goOn(r), app.Stamp(r.Approval.Expires))
}

// held says what a finding waits for, and the command that goes on.
func (a *cli) held(ctx context.Context, s *session, f dera.Finding) error {
	r, err := s.store.Remediation(ctx, f.WaitsFor)
	if err != nil {
		return err
	}
	why, way := app.Holds(r)
	if a.json() {
		if err := a.printJSON(app.Shown{Finding: &f, Remediation: &r}.Redacted(services.Types())); err != nil {
			return err
		}
		return &exitError{code: exitNo}
	}
	width, _ := terminal(a.out)
	a.printf("%s\n", wrap(f.ID+" has no plan of its own now. "+why, "", width))
	if way != nil {
		a.printf("%s\n    %s\n", wrap(way.What+":", "  ", width), way.Command+s.app.orderFlags())
	} else if !r.State.Final() {
		a.printf("  go on with: %s\n", s.goOn(r))
	}
	return &exitError{code: exitNo}
}
