// Package remediate carries out a decided remediation: it is one state machine,
// in one table. Before it acts it looks again, and judges again; it records an
// intent before each write, settles each write by reading, and verifies by a
// re-read that the finding is gone and that nothing else changed. What fails is
// undone in reverse. Layer: may import the words, resource and control.
package remediate

import (
	"fmt"
	"slices"

	"dera.example/dera"
)

// moves is the whole state machine: from each state, the states that it may move
// to. Whatever is not here is a bug, and an error.
func moves() map[dera.State][]dera.State {
	return map[dera.State][]dera.State{
		dera.Waiting:    {dera.Ready, dera.Rejected, dera.Expired, dera.Superseded},
		dera.Ready:      {dera.Applying, dera.Rejected, dera.Superseded, dera.Failed}, // failed: a permission is missing
		dera.Applying:   {dera.Verifying, dera.Undoing},
		dera.Verifying:  {dera.Resolved, dera.Collateral, dera.Undoing},
		dera.Undoing:    {dera.Failed, dera.RolledBack, dera.UndoFailed, dera.Collateral}, // collateral: of a rollback nothing was left to write, or could be
		dera.Resolved:   {dera.Undoing, dera.Collateral},                                  // by an event that tells later of another writer
		dera.Collateral: {dera.Undoing},
		dera.UndoFailed: {dera.Undoing, dera.Collateral}, // collateral: by order of a person, where the resource is gone
		dera.Observed:   {dera.Superseded},
		dera.Planned:    {dera.Rejected, dera.Superseded},
		dera.Failed:     {dera.Collateral}, // by a change that shows later
		dera.RolledBack: nil,
		dera.Rejected:   nil,
		dera.Expired:    {dera.Rejected}, // a late no
		dera.Superseded: nil,
	}
}

// Move returns the remediation in the new state with its step noted, or an error
// if the table does not allow it.
func Move(r dera.Remediation, to dera.State, step dera.Step) (dera.Remediation, error) {
	allowed, known := moves()[r.State]
	if !known {
		return r, fmt.Errorf("remediation %s is in the unknown state %q", r.ID, r.State)
	}
	if !slices.Contains(allowed, to) {
		return r, fmt.Errorf("remediation %s cannot go from %s to %s", r.ID, r.State, to)
	}
	step.State = to
	r.State = to
	r.Steps = append(slices.Clone(r.Steps), step)
	return r, nil
}
