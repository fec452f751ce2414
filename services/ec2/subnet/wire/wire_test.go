package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/subnet"
	"dera.example/dera/services/ec2/subnet/wire"
)

const (
	ns   = `xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"`
	app  = "subnet-0000000000000000a"
	data = "subnet-0000000000000000b"
)

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: subnet.Name, IDs: ids}
}

// world is an EC2 with two subnets and what a test sets.
type world struct {
	*cloudtest.Server
	public map[string]string
	owner  string
	tables string // "" refuses
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{public: map[string]string{app: "true", data: "false"}, owner: cloudtest.Hub}
	w.Server = cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, w.answer)
	return w
}

func (w *world) answer(a cloudtest.Asked) (int, string) {
	switch a.Operation {
	case "DescribeSubnets":
		out := ""
		for _, id := range []string{app, data} {
			asked := a.Form.Get("Filter.1.Name") == ""
			for k, v := range a.Form {
				asked = asked || strings.HasPrefix(k, "Filter.1.Value") && v[0] == id
			}
			if one := a.Form.Get("SubnetId.1"); one != "" && one != id || !asked {
				continue
			}
			out += `<item><subnetId>` + id + `</subnetId><ownerId>` + w.owner + `</ownerId><vpcId>vpc-1</vpcId><cidrBlock>10.0.0.0/24</cidrBlock><mapPublicIpOnLaunch>` + w.public[id] + `</mapPublicIpOnLaunch></item>`
		}
		if one := a.Form.Get("SubnetId.1"); one != "" && out == "" {
			return 400, `<Response><Errors><Error><Code>InvalidSubnetID.NotFound</Code><Message>The subnet ID '` + one + `' does not exist</Message></Error></Errors></Response>`
		}
		return 200, `<DescribeSubnetsResponse ` + ns + `><subnetSet>` + out + `</subnetSet></DescribeSubnetsResponse>`
	case "DescribeRouteTables":
		if w.tables == "" {
			return 403, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>`
		}
		return 200, `<DescribeRouteTablesResponse ` + ns + `><routeTableSet>` + w.tables + `</routeTableSet></DescribeRouteTablesResponse>`
	case "ModifySubnetAttribute":
		w.public[a.Form.Get("SubnetId")] = a.Form.Get("MapPublicIpOnLaunch.Value")
		return 200, `<ModifySubnetAttributeResponse ` + ns + `><return>true</return></ModifySubnetAttributeResponse>`
	}
	return 501, "no"
}

func table(vpc, association, routes string) string {
	return `<item><vpcId>` + vpc + `</vpcId><associationSet><item>` + association + `</item></associationSet><routeSet>` + routes + `</routeSet></item>`
}

func route(to, through string) string {
	return `<item><destinationCidrBlock>` + to + `</destinationCidrBlock>` + through + `</item>`
}

// TestRoutes: the table of the subnet counts, and else the main one of its VPC; what may stand
// before an internet gateway is told; without a table nothing is known.
func TestRoutes(t *testing.T) {
	t.Parallel()
	own, main := `<main>false</main><subnetId>`+app+`</subnetId>`, `<main>true</main>`
	local, igw := route("10.0.0.0/16", "<gatewayId>local</gatewayId>"), route("0.0.0.0/0", "<gatewayId>igw-1</gatewayId>")
	for name, tc := range map[string]struct {
		tables  string
		want    *subnet.Routes
		foreign bool
	}{
		"own_private":      {table("vpc-1", main, igw) + table("vpc-1", own, local+route("0.0.0.0/0", "<natGatewayId>nat-1</natGatewayId>")), &subnet.Routes{}, false},
		"own_public":       {table("vpc-1", own, local+igw) + table("vpc-1", main, local), &subnet.Routes{Public: []string{"0.0.0.0/0 to igw-1"}}, false},
		"main_public":      {table("vpc-1", main, local+igw), &subnet.Routes{Public: []string{"0.0.0.0/0 to igw-1"}}, false},
		"main_private":     {table("vpc-1", main, local+route("0.0.0.0/0", "<transitGatewayId>tgw-1</transitGatewayId>")), &subnet.Routes{}, false},
		"firewall":         {table("vpc-1", main, route("0.0.0.0/0", "<gatewayId>vpce-1</gatewayId>")), &subnet.Routes{Public: []string{"0.0.0.0/0 to vpce-1"}}, false},
		"appliance":        {table("vpc-1", main, route("0.0.0.0/0", "<networkInterfaceId>eni-1</networkInterfaceId><instanceId>i-1</instanceId>")), &subnet.Routes{Public: []string{"0.0.0.0/0 to eni-1"}}, false},
		"endpoint_of_s3":   {table("vpc-1", main, local+`<item><destinationPrefixListId>pl-1</destinationPrefixListId><gatewayId>vpce-1</gatewayId></item>`), &subnet.Routes{}, false},
		"list_to_internet": {table("vpc-1", main, `<item><destinationPrefixListId>pl-1</destinationPrefixListId><gatewayId>igw-1</gatewayId></item>`), &subnet.Routes{Public: []string{"pl-1 to igw-1"}}, false},
		"ipv6_alone":       {table("vpc-1", main, local+`<item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock><gatewayId>igw-1</gatewayId></item>`), &subnet.Routes{}, false},
		"no_table":         {" ", nil, false},
		"of_another_table": {table("vpc-1", `<main>false</main><subnetId>`+data+`</subnetId>`, local), nil, false},
		"refused":          {"", nil, false},
		"of_another_vpc":   {table("vpc-2", main, local), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.tables = tc.tables
			page, err := w.Read(t.Context(), scope(app), true)
			if tc.foreign {
				if !errors.Is(err, cloud.ErrForeignAnswer) {
					t.Errorf("got %+v, %v, want a foreign answer", page, err)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 || page.Resources[0].Unread != "" {
				t.Fatalf("got %+v, %v", page, err)
			}
			if diff := cmp.Diff(tc.want, page.Resources[0].Config.(*subnet.Subnet).Routes); diff != "" {
				t.Errorf("routes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFind: what another account shares is no business of this one, and only EC2's own word
// makes one missing.
func TestFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page, err := w.Read(t.Context(), scope(), false)
	if err != nil || len(page.Resources) != 2 || !*page.Resources[0].Config.(*subnet.Subnet).MapPublic || *page.Resources[1].Config.(*subnet.Subnet).MapPublic {
		t.Errorf("a sweep: got %+v, %v", page, err)
	}
	page, err = w.Read(t.Context(), scope(data, "subnet-0000000000000000c"), false)
	if err != nil || len(page.Resources) != 1 || !cmp.Equal(page.Missing, []string{"subnet-0000000000000000c"}) {
		t.Errorf("by ID: got %+v, %v", page, err)
	}
	w.owner = cloudtest.Member
	if page, err = w.Read(t.Context(), scope(), false); err != nil || len(page.Resources) != 0 {
		t.Errorf("shared: got %+v, %v, want none", page, err)
	}
	if page, err = w.Read(t.Context(), scope(app), false); !cloud.Is(err, cloud.WrongAccount) {
		t.Errorf("shared, by ID: got %+v, %v", page, err)
	}
}

// TestWrite: the change shows, and so does its undo; what is no value is not sent.
func TestWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page, err := w.Read(t.Context(), scope(app), false)
	if err != nil {
		t.Fatal(err)
	}
	change, err := subnet.Type().Set(page.Resources[0].Config, subnet.MapPublic, false)
	if err != nil {
		t.Fatal(err)
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: subnet.Type().ARN("aws", cloudtest.Hub, cloudtest.East, app), Type: subnet.Name, Changes: []dera.Change{change}}
	for _, step := range []struct {
		op   resource.Operation
		want string
	}{{resource.Of(change), "false"}, {undo, "true"}} {
		if _, err := w.Do(t.Context(), p, step.op, cloudtest.Allow); err != nil || w.public[app] != step.want {
			t.Errorf("got %s, %v, want %s", w.public[app], err, step.want)
		}
	}
	for _, input := range []string{`{"resource":"` + app + `","setting":"map_public_ip_on_launch","value":null}`, `{"resource":"` + app + `","setting":"cidr","value":false}`} {
		if _, err := w.Do(t.Context(), p, resource.Operation{Name: subnet.Modify, Version: 1, Input: []byte(input)}, cloudtest.Allow); err == nil {
			t.Errorf("%s: got no error", input)
		}
	}
	if n := len(w.Sent("ModifySubnetAttribute")); n != 2 {
		t.Errorf("got %d writes, want 2", n)
	}
}
