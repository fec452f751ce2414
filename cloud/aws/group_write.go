package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go/middleware"

	"dera"
	"dera/resource"
)

// Do sends one operation of the plan, in one attempt. allowed is asked right
// before the request is signed; its error is returned as it is and nothing is
// sent then. Where the account has a role, the session is limited to the plan's
// own operations and resource (design §6.1.11).
func (c *Client) Do(ctx context.Context, p dera.Plan, op resource.Operation, allowed func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	api, err := c.writer(p)
	if err != nil {
		return err
	}
	stop := func(o *ec2.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, guard(allowed))
	}
	switch {
	case op.Name == resource.AuthorizeIngress && op.Version == 1:
		var in resource.AuthorizeIngressInput
		if err := strict(op.Input, &in); err != nil {
			return fmt.Errorf("%s: %w", op.Name, err)
		}
		_, err = api.AuthorizeSecurityGroupIngress(ctx, authorizeInput(in), stop)
	case op.Name == resource.RevokeIngress && op.Version == 1:
		var in resource.RevokeIngressInput
		if err := strict(op.Input, &in); err != nil {
			return fmt.Errorf("%s: %w", op.Name, err)
		}
		_, err = api.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{
			GroupId: aws.String(in.GroupID), SecurityGroupRuleIds: []string{in.RuleID},
		}, stop)
	default:
		return fmt.Errorf("operation %s version %d is not one that dera can carry out", op.Name, op.Version)
	}
	if err != nil {
		return wrap(p.Account, p.Region, op.Name, err)
	}
	return nil
}

// guard asks allowed before each attempt, after all that may take time.
func guard(allowed func(context.Context) error) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("dera:guard",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				if err := allowed(ctx); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
				return next.HandleFinalize(ctx, in)
			}), "Signing", middleware.Before)
	}
}

// writer returns a client whose session can do nothing but the plan.
func (c *Client) writer(p dera.Plan) (*ec2.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg := c.base.Copy()
	cfg.Region = p.Region
	cfg.Credentials = c.credentials(p.Account)
	if a := c.accounts[p.Account]; a.RoleARN != "" || a.WriteRoleARN != "" {
		role := a.WriteRoleARN
		if role == "" {
			role = a.RoleARN
		}
		policy, err := sessionPolicy(p)
		if err != nil {
			return nil, err
		}
		cfg.Credentials = aws.NewCredentialsCache(c.assume(a, role, policy))
	}
	return ec2.NewFromConfig(cfg, func(o *ec2.Options) {
		o.APIOptions = append(o.APIOptions, c.observe(p.Account, p.Region, true))
	}), nil
}

// sessionPolicy allows the plan's operations and their undos on its resource.
func sessionPolicy(p dera.Plan) (string, error) {
	actions := map[string]bool{}
	for _, ch := range p.Changes {
		actions[ch.Operation] = true
		if ch.Undo != nil {
			actions[ch.Undo.Operation] = true
		}
	}
	rules := dera.NewARN(p.Partition, "ec2", p.Region, p.Account, "security-group-rule/*")
	type statement struct {
		Effect   string
		Action   []string
		Resource []string
	}
	text, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []statement{
			{"Allow", slices.Sorted(maps.Keys(actions)), []string{string(p.Resource), string(rules)}},
			{"Allow", []string{"ec2:CreateTags"}, []string{string(rules)}}, // of a rule that is authorized again
		},
	})
	if err != nil {
		return "", fmt.Errorf("session policy for %s: %w", p.Resource, err)
	}
	return string(text), nil
}

func strict(input []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(input))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func authorizeInput(in resource.AuthorizeIngressInput) *ec2.AuthorizeSecurityGroupIngressInput {
	r := in.Rule
	perm := types.IpPermission{IpProtocol: aws.String(r.Protocol)}
	if r.Ported() || r.Protocol == "icmp" || r.Protocol == "icmpv6" {
		perm.FromPort, perm.ToPort = aws.Int32(r.From), aws.Int32(r.To)
	}
	var description *string
	if r.Description != "" {
		description = aws.String(r.Description)
	}
	switch {
	case r.PrefixList != nil:
		perm.PrefixListIds = []types.PrefixListId{{PrefixListId: aws.String(r.PrefixList.ID), Description: description}}
	case r.Group != nil:
		pair := types.UserIdGroupPair{GroupId: aws.String(r.Group.ID), Description: description}
		if r.Group.Owner != "" {
			pair.UserId = aws.String(r.Group.Owner)
		}
		perm.UserIdGroupPairs = []types.UserIdGroupPair{pair}
	case r.CIDR.Addr().Is6():
		perm.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String(r.CIDR.String()), Description: description}}
	default:
		perm.IpRanges = []types.IpRange{{CidrIp: aws.String(r.CIDR.String()), Description: description}}
	}
	out := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String(in.GroupID), IpPermissions: []types.IpPermission{perm}}
	if len(r.Tags) > 0 {
		spec := types.TagSpecification{ResourceType: types.ResourceTypeSecurityGroupRule}
		for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
			spec.Tags = append(spec.Tags, types.Tag{Key: aws.String(k), Value: aws.String(r.Tags[k])})
		}
		out.TagSpecifications = []types.TagSpecification{spec}
	}
	return out
}
