package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// DeniedAfter is a change in effect that took away what is, or may be, in use.
type DeniedAfter struct {
	Remediation string    `json:"remediation"`
	Account     string    `json:"account"`
	Resource    dera.ARN  `json:"resource"`
	Last        time.Time `json:"last"` // denial
	Certain     bool      `json:"certain"`
	What        []string  `json:"what"`    // the denials, one line each
	Command     string    `json:"command"` // undoes the whole change
	// GiveBack are the commands that ask for what was denied alone, for a time and for
	// good.
	GiveBack []string `json:"give_back,omitempty"`
	// Ask is the command that says of the last denial whether a change of dera did it, and
	// UndoAll the one that undoes all that was changed lately.
	Ask     string `json:"ask_command"`
	UndoAll string `json:"undo_all_command"`
}

// DenialStore is what is read of denials.
type DenialStore interface {
	AccessStore
	Denials(ctx context.Context) ([]dera.Denial, error)
	Remediation(ctx context.Context, id string) (dera.Remediation, error)
}

// UndoCommand undoes a change that denied something as a whole; GiveBackCommands are for
// single actions.
func UndoCommand(remediation string) string {
	return "dera rollback " + remediation + ` --reason "it denied what is in use"`
}

// AskCommand asks whether a change of dera did a denial; "" for one of which no action is
// known.
func AskCommand(d dera.Denial) string {
	if len(d.Actions) == 0 {
		return ""
	}
	return fmt.Sprintf("dera why --principal %s --action %s --at %s", d.Principal, d.Actions[0], d.Last.UTC().Format(time.RFC3339))
}

// UndoAllCommand undoes all that was changed lately, in an account where one is named.
func UndoAllCommand(account string) string {
	if account != "" {
		account = " --account " + account
	}
	return "dera rollback --since 2h" + account + ` --reason "it denied what is in use"`
}

// Denials are the changes in effect that denied something within 30 days, which a person
// must look at, the latest first, and how many changes ever were wrong as their denials show,
// or that something of them was given back for good (false positives), or may have been. What
// another policy denied counts as neither.
func Denials(ctx context.Context, from DenialStore, flags string, now time.Time) (out []DeniedAfter, wrong, perhaps int, err error) {
	list, err := from.Denials(ctx)
	if err != nil {
		return nil, 0, 0, err
	}
	out = []DeniedAfter{}
	by, of := map[string]*DeniedAfter{}, map[string][]dera.Denial{}
	forGood, err := givenForGood(ctx, from, now)
	if err != nil {
		return nil, 0, 0, err
	}
	for _, d := range list {
		if d.Cause == dera.CauseOther {
			continue
		}
		c := by[d.Remediation]
		if c == nil {
			c = &DeniedAfter{Remediation: d.Remediation, Command: UndoCommand(d.Remediation) + flags}
			by[d.Remediation] = c
		}
		of[d.Remediation] = append(of[d.Remediation], d)
		c.Certain = c.Certain || d.Cause == dera.CauseRemoved
		c.What = append(c.What, d.Text())
		if d.Last.After(c.Last) {
			c.Last, c.Ask = d.Last, AskCommand(d)
			if c.Ask != "" {
				c.Ask += flags
			}
		}
	}
	for id, c := range by {
		if c.Certain || forGood[id] {
			delete(forGood, id)
			wrong++
		} else {
			perhaps++
		}
		if now.Sub(c.Last) > soon {
			continue
		}
		r, err := from.Remediation(ctx, id)
		if errors.Is(err, store.ErrTorn) { // it may be in effect
			c.UndoAll = UndoAllCommand("") + flags
			out = append(out, *c)
			continue
		}
		if err != nil {
			return nil, 0, 0, fmt.Errorf("read what denied something: %w", err)
		}
		c.GiveBack = GiveBackCommands(r, of[id], flags)
		switch r.State {
		case dera.Resolved, dera.Collateral, dera.Applying, dera.Verifying, dera.UndoFailed:
			c.Account, c.Resource, c.UndoAll = r.Plan.Account, r.Plan.Resource, UndoAllCommand(r.Plan.Account)+flags
			out = append(out, *c)
		default: // it is not in effect any more
		}
	}
	slices.SortFunc(out, func(a, b DeniedAfter) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Remediation, b.Remediation))
	})
	return out, wrong + len(forGood), perhaps, nil
}

// givenForGood are the remediations of which something was given back for good.
func givenForGood(ctx context.Context, from AccessStore, now time.Time) (map[string]bool, error) {
	list, err := from.Accesses(ctx)
	if errors.Is(err, store.ErrTorn) {
		return nil, nil // what waits must stay in sight
	}
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, a := range list {
		if !a.ForGood() {
			continue
		}
		state, _, err := from.AccessState(ctx, a, now)
		if errors.Is(err, store.ErrTorn) {
			continue // whether it was given is not known
		}
		if err != nil {
			return nil, err
		}
		for _, id := range a.Took {
			if state == dera.AccessGranted || state == dera.AccessEnded { // it was given, whoever took it back
				out[id] = true
			}
		}
	}
	return out, nil
}
