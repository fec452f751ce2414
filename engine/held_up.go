package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/remediate"
)

// heldUpAfter is how long a remediation may stay in one state, and nothing else begin on its
// resource meanwhile, before a person hears of it.
const heldUpAfter = 15 * time.Minute

const heldUpAlarm = "held-up/"

// holdsUp raises an alarm where a remediation that cannot go on holds up its resource for too
// long, whatever holds it itself: a stop, an account that is away. One that has written nothing,
// or of which nothing is wrong, holds up what waits for it alone. The alarm is as severe as the
// worst that waits. That it could not be recorded is said in the log, and the next try records it.
func (e *Engine) holdsUp(ctx context.Context, id string, why error) {
	r, err := e.cfg.Store.Remediation(ctx, id)
	if err != nil || r.State != dera.Ready && !underWay(r) || !lasted(r, len(r.Steps)-1, e.cfg.Now()) {
		return // that the store is away is the error of the job
	}
	severity, waiting, err := e.waitFor(ctx, r)
	var later *remediate.LaterError
	expected := errors.As(why, &later) && later.Expected
	if err == nil && (len(waiting) > 0 || underWay(r) && !expected) {
		last := r.Steps[len(r.Steps)-1]
		text := fmt.Sprintf("%s: %s is %s since %s (%v)", r.Plan.Resource, r.ID, r.State, last.At.UTC().Format(time.RFC3339), why)
		if len(waiting) > 0 {
			text += "; for it waits " + strings.Join(waiting, ", ")
		}
		err = e.Alarm(ctx, dera.Alarm{
			Key: heldUpAlarm + r.ID, Severity: max(severity, dera.High), Title: "A remediation holds up its resource",
			Account: r.Plan.Account, Region: r.Plan.Region, Why: text,
		})
	}
	if err != nil && ctx.Err() == nil {
		e.cfg.Log.ErrorContext(ctx, "record an alarm", "alarm", heldUpAlarm+r.ID, "err", err)
	}
}

// waitFor are the findings and the decided remediations that wait for r, and the worst of
// their severities and its own.
func (e *Engine) waitFor(ctx context.Context, r dera.Remediation) (worst dera.Severity, waiting []string, err error) {
	findings, err := e.cfg.Store.FindingsOf(ctx, r.ResourceKey())
	if err != nil {
		return worst, nil, err
	}
	list, err := e.cfg.Store.RemediationsOf(ctx, r.ResourceKey())
	worst = r.Severity
	for _, f := range findings {
		if f.WaitsFor == r.ID && f.State != dera.FindingResolved {
			worst, waiting = max(worst, f.Severity), append(waiting, f.ID)
		}
	}
	for _, o := range list {
		if o.ID != r.ID && o.State == dera.Ready && underWay(r) {
			worst, waiting = max(worst, o.Severity), append(waiting, o.ID)
		}
	}
	return worst, waiting, err
}

// lasted reports whether a remediation was, or had been by then, too long in the state of a step.
func lasted(r dera.Remediation, step int, until time.Time) bool {
	if step < 0 {
		return false
	}
	s := r.Steps[step]
	if step+1 < len(r.Steps) {
		until = r.Steps[step+1].At
	}
	from := s.At
	if s.State == dera.Ready && r.NotBefore.After(from) {
		from = r.NotBefore // until then it waits on purpose
	}
	return !s.State.Final() && s.State != dera.Waiting && until.Sub(from) >= heldUpAfter
}

// heldUp reports whether holdsUp may have raised an alarm.
func heldUp(r dera.Remediation) bool {
	for i := range r.Steps {
		if lasted(r, i, r.Steps[i].At) {
			return true
		}
	}
	return false
}
