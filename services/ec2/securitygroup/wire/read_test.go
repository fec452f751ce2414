package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"dera.example/dera/services/ec2/securitygroup"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

// Every form of a rule comes out in the one form that controls judge, by a page
// and by a full read alike.
func TestRulesAreNormalised(t *testing.T) {
	t.Parallel()
	four := func(protocol string, from, to *int32, cidr string) types.IpPermission {
		return types.IpPermission{IpProtocol: &protocol, FromPort: from, ToPort: to, IpRanges: []types.IpRange{{CidrIp: &cidr}}}
	}
	n := awssdk.Int32
	tests := []struct {
		name string
		perm types.IpPermission
		want string
	}{
		{name: "tcp", perm: four("tcp", n(22), n(22), "0.0.0.0/0"), want: "tcp 22 from 0.0.0.0/0"},
		{name: "number_of_tcp", perm: four("6", n(22), n(23), "10.0.0.0/8"), want: "tcp 22-23 from 10.0.0.0/8"},
		{name: "number_of_udp", perm: four("17", n(53), n(53), "10.0.0.0/8"), want: "udp 53 from 10.0.0.0/8"},
		{name: "host_bits", perm: four("tcp", n(22), n(22), "100.68.0.18/18"), want: "tcp 22 from 100.68.0.0/18"},
		{name: "all_traffic", perm: four("-1", nil, nil, "0.0.0.0/0"), want: "all traffic from 0.0.0.0/0"},
		{name: "all_traffic_with_ports", perm: four("-1", n(22), n(22), "0.0.0.0/0"), want: "all traffic from 0.0.0.0/0"},
		{name: "icmp_type", perm: four("icmp", n(8), n(-1), "0.0.0.0/0"), want: "icmp type 8 from 0.0.0.0/0"},
		{name: "icmp_type_22_is_no_port", perm: four("icmp", n(22), n(0), "0.0.0.0/0"), want: "icmp type 22 code 0 from 0.0.0.0/0"},
		{name: "icmp_all", perm: four("1", n(-1), n(-1), "0.0.0.0/0"), want: "icmp from 0.0.0.0/0"},
		{name: "other_protocol", perm: four("50", nil, nil, "0.0.0.0/0"), want: "protocol 50 from 0.0.0.0/0"},
		{name: "ipv6", perm: types.IpPermission{IpProtocol: awssdk.String("tcp"), FromPort: n(22), ToPort: n(22),
			Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: awssdk.String("2001:DB8::/32")}}}, want: "tcp 22 from 2001:db8::/32"},
		{name: "icmpv6", perm: types.IpPermission{IpProtocol: awssdk.String("58"), FromPort: n(-1), ToPort: n(-1),
			Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: awssdk.String("::/0")}}}, want: "icmpv6 from ::/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			id := f.group(t, "web")
			f.authorize(t, id, tt.perm)
			g := f.one(t, id)
			if len(g.Ingress) != 1 || g.Ingress[0].Line() != tt.want || g.Ingress[0].ID == "" {
				t.Errorf("full read: got %+v, want %q with its ID", g.Ingress, tt.want)
			}
			page, err := f.Read(t.Context(), scopeOf(), false)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Resources {
				short := r.Config.(*securitygroup.Group)
				if short.ID == id && (len(short.Ingress) != 1 || short.Ingress[0].Line() != tt.want || r.Full) {
					t.Errorf("page: got %+v, want %q, not full", short.Ingress, tt.want)
				}
			}
		})
	}
}

func TestSourcesThatAreNoRanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	list, err := f.Home.CreatePrefixList(t.Context(), "offices", 10, "203.0.113.0/24", "198.51.100.7/32")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := f.Cloud.Account(cloudtest.Member).Region(cloudtest.East).CreateSecurityGroup(t.Context(), "theirs")
	if err != nil {
		t.Fatal(err)
	}
	id := f.group(t, "web")
	own := f.group(t, "own")
	port := func(group types.UserIdGroupPair) types.IpPermission {
		return types.IpPermission{IpProtocol: awssdk.String("tcp"), FromPort: awssdk.Int32(22), ToPort: awssdk.Int32(22), UserIdGroupPairs: []types.UserIdGroupPair{group}}
	}
	f.authorize(t, id,
		types.IpPermission{IpProtocol: awssdk.String("tcp"), FromPort: awssdk.Int32(22), ToPort: awssdk.Int32(22), PrefixListIds: []types.PrefixListId{{PrefixListId: &list}}},
		port(types.UserIdGroupPair{GroupId: &own}), port(types.UserIdGroupPair{GroupId: &theirs, UserId: awssdk.String(cloudtest.Member)}))
	var lines []string
	for _, r := range f.one(t, id).Ingress {
		lines = append(lines, r.Line())
		if r.PrefixList != nil && (!r.PrefixList.Known || len(r.PrefixList.Entries) != 2 || r.PrefixList.MaxEntries != 10) {
			t.Errorf("prefix list: got %+v, want 2 known entries of at most 10", r.PrefixList)
		}
	}
	slices.Sort(lines)
	want := []string{"tcp 22 from " + cloudtest.Member + "/" + theirs, "tcp 22 from " + list, "tcp 22 from " + own}
	slices.Sort(want)
	if !slices.Equal(lines, want) {
		t.Errorf("rules: got %q, want %q", lines, want)
	}
	// Entries that may not be read are unknown, not empty; other errors are errors.
	denied := f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: "GetManagedPrefixListEntries"}, Kind: awssim.Denied})
	for _, r := range f.one(t, id).Ingress {
		if r.PrefixList != nil && (r.PrefixList.Known || len(r.PrefixList.Entries) > 0) {
			t.Errorf("denied prefix list: got %+v, want unknown", r.PrefixList)
		}
	}
	denied.Remove()
	f.Wire.Answer = func(form url.Values) *http.Response {
		if form.Get("Action") == "GetManagedPrefixListEntries" {
			return cloudtest.Failure(400, "InvalidParameterValue", "x")
		}
		return nil
	}
	page, err := f.Read(t.Context(), scopeOf(id, own), true)
	if err != nil || len(page.Resources) != 2 {
		t.Fatalf("failed prefix list: got %+v, %v, want both groups", page, err)
	}
	for _, r := range page.Resources {
		if got := r.Unread != ""; got != (r.ID == id) {
			t.Errorf("failed prefix list: group %s is unread: %q, want only the one that uses the list", r.Name, r.Unread)
		}
	}
	if _, err := f.ReadAgain(t.Context(), scopeOf(id)); err == nil {
		t.Error("a read for a remediation: got no error")
	}
}

// A rule of a kind that nobody knows yet does not hide its group or the others.
func TestRuleWithoutAKnownSourceIsUnknown(t *testing.T) {
	t.Parallel()
	g := groupReader{Reading: &cloud.Reading{Scope: scopeOf()}}
	r := g.rule(types.SecurityGroupRule{SecurityGroupRuleId: awssdk.String("sgr-1"), IpProtocol: awssdk.String("tcp"), FromPort: awssdk.Int32(22), ToPort: awssdk.Int32(22)})
	if len(securitygroup.Unknown([]securitygroup.Rule{r})) != 1 {
		t.Errorf("got %+v, want a rule whose source is unknown", r)
	}
	list := g.permissions([]types.IpPermission{{IpProtocol: awssdk.String("tcp"), IpRanges: []types.IpRange{{CidrIp: awssdk.String("nonsense")}, {CidrIp: awssdk.String("10.0.0.0/8")}}}})
	if len(list) != 2 || len(securitygroup.Unknown(list)) != 1 {
		t.Errorf("got %+v, want one unknown and one known rule", list)
	}
}

// Groups are asked for by 200 in a filter, and one that does not come back by its
// own ID: only the service's own answer makes it missing.
func TestReadByID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	var ids []string
	for i := range 401 {
		ids = append(ids, f.group(t, fmt.Sprintf("g-%d", i)))
	}
	page, err := f.Read(t.Context(), scopeOf(append(slices.Clone(ids), "sg-0123456789abcdef0", "sg-not!an!id", "")...), true)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Resources) != 401 || !slices.Equal(page.Missing, []string{"sg-0123456789abcdef0", "sg-not!an!id", ""}) {
		t.Errorf("got %d groups and %q missing, want 401 and the 3 that cannot be", len(page.Resources), page.Missing)
	}
	for _, form := range f.Wire.Sent("DescribeSecurityGroups") {
		if form.Get("Filter.1.Value.201") != "" {
			t.Error("a filter holds more than 200 values")
		}
	}
	if n := len(f.Wire.Sent("DescribeSecurityGroupRules")); n != 3 {
		t.Errorf("reads of rules: got %d, want 3 for 401 groups", n)
	}
	for _, r := range page.Resources {
		if !r.Full || r.Key() != "aws/"+cloudtest.Hub+"/"+cloudtest.East+"/arn:aws:ec2:us-east-1:"+cloudtest.Hub+":security-group/"+r.ID {
			t.Errorf("resource: got key %q, full %t", r.Key(), r.Full)
			break
		}
	}
}

// A read that fails in any part tells nothing, rather than half.
func TestFailedPartFailsTheRead(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"DescribeSecurityGroups", "DescribeSecurityGroupRules", "DescribeNetworkInterfaces"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			id := f.group(t, "web", ssh())
			f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: op}, Kind: awssim.Denied})
			page, err := f.Read(t.Context(), scopeOf(id), true)
			if !cloud.Is(err, cloud.Denied) || len(page.Resources) > 0 || len(page.Missing) > 0 {
				t.Errorf("got %+v, %v, want nothing and a denial", page, err)
			}
		})
	}
	// Neither there nor not there.
	f := newFixture(t, nil)
	f.Wire.Answer = func(form url.Values) *http.Response {
		if form.Get("Action") == "DescribeSecurityGroups" {
			return cloudtest.Answer(200, `<DescribeSecurityGroupsResponse><securityGroupInfo/></DescribeSecurityGroupsResponse>`)
		}
		return nil
	}
	page, err := f.Read(t.Context(), scopeOf("sg-0123456789abcdef0"), true)
	if err != nil || len(page.Missing) > 0 || len(page.Resources) != 1 || page.Resources[0].Unread == "" {
		t.Errorf("an empty answer: got %+v, %v, want a group that is not known: it is no not-found", page, err)
	}
}
