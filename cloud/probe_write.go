package cloud

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// TryWrites finds out whether the actions would be allowed, and changes nothing:
// those that have a dry run are tried by it on any one resource of their type, and
// of the others IAM simulates the policies of the role. What neither tells is not
// tested. caller is the engine's own ARN.
func (c *Client) TryWrites(ctx context.Context, account, region, caller string, actions []string) []Permission {
	region = c.regionFor(region)
	var out []Permission
	var simulate []string
	for _, a := range actions {
		w := c.dry(a)
		if w == nil {
			simulate = append(simulate, a)
			continue
		}
		out = append(out, c.tryWrite(ctx, w, account, region, a))
	}
	return append(out, c.simulate(ctx, account, region, caller, simulate)...)
}

// dry returns the wire that has a dry run of the action, or nil.
func (c *Client) dry(action string) *Wire {
	for i, w := range c.cfg.Wires {
		for _, o := range w.Operations {
			if o.Name == action && o.DryRun {
				return &c.cfg.Wires[i]
			}
		}
	}
	return nil
}

// tryWrite has a dry run of an action.
func (c *Client) tryWrite(ctx context.Context, w *Wire, account, region, action string) Permission {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	r := c.reading(dera.Scope{Partition: dera.PartitionOf(region).ID, Account: account, Region: region, Type: w.Type}, false)
	var list []dera.Change
	if w.Sample != nil && w.Try != nil {
		id, err := w.Sample(ctx, r)
		if err != nil || id == "" {
			return Permission{action, NotTested, "nothing could be found to try it on"}
		}
		r.Scope.IDs = []string{id}
		if list, err = w.Try(id); err != nil {
			return Permission{action, NotTested, err.Error()}
		}
	}
	for _, change := range list {
		if change.Operation != action {
			continue
		}
		found, err := w.Find(ctx, r)
		if err != nil || len(found.Items) == 0 {
			return Permission{action, NotTested, "nothing could be found to try it on"}
		}
		p := dera.Plan{
			Partition: r.Scope.Partition, Account: account, Region: region, Type: w.Type, Resource: found.Items[0].ARN, Changes: []dera.Change{change},
		}
		return judgePermission(action, account, region, c.DryRun(ctx, p, resource.Of(change)))
	}
	return Permission{action, NotTested, "it is allowed on some resources only, which no dry run tells"}
}

// simulate asks IAM whether the role's policies allow the actions, in one
// attempt: the simulation is a help and not needed. That there is none is
// remembered for the other accounts.
func (c *Client) simulate(ctx context.Context, account, region, caller string, actions []string) []Permission {
	if len(actions) == 0 {
		return nil
	}
	c.mu.Lock()
	absent := c.noSimulation
	c.mu.Unlock()
	if absent != "" {
		return untested(actions, absent)
	}
	principal := c.principal(account, caller)
	if principal == "" {
		return untested(actions, "IAM simulates only roles and users whose ARN is known")
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	api := shared(c, "iam", account, region, func(cfg aws.Config) *iam.Client {
		return iam.NewFromConfig(cfg, func(o *iam.Options) { o.Retryer = aws.NopRetryer{} })
	})
	out, err := api.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(principal), ActionNames: actions,
		ContextEntries: []types.ContextEntry{{
			ContextKeyName: aws.String("aws:ResourceAccount"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{account},
		}},
	})
	if err != nil {
		err = wrap(account, region, "iam:SimulatePrincipalPolicy", err)
		if !Is(err, Denied) && !Is(err, NotFound) && !Is(err, WrongAccount) && !Is(err, Expired) { // those are about one account
			c.mu.Lock()
			c.noSimulation = err.Error()
			c.mu.Unlock()
		}
		return untested(actions, err.Error())
	}
	decided := map[string]types.PolicyEvaluationDecisionType{}
	for _, r := range out.EvaluationResults {
		decided[aws.ToString(r.EvalActionName)] = r.EvalDecision
	}
	var list []Permission
	for _, a := range actions {
		switch d := decided[a]; d {
		case types.PolicyEvaluationDecisionTypeAllowed:
			list = append(list, Permission{a, Allowed, ""})
		case types.PolicyEvaluationDecisionTypeImplicitDeny, types.PolicyEvaluationDecisionTypeExplicitDeny:
			list = append(list, Permission{a, Refused, "the policies of " + principal + " do not allow it (" + string(d) + ")"})
		default:
			list = append(list, Permission{a, NotTested, "IAM did not answer for it"})
		}
	}
	return list
}

func untested(actions []string, why string) []Permission {
	var out []Permission
	for _, a := range actions {
		out = append(out, Permission{a, NotTested, why})
	}
	return out
}

// principal is the ARN of the role or user that writes in an account, or "": the
// ARN of a session does not tell the path of its role.
func (c *Client) principal(account, caller string) string {
	a := c.accounts[account]
	switch {
	case a.WriteRoleARN != "":
		return a.WriteRoleARN
	case a.RoleARN != "":
		return a.RoleARN
	}
	arn := dera.ARN(caller)
	switch session, _ := strings.CutPrefix(arn.Resource(), "assumed-role/"); {
	case arn.Service() == "iam" && (strings.HasPrefix(arn.Resource(), "user/") || strings.HasPrefix(arn.Resource(), "role/")):
		return caller
	case arn.Service() == "sts" && session != arn.Resource():
		role, _, _ := strings.Cut(session, "/")
		return string(dera.NewARN(arn.Partition(), "iam", "", arn.Account(), "role/"+role))
	}
	return ""
}
