package awssim_test

import (
	"fmt"
	"slices"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// listing pages through one operation and returns the identifiers of each page.
type listing func(t *testing.T, client *ec2.Client, size int32) (pages [][]string, err error)

// collect runs a paginator of the SDK.
func collect[Out any](t *testing.T, more func() bool, next func() (*Out, error), ids func(*Out) []string) ([][]string, error) {
	t.Helper()
	var pages [][]string
	for more() {
		out, err := next()
		if err != nil {
			return pages, err
		}
		pages = append(pages, ids(out))
	}
	return pages, nil
}

func listings() map[string]listing {
	return map[string]listing{
		"DescribeSecurityGroups": func(t *testing.T, c *ec2.Client, size int32) ([][]string, error) {
			p := ec2.NewDescribeSecurityGroupsPaginator(c, &ec2.DescribeSecurityGroupsInput{MaxResults: &size})
			return collect(t, p.HasMorePages, func() (*ec2.DescribeSecurityGroupsOutput, error) { return p.NextPage(t.Context()) }, func(o *ec2.DescribeSecurityGroupsOutput) (ids []string) {
				for _, g := range o.SecurityGroups {
					ids = append(ids, *g.GroupId)
				}
				return ids
			})
		},
		"DescribeSecurityGroupRules": func(t *testing.T, c *ec2.Client, size int32) ([][]string, error) {
			p := ec2.NewDescribeSecurityGroupRulesPaginator(c, &ec2.DescribeSecurityGroupRulesInput{MaxResults: &size})
			return collect(t, p.HasMorePages, func() (*ec2.DescribeSecurityGroupRulesOutput, error) { return p.NextPage(t.Context()) }, func(o *ec2.DescribeSecurityGroupRulesOutput) (ids []string) {
				for _, r := range o.SecurityGroupRules {
					ids = append(ids, *r.SecurityGroupRuleId)
				}
				return ids
			})
		},
		"DescribeNetworkInterfaces": func(t *testing.T, c *ec2.Client, size int32) ([][]string, error) {
			p := ec2.NewDescribeNetworkInterfacesPaginator(c, &ec2.DescribeNetworkInterfacesInput{MaxResults: &size})
			return collect(t, p.HasMorePages, func() (*ec2.DescribeNetworkInterfacesOutput, error) { return p.NextPage(t.Context()) }, func(o *ec2.DescribeNetworkInterfacesOutput) (ids []string) {
				for _, n := range o.NetworkInterfaces {
					ids = append(ids, *n.NetworkInterfaceId)
				}
				return ids
			})
		},
		"DescribeManagedPrefixLists": func(t *testing.T, c *ec2.Client, size int32) ([][]string, error) {
			p := ec2.NewDescribeManagedPrefixListsPaginator(c, &ec2.DescribeManagedPrefixListsInput{MaxResults: &size})
			return collect(t, p.HasMorePages, func() (*ec2.DescribeManagedPrefixListsOutput, error) { return p.NextPage(t.Context()) }, func(o *ec2.DescribeManagedPrefixListsOutput) (ids []string) {
				for _, l := range o.PrefixLists {
					ids = append(ids, *l.PrefixListId)
				}
				return ids
			})
		},
		"DescribeTags": func(t *testing.T, c *ec2.Client, size int32) ([][]string, error) {
			p := ec2.NewDescribeTagsPaginator(c, &ec2.DescribeTagsInput{MaxResults: &size})
			return collect(t, p.HasMorePages, func() (*ec2.DescribeTagsOutput, error) { return p.NextPage(t.Context()) }, func(o *ec2.DescribeTagsOutput) (ids []string) {
				for _, g := range o.Tags {
					ids = append(ids, *g.ResourceId+"="+*g.Key)
				}
				return ids
			})
		},
		"DescribeVpcs": func(t *testing.T, c *ec2.Client, size int32) ([][]string, error) {
			p := ec2.NewDescribeVpcsPaginator(c, &ec2.DescribeVpcsInput{MaxResults: &size})
			return collect(t, p.HasMorePages, func() (*ec2.DescribeVpcsOutput, error) { return p.NextPage(t.Context()) }, func(o *ec2.DescribeVpcsOutput) (ids []string) {
				for _, v := range o.Vpcs {
					ids = append(ids, *v.VpcId)
				}
				return ids
			})
		},
	}
}

// populated returns a cloud with 12 or more of everything that is listed.
func populated(t *testing.T) *awssim.Cloud {
	t.Helper()
	cloud, _ := newCloud(t)
	r := cloud.Account(hub).Region(east)
	for i := range 12 {
		group := must(r.CreateSecurityGroup(t.Context(), fmt.Sprintf("web%d", i), openSSH(), https()))(t)
		if err := r.Tag(t.Context(), group, map[string]string{"team": "red"}); err != nil {
			t.Fatal(err)
		}
		must(r.AttachInterface("", group))(t)
		must(r.CreatePrefixList(t.Context(), fmt.Sprintf("list%d", i), 2))(t)
		must(r.CreateVPC(t.Context(), "10.0.0.0/16"))(t)
	}
	return cloud
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, list := range listings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := ec2Client(populated(t), hub)
			whole, err := list(t, client, 100)
			if err != nil || len(whole) != 1 || len(whole[0]) < 12 {
				t.Fatalf("one page: got %d pages, error %v", len(whole), err)
			}
			pages, err := list(t, client, 5)
			if err != nil {
				t.Fatal(err)
			}
			if want := (len(whole[0]) + 4) / 5; len(pages) != want {
				t.Errorf("pages of five: got %d, want %d", len(pages), want)
			}
			if got := slices.Concat(pages...); !slices.Equal(got, whole[0]) {
				t.Errorf("pages together: got %v, want %v", got, whole[0])
			}
		})
	}
}

func TestPartialPage(t *testing.T) {
	t.Parallel()
	for name, list := range listings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := populated(t)
			client := ec2Client(cloud, hub)
			whole, err := list(t, client, 100)
			if err != nil {
				t.Fatal(err)
			}
			cloud.Inject(awssim.Fault{Kind: awssim.PartialPage, Match: awssim.Match{Operation: name}})
			pages, err := list(t, client, 100)
			wantCode(t, err, "InvalidPaginationToken", 400)
			if want := (len(whole[0]) + 1) / 2; len(pages) != 1 || len(pages[0]) != want {
				t.Errorf("got pages %v, want one of %d", pages, want)
			}
		})
	}
}

func TestPagesWhileOthersWrite(t *testing.T) {
	t.Parallel()
	cloud := populated(t)
	client := ec2Client(cloud, hub)
	first := must(client.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5)}))(t)
	must(client.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("late"), Description: aws.String("late")}))(t)
	seen := map[string]int{}
	for _, g := range first.SecurityGroups {
		seen[*g.GroupId]++
	}
	for token := first.NextToken; token != nil; {
		out := must(client.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5), NextToken: token}))(t)
		for _, g := range out.SecurityGroups {
			seen[*g.GroupId]++
		}
		token = out.NextToken
	}
	for _, g := range cloud.Snapshot().Groups {
		if seen[g.ID] != 1 {
			t.Errorf("group %s: listed %d times, want once", g.Name, seen[g.ID])
		}
	}
}

func TestPageErrors(t *testing.T) {
	t.Parallel()
	cloud := populated(t)
	client := ec2Client(cloud, hub)
	rules := must(client.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{MaxResults: aws.Int32(5)}))(t)
	tests := []struct {
		name string
		in   ec2.DescribeSecurityGroupsInput
		code string
	}{
		{"too_few", ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(4)}, "InvalidParameterValue"},
		{"too_many", ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(1001)}, "InvalidParameterValue"},
		{"nonsense", ec2.DescribeSecurityGroupsInput{NextToken: aws.String("nonsense")}, "InvalidPaginationToken"},
		{"token_of_another_operation", ec2.DescribeSecurityGroupsInput{NextToken: rules.NextToken}, "InvalidPaginationToken"},
		{"unknown_filter", ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("colour"), Values: []string{"red"}}}}, "InvalidParameterValue"},
		{"unknown_permission_filter", ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("ip-permission.colour"), Values: []string{"red"}}}}, "InvalidParameterValue"},
		{"malformed_id", ec2.DescribeSecurityGroupsInput{GroupIds: []string{"web"}}, "InvalidGroupId.Malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := client.DescribeSecurityGroups(t.Context(), &tt.in)
			wantCode(t, err, tt.code, 400)
		})
	}
}
