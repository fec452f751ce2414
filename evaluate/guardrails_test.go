package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/services"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/bucket"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

type ledger struct {
	stops []dera.Stop
	spent int
	err   error
}

func (l ledger) Stops(context.Context) ([]dera.Stop, error) { return l.stops, l.err }

func (l ledger) Spent(_ context.Context, account, control string, since time.Time) (int, error) {
	if account == "" || control == "" || !since.Equal(noon.Add(-time.Hour)) {
		return 0, errors.New("asked for the wrong budget")
	}
	return l.spent, l.err
}

func caseOf(change func(c *Case)) Case {
	g := &securitygroup.Group{ID: "sg-1", Name: "web", VPC: "vpc-1", Ingress: []securitygroup.Rule{
		{ID: "sgr-1", Protocol: "tcp", From: 22, To: 22, CIDR: netip.MustParsePrefix("0.0.0.0/0"), Description: "x", Tags: map[string]string{"team": "x"}},
	}}
	revoke, err := g.Revoke(g.Ingress[0])
	if err != nil {
		panic(err) // the rule has an ID
	}
	c := Case{
		Finding: dera.Finding{ID: "f-1", Account: "111122223333", Control: "ctl", Key: "tcp/22", Start: dera.Auto, Resource: "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1"},
		Mode:    dera.Enforce, Planned: true,
		Resource: dera.Resource{ID: "sg-1", Name: "web", ARN: "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1", Type: securitygroup.Name, Config: g},
		Plan:     dera.Plan{Type: securitygroup.Name, Changes: []dera.Change{revoke}},
		Evidence: dera.Evidence{Claims: []dera.Claim{{Name: "narrower", Says: "it is narrower", Verdict: dera.Proved}}},
	}
	if change != nil {
		change(&c)
	}
	c.Type, _ = services.Types().Lookup(c.Resource.Type)
	return c
}

func failures(n int, ago time.Duration, state dera.State) []dera.Remediation {
	var out []dera.Remediation
	for range n {
		out = append(out, dera.Remediation{ID: "r-1", Control: "ctl", State: state, CreatedAt: noon.Add(-ago)})
	}
	return out
}

func groupNamed(name string) func(*Case) {
	return func(c *Case) { c.Resource.Type, c.Resource.Name = securitygroup.Name, name }
}

func attachedTo(i securitygroup.Interface) func(*Case) {
	return func(c *Case) {
		i.ID = "eni-1"
		c.Resource.Type = securitygroup.Name
		c.Resource.Config = &securitygroup.Group{Interfaces: []securitygroup.Interface{i}}
	}
}

func TestGuardrails(t *testing.T) {
	t.Parallel()
	down := errors.New("database is down")
	stop := func(account, control string) ledger {
		return ledger{stops: []dera.Stop{{Account: account, Control: control, By: "ann", Reason: "incident"}}}
	}
	tests := []struct {
		name   string
		rail   Guardrail
		change func(c *Case)
		want   dera.Disposition // 0: an error
		why    string
	}{
		{name: "mode_enforce", rail: Mode{}, want: dera.Auto},
		{name: "mode_review", rail: Mode{}, change: func(c *Case) { c.Mode = dera.ReviewOnly }, want: dera.Review, why: "a person approves"},
		{name: "mode_observe_shows_what_would_be", rail: Mode{}, change: func(c *Case) { c.Mode = dera.Observe }, want: dera.Auto, why: "nothing is written"},
		{name: "mode_unknown", rail: Mode{}, change: func(c *Case) { c.Mode = 7 }},

		{name: "no_stop", rail: Stopped{Ledger: ledger{}}, want: dera.Auto},
		{name: "stop_everywhere", rail: Stopped{Ledger: stop("", "")}, want: dera.Review, why: "incident"},
		{name: "stop_of_the_account", rail: Stopped{Ledger: stop("111122223333", "")}, want: dera.Review},
		{name: "stop_of_another_account", rail: Stopped{Ledger: stop("999988887777", "")}, want: dera.Auto},
		{name: "stop_of_the_control", rail: Stopped{Ledger: stop("", "ctl")}, want: dera.Review},
		{name: "stop_of_another_control", rail: Stopped{Ledger: stop("111122223333", "other")}, want: dera.Auto},
		{name: "stops_cannot_be_read", rail: Stopped{Ledger: ledger{err: down}}},

		{name: "never_rolled_back", rail: RolledBackBefore{}, want: dera.Auto},
		{name: "rolled_back", rail: RolledBackBefore{}, change: func(c *Case) { c.Finding.RolledBack = 2 }, want: dera.Review, why: "2 times"},
		{name: "rolled_back_a_moment_ago", rail: RolledBackBefore{}, want: dera.Review, why: "r-9",
			change: func(c *Case) {
				c.Earlier = []dera.Remediation{{ID: "r-9", State: dera.RolledBack, Undo: "rollback", Findings: []string{"f-1"}}}
			}},
		{name: "another_finding_was_rolled_back", rail: RolledBackBefore{}, want: dera.Auto,
			change: func(c *Case) {
				c.Earlier = []dera.Remediation{{ID: "r-9", State: dera.RolledBack, Undo: "rollback", Findings: []string{"f-2"}}}
			}},

		{name: "never_failed", rail: FailedBefore{Now: atNoon}, want: dera.Auto},
		{name: "failed_twice", rail: FailedBefore{Now: atNoon}, change: func(c *Case) { c.Earlier = failures(2, time.Hour, dera.Failed) }, want: dera.Auto},
		{name: "failed_thrice", rail: FailedBefore{Now: atNoon}, change: func(c *Case) { c.Earlier = failures(3, time.Hour, dera.Failed) }, want: dera.Review, why: "3 times"},
		{name: "failed_thrice_yesterday", rail: FailedBefore{Now: atNoon}, change: func(c *Case) { c.Earlier = failures(3, 25*time.Hour, dera.Failed) }, want: dera.Auto},
		{name: "another_control_failed", rail: FailedBefore{Now: atNoon}, want: dera.Auto,
			change: func(c *Case) { c.Finding.Control = "other"; c.Earlier = failures(3, time.Hour, dera.Failed) }},
		{name: "undo_failed_freezes_for_good", rail: FailedBefore{Now: atNoon}, want: dera.Review, why: "frozen",
			change: func(c *Case) {
				c.Finding.Control = "other"
				c.Earlier = failures(1, 1000*time.Hour, dera.UndoFailed)
			}},

		{name: "reversible", rail: Reversible{}, want: dera.Auto},
		{name: "refused_plan", rail: Reversible{}, change: func(c *Case) { c.Refusal = "rule-quota: full" }, want: dera.Review, why: "rule-quota"},
		{name: "empty_plan", rail: Reversible{}, change: func(c *Case) { c.Plan.Changes = nil }, want: dera.Review},
		{name: "change_without_undo", rail: Reversible{}, change: func(c *Case) { c.Plan.Changes[0].Undo = nil }, want: dera.Review, why: "no undo"},
		{name: "undo_loses_the_description", rail: Reversible{}, want: dera.Review, why: "does not bring back",
			change: func(c *Case) {
				c.Plan.Changes[0].Undo.Input = json.RawMessage(strings.Replace(string(c.Plan.Changes[0].Undo.Input), `"description":"x",`, "", 1))
			}},
		{name: "tags_of_aws_cannot_come_back", rail: Reversible{}, want: dera.Review, why: "aws:",
			change: func(c *Case) {
				*c = caseOf(nil)
				g := c.Resource.Config.(*securitygroup.Group)
				g.Ingress[0].Tags = map[string]string{"aws:cloudformation:stack-name": "x"}
				ch, err := g.Revoke(g.Ingress[0])
				if err != nil {
					panic(err)
				}
				c.Plan.Changes[0] = ch
			}},
		{name: "plan_for_something_else", rail: Reversible{}, change: func(c *Case) {
			c.Plan.Changes[0].Input = json.RawMessage(`{"group_id":"sg-1","rule_id":"sgr-9"}`)
		}},

		{name: "proved", rail: Proved{}, want: dera.Auto},
		{name: "no_evidence", rail: Proved{}, change: func(c *Case) { c.Evidence = dera.Evidence{} }, want: dera.Review},
		{name: "refuted", rail: Proved{}, change: func(c *Case) { c.Evidence.Claims[0].Verdict = dera.Refuted }, want: dera.Review, why: "refuted"},
		{name: "unknown_is_not_proved", rail: Proved{}, change: func(c *Case) { c.Evidence.Claims[0].Verdict = dera.Unknown }, want: dera.Review},
		{name: "nothing_to_prove", rail: Proved{}, change: func(c *Case) { c.Refusal = "x" }, want: dera.Review},

		{name: "budget_left", rail: Budget{Ledger: ledger{spent: 19}, Now: atNoon}, want: dera.Auto},
		{name: "budget_spent", rail: Budget{Ledger: ledger{spent: 20}, Now: atNoon}, want: dera.Review},
		{name: "own_spend_does_not_count", rail: Budget{Ledger: ledger{spent: 20}, Now: atNoon}, change: func(c *Case) { c.Remediation = &dera.Remediation{} }, want: dera.Auto},
		{name: "smaller_budget", rail: Budget{Ledger: ledger{spent: 2}, Now: atNoon, PerHour: 2}, want: dera.Review},
		{name: "budget_cannot_be_read", rail: Budget{Ledger: ledger{err: down}, Now: atNoon}},

		{name: "no_bastion", rail: Bastion{}, want: dera.Auto},
		{name: "bastion_by_name", rail: Bastion{}, change: func(c *Case) { c.Resource.Name = "Prod-BASTION-sg" }, want: dera.Review},
		{name: "bastion_by_tag", rail: Bastion{}, change: func(c *Case) { c.Resource.Tags = map[string]string{"Role": "Bastion"} }, want: dera.Review},
		{name: "bastion_by_list", rail: Bastion{Resources: []string{"sg-1"}}, want: dera.Review},
		{name: "bastion_by_arn", rail: Bastion{Resources: []string{"arn:aws:ec2:*:111122223333:security-group/*"}}, want: dera.Review},
		{name: "jump_server", rail: Bastion{}, change: groupNamed("jump-server"), want: dera.Review},
		{name: "jump_with_a_number", rail: Bastion{}, change: groupNamed("prodJump2"), want: dera.Review},
		{name: "jump_at_the_end_of_a_word", rail: Bastion{}, change: groupNamed("eu-sshjump"), want: dera.Review},
		{name: "jump_at_its_beginning", rail: Bastion{}, change: groupNamed("JUMPSRV01"), want: dera.Review},
		{name: "remote_desktop_gateway_in_short", rail: Bastion{}, change: groupNamed("rdg_frankfurt"), want: dera.Review},
		{name: "in_french", rail: Bastion{}, change: groupNamed("serveur-de-rebond"), want: dera.Review},
		{name: "jumpstart_is_no_jump_server", rail: Bastion{}, change: groupNamed("jumpstart-jobs"), want: dera.Auto},
		{name: "remote_desktop_gateway", rail: Bastion{}, change: groupNamed("rd-gateway"), want: dera.Review},
		{name: "rdgw_with_separators", rail: Bastion{}, change: groupNamed("EU_RDGW.1"), want: dera.Review},
		{name: "bastion_with_an_accent", rail: Bastion{}, change: groupNamed("Basti\u00f3n-madrid"), want: dera.Review},
		{name: "bastion_with_a_combining_accent", rail: Bastion{}, change: groupNamed("bastio\u0301n"), want: dera.Review},
		{name: "bastion_in_full_width", rail: Bastion{}, change: groupNamed("\uff42\uff41\uff53\uff54\uff49\uff4f\uff4e"), want: dera.Review},
		{name: "bucket_of_a_gateway_is_no_bastion", rail: Bastion{}, change: func(c *Case) { c.Resource.Type, c.Resource.Name = bucket.Name, "api-gateway-logs" }, want: dera.Auto},
		{name: "attached_to_a_bastion_by_name", rail: Bastion{}, change: attachedTo(securitygroup.Interface{Name: "bastion-host"}), want: dera.Review},
		{name: "attached_to_a_bastion_by_tag", rail: Bastion{}, change: attachedTo(securitygroup.Interface{Tags: map[string]string{"app:role": "SSH jump host"}}), want: dera.Review},
		{name: "attached_to_something_that_is_no_bastion", rail: Bastion{}, change: attachedTo(securitygroup.Interface{Name: "web-1", Tags: map[string]string{"bastion": "false"}}), want: dera.Auto},
		{name: "nobody_manages_it", rail: AWSManaged{}, want: dera.Auto},
		{name: "directory_service", rail: AWSManaged{}, change: groupNamed("d-1234567890_controllers"), want: dera.Review},
		{name: "emr", rail: AWSManaged{}, change: groupNamed("ElasticMapReduce-master"), want: dera.Review},
		{name: "eks_by_tag", rail: AWSManaged{}, change: tagsOf(map[string]string{"aws:eks:cluster-name": "prod"}), want: dera.Review},
		{name: "a_stack_is_infrastructure_as_code", rail: AWSManaged{}, change: tagsOf(map[string]string{"aws:cloudformation:stack-name": "web"}), want: dera.Auto},
		{name: "managed_interface", rail: AWSManaged{}, change: attachedTo(securitygroup.Interface{Requester: "amazon-elb"}), want: dera.Review},
		{name: "own_names_only", rail: Bastion{Names: []string{"jump"}}, change: func(c *Case) { c.Resource.Name = "bastion" }, want: dera.Auto},
		{name: "name_of_nothing", rail: Bastion{Names: []string{"*"}}, change: func(c *Case) { c.Resource.Name = "" }, want: dera.Auto},

		{name: "nobody_needs_it", rail: InUse{Now: atNoon}, want: dera.Auto},
		{name: "declared_need", rail: InUse{Now: atNoon, Declared: []Dependency{{Resource: "sg-1", Owner: "ann", Reason: "build farm"}}}, want: dera.Review, why: "build farm"},
		{name: "declared_need_of_another_key", rail: InUse{Now: atNoon, Declared: []Dependency{{Resource: "sg-1", Keys: "tcp/3389*", Owner: "ann"}}}, want: dera.Auto},
		{name: "declared_need_of_a_range_with_the_port", rail: InUse{Now: atNoon, Declared: []Dependency{{Resource: "sg-1", Keys: "tcp/20-25", Owner: "ann"}}}, want: dera.Review, why: "ann"},
		{name: "declared_need_of_all_traffic", rail: InUse{Now: atNoon, Declared: []Dependency{{Resource: "sg-1", Keys: "all", Owner: "ann"}}}, want: dera.Review, why: "ann"},
		{name: "declared_need_of_bounded_networks", rail: InUse{Now: atNoon, Declared: []Dependency{{Resource: "sg-1", Keys: "tcp/22/bounded", Owner: "ann"}}}, want: dera.Review, why: "ann"},
		{name: "declared_need_of_a_range_without_the_port", rail: InUse{Now: atNoon, Declared: []Dependency{{Resource: "sg-1", Keys: "tcp/23-25", Owner: "ann"}}}, want: dera.Auto},
		{name: "declared_need_in_another_account", rail: InUse{Now: atNoon, Declared: []Dependency{{Resource: "sg-1", Accounts: "9*", Owner: "ann"}}}, want: dera.Auto},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := tt.rail.Check(t.Context(), caseOf(tt.change))
			if tt.want == 0 {
				if err == nil {
					t.Errorf("got %+v, want an error", r)
				}
				return
			}
			if err != nil || r.Disposition != tt.want || !strings.Contains(r.Why, tt.why) || r.Why == "" {
				t.Errorf("got %s %q, %v, want %s with %q", r.Disposition, r.Why, err, tt.want, tt.why)
			}
		})
	}
}
