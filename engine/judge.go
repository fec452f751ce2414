package engine

import (
	"context"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/remediate"
)

// judge looks at a decided remediation again, with fresh eyes.
type judge struct{ *Engine }

// Again implements remediate.Judge.
func (j judge) Again(ctx context.Context, r dera.Remediation, fresh dera.Resource) (remediate.Reassessment, error) {
	if !j.runs(r.Control) {
		return remediate.Reassessment{Refusal: (&absentError{r.Control}).Error()}, nil
	}
	g, err := j.regroup(ctx, r, fresh)
	if err != nil || len(g.failures) == 0 {
		return remediate.Reassessment{Gone: err == nil}, err
	}
	earlier, err := j.cfg.Store.RemediationsOf(ctx, r.ResourceKey())
	if err != nil {
		return remediate.Reassessment{}, err
	}
	if err := j.running(ctx, r, earlier); err != nil {
		return remediate.Reassessment{}, err
	}
	if err := j.plan(ctx, fresh, g, earlier, &r); err != nil {
		return remediate.Reassessment{}, err
	}
	v := remediate.Reassessment{Decision: g.decision, Refusal: g.refusal}
	if r.Plan.Custom() {
		if v.Stood, err = j.stands(ctx, r, fresh); err != nil {
			return remediate.Reassessment{}, err
		}
	}
	if g.refusal != "" {
		return v, nil
	}
	if v.Digest, err = g.plan.Digest(); err != nil || r.State != dera.Ready {
		return v, err // what is half-way is finished, whatever else there is
	}
	v.Refusal, err = j.contested(ctx, r, g, fresh, earlier)
	return v, err
}

// regroup finds what is left of the remediation's failures on a fresh resource.
func (j judge) regroup(ctx context.Context, r dera.Remediation, fresh dera.Resource) (*group, error) {
	if !j.runs(r.Control) {
		return nil, &absentError{r.Control}
	}
	a := j.detectorAt(j.cfg.Now()).Assess(fresh)
	before, err := j.cfg.Store.FindingsOf(ctx, r.ResourceKey())
	if err != nil {
		return nil, err
	}
	findings := a.Findings(before, j.cfg.Now())
	g := &group{}
	for _, res := range a.Results {
		if res.Control.ID != r.Control {
			continue
		}
		g.control = res.Control
		for _, f := range res.Result.Failures {
			if !slices.Contains(r.Plan.Keys, f.Key) {
				continue
			}
			g.failures = append(g.failures, f)
			i := slices.IndexFunc(findings, func(x dera.Finding) bool { return x.Control == r.Control && x.Key == f.Key })
			g.findings = append(g.findings, &findings[i])
		}
		if why, unjudged := res.Unjudged(); unjudged && len(g.failures) == 0 {
			return nil, &unknownError{why}
		}
	}
	return g, nil
}

// runs reports whether the control is one of this process.
func (j judge) runs(id string) bool {
	return slices.ContainsFunc(j.cfg.Controls, func(c control.Control) bool { return c.ID == id })
}

// absentError says that the control of a remediation does not run here: nothing is
// known of its findings, least of all that they are resolved.
type absentError struct{ control string }

func (e *absentError) Error() string { return "control " + e.control + " is not switched on" }

// unknownError says that a resource could not be judged; it is looked at again.
type unknownError struct{ why string }

func (e *unknownError) Error() string { return "the resource could not be judged: " + e.why }

// Gone implements remediate.Judge.
func (j judge) Gone(ctx context.Context, r dera.Remediation, fresh dera.Resource) ([]string, error) {
	g, err := j.regroup(ctx, r, fresh)
	if err != nil {
		return nil, err
	}
	var still []string
	for _, f := range g.failures {
		still = append(still, f.Key)
	}
	return still, nil
}
