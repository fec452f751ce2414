package remediate

import (
	"context"
	"slices"
	"strings"
	"time"
)

// takesTurn returns a LaterError while another remediation of the resource is under way,
// whoever holds its lease at the moment: what the one has put in place can still be taken
// back. It is asked under the lease and before the first write, so that no two begin, and two
// that are under way already do not wait for each other.
func (t *run) takesTurn(ctx context.Context) error {
	under, _, err := t.cfg.Journal.Beside(ctx, t.rem)
	if err != nil || len(under) == 0 {
		return err
	}
	return t.after(under[0])
}

// after is the LaterError of a remediation that waits for another one.
func (t *run) after(id string) error {
	wait := min(max(t.waited()/4, 5*time.Second), time.Minute)
	return &LaterError{At: t.cfg.Now().Add(wait), Why: id + " is under way on the same resource", Expected: true}
}

// below keeps an undo from being made beneath a later remediation, whose plan was proved on
// the resource as this one left it. One that is in effect is for a person, so that an
// undoError says so; one that is under way is waited for, with a LaterError: it waits for no
// earlier one. What was given for a time that is over is taken back in any case, since AWS
// has ended it already.
func (t *run) below(ctx context.Context) error {
	if t.rem.Due {
		return nil
	}
	under, later, err := t.cfg.Journal.Beside(ctx, t.rem)
	if err != nil || len(later) == 0 {
		return err
	}
	ended := slices.DeleteFunc(slices.Clone(later), func(id string) bool { return slices.Contains(under, id) })
	if len(ended) == 0 {
		return t.after(later[0])
	}
	return &undoError{"later remediations of the same resource are in effect: " + strings.Join(ended, ", ") + "; roll them back first"}
}
