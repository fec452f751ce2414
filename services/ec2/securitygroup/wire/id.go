package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/services/ec2/securitygroup"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
)

// byID reads groups. A filter does not fail for the groups that are gone, so each
// of these is asked for by its ID: only the service's own "not found" makes it
// missing.
func (g groupReader) byID(ctx context.Context) (cloud.Found, error) {
	var groups []types.SecurityGroup
	for ids := range slices.Chunk(g.Scope.IDs, most) {
		err := cloud.Walk(func(token *string) (*string, error) {
			list, next, err := g.describe(ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("group-id", ids), MaxResults: aws.Int32(pageSize), NextToken: token})
			groups = append(groups, list...)
			return next, err
		})
		if err != nil {
			return cloud.Found{}, err
		}
	}
	var found cloud.Found
	var unread []*cloud.Item
	for _, id := range g.Scope.IDs {
		if slices.ContainsFunc(groups, func(s types.SecurityGroup) bool { return aws.ToString(s.GroupId) == id }) {
			continue
		}
		list, err := g.one(ctx, id)
		switch {
		case err == nil:
			groups = append(groups, list...)
		case (cloud.Is(err, cloud.NotFound) || malformed(err)) && !namesAnother(err, id):
			found.Missing = append(found.Missing, id)
		case ctx.Err() != nil, cloud.Is(err, cloud.Expired), cloud.Is(err, cloud.Denied), cloud.Is(err, cloud.RegionOff):
			return cloud.Found{}, err
		default: // it is unknown alone
			x := g.item(&securitygroup.Group{ID: id, Owner: g.Scope.Account})
			x.Unknown(err.Error())
			unread = append(unread, x)
		}
	}
	for _, s := range groups {
		if id := aws.ToString(s.GroupId); !slices.Contains(g.Scope.IDs, id) {
			return cloud.Found{}, g.fail("DescribeSecurityGroups", cloud.Foreign("it is about %.40q, which was not asked for", id))
		}
	}
	var err error
	found.Items, err = g.items(groups)
	found.Items = append(found.Items, unread...)
	return found, err
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
	var e *cloud.Error
	return errors.As(err, &e) && id != "" && strings.Contains(e.Err.Error(), "'sg-") && !strings.Contains(e.Err.Error(), "'"+id+"'")
}

// malformed reports whether the service says that there can be no such ID: an
// event of a failed call may name anything.
func malformed(err error) bool {
	var e *cloud.Error
	return errors.As(err, &e) && (strings.HasSuffix(e.Code, ".Malformed") || e.Code == "MissingParameter")
}
