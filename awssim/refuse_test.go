package awssim_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

// TestRefusals makes calls that AWS refuses, and shows that each leaves everything as it was.
func TestRefusals(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r, client := cloud.Account(hub).Region(east), ec2Client(cloud, hub)
	group := must(r.CreateSecurityGroup(t.Context(), "web", openSSH()))(t)
	list := must(r.CreatePrefixList(t.Context(), "list", 2, "192.0.2.0/24", "198.51.100.0/24"))(t)
	must(r.Authorize(t.Context(), group, awssim.Rule{Protocol: "tcp", FromPort: 1, ToPort: 1, PrefixList: list}))(t)
	rule := ingress(t, cloud, group)[0].ID
	tag := func(n int) (tags []types.Tag) {
		for i := range n {
			tags = append(tags, types.Tag{Key: aws.String("key" + strconv.Itoa(i)), Value: aws.String("value")})
		}
		return tags
	}
	create := func(name, description, vpc string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &description, VpcId: &vpc})
			return err
		}
	}
	tagging := func(id string, tags ...types.Tag) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := client.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{group, id}, Tags: tags})
			return err
		}
	}
	modifyList := func(in ec2.ModifyManagedPrefixListInput) func(context.Context) error {
		in.PrefixListId = &list
		return func(ctx context.Context) error {
			_, err := client.ModifyManagedPrefixList(ctx, &in)
			return err
		}
	}
	makeList := func(family string, limit int32, cidrs ...string) func(context.Context) error {
		in := &ec2.CreateManagedPrefixListInput{PrefixListName: aws.String("new"), AddressFamily: &family, MaxEntries: &limit}
		for _, cidr := range cidrs {
			in.Entries = append(in.Entries, types.AddPrefixListEntry{Cidr: aws.String(cidr)})
		}
		return func(ctx context.Context) error {
			_, err := client.CreateManagedPrefixList(ctx, in)
			return err
		}
	}
	describeRule := func(id, text string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := client.UpdateSecurityGroupRuleDescriptionsIngress(ctx, &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
				GroupId: &group, SecurityGroupRuleDescriptions: []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: &id, Description: &text}},
			})
			return err
		}
	}
	absent := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(23), ToPort: aws.Int32(23), IpRanges: []types.IpRange{{CidrIp: aws.String("10.0.0.0/8")}}}
	tests := []struct {
		name string
		call func(context.Context) error
		code string
	}{
		{"group_name_like_an_id", create("SG-web", "about", ""), "InvalidParameterValue"},
		{"group_name_default", create("default", "about", ""), "InvalidGroup.Reserved"},
		{"group_name_in_other_case", create("WEB", "about", ""), "InvalidGroup.Duplicate"},
		{"group_name_too_long", create(strings.Repeat("x", 256), "about", ""), "InvalidParameterValue"},
		{"group_description_beyond_ascii", create("api", "naïve", ""), "InvalidParameterValue"},
		{"group_in_unknown_vpc", create("api", "about", "vpc-00000000000000000"), "InvalidVpcID.NotFound"},
		{"vpc_too_wide", func(ctx context.Context) error {
			_, err := client.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/8")})
			return err
		}, "InvalidVpc.Range"},
		{"vpc_of_no_range", func(ctx context.Context) error {
			_, err := client.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("ten")})
			return err
		}, "InvalidParameterValue"},
		{"tag_for_another_type", func(ctx context.Context) error {
			_, err := client.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroup, Tags: tag(1)}}})
			return err
		}, "InvalidParameterValue"},
		{"tag_of_aws", tagging(group, types.Tag{Key: aws.String("aws:owner"), Value: aws.String("x")}), "InvalidParameterValue"},
		{"tag_key_too_long", tagging(group, types.Tag{Key: aws.String(strings.Repeat("x", 129)), Value: aws.String("x")}), "InvalidParameterValue"},
		{"fifty_one_tags", tagging(group, tag(51)...), "TagLimitExceeded"},
		{"tag_one_there_and_one_not", tagging("sg-00000000000000000", tag(1)...), "InvalidGroup.NotFound"},
		{"tag_unknown_rule", tagging("sgr-00000000000000000", tag(1)...), "InvalidSecurityGroupRuleId.NotFound"},
		{"tag_unknown_vpc", tagging("vpc-00000000000000000", tag(1)...), "InvalidVpcID.NotFound"},
		{"tag_unknown_interface", tagging("eni-00000000000000000", tag(1)...), "InvalidNetworkInterfaceID.NotFound"},
		{"tag_unknown_list", tagging("pl-00000000000000000", tag(1)...), "InvalidPrefixListID.NotFound"},
		{"tag_unknown_type", tagging("x-00000000000000000", tag(1)...), "InvalidID"},
		{"describe_unknown_rule", describeRule("sgr-00000000000000000", "new"), "InvalidSecurityGroupRuleId.NotFound"},
		{"describe_rule_beyond_ascii", describeRule(rule, "naïve"), "InvalidParameterValue"},
		{"describe_absent_permission", func(ctx context.Context) error {
			_, err := client.UpdateSecurityGroupRuleDescriptionsIngress(ctx, &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{GroupId: &group, IpPermissions: append(sshPermission(), absent)})
			return err
		}, "InvalidPermission.NotFound"},
		{"list_of_no_family", makeList("IPv5", 1), "InvalidParameterValue"},
		{"list_without_room", makeList("IPv4", 0), "InvalidParameterValue"},
		{"list_with_too_many", makeList("IPv4", 1, "10.0.0.0/8", "192.0.2.0/24"), "PrefixListMaxEntriesExceeded"},
		{"list_with_ranges_of_the_other_family", makeList("IPv4", 1, "2001:db8::/32"), "InvalidParameterValue"},
		{"list_old_version", modifyList(ec2.ModifyManagedPrefixListInput{CurrentVersion: aws.Int64(2), AddEntries: []types.AddPrefixListEntry{{Cidr: aws.String("192.0.2.0/24")}}}), "PrefixListVersionMismatch"},
		{"list_no_version", modifyList(ec2.ModifyManagedPrefixListInput{AddEntries: []types.AddPrefixListEntry{{Cidr: aws.String("192.0.2.0/24")}}}), "MissingParameter"},
		{"list_is_full", modifyList(ec2.ModifyManagedPrefixListInput{CurrentVersion: aws.Int64(1), AddEntries: []types.AddPrefixListEntry{{Cidr: aws.String("10.0.0.0/8")}}}), "PrefixListMaxEntriesExceeded"},
		{"list_absent_entry", modifyList(ec2.ModifyManagedPrefixListInput{CurrentVersion: aws.Int64(1), RemoveEntries: []types.RemovePrefixListEntry{{Cidr: aws.String("10.0.0.0/8")}}}), "InvalidParameterValue"},
		{"list_smaller_than_its_entries", modifyList(ec2.ModifyManagedPrefixListInput{MaxEntries: aws.Int32(1)}), "InvalidParameterValue"},
		{"list_size_and_entries", modifyList(ec2.ModifyManagedPrefixListInput{MaxEntries: aws.Int32(9), CurrentVersion: aws.Int64(1), AddEntries: []types.AddPrefixListEntry{{Cidr: aws.String("10.0.0.0/8")}}}), "InvalidParameterCombination"},
		{"list_in_use", func(ctx context.Context) error {
			_, err := client.DeleteManagedPrefixList(ctx, &ec2.DeleteManagedPrefixListInput{PrefixListId: &list})
			return err
		}, "DependencyViolation"},
		{"entries_of_unknown_list", func(ctx context.Context) error {
			_, err := client.GetManagedPrefixListEntries(ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: aws.String("pl-00000000000000000")})
			return err
		}, "InvalidPrefixListID.NotFound"},
		{"entries_of_unknown_version", func(ctx context.Context) error {
			_, err := client.GetManagedPrefixListEntries(ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &list, TargetVersion: aws.Int64(7)})
			return err
		}, "InvalidParameterValue"},
		{"unknown_rule_listed", func(ctx context.Context) error {
			_, err := client.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{rule, "sgr-00000000000000000"}})
			return err
		}, "InvalidSecurityGroupRuleId.NotFound"},
		{"unknown_interface_listed", func(ctx context.Context) error {
			_, err := client.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-00000000000000000"}})
			return err
		}, "InvalidNetworkInterfaceID.NotFound"},
		{"unknown_region_listed", func(ctx context.Context) error {
			_, err := client.DescribeRegions(ctx, &ec2.DescribeRegionsInput{RegionNames: []string{"mars-north-1"}})
			return err
		}, "InvalidParameterValue"},
	}
	before := cloud.Snapshot()
	t.Run("calls", func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				wantCode(t, tt.call(t.Context()), tt.code, 400)
			})
		}
	})
	if diff := cmp.Diff(before, cloud.Snapshot()); diff != "" {
		t.Errorf("refused calls changed the state:\n%s", diff)
	}
	entries := must(client.GetManagedPrefixListEntries(t.Context(), &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &list}))(t)
	if len(entries.Entries) != 2 {
		t.Errorf("entries of the list: got %d, want 2", len(entries.Entries))
	}
}

// TestTagsOfEverything tags each type of resource, finds it by the tag and takes all tags away.
func TestTagsOfEverything(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r, client := cloud.Account(hub).Region(east), ec2Client(cloud, hub)
	group := must(r.CreateSecurityGroup(t.Context(), "web", openSSH()))(t)
	resources := map[string]string{
		"security-group":      group,
		"security-group-rule": ingress(t, cloud, group)[0].ID,
		"vpc":                 must(r.CreateVPC(t.Context(), "10.0.0.0/16"))(t),
		"network-interface":   must(r.AttachInterface("", group))(t),
		"prefix-list":         must(r.CreatePrefixList(t.Context(), "list", 1))(t),
	}
	for kind, id := range resources {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			tagged := func() []types.TagDescription {
				return must(client.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("resource-id"), Values: []string{id}}}}))(t).Tags
			}
			if err := r.Tag(t.Context(), id, map[string]string{"team": "red", "empty": ""}); err != nil {
				t.Fatal(err)
			}
			if got := tagged(); len(got) != 2 || *got[1].Key != "team" || *got[1].Value != "red" || string(got[1].ResourceType) != kind {
				t.Errorf("tags: got %+v", got)
			}
			must(client.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}}))(t)
			if got := tagged(); len(got) != 2 {
				t.Errorf("after deleting another value: got %d tags, want 2", len(got))
			}
			must(client.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("empty"), Value: aws.String("")}}}))(t)
			if got := tagged(); len(got) != 1 {
				t.Errorf("after deleting the empty value: got %d tags, want 1", len(got))
			}
			must(client.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}}))(t)
			if got := tagged(); len(got) != 0 {
				t.Errorf("after deleting all: got %d tags, want none", len(got))
			}
		})
	}
}

func TestDescriptions(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r, client := cloud.Account(hub).Region(east), ec2Client(cloud, hub)
	group := must(r.CreateSecurityGroup(t.Context(), "web", openSSH(), awssim.Rule{Egress: true, Protocol: "tcp", FromPort: 1, ToPort: 1, CIDR: "10.0.0.0/8"}))(t)
	g, _ := cloud.Snapshot().Group(group)
	inbound, outbound := g.Rules[1], g.Rules[2]
	in := must(client.UpdateSecurityGroupRuleDescriptionsIngress(t.Context(), &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
		GroupId: &group, SecurityGroupRuleDescriptions: []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: &inbound.ID, Description: aws.String("in")}},
	}))(t)
	out := must(client.UpdateSecurityGroupRuleDescriptionsEgress(t.Context(), &ec2.UpdateSecurityGroupRuleDescriptionsEgressInput{
		GroupId: &group, SecurityGroupRuleDescriptions: []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: &outbound.ID, Description: aws.String("out")}},
	}))(t)
	if !*in.Return || !*out.Return {
		t.Errorf("answers: got %t and %t, want true", *in.Return, *out.Return)
	}
	inbound.Description, outbound.Description = "in", "out"
	g, _ = cloud.Snapshot().Group(group)
	if diff := cmp.Diff([]awssim.Rule{inbound, outbound}, g.Rules[1:]); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	_, err := client.UpdateSecurityGroupRuleDescriptionsIngress(t.Context(), &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
		GroupId: &group, SecurityGroupRuleDescriptions: []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: &outbound.ID, Description: aws.String("in")}},
	})
	wantCode(t, err, "InvalidSecurityGroupRuleId.NotFound", 400)
	if err := r.Revoke(t.Context(), group, outbound, inbound); err != nil {
		t.Fatal(err)
	}
	if g, _ := cloud.Snapshot().Group(group); len(g.Rules) != 1 {
		t.Errorf("after the revokes: got %d rules, want the one of a new group", len(g.Rules))
	}
}
