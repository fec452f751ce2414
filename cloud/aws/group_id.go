package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/services/ec2/securitygroup"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// byID reads groups. A filter does not fail for the groups that are gone, so each
// of these is asked for by its ID: only the service's own "not found" makes it
// missing.
func (g groupReader) byID(ctx context.Context, full bool) (Page, error) {
	var groups []types.SecurityGroup
	for ids := range slices.Chunk(g.scope.IDs, most) {
		err := walk(func(token *string) (*string, error) {
			list, next, err := g.describe(ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("group-id", ids), MaxResults: aws.Int32(pageSize), NextToken: token})
			groups = append(groups, list...)
			return next, err
		})
		if err != nil {
			return Page{}, err
		}
	}
	var page Page
	var unread []dera.Resource
	for _, id := range g.scope.IDs {
		if slices.ContainsFunc(groups, func(s types.SecurityGroup) bool { return aws.ToString(s.GroupId) == id }) {
			continue
		}
		list, err := g.one(ctx, id)
		switch {
		case err == nil:
			groups = append(groups, list...)
		case (Is(err, NotFound) || malformed(err)) && !namesAnother(err, id):
			page.Missing = append(page.Missing, id)
		case ctx.Err() != nil, Is(err, Expired), Is(err, Denied), Is(err, RegionOff):
			return Page{}, err
		default: // it is unknown alone
			r := g.resource(&securitygroup.Group{ID: id, Owner: g.scope.Account}, g.at, full)
			r.Unread = err.Error()
			unread = append(unread, r)
		}
	}
	for _, s := range groups {
		if id := aws.ToString(s.GroupId); !slices.Contains(g.scope.IDs, id) {
			return Page{}, g.fail("DescribeSecurityGroups", foreign("it is about %.40q, which was not asked for", id))
		}
	}
	var err error
	page.Resources, err = g.resources(ctx, groups, full)
	page.Resources = append(page.Resources, unread...)
	return page, err
}

// one asks for a group by its ID, for the service's own word on whether it is there.
func (g groupReader) one(ctx context.Context, id string) ([]types.SecurityGroup, error) {
	list, _, err := g.describe(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("read security group %s: the service neither returns it nor says that it does not exist", id)
	}
	return list, err
}

// namesAnother reports whether a "not found" is about another group.
func namesAnother(err error, id string) bool {
	var e *Error
	return errors.As(err, &e) && id != "" && strings.Contains(e.Err.Error(), "'sg-") && !strings.Contains(e.Err.Error(), "'"+id+"'")
}

// malformed reports whether the service says that there can be no such ID: an
// event of a failed call may name anything.
func malformed(err error) bool {
	var e *Error
	return errors.As(err, &e) && (strings.HasSuffix(e.Code, ".Malformed") || e.Code == "MissingParameter")
}
