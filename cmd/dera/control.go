package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/role"
	"dera.example/dera/services"
	"github.com/spf13/cobra"
)

func newControlCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "control",
		Short: "The rulebook: list, show, new",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the controls", Args: args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return a.listControls() },
		},
		&cobra.Command{
			Use: "show ID", Short: "Show a control's page", Args: args(cobra.ExactArgs(1)),
			RunE: func(_ *cobra.Command, list []string) error { return a.showControl(list[0]) },
		},
		newControlNewCommand(a),
	)
	return cmd
}

// controlView is a control with --output json.
type controlView struct {
	ID         string         `json:"id"`
	Title      string         `json:"title"`
	Type       string         `json:"type"`
	Severity   dera.Severity  `json:"severity"`
	Complexity string         `json:"complexity"`
	Why        string         `json:"why"`
	Fix        string         `json:"fix"`
	Cases      []control.Case `json:"cases"`
	Refs       []control.Ref  `json:"refs"`
	Reads      []string       `json:"reads"`
	GuardReads []string       `json:"guard_reads,omitempty"`
	Writes     []string       `json:"writes"`
	Incident   bool           `json:"incident,omitempty"` // its findings stay open until one is attached
	Owner      string         `json:"owner"`
	ReviewBy   string         `json:"review_by"`
	// FoundBy are the rules of others that find what it finds.
	FoundBy []services.Finder `json:"found_by,omitempty"`
}

func viewControl(c control.Control) controlView {
	return controlView{
		ID: c.ID, Title: c.Title, Type: c.Type, Severity: c.Severity, Complexity: c.Complexity, Why: c.Why, Fix: c.Fix,
		Cases: c.Cases, Refs: c.Refs, Reads: c.Reads, GuardReads: c.GuardReads, Writes: append([]string{}, c.Writes...), Incident: c.Incident, Owner: c.Owner, ReviewBy: c.ReviewBy,
		FoundBy: services.FoundBy(c.ID),
	}
}

func (a *cli) listControls() error {
	if a.json() {
		list := []controlView{}
		for _, c := range services.Controls() {
			list = append(list, viewControl(c))
		}
		return a.printJSON(list)
	}
	p := newPaint(a.out)
	t := table{head: []string{"ID", "SEVERITY", "TYPE", "TITLE"}}
	for _, c := range services.Controls() {
		t.row(c.ID, p.severity(c.Severity), c.Type, c.Title)
	}
	t.print(a.out)
	return nil
}

func (a *cli) showControl(id string) error {
	c, err := services.FindControl(id)
	if err != nil {
		return usage("%w", err)
	}
	if a.json() {
		return a.printJSON(viewControl(c))
	}
	a.printf("%s%s", c.Document(), foundByText(id))
	return nil
}

// foundByText lists which findings of others lead to a control.
func foundByText(id string) string {
	list := services.FoundBy(id)
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n## Found by others\n\n| by | rules |\n|---|---|\n")
	for _, f := range list {
		fmt.Fprintf(&b, "| %s | %s |\n", f.By, strings.Join(f.Rules, ", "))
	}
	b.WriteString("\nThey lead to a look at the resource; dera judges by its own definition. Rules of AWS Config are matched by the type of the resource, since users name rules as they like.\n")
	return b.String()
}

// rolesJSON is what dera role prints.
type rolesJSON struct {
	Reader     role.Policy `json:"reader"`
	Remediator role.Policy `json:"remediator"`
	// Canary is that of the role of dera doctor --canary, where it was asked for.
	Canary *role.Policy `json:"canary,omitempty"`
}

func newRoleCommand(a *cli) *cobra.Command {
	var account, partition, kind string
	var only []string
	var tags, canary, backfill bool
	var hub hubConfig
	var part int
	cmd := &cobra.Command{
		Use:   "role",
		Short: "Print the IAM policies that dera requires: reader, remediator",
		Long: "role prints the least privilege that dera requires in a member account, generated from the controls: the reader reads, the\n" +
			"remediator reads and writes. Attach them to the roles that the configuration names as role_arn and write_role_arn.\n" +
			"With --config they allow the custom_fixes of that configuration too, each on its document or function alone.\n" +
			"IAM takes 6,144 characters in a managed policy and 10,240 in all inline policies of a role: a larger one is printed\n" +
			"with --part 1, --part 2 and so on, each for a managed policy of its own.",
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if account != "" {
				if err := dera.ValidAccountID(account); err != nil {
					return usage("--account: %w", err)
				}
			}
			if _, ok := dera.PartitionByID(partition); !ok {
				return usage("--partition is %q, must be one of %s", partition, strings.Join(partitionIDs(), ", "))
			}
			for _, glob := range only {
				if !matchesControl(glob) {
					return usage("--control is %q, which matches no control; dera control list names them", glob)
				}
			}
			var fixes []customFixConfig
			if a.namedConfig {
				cfg, err := a.configuration()
				if err != nil {
					return err
				}
				fixes = cfg.CustomFixes
			}
			controls := fileConfig{Controls: only, CustomFixes: fixes}.controls()
			reader, err := control.ReaderPolicy(controls, partition, account)
			if err != nil {
				return err
			}
			remediator, err := control.RemediatorPolicy(controls, partition, account)
			if err != nil {
				return err
			}
			for _, w := range wires() {
				if tags {
					if remediator, err = remediator.Tagging(w.Operations, role.Where{Partition: partition, Account: account}); err != nil {
						return err
					}
				}
			}
			for _, action := range hub.actions() {
				if remediator = remediator.With("SecurityHub", action); strings.HasPrefix(action, "securityhub:Get") {
					reader = reader.With("SecurityHub", action)
				}
			}
			if backfill {
				reader, remediator = reader.With("EventHistory", "cloudtrail:LookupEvents"), remediator.With("EventHistory", "cloudtrail:LookupEvents")
			}
			switch kind {
			case "reader":
				return a.printPolicy(reader, part)
			case "remediator":
				return a.printPolicy(remediator, part)
			case "canary":
				return a.printPolicy(canaryKind().Policy(partition, account), part)
			case "":
				if part != 0 {
					return usage("--part requires --kind")
				}
				roles := rolesJSON{Reader: reader, Remediator: remediator}
				if canary {
					p := canaryKind().Policy(partition, account)
					roles.Canary = &p
				}
				return a.printJSON(roles)
			}
			return usage("--kind is %q, must be reader, remediator or canary", kind)
		},
	}
	cmd.Flags().StringSliceVar(&only, "control", nil, "what these controls require alone; * is a wildcard (default: every control)")
	cmd.Flags().StringVar(&account, "account", "", "limit resources to this account (default: any)")
	cmd.Flags().StringVar(&partition, "partition", dera.Partitions()[0].ID, "one of "+strings.Join(partitionIDs(), ", "))
	cmd.Flags().StringVar(&kind, "kind", "", "reader, remediator or canary alone, as a plain policy document")
	cmd.Flags().IntVar(&part, "part", 0, "of the policy of --kind only this part, small enough for a managed policy")
	cmd.Flags().BoolVar(&tags, "tagging", false, "with the permissions for tagging changed resources (tagging.enabled of the configuration)")
	cmd.Flags().BoolVar(&backfill, "backfill", false, "with the permission for sources.backfill of the configuration")
	cmd.Flags().BoolVar(&canary, "canary", false, "with the policy of the role that dera doctor --canary uses in its test account")
	cmd.Flags().BoolVar(&hub.WriteBack, "security-hub", false, "with the permissions for security_hub.write_back of the configuration")
	cmd.Flags().BoolVar(&hub.V2, "security-hub-v2", false, "those for security_hub.v2; with --security-hub")
	cmd.Flags().BoolVar(&hub.Import, "security-hub-import", false, "with the permission for security_hub.import")
	return cmd
}

func partitionIDs() []string {
	var out []string
	for _, p := range dera.Partitions() {
		out = append(out, p.ID)
	}
	return out
}

// printPolicy prints a policy, or a part of it, from 1 on. It says where one is too large for IAM.
func (a *cli) printPolicy(p role.Policy, part int) error {
	size, err := p.Size()
	if err != nil {
		return err
	}
	parts, err := p.Parts(role.ManagedLimit)
	switch {
	case err != nil:
		return err
	case part < 0 || part > len(parts):
		return usage("--part is %d, and there are %d", part, len(parts))
	case part > 0:
		p = parts[part-1]
	case len(parts) > 1:
		a.note("dera: warning: the policy has %d characters, and IAM takes %d in a managed policy: print it with --part 1 to --part %d, and attach each part as a policy of its own\n", size, role.ManagedLimit, len(parts))
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\n", text)
	return nil
}
