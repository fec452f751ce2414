package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// AccessView is what was asked to be given back, with where it stands.
type AccessView struct {
	Access dera.Access      `json:"access"`
	State  dera.AccessState `json:"state"`
	// Digest and Diff are those of the plan that gives it, where there is one.
	Digest string   `json:"digest,omitempty"`
	Diff   []string `json:"diff,omitempty"`
	// Why says why there is no plan.
	Why string `json:"why,omitempty"`
	// Commands are what a person can do now.
	Commands []string `json:"commands"`
}

// AccessStates tells where accesses stand.
type AccessStates interface {
	AccessState(ctx context.Context, a dera.Access, now time.Time) (dera.AccessState, *dera.Remediation, error)
}

// AccessStore is what is read of accesses.
type AccessStore interface {
	AccessStates
	Accesses(ctx context.Context) ([]dera.Access, error)
}

// ViewAccess says where an access stands. Flags are added to the commands.
func ViewAccess(ctx context.Context, from AccessStates, a dera.Access, flags string, now time.Time) (AccessView, error) {
	v := AccessView{Access: a, Commands: []string{}}
	state, r, err := from.AccessState(ctx, a, now)
	if err != nil {
		return v, err
	}
	v.State = state
	if r != nil && r.State != dera.Superseded {
		v.Digest, v.Diff = r.Digest, r.Plan.Diff()
	}
	if state == dera.AccessAsked && v.Digest != "" {
		v.Commands = []string{ApproveCommand(*r) + flags, "dera access deny " + a.ID + " --reason TEXT" + flags}
	}
	return v, nil
}

// Accesses are all that was asked for, the oldest first.
func Accesses(ctx context.Context, from AccessStore, flags string, now time.Time) ([]AccessView, error) {
	list, err := from.Accesses(ctx)
	if err != nil {
		return nil, err
	}
	out := []AccessView{}
	for _, a := range list {
		v, err := ViewAccess(ctx, from, a, flags, now)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// backFor is for how long a denied action is given back where nobody says more.
const backFor = "8h"

// GiveBackCommands ask for what a change denied, for a time and for good. There are none
// for what another policy denied, nor where the change names no such action: a rollback of
// the whole is left then.
func GiveBackCommands(r dera.Remediation, denials []dera.Denial, flags string) (out []string) {
	took := r.Took()
	for _, d := range denials {
		actions := slices.DeleteFunc(slices.Clone(d.Actions), func(a string) bool {
			return !slices.ContainsFunc(took, func(t string) bool { return strings.EqualFold(a, t) })
		})
		if d.Cause == dera.CauseOther || len(actions) == 0 || !r.InEffect() {
			continue
		}
		for _, term := range []string{backFor, ForGood} {
			line := fmt.Sprintf(`dera access request --principal %s --action %s --for %s --reason "it was denied after %s"`, d.Principal, strings.Join(actions, ","), term, r.ID) + flags
			if !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}

// ForGood is the term of an access that has no end.
const ForGood = "good"
