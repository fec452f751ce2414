package aws

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera"
	"dera/netset"
	"dera/resource"
)

// most is how many values a filter may have, and pageSize how many results a
// page (EC2 API reference).
const (
	most     = 200
	pageSize = 1000
)

// readGroups reads security groups. full also reads rule IDs and tags and the
// attached network interfaces; a sweep leaves them out.
func (c *Client) readGroups(ctx context.Context, scope dera.Scope, full bool) (Page, error) {
	g := groupReader{
		Client: c, api: c.ec2(scope.Account, scope.Region), scope: scope, at: c.cfg.Now().UTC(),
		lists: map[string]*resource.PrefixList{},
	}
	if scope.Sweep() {
		return g.sweep(ctx, full)
	}
	return g.byID(ctx)
}

type groupReader struct {
	*Client
	api   *ec2.Client
	scope dera.Scope
	at    time.Time // before the first call: what is read is at least as new
	lists map[string]*resource.PrefixList
}

func (g groupReader) fail(call string, err error) error {
	return wrap(g.scope.Account, g.scope.Region, "ec2:"+call, err)
}

func (g groupReader) sweep(ctx context.Context, full bool) (Page, error) {
	in := &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(pageSize)}
	if g.scope.Page != "" {
		in.NextToken = aws.String(g.scope.Page)
	}
	out, err := g.api.DescribeSecurityGroups(ctx, in)
	if err != nil {
		return Page{}, g.fail("DescribeSecurityGroups", err)
	}
	page := Page{Next: aws.ToString(out.NextToken)}
	page.Resources, err = g.resources(ctx, out.SecurityGroups, full)
	return page, err
}

// byID reads groups in full. A filter does not fail for the groups that are
// gone, so each of these is asked for by its ID: only the service's own "not
// found" makes it missing.
func (g groupReader) byID(ctx context.Context) (Page, error) {
	var groups []types.SecurityGroup
	for ids := range slices.Chunk(g.scope.IDs, most) {
		pages := ec2.NewDescribeSecurityGroupsPaginator(g.api, &ec2.DescribeSecurityGroupsInput{Filters: filter("group-id", ids), MaxResults: aws.Int32(pageSize)})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				return Page{}, g.fail("DescribeSecurityGroups", err)
			}
			groups = append(groups, out.SecurityGroups...)
		}
	}
	var page Page
	for _, id := range g.scope.IDs {
		if slices.ContainsFunc(groups, func(s types.SecurityGroup) bool { return aws.ToString(s.GroupId) == id }) {
			continue
		}
		out, err := g.api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}})
		if err == nil && len(out.SecurityGroups) == 0 {
			return Page{}, fmt.Errorf("read security group %s: the service neither returns it nor says that it does not exist", id)
		}
		if err == nil {
			groups = append(groups, out.SecurityGroups...)
			continue
		}
		if err := g.fail("DescribeSecurityGroups", err); !Is(err, NotFound) && !malformed(err) {
			return Page{}, err
		}
		page.Missing = append(page.Missing, id)
	}
	var err error
	page.Resources, err = g.resources(ctx, groups, true)
	return page, err
}

// malformed reports whether the service says that there can be no such ID: an
// event of a failed call may name anything.
func malformed(err error) bool {
	var e *Error
	return errors.As(err, &e) && (strings.HasSuffix(e.Code, ".Malformed") || e.Code == "MissingParameter")
}

func filter(name string, values []string) []types.Filter {
	return []types.Filter{{Name: aws.String(name), Values: values}}
}

func (g groupReader) resources(ctx context.Context, groups []types.SecurityGroup, full bool) ([]dera.Resource, error) {
	out := make([]dera.Resource, 0, len(groups))
	for _, s := range groups {
		cfg := &resource.SecurityGroup{
			ID: aws.ToString(s.GroupId), Name: aws.ToString(s.GroupName), Description: aws.ToString(s.Description),
			VPC: aws.ToString(s.VpcId), Owner: aws.ToString(s.OwnerId), Tags: tagMap(s.Tags),
		}
		if !full {
			var err error
			if cfg.Ingress, err = g.permissions(ctx, s.IpPermissions); err != nil {
				return nil, fmt.Errorf("security group %s: %w", cfg.ID, err)
			}
		}
		out = append(out, g.resource(cfg, g.at, full))
	}
	if full {
		return out, g.complete(ctx, out)
	}
	return out, nil
}

func (g groupReader) resource(cfg *resource.SecurityGroup, at time.Time, full bool) dera.Resource {
	partition := dera.PartitionOf(g.scope.Region).ID
	return dera.Resource{
		ARN:       dera.NewARN(partition, "ec2", g.scope.Region, g.scope.Account, "security-group/"+cfg.ID),
		Partition: partition, Account: g.scope.Account, Region: g.scope.Region, Type: resource.SecurityGroupType,
		ID: cfg.ID, Name: cfg.Name, Tags: cfg.Tags, Config: cfg, ReadAt: at, Full: full,
	}
}

// complete adds rules with their IDs and the attached interfaces.
func (g groupReader) complete(ctx context.Context, groups []dera.Resource) error {
	byID := map[string]*resource.SecurityGroup{}
	var ids []string
	for _, r := range groups {
		byID[r.ID] = r.Config.(*resource.SecurityGroup)
		ids = append(ids, r.ID)
	}
	for chunk := range slices.Chunk(ids, most) {
		if err := g.rules(ctx, chunk, byID); err != nil {
			return err
		}
		if err := g.interfaces(ctx, chunk, byID); err != nil {
			return err
		}
	}
	return nil
}

func (g groupReader) rules(ctx context.Context, ids []string, byID map[string]*resource.SecurityGroup) error {
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(g.api, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("group-id", ids), MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return g.fail("DescribeSecurityGroupRules", err)
		}
		for _, s := range out.SecurityGroupRules {
			cfg := byID[aws.ToString(s.GroupId)]
			if cfg == nil {
				continue
			}
			r, err := g.rule(ctx, s)
			if err != nil {
				return fmt.Errorf("security group %s, rule %s: %w", cfg.ID, aws.ToString(s.SecurityGroupRuleId), err)
			}
			if aws.ToBool(s.IsEgress) {
				cfg.Egress = append(cfg.Egress, r)
			} else {
				cfg.Ingress = append(cfg.Ingress, r)
			}
		}
	}
	return nil
}

func (g groupReader) interfaces(ctx context.Context, ids []string, byID map[string]*resource.SecurityGroup) error {
	pages := ec2.NewDescribeNetworkInterfacesPaginator(g.api, &ec2.DescribeNetworkInterfacesInput{Filters: filter("group-id", ids), MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return g.fail("DescribeNetworkInterfaces", err)
		}
		for _, n := range out.NetworkInterfaces {
			i := resource.Interface{ID: aws.ToString(n.NetworkInterfaceId), Description: aws.ToString(n.Description)}
			if n.Association != nil {
				i.PublicIP = aws.ToString(n.Association.PublicIp)
			}
			for _, a := range n.PrivateIpAddresses {
				i.Addresses = append(i.Addresses, aws.ToString(a.PrivateIpAddress))
			}
			for _, a := range n.Ipv6Addresses {
				i.Addresses = append(i.Addresses, aws.ToString(a.Ipv6Address))
			}
			for _, s := range n.Groups {
				if cfg := byID[aws.ToString(s.GroupId)]; cfg != nil {
					cfg.Interfaces = append(cfg.Interfaces, i)
				}
			}
		}
	}
	return nil
}

// rule normalises one rule as DescribeSecurityGroupRules gives it.
func (g groupReader) rule(ctx context.Context, s types.SecurityGroupRule) (resource.Rule, error) {
	r := resource.Rule{
		ID: aws.ToString(s.SecurityGroupRuleId), Description: aws.ToString(s.Description), Tags: tagMap(s.Tags),
	}
	setTraffic(&r, s.IpProtocol, s.FromPort, s.ToPort)
	var err error
	switch {
	case s.CidrIpv4 != nil:
		r.CIDR, err = netset.Prefix(*s.CidrIpv4)
	case s.CidrIpv6 != nil:
		r.CIDR, err = netset.Prefix(*s.CidrIpv6)
	case s.PrefixListId != nil:
		r.PrefixList, err = g.prefixList(ctx, *s.PrefixListId)
		if err != nil {
			return r, err // a failed read, not an unreadable rule
		}
	case s.ReferencedGroupInfo != nil:
		r.Group = &resource.GroupRef{ID: aws.ToString(s.ReferencedGroupInfo.GroupId), Owner: g.foreign(s.ReferencedGroupInfo.UserId)}
	}
	if err != nil || !r.CIDR.IsValid() && r.PrefixList == nil && r.Group == nil {
		unreadable(&r)
	}
	return r, nil
}

// unreadable marks a rule whose source dera cannot read, for example of a kind
// that AWS invented since: the rule is unknown, and its neighbours are judged.
func unreadable(r *resource.Rule) {
	r.CIDR, r.Group = netip.Prefix{}, nil
	r.PrefixList = &resource.PrefixList{ID: "unreadable-source"}
}

// permissions normalises the short form of DescribeSecurityGroups: one rule for
// each source.
func (g groupReader) permissions(ctx context.Context, list []types.IpPermission) ([]resource.Rule, error) {
	var out []resource.Rule
	for _, p := range list {
		var base resource.Rule
		setTraffic(&base, p.IpProtocol, p.FromPort, p.ToPort)
		cidr := func(text, description *string) {
			r := base
			var err error
			if r.CIDR, err = netset.Prefix(aws.ToString(text)); err != nil {
				unreadable(&r)
			}
			r.Description = aws.ToString(description)
			out = append(out, r)
		}
		for _, x := range p.IpRanges {
			cidr(x.CidrIp, x.Description)
		}
		for _, x := range p.Ipv6Ranges {
			cidr(x.CidrIpv6, x.Description)
		}
		for _, x := range p.PrefixListIds {
			r := base
			var err error
			if r.PrefixList, err = g.prefixList(ctx, aws.ToString(x.PrefixListId)); err != nil {
				return nil, err
			}
			r.Description = aws.ToString(x.Description)
			out = append(out, r)
		}
		for _, x := range p.UserIdGroupPairs {
			r := base
			r.Group = &resource.GroupRef{ID: aws.ToString(x.GroupId), Owner: g.foreign(x.UserId)}
			r.Description = aws.ToString(x.Description)
			out = append(out, r)
		}
	}
	return out, nil
}

// foreign is the owner of a referenced group if that is another account.
func (g groupReader) foreign(owner *string) string {
	if o := aws.ToString(owner); o != g.scope.Account {
		return o
	}
	return ""
}

func setTraffic(r *resource.Rule, protocol *string, from, to *int32) {
	r.Protocol = resource.Protocol(aws.ToString(protocol))
	r.From, r.To = -1, -1
	switch r.Protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		if from != nil {
			r.From = *from
		}
		if to != nil {
			r.To = *to
		}
	}
}

func tagMap(tags []types.Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}
