//go:build !demo

package cloud

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
)

// simulate asks IAM whether the role's policies allow the actions, in one
// attempt: the simulation is a help and not needed. That there is none is
// remembered for the other accounts. on are the ARNs of the resources; none is any.
func (c *Client) simulate(ctx context.Context, account, region, caller string, actions []string, on ...string) []Permission {
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
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	api := shared(c, "iam", account, region, func(cfg aws.Config) *iam.Client {
		return iam.NewFromConfig(cfg, func(o *iam.Options) { o.Retryer = aws.NopRetryer{} })
	})
	out, err := api.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(principal), ActionNames: actions, ResourceArns: on,
		ContextEntries: []types.ContextEntry{{
			ContextKeyName: aws.String("aws:ResourceAccount"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{account},
		}, {
			ContextKeyName: aws.String("iam:PassedToService"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"ssm.amazonaws.com"},
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

// principal is the ARN of the role or user that writes in an account, or "": the
// ARN of a session does not say the path of its role.
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
