package aws

import (
	"context"
	"strings"

	"dera.example/dera"
	"dera.example/dera/services/ec2/securitygroup"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// TryWrites finds out whether the actions would be allowed, and changes nothing:
// EC2 answers a dry run, and of the others IAM simulates the policies of the
// role. What neither tells is not tested. caller is the engine's own ARN.
func (c *Client) TryWrites(ctx context.Context, account, region, caller string, actions []string) []Permission {
	region = c.regionFor(region)
	p := &prober{Client: c, account: account, region: region}
	var out []Permission
	var simulate []string
	for _, a := range actions {
		switch {
		case !strings.HasPrefix(a, "ec2:"):
			simulate = append(simulate, a)
		case a != securitygroup.AuthorizeIngress && a != securitygroup.RevokeIngress:
			out = append(out, Permission{a, NotTested, "it is allowed on some resources only, which no dry run tells"})
		case p.found.Group == "" && p.findGroup(ctx) != nil:
			out = append(out, Permission{a, NotTested, "no security group could be found to try it on"})
		default:
			out = append(out, p.permission(ctx, a, func(ctx context.Context) error { return p.dryRun(ctx, a) }))
		}
	}
	return append(out, c.simulate(ctx, account, region, caller, simulate)...)
}

// dryRun asks EC2 whether a write would be allowed; a success is the error
// DryRunOperation.
func (p *prober) dryRun(ctx context.Context, action string) error {
	if p.found.Group == "" {
		return ErrNothing
	}
	cfg, err := p.writing(dera.Plan{
		Partition: dera.PartitionOf(p.region).ID, Account: p.account, Region: p.region, Type: securitygroup.Name,
		Resource: dera.NewARN(dera.PartitionOf(p.region).ID, "ec2", p.region, p.account, "security-group/"+p.found.Group),
		Changes:  []dera.Change{{Operation: action}},
	})
	if err != nil {
		return err
	}
	api := ec2.NewFromConfig(cfg, func(o *ec2.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, p.observe(p.account, p.region, false))
	})
	// A documentation address (RFC 5737), which nobody has.
	rule := []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(65535), ToPort: aws.Int32(65535), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("192.0.2.1/32")}},
	}}
	group := aws.String(p.found.Group)
	switch action {
	case securitygroup.AuthorizeIngress:
		_, err = api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{DryRun: aws.Bool(true), GroupId: group, IpPermissions: rule})
	case securitygroup.RevokeIngress:
		_, err = api.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{DryRun: aws.Bool(true), GroupId: group, IpPermissions: rule})
	default:
		return errUnknownOperation
	}
	if err == nil { // a dry run that succeeds was none
		return errUnknownOperation
	}
	return err
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
	api := shared(c, "iam", account, region, func(cfg aws.Config, _ aws.Retryer) *iam.Client {
		return iam.NewFromConfig(cfg, func(o *iam.Options) {
			o.Retryer = aws.NopRetryer{}
			o.APIOptions = append(o.APIOptions, c.observe(account, region, false))
		})
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
