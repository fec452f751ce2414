package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/engine"
)

// waysToContain are the ways that the controls on requests know.
func waysToContain() []string { return []string{"quarantine", "stop"} }

func newContainCommand(a *cli) *cobra.Command {
	var how, reason, region string
	cmd := &cobra.Command{
		Use:   "contain INSTANCE --how quarantine|stop --reason TEXT",
		Short: "Ask for an EC2 instance to be cut off or stopped",
		Long: "contain asks for an instance to be contained, and does nothing itself. INSTANCE is its ARN, or its ID in the account of the\n" +
			"credentials, in the region of --region or of the environment. quarantine makes snapshots of all its volumes and puts the\n" +
			"security group dera-isolation, which has no rules, in place of all others; connections that are tracked live on. stop stops\n" +
			"it: its memory is lost, and a public address that AWS assigned too. Another person grants the plan, exactly as it was\n" +
			"shown; who asked cannot. dera rollback puts the groups back, or starts it; the snapshots are kept.\n" +
			"Who asks is the identity of the AWS credentials.\n\n" +
			"Exit codes: 0 asked, 3 refused, or no plan could be made.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			o := engine.ContainOrder{Resource: list[0], How: how, Region: region}
			var err error
			if o.Reason, err = flagText("reason", reason, dera.LongestReason); err != nil {
				return err
			}
			switch {
			case !slices.Contains(waysToContain(), how):
				return usage("--how is %q: write %s", how, strings.Join(waysToContain(), " or "))
			case o.Reason == "":
				return usage("--reason is required")
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error { return a.requestContainment(ctx, s, o) })
		},
	}
	cmd.Flags().StringVar(&how, "how", "", "quarantine or stop")
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is recorded")
	cmd.Flags().StringVar(&region, "region", "", "region of an instance that is named by its ID")
	return cmd
}

func (a *cli) requestContainment(ctx context.Context, s *session, o engine.ContainOrder) error {
	account := dera.ARN(o.Resource).Account()
	if !strings.HasPrefix(o.Resource, "arn:") {
		account, o.Account = s.identity.Account, s.identity.Account
		if o.Region == "" && len(s.regions) == 1 {
			o.Region = s.regions[0]
		}
		if o.Region == "" {
			return usage("--region is required: %s can be in any of %s", o.Resource, strings.Join(s.regions, ", "))
		}
	}
	if err := s.inForce(ctx, account, o.Resource); err != nil {
		return err
	}
	o.By = s.person()
	asked, err := s.engine.RequestContainment(ctx, o)
	if err != nil {
		return orRefused(err)
	}
	return a.sayAsked(ctx, s, asked)
}
