// Package wire reads and writes database instances on RDS.
package wire

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
	ec2wire "dera.example/dera/services/ec2/wire"
	"dera.example/dera/services/rds/instance"
)

const (
	describe    = "rds:DescribeDBInstances"
	notFound    = "DBInstanceNotFound"
	pageSize    = 100 // instances
	mostFilters = 200 // values of a filter of EC2
)

// Wire returns how database instances are read and written.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: instance.Name, Parts: instance.Type().Parts, Operations: instance.Type().Operations, Find: find,
		Readers: []cloud.Reader{{Parts: []string{instance.PartSources}, Many: readSources}},
		Unread: func(config any, part string) {
			if part == instance.PartSources {
				config.(*instance.Instance).SourcesUnread = true
			}
		},
		Do:          map[string]func(context.Context, *cloud.Writing) error{instance.Modify: modify},
		Answers:     map[string]cloud.Shape{"RDS": {Root: "*Response", Space: "http://rds.amazonaws.com/doc/"}},
		ConfigRules: []string{"RDS_INSTANCE_*", "RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED"},
	}
}

func client(r *cloud.Reading) *rds.Client {
	return cloud.Service(r, "rds", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *rds.Client { return rds.NewFromConfig(cfg) })
}

// find reads a page of all instances, or those of the scope one by one: only RDS's
// own word makes one missing.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	if r.Scope.Sweep() {
		in := &rds.DescribeDBInstancesInput{MaxRecords: aws.Int32(pageSize)}
		if r.Scope.Page != "" {
			in.Marker = aws.String(r.Scope.Page)
		}
		found.Next, err = read(ctx, r, in, &found)
		return found, err
	}
	for _, id := range r.Scope.IDs {
		var e *cloud.Error
		switch _, err := read(ctx, r, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(id)}, &found); {
		case errors.As(err, &e) && (e.Code == notFound || e.Code == notFound+"Fault"):
			found.Missing = append(found.Missing, id)
		case err != nil:
			return found, err
		}
	}
	return found, nil
}

// read is one call for instances. An answer without a list, or about something
// else, is none.
func read(ctx context.Context, r *cloud.Reading, in *rds.DescribeDBInstancesInput, found *cloud.Found) (next string, err error) {
	out, err := client(r).DescribeDBInstances(ctx, in)
	switch {
	case err != nil:
		return "", r.Fail(describe, err)
	case out.DBInstances == nil:
		return "", r.Fail(describe, cloud.Foreign("it has no list of instances"))
	case in.DBInstanceIdentifier != nil && (len(out.DBInstances) != 1 || aws.ToString(out.DBInstances[0].DBInstanceIdentifier) != *in.DBInstanceIdentifier):
		return "", r.Fail(describe, cloud.Foreign("it is not about %.40q alone", *in.DBInstanceIdentifier))
	}
	for _, d := range out.DBInstances {
		c := configOf(d)
		own := instance.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, c.ID)
		if c.ID == "" || dera.ARN(aws.ToString(d.DBInstanceArn)) != own {
			return "", r.Fail(describe, cloud.Foreign("it is about %.80q, want %s", aws.ToString(d.DBInstanceArn), own))
		}
		x := cloud.NewItem(r, c.ID, c.ID, own, c)
		x.Tags = c.Tags
		if c.Passing() { // what it says may be what was before a change
			x.Doubt("it is " + c.Status)
		}
		found.Items = append(found.Items, x)
	}
	return aws.ToString(out.Marker), nil
}

func configOf(d types.DBInstance) *instance.Instance {
	c := &instance.Instance{
		ID: aws.ToString(d.DBInstanceIdentifier), Engine: aws.ToString(d.Engine), Cluster: aws.ToString(d.DBClusterIdentifier), Status: aws.ToString(d.DBInstanceStatus),
		Public: d.PubliclyAccessible, DeletionProtection: d.DeletionProtection, MinorUpgrade: d.AutoMinorVersionUpgrade, Pending: pending(d.PendingModifiedValues),
		CopyTags: d.CopyTagsToSnapshot, IAMAuth: d.IAMDatabaseAuthenticationEnabled, BackupDays: d.BackupRetentionPeriod,
	}
	for _, g := range d.VpcSecurityGroups {
		c.Groups = append(c.Groups, aws.ToString(g.VpcSecurityGroupId))
	}
	slices.Sort(c.Groups)
	for _, t := range d.TagList {
		if c.Tags == nil {
			c.Tags = map[string]string{}
		}
		c.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return c
}

// pending names the values that wait, whatever they are.
func pending(p *types.PendingModifiedValues) []string {
	if p == nil {
		return nil
	}
	var out []string
	v := reflect.ValueOf(*p)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
			out = append(out, f.Name)
		}
	}
	return out
}

// readSources adds the public sources that the security groups allow. A group of
// which no rule is reported is not known: it may be another account's. So is an
// instance of which no group is.
func readSources(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	by := map[string][]*instance.Instance{}
	known := map[string]bool{}
	for _, x := range items {
		c := x.Config.(*instance.Instance)
		c.SourcesUnread = len(c.Groups) == 0
		for _, g := range c.Groups {
			by[g] = append(by[g], c)
		}
	}
	api := ec2wire.EC2(r, r.Scope.Account, r.Scope.Region)
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(by)), mostFilters) {
		err := cloud.List(r, cloud.Listing[*ec2.DescribeSecurityGroupRulesOutput, ec2types.SecurityGroupRule]{
			Call: "ec2:DescribeSecurityGroupRules", Of: "rules",
			Page: func(token *string) (*ec2.DescribeSecurityGroupRulesOutput, error) {
				return api.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{{Name: aws.String("group-id"), Values: ids}}, NextToken: token})
			},
			On: func(p *ec2.DescribeSecurityGroupRulesOutput) ([]ec2types.SecurityGroupRule, *string) {
				return p.SecurityGroupRules, p.NextToken
			},
		}, func(rule ec2types.SecurityGroupRule) error {
			known[aws.ToString(rule.GroupId)] = true
			source := aws.ToString(rule.CidrIpv4) + aws.ToString(rule.CidrIpv6) + aws.ToString(rule.PrefixListId)
			if aws.ToBool(rule.IsEgress) || source == "" || private(source) {
				return nil
			}
			for _, c := range by[aws.ToString(rule.GroupId)] {
				if !slices.Contains(c.Sources, source) {
					c.Sources = append(c.Sources, source)
				}
				slices.Sort(c.Sources)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for id, list := range by {
		for _, c := range list {
			c.SourcesUnread = c.SourcesUnread || !known[id]
		}
	}
	return nil
}

// private reports whether all addresses of a source are private; what a prefix list
// holds is not asked for.
func private(source string) bool {
	p, err := netip.ParsePrefix(source)
	return err == nil && netset.AddrsOf(p).Subset(netset.Private())
}

// modify sets one setting at once. Right before it the instance is read again: what
// waits for the maintenance window must not come with it.
func modify(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	out := &rds.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String(in.Resource), ApplyImmediately: aws.Bool(true)}
	var value *bool
	if in.Path == instance.BackupDays {
		err = json.Unmarshal(in.Value, &out.BackupRetentionPeriod)
	} else {
		err = json.Unmarshal(in.Value, &value)
	}
	if err != nil || value == nil && out.BackupRetentionPeriod == nil {
		return w.Fail(instance.Modify, errors.New("the value is not one of the setting "+in.Path))
	}
	switch in.Path {
	case instance.Public:
		out.PubliclyAccessible = value
	case instance.DeletionProtection:
		out.DeletionProtection = value
	case instance.MinorUpgrade:
		out.AutoMinorVersionUpgrade = value
	case instance.CopyTags:
		out.CopyTagsToSnapshot = value
	case instance.IAMAuth:
		out.EnableIAMDatabaseAuthentication = value
	case instance.BackupDays:
	default:
		return w.Fail(instance.Modify, errors.New("there is no setting "+in.Path))
	}
	var now cloud.Found
	if _, err := read(ctx, w.Reading, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(in.Resource)}, &now); err != nil {
		return err
	}
	// Fewer days would delete backups that somebody keeps since.
	i := now.Items[0].Config.(*instance.Instance)
	if i.Held() != "" || out.BackupRetentionPeriod != nil && (i.BackupDays == nil || *i.BackupDays > *out.BackupRetentionPeriod) {
		return cloud.ErrMoved
	}
	_, err = rds.NewFromConfig(w.Config).ModifyDBInstance(ctx, out)
	return err
}
