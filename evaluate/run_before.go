package evaluate

import (
	"context"
	"slices"
	"time"

	"dera.example/dera"
)

// RunBefore is what became of one remediation, as evidence for or against its control.
type RunBefore struct {
	Remediation string
	Control     string
	Account     string
	// Done is when it was verified; zero where it never was, or is not in effect.
	Done time.Time
	// Against is the last thing that speaks against it, in words, and At when that was. Open
	// says that it is not over.
	Against string
	At      time.Time
	Open    bool
}

// RunsBefore tells what became of the remediations in accounts, of all controls. What it
// remembers from before since it reads again. It is safe for concurrent use.
type RunsBefore interface {
	RunsBefore(ctx context.Context, partition string, accounts []string, since time.Time) ([]RunBefore, error)
}

// RunOf judges a remediation by its steps and by the denials after it. That it was taken
// back speaks against it, by a person or since its verification failed; a write that AWS
// refused does not, since nothing was changed then. What failed and showed later, as
// collateral, was never verified.
func RunOf(r dera.Remediation, denials []dera.Denial) RunBefore {
	out := RunBefore{Remediation: r.ID, Control: r.Control, Account: r.Plan.Account}
	against := func(at time.Time, why string) {
		if !at.Before(out.At) {
			out.At, out.Against = at, why
		}
	}
	changed, undone, failed := false, false, false
	for _, s := range r.Steps {
		switch s.State {
		case dera.Verifying:
			changed = true
		case dera.Resolved, dera.Collateral:
			changed = true
			if out.Done.IsZero() {
				out.Done = s.At
			}
		case dera.Undoing:
			if changed {
				undone = true
				against(s.At, takenBack(r))
			}
		case dera.RolledBack, dera.UndoFailed:
			changed, undone = true, true
			against(s.At, takenBack(r))
		case dera.Failed:
			if undone {
				against(s.At, takenBack(r))
			}
			failed = true
		case dera.Waiting, dera.Ready, dera.Applying, dera.Observed, dera.Planned, dera.Rejected, dera.Expired, dera.Superseded:
		}
	}
	for _, d := range denials {
		if d.Remediation == r.ID && d.Cause != dera.CauseOther {
			against(d.Last, "denied what is in use, or may have: "+d.Text())
		}
	}
	if undone || failed || !slices.Contains([]dera.State{dera.Resolved, dera.Collateral}, r.State) {
		out.Done = time.Time{}
	}
	out.Open = r.State == dera.UndoFailed || r.State == dera.Undoing && undone
	return out
}

// takenBack says how a remediation was taken back, as far as that has come.
func takenBack(r dera.Remediation) string {
	switch r.State {
	case dera.RolledBack:
		return "was rolled back"
	case dera.UndoFailed:
		return "could not be undone"
	case dera.Undoing:
		return "is being undone"
	case dera.Failed:
		return "was undone, since its verification failed"
	default: // a rollback was ordered and nothing was left to do
		return "was to be rolled back"
	}
}
