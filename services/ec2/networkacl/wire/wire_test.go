package wire_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/networkacl"
	"dera.example/dera/services/ec2/networkacl/wire"
)

const id = "acl-0000000000000000a"

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: networkacl.Name, IDs: ids}
}

type world struct {
	*cloudtest.Server
	entries string
}

func newWorld(t *testing.T, entries string) *world {
	t.Helper()
	w := &world{entries: entries}
	w.Server = cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, func(a cloudtest.Asked) (int, string) {
		const ns = ` xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">`
		failure := func(status int, code, message string) (int, string) {
			return status, `<Response><Errors><Error><Code>` + code + `</Code><Message>` + message + `</Message></Error></Errors></Response>`
		}
		switch one := a.Form.Get("NetworkAclId.1"); {
		case a.Form.Get("DryRun") == "true":
			return failure(412, "DryRunOperation", "it would")
		case a.Operation == "DescribeNetworkAcls" && one != "" && one != id:
			return failure(400, "InvalidNetworkAclID.NotFound", "The networkAcl ID '"+one+"' does not exist")
		case a.Operation == "DescribeNetworkAcls":
			text := `<item><networkAclId>` + id + `</networkAclId><ownerId>` + cloudtest.Hub + `</ownerId><vpcId>vpc-1</vpcId><default>false</default><entrySet>` + w.entries +
				`</entrySet><associationSet><item><subnetId>subnet-1</subnetId></item></associationSet></item>`
			if a.Form.Get("Filter.1.Value.1") != "" && a.Form.Get("Filter.1.Value.1") != id {
				text = ""
			}
			return 200, `<DescribeNetworkAclsResponse` + ns + `<networkAclSet>` + text + `</networkAclSet></DescribeNetworkAclsResponse>`
		}
		return 200, `<` + a.Operation + `Response` + ns + `<return>true</return></` + a.Operation + `Response>`
	})
	return w
}

func entry(number, action, egress, rest string) string {
	return `<item><ruleNumber>` + number + `</ruleNumber><ruleAction>` + action + `</ruleAction><egress>` + egress + `</egress>` + rest + `</item>`
}

const ssh = `<protocol>6</protocol><cidrBlock>0.0.0.0/0</cidrBlock><portRange><from>22</from><to>22</to></portRange>`

// TestRead: what comes in counts, in the order of the numbers, but for the last entry; an
// answer that cannot be understood is none.
func TestRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, entry("32767", "deny", "false", `<protocol>-1</protocol><cidrBlock>0.0.0.0/0</cidrBlock>`)+entry("200", "deny", "false", `<protocol>1</protocol><ipv6CidrBlock>::/0</ipv6CidrBlock><icmpTypeCode><type>8</type><code>0</code></icmpTypeCode>`)+
		entry("100", "allow", "false", ssh)+entry("100", "allow", "true", `<protocol>-1</protocol><cidrBlock>0.0.0.0/0</cidrBlock>`))
	page, err := w.Read(t.Context(), scope(), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %+v, %v", page, err)
	}
	number := func(n int32) *int32 { return &n }
	want := &networkacl.ACL{ID: id, VPC: "vpc-1", Subnets: []string{"subnet-1"}, Entries: []networkacl.Entry{
		{Number: 100, Allow: true, Protocol: "6", From: number(22), To: number(22), CIDR: netip.MustParsePrefix("0.0.0.0/0")},
		{Number: 200, Protocol: "1", From: number(8), To: number(0), CIDR: netip.MustParsePrefix("::/0")},
	}}
	if diff := cmp.Diff(want, page.Resources[0].Config, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if page, err = w.Read(t.Context(), scope("acl-0000000000000000b"), true); err != nil || len(page.Resources) != 0 || !slices.Equal(page.Missing, []string{"acl-0000000000000000b"}) {
		t.Errorf("one that is not there: got %+v, %v", page, err)
	}
	for how, text := range map[string]string{
		"no_direction": `<item><ruleNumber>1</ruleNumber><ruleAction>allow</ruleAction></item>`, "neither": entry("1", "perhaps", "false", ssh),
		"no_range": entry("1", "allow", "false", strings.Replace(ssh, "0.0.0.0/0", "x", 1)),
	} {
		w.entries = text
		if page, err := w.Read(t.Context(), scope(id), true); !errors.Is(err, cloud.ErrForeignAnswer) {
			t.Errorf("%s: got %+v, %v, want a foreign answer", how, page, err)
		}
	}
}

// TestWrites: an entry is made as it says and deleted by its number, unless somebody replaced
// it since.
func TestWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, entry("100", "allow", "false", ssh))
	page, err := w.Read(t.Context(), scope(id), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %+v, %v", page, err)
	}
	e := page.Resources[0].Config.(*networkacl.ACL).Entries[0]
	in := networkacl.Input{Resource: id, Entry: e}
	change, err := resource.NewChange(networkacl.Delete, in, e, nil, networkacl.Create, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: networkacl.Type().ARN("aws", cloudtest.Hub, cloudtest.East, id), Type: networkacl.Name, Changes: []dera.Change{change}}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DryRun(t.Context(), p, undo); err != nil {
		t.Errorf("dry run: %v", err)
	}
	for _, op := range []resource.Operation{resource.Of(change), undo} {
		if _, err := w.Do(t.Context(), p, op, cloudtest.Allow); err != nil {
			t.Errorf("%s: %v", op.Name, err)
		}
	}
	if f := w.Sent("DeleteNetworkAclEntry")[0].Form; f.Get("NetworkAclId") != id || f.Get("RuleNumber") != "100" || f.Get("Egress") != "false" {
		t.Errorf("delete: got %v", f)
	}
	if f := w.Sent("CreateNetworkAclEntry")[1].Form; f.Get("RuleNumber") != "100" || f.Get("RuleAction") != "allow" || f.Get("Protocol") != "6" || f.Get("CidrBlock") != "0.0.0.0/0" || f.Get("PortRange.From") != "22" || f.Get("PortRange.To") != "22" {
		t.Errorf("create: got %v", f)
	}
	w.entries = entry("100", "allow", "false", strings.Replace(ssh, "0.0.0.0/0", "10.0.0.0/8", 1))
	if _, err := w.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); !errors.Is(err, cloud.ErrMoved) || len(w.Sent("DeleteNetworkAclEntry")) != 1 {
		t.Errorf("replaced since: got %v and %d deletions, want it to have moved", err, len(w.Sent("DeleteNetworkAclEntry")))
	}
}
