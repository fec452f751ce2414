package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/services"
	"dera.example/dera/store"
)

// acting runs f with the engine connected to AWS, under the caller's identity.
func (a *cli) acting(ctx context.Context, f func(context.Context, *session) error) (err error) {
	if err := a.existing(ctx, exitFailed); err != nil {
		return err
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if err := s.recall(ctx, true); err != nil {
		return err
	}
	a.actsOnFound("this order")
	if err := s.connect(ctx, options{}); err != nil {
		return err
	}
	return f(ctx, s)
}

// person is who gives the order, as STS establishes it: never a local user name.
func (s *session) person() dera.Actor { return dera.Actor{Name: s.identity.ARN, How: "sts"} }

// inForce refuses an order on an account that is not covered: what stands
// there cannot be read, and credentials of another account would find nothing.
func (s *session) inForce(ctx context.Context, account, id string) error {
	if slices.ContainsFunc(s.accounts, func(a dera.Account) bool { return a.ID == account }) {
		return s.client.Check(ctx, account) // before anything is recorded
	}
	where := "no configuration is named, so dera covers only account " + s.identity.Account + " of the credentials"
	if s.app.flags.config != "" {
		where = "it is not in " + s.app.flags.config
	}
	return usage("%s is of account %s, which the configuration in force does not have (%s); nothing was read or written: name the configuration that has it with --config FILE", id, account, where)
}

// mayAct refuses an order where the mode in force is observe.
func (s *session) mayAct(r dera.Remediation) error {
	if r.AccessOf() != "" { // two people order it, as a rollback
		return nil
	}
	acct := dera.Account{ID: r.Plan.Account}
	for _, known := range s.accounts {
		if known.ID == acct.ID {
			acct = known
		}
	}
	if s.mode(acct, r.Control) == dera.Observe {
		return usage("the mode of %s in account %s is observe, so nothing is written; --mode review allows approved changes", r.Control, r.Plan.Account)
	}
	return nil
}

func newApproveCommand(a *cli) *cobra.Command {
	var digest, reason string
	cmd := &cobra.Command{
		Use:   "approve ID [--digest DIGEST]",
		Short: "Approve a waiting plan, exactly as it was shown, and carry it out",
		Long: "approve approves one plan, bound to its digest: if the resource or the decision has changed since,\n" +
			"dera writes nothing and decides again. The approver is the identity of the AWS credentials.\n" +
			"On a terminal, without --digest, approve shows the plan and asks. In scripts --digest is required, with at\n" +
			"least the first 12 hex digits. Under a stop the approval is recorded and nothing is written; the same command\n" +
			"carries out a plan that is approved and not begun.\n\n" +
			"Exit codes: 0 carried out and verified, 3 not approved, refused, failed or decided again.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			var typed <-chan string
			switch {
			case digest == "" && !cmd.Flags().Changed("digest") && a.interactive():
				typed = a.listen()
			case digest == "":
				return usage("--digest is missing: dera show %s prints it; without --digest, approve asks, on a terminal only", list[0])
			case len(digest) < dera.DigestDigits:
				return usage("--digest is %q, must be at least the first %d hex digits: dera show %s prints them", digest, dera.DigestDigits, list[0])
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error {
				r, err := s.namedRemediation(ctx, list[0])
				if err != nil {
					return err
				}
				if err := s.inForce(ctx, r.Plan.Account, r.ID); err != nil {
					return err
				}
				if err := s.mayAct(r); err != nil {
					return err
				}
				shown := digest
				if shown == "" {
					if shown, err = a.askApproval(ctx, s, r, typed); err != nil {
						return err
					}
				}
				return a.approve(ctx, s, r, shown, reason)
			})
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "digest of the plan, as shown, or its first 12 digits at least")
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is recorded")
	return cmd
}

// approve records a person's yes to a plan by its digest, and carries it out.
func (a *cli) approve(ctx context.Context, s *session, r dera.Remediation, digest, reason string) error {
	if err := s.finish(ctx, r.ResourceKey()); err != nil {
		return err
	}
	if _, err := s.engine.Decide(ctx, r.ID, engine.Answer{Approve: true, Digest: digest, Reason: reason, By: s.person()}); err != nil {
		return orRefused(err)
	}
	r, err := s.engine.Carry(ctx, r.ID)
	return a.carried(ctx, s, r, err, dera.Resolved)
}

func newRejectCommand(a *cli) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "reject ID [--reason TEXT]",
		Short: "Reject a plan that is not begun",
		Long: "reject rejects one plan: one that waits, that is decided and not begun, or that nobody answered in time. dera\n" +
			"does not ask again unless the exposure grows, and decides about what waited for the answer. On a terminal,\n" +
			"without --reason, reject asks for it.\n\n" +
			"Exit codes: 0 rejected, 3 refused or no reason given.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			var typed <-chan string
			switch {
			case strings.TrimSpace(reason) != "":
			case a.interactive():
				typed = a.listen()
			default:
				return usage("--reason is required")
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error {
				r, err := s.namedRemediation(ctx, list[0])
				if err != nil {
					return err
				}
				if err := s.inForce(ctx, r.Plan.Account, r.ID); err != nil {
					return err
				}
				if strings.TrimSpace(reason) == "" {
					if reason, err = a.ask(ctx, typed, "Why is "+r.ID+" rejected?"); err != nil {
						return err
					}
					if reason == "" {
						return &exitError{exitNo, errors.New("not rejected: no reason given")}
					}
				}
				if r, err = s.engine.Decide(ctx, r.ID, engine.Answer{Reason: reason, By: s.person()}); err != nil {
					return orRefused(err)
				}
				if err := s.engine.LookNow(ctx, lookAt(r, a.now()), false); err != nil { // what waited for it
					a.alert("dera: %s is rejected; the resource could not be read: %s\n", r.ID, cloud.Explain(err))
				}
				return a.outcome(ctx, s, r, nil, dera.Rejected)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is recorded")
	return cmd
}

func newRemediateCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "remediate FINDING",
		Short: "Remediate one finding now, through the same gate as automation",
		Long: "remediate looks at the finding's resource again and takes the same path as automation: what is decided auto is\n" +
			"carried out where the mode is enforce, everything else waits for an approval.\n\n" +
			"Exit codes: 0 resolved, 3 it waits, is exempt, or failed.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error { return a.remediate(ctx, s, list[0]) })
		},
	}
}

func (a *cli) remediate(ctx context.Context, s *session, id string) error {
	id, err := s.resolve(ctx, id)
	if err != nil {
		return err
	}
	f, err := s.store.Finding(ctx, id)
	if err != nil {
		return notFound(err)
	}
	if err := s.inForce(ctx, f.Account, f.ID); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.config.controls(), func(c control.Control) bool { return c.ID == f.Control }) {
		return &exitError{exitNo, fmt.Errorf("control %s does not run here, so nothing is decided about %s: the configuration (controls) or DERA_CONTROLS leaves it out", f.Control, f.ID)}
	}
	ev := dera.Event{
		Source: "remediate", Name: "by hand", Actor: s.identity.ARN, Time: a.now(),
		Scope: dera.Scope{Partition: f.Partition, Account: f.Account, Region: f.Region, Type: f.ResourceType, IDs: []string{f.Resource.Name()}},
	}
	if err := s.finish(ctx, f.ResourceKey()); err != nil {
		return err
	}
	if f, err = s.beginOne(ctx, ev, id); err != nil {
		return err
	}
	if f.State == dera.FindingResolved {
		a.printf("%s is resolved\n", id)
		return nil
	}
	if f.WaitsFor != "" {
		return a.held(ctx, s, f)
	}
	if f.Remediation == "" {
		a.printf("%s is not remediated: decided %s\n", id, f.Disposition)
		a.printReasons(newPaint(a.out), app.Decisive(f), 0)
		return &exitError{code: exitNo}
	}
	r, err := s.store.Remediation(ctx, f.Remediation)
	if err != nil {
		return err
	}
	if r.State == dera.Observed || r.State == dera.Planned || r.State == dera.Ready {
		if err := s.mayAct(r); err != nil {
			return err
		}
	}
	r, err = s.engine.Carry(ctx, r.ID)
	return a.outcome(ctx, s, r, s.unbegun(r, err), dera.Resolved)
}

// outcome prints where a remediation stands and turns it into an exit code.
func (a *cli) outcome(ctx context.Context, s *session, r dera.Remediation, err error, want dera.State) error {
	var refusal *remediate.RefusedError
	switch {
	case errors.As(err, &refusal):
		return &exitError{exitNo, err}
	case errors.Is(err, remediate.ErrStopped), errors.Is(err, remediate.ErrBusy):
		return &exitError{exitNo, err}
	case err != nil:
		return err
	}
	v, err := s.after(ctx, r)
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(v.Redacted(services.Types())); err != nil {
			return err
		}
	} else if err := a.printOutcome(ctx, s, v); err != nil {
		return err
	}
	if r.State != want {
		return &exitError{code: exitNo}
	}
	return nil
}

// orRefused gives a refused order its exit code.
func orRefused(err error) error {
	var refused *engine.RefusedError
	if errors.As(err, &refused) || errors.Is(err, store.ErrConflict) {
		return &exitError{exitNo, err}
	}
	return err
}
