package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
)

func newAccessCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "access",
		Short: "Give single actions back that dera took, for a time or for good",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAccessRequestCommand(a), newAccessGrantCommand(a), newAccessDenyCommand(a), &cobra.Command{
		Use: "list", Short: "List what was asked to be given back", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.stored(cmd.Context(), a.listAccesses) },
	})
	return cmd
}

func newAccessRequestCommand(a *cli) *cobra.Command {
	var principal, term, reason string
	var actions []string
	cmd := &cobra.Command{
		Use:   "request --principal ARN --action ACTION --for 8h --reason TEXT",
		Short: "Ask for actions that dera took from a role or user",
		Long: "request asks for single actions that a change of dera, which is in effect, took from a role or user: for a time, or with\n" +
			"--for good without an end. It gives nothing. The plan is an inline policy with just these actions, on the resources and\n" +
			"under the conditions that the policies had before the change, and its end as a condition on the time. Another person\n" +
			"grants it; who asked cannot. Who asks is the identity of the AWS credentials. The time counts from the request.\n\n" +
			"Exit codes: 0 asked, 3 refused, or no plan could be made.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := engine.AccessOrder{Principal: dera.ARN(principal)}
			var err error
			if o.Reason, err = flagText("reason", reason, dera.LongestReason); err != nil {
				return err
			}
			switch {
			case principal == "":
				return usage("--principal is required: the ARN of the role or user that lacks the action")
			case len(actions) == 0:
				return usage("--action is required, such as s3:GetObject; several are separated by commas")
			case o.Reason == "":
				return usage("--reason is required")
			case term == "":
				return usage("--for is required: a time such as 8h, or good for no end")
			}
			if term != app.ForGood {
				if o.For, err = time.ParseDuration(term); err != nil || o.For < time.Minute {
					return usage("--for is %q: write a time of a minute at least, such as 8h, or good for no end", term)
				}
			}
			o.Actions = actions
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error { return a.requestAccess(ctx, s, o) })
		},
	}
	cmd.Flags().StringVar(&principal, "principal", "", "ARN of the role or user")
	cmd.Flags().StringSliceVar(&actions, "action", nil, "action that dera took, such as s3:GetObject; several are separated by commas")
	cmd.Flags().StringVar(&term, "for", "", "for how long, such as 8h, or good for no end")
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is recorded")
	return cmd
}

func newAccessGrantCommand(a *cli) *cobra.Command {
	var digest, reason string
	cmd := &cobra.Command{
		Use:   "grant ID --digest DIGEST",
		Short: "Grant what somebody asked for, exactly as its plan was shown",
		Long: "grant approves the plan that gives back what was asked for, bound to its digest, and carries it out. With it its undo\n" +
			"is approved, which dera makes when the time is over. Neither who asked nor the principal that gets it can grant it.\n" +
			"The approver is the identity of the AWS credentials. It works in mode observe too: two people order it.\n\n" +
			"Exit codes: 0 given and verified, 3 refused, failed or decided again.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			if len(digest) < dera.DigestDigits {
				return usage("--digest is %q, must be at least the first %d hex digits: dera access list -o json prints them", digest, dera.DigestDigits)
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error {
				r, err := s.askedFor(ctx, list[0])
				if err != nil {
					return err
				}
				return a.approve(ctx, s, r, digest, reason)
			})
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "digest of the plan, as shown, or its first 12 digits at least")
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is recorded")
	return cmd
}

func newAccessDenyCommand(a *cli) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "deny ID --reason TEXT",
		Short: "Deny what somebody asked for",
		Long: "deny says no to what somebody asked for, before it is given; who asked can withdraw it so. dera does not ask again.\n" +
			"What is given is taken back before its time with dera rollback.\n\n" +
			"Exit codes: 0 denied, 3 refused.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			if strings.TrimSpace(reason) == "" {
				return usage("--reason is required")
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error {
				r, err := s.askedFor(ctx, list[0])
				if err != nil {
					return err
				}
				if r, err = s.engine.Decide(ctx, r.ID, engine.Answer{Reason: reason, By: s.person()}); err != nil {
					return orRefused(err)
				}
				if err := s.engine.LookNow(ctx, lookAt(r, a.now()), false); err != nil {
					a.alert("dera: %s is denied; the resource could not be read: %s\n", list[0], cloud.Explain(err))
				}
				return a.outcome(ctx, s, r, nil, dera.Rejected)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is recorded")
	return cmd
}

// access is that with an ID, or the beginning of one.
func (s *session) access(ctx context.Context, id string) (dera.Access, error) {
	all, err := s.store.Accesses(ctx)
	if err != nil {
		return dera.Access{}, err
	}
	all = slices.DeleteFunc(all, func(a dera.Access) bool { return !strings.HasPrefix(a.ID, id) })
	switch {
	case len(all) == 0 || len(id) < 4:
		return dera.Access{}, usage("%q is not an ID of an access, or the beginning of one: dera access list has them", id)
	case len(all) > 1:
		return dera.Access{}, usage("%q is the beginning of %d IDs; write more of it", id, len(all))
	}
	return all[0], nil
}

// askedFor is the plan of an access that waits for an answer.
func (s *session) askedFor(ctx context.Context, id string) (r dera.Remediation, err error) {
	a, err := s.access(ctx, id)
	if err != nil {
		return r, err
	}
	if err := s.inForce(ctx, a.Account, a.ID); err != nil {
		return r, err
	}
	state, grant, err := s.engine.AccessState(ctx, a)
	if err != nil {
		return r, err
	}
	if state == dera.AccessAsked && (grant == nil || grant.State == dera.Superseded || grant.State == dera.Failed) {
		if err := s.engine.LookNow(ctx, s.lookAtPrincipal(a), false); err != nil {
			return r, err
		}
		if a, err = s.store.Access(ctx, a.ID); err != nil {
			return r, err
		}
		if state, grant, err = s.engine.AccessState(ctx, a); err != nil {
			return r, err
		}
	}
	switch {
	case state != dera.AccessAsked:
		return r, &exitError{exitNo, fmt.Errorf("%s is %s, so there is nothing to answer", a.ID, state)}
	case grant == nil:
		why, err := s.noPlan(ctx, a)
		return r, errors.Join(&exitError{exitNo, fmt.Errorf("%s has no plan: %s", a.ID, why)}, err)
	}
	return *grant, nil
}

// lookAtPrincipal is the event for which the principal of an access is looked at.
func (s *session) lookAtPrincipal(a dera.Access) dera.Event {
	return dera.Event{
		Source: "access", Name: "by hand", Actor: s.identity.ARN, Time: s.app.now(),
		Scope: dera.Scope{Partition: a.Partition, Account: a.Account, Region: a.Region, Type: a.Type, IDs: []string{a.Name}},
	}
}

// noPlan says why there is no plan for an access.
func (s *session) noPlan(ctx context.Context, a dera.Access) (string, error) {
	open, err := s.store.OpenIn(ctx, a.Account, a.Region, a.Type)
	if err != nil {
		return "", err
	}
	for _, f := range open {
		if f.Key != a.Key() {
			continue
		}
		if f.WaitsFor != "" {
			return f.WaitsFor + " goes first on the same principal", nil
		}
		var why []string
		for _, r := range f.Reasons {
			if r.Disposition > dera.Auto && r.Guardrail != "control" {
				why = append(why, r.Guardrail+": "+r.Why)
			}
		}
		return strings.Join(why, "; "), nil
	}
	return "the principal was not found, or could not be read", nil
}

func (a *cli) requestAccess(ctx context.Context, s *session, o engine.AccessOrder) error {
	if err := s.inForce(ctx, o.Principal.Account(), string(o.Principal)); err != nil {
		return err
	}
	o.By = s.person()
	asked, err := s.engine.RequestAccess(ctx, o)
	if err != nil {
		return orRefused(err)
	}
	return a.sayAsked(ctx, s, asked)
}

// sayAsked looks at what was asked for, and says which plan it makes.
func (a *cli) sayAsked(ctx context.Context, s *session, asked dera.Access) error {
	var err error
	if err := s.engine.LookNow(ctx, s.lookAtPrincipal(asked), false); err != nil {
		a.alert("dera: %s is asked for; the principal could not be read, so the next look makes the plan: %s\n", asked.ID, cloud.Explain(err))
	}
	if asked, err = s.store.Access(ctx, asked.ID); err != nil {
		return err
	}
	v, err := app.ViewAccess(ctx, s.store, asked, s.app.orderFlags(), a.now())
	if err != nil {
		return err
	}
	if v.Digest == "" {
		if v.Why, err = s.noPlan(ctx, asked); err != nil {
			return err
		}
	}
	if a.json() {
		err = a.printJSON(v)
	} else {
		a.printAsked(v)
	}
	if err == nil && v.Digest == "" {
		return &exitError{code: exitNo}
	}
	return err
}

func (a *cli) printAsked(v app.AccessView) {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	a.printf("%s\n", wrap(p.bold(v.Access.ID)+" asks for "+v.Access.Text()+", by "+v.Access.By.Name+"; nothing is "+map[bool]string{true: "done", false: "given"}[v.Access.Contains()]+" yet", "", width))
	if v.Digest == "" {
		a.printf("%s\n", wrap("no plan was made: "+v.Why, "  ", width))
		return
	}
	for _, line := range v.Diff {
		a.wrapf("  %s\n", p.diff(line))
	}
	a.printf("  digest %s\n", v.Digest)
	a.printf("another person grants or denies it:\n")
	for _, c := range v.Commands {
		a.printf("  %s\n", c)
	}
}

// overAccesses says what is over and still there, for a command that writes nothing.
func (s *session) overAccesses(ctx context.Context) error {
	due, err := s.store.AccessesDue(ctx)
	if err != nil {
		return err
	}
	for _, a := range due {
		state, _, err := s.store.AccessState(ctx, a, s.app.now())
		if err == nil && state == dera.AccessGranted && s.ours(a.Account) {
			s.app.note("dera: the access %s is over since %s: AWS has ended it, and its policy is still there; dera run deletes it, or: %s\n",
				a.ID, app.Stamp(a.Until), s.app.again("rollback %s --reason %q", a.Grant, "it is over"))
		}
	}
	return nil
}

// accessesJSON is what dera access list prints with --output json.
type accessesJSON struct {
	Accesses []app.AccessView `json:"accesses"`
}

func (a *cli) listAccesses(ctx context.Context, s *session) error {
	s.recallOffline(ctx)
	list, err := app.Accesses(ctx, s.store, s.app.orderFlags(), a.now())
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(accessesJSON{list})
	}
	if len(list) == 0 {
		a.printf("nothing was asked to be given back\n")
		return nil
	}
	t := table{head: []string{"ID", "STATE", "PRINCIPAL", "ACTIONS", "TERM", "BY", "TOOK IT", "REASON"}}
	for _, v := range list {
		x := v.Access
		t.row(x.ID, string(v.State), string(x.Principal), strings.Join(x.Actions, " "), x.Term(), x.By.Name, strings.Join(x.Took, " "), x.Reason)
	}
	t.print(a.out)
	for _, v := range list {
		for _, c := range v.Commands {
			a.printf("%s\n", c)
		}
	}
	return nil
}

// printAccesses says what was asked to be given back of what a remediation took.
func (a *cli) printAccesses(p paint, list []app.AccessView, width int) {
	if len(list) == 0 {
		return
	}
	a.printf("\n%s\n", p.bold("given back"))
	for _, v := range list {
		text := fmt.Sprintf("%s %s: %s; asked %s by %s: %s", v.Access.ID, v.State, v.Access.Text(), app.Stamp(v.Access.At), v.Access.By.Name, v.Access.Reason)
		if e := v.Access.End; e != nil {
			text += fmt.Sprintf("; %s since %s: %s", e.State, app.Stamp(e.At), e.Why)
		}
		if v.Access.Grant != "" {
			text += " (" + v.Access.Grant + ")"
		}
		a.printf("%s\n", wrap(text, "  ", width))
	}
}
