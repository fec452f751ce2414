package main

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/services"
)

// after is a remediation as an order left it, with what stays open and what an undo
// did.
func (s *session) after(ctx context.Context, r dera.Remediation) (app.Shown, error) {
	v, _, err := app.Show(ctx, s.store, r.ID)
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
		a.printf("  approve with: %s\n", app.ApproveCommand(r)+s.orderFlags())
	}
	list, err := s.store.RemediationsOf(ctx, r.ResourceKey())
	if err != nil {
		return err
	}
	for _, o := range list {
		if o.State == dera.Waiting && o.ID != r.ID {
			a.printf("%s\n", wrap("next on the same resource: "+o.ID+" waits for an approval; see it with: dera show "+o.ID+s.orderFlags(), "  ", width))
		}
	}
	return nil
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
		a.printf("%s\n    %s\n", wrap(way.What+":", "  ", width), way.Command+s.orderFlags())
	} else if !r.State.Final() {
		a.printf("  go on with: %s\n", s.goOn(r))
	}
	return &exitError{code: exitNo}
}
