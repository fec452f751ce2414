package wire_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/instance"
)

func nic(id, private, public, owner string) string {
	return `<item><networkInterfaceId>` + id + `</networkInterfaceId><privateIpAddressesSet><item><privateIpAddress>` + private + `</privateIpAddress><association><publicIp>` + public +
		`</publicIp><ipOwnerId>` + owner + `</ipOwnerId></association></item><item><privateIpAddress>10.0.0.99</privateIpAddress></item></privateIpAddressesSet></item>`
}

func eip(public, eni, private string) string {
	return `<item><publicIp>` + public + `</publicIp><allocationId>eipalloc-1</allocationId><associationId>eipassoc-1</associationId><instanceId>` + web +
		`</instanceId><networkInterfaceId>` + eni + `</networkInterfaceId><privateIpAddress>` + private + `</privateIpAddress></item>`
}

// TestAddresses: an address that AWS assigned is told from an Elastic IP address; where the
// addresses are not read, or say something else, the allocation is not known.
func TestAddresses(t *testing.T) {
	t.Parallel()
	elastic := nic("eni-1", "10.0.0.7", "203.0.113.7", account)
	own := instance.Address{Public: "203.0.113.7", Allocation: "eipalloc-1", Interface: "eni-1", Private: "10.0.0.7"}
	unknown := own
	unknown.Allocation = ""
	for name, tc := range map[string]struct {
		instance, list string // list: "" refuses
		elastic        []instance.Address
		assigned       []string
		foreign        bool
	}{
		"elastic":            {elastic, eip("203.0.113.7", "eni-1", "10.0.0.7"), []instance.Address{own}, nil, false},
		"not_read":           {elastic, "", []instance.Address{unknown}, nil, false},
		"moved_meanwhile":    {elastic, eip("203.0.113.7", "eni-2", "10.0.0.7"), []instance.Address{unknown}, nil, false},
		"not_there_any_more": {elastic, " ", []instance.Address{unknown}, nil, false},
		"of_another":         {elastic, eip("203.0.113.9", "eni-1", "10.0.0.7"), nil, nil, true},
		"assigned":           {nic("eni-1", "10.0.0.7", "198.51.100.3", "amazon"), "", nil, []string{"198.51.100.3"}, false},
		"of_no_owner":        {nic("eni-1", "10.0.0.7", "198.51.100.3", ""), "", nil, []string{"198.51.100.3"}, false},
		"both": {elastic + nic("eni-2", "10.0.1.7", "198.51.100.3", "amazon"), eip("203.0.113.7", "eni-1", "10.0.0.7"),
			[]instance.Address{own}, []string{"198.51.100.3"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.instances[web] = running + v1 + `<sourceDestCheck>false</sourceDestCheck><networkInterfaceSet>` + tc.instance + `</networkInterfaceSet>`
			w.write = func(a cloudtest.Asked) (int, string) {
				if a.Operation != "DescribeAddresses" || tc.list == "" {
					return 403, failure("UnauthorizedOperation", "no")
				}
				return 200, `<DescribeAddressesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><addressesSet>` + tc.list + `</addressesSet></DescribeAddressesResponse>`
			}
			page, err := w.Read(t.Context(), scope(web), true)
			if tc.foreign {
				if !errors.Is(err, cloud.ErrForeignAnswer) {
					t.Errorf("got %+v, %v, want a foreign answer", page, err)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			c := page.Resources[0].Config.(*instance.Instance)
			if diff := cmp.Diff(tc.elastic, c.Elastic); diff != "" || !cmp.Equal(tc.assigned, c.Assigned) || !c.Forwards {
				t.Errorf("got %v, %v (-want +got):\n%s", c.Assigned, c.Forwards, diff)
			}
		})
	}
}

// TestAddressWrites: the address is taken off by its association, and put back on the same
// interface, never away from something else.
func TestAddressWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write = func(a cloudtest.Asked) (int, string) {
		if a.Form.Get("DryRun") == "true" {
			return 412, failure("DryRunOperation", "it would")
		}
		return 200, `<` + a.Operation + `Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><return>true</return></` + a.Operation + `Response>`
	}
	own := instance.Address{Public: "203.0.113.7", Allocation: "eipalloc-1", Interface: "eni-1", Private: "10.0.0.7"}
	i := &instance.Instance{ID: web, Elastic: []instance.Address{own}, Associations: map[string]string{"eipalloc-1": "eipassoc-1"}}
	change, err := i.TakeOff(own)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: account, Region: region, Resource: instance.Type().ARN("aws", account, region, web), Type: instance.Name, Changes: []dera.Change{change}}
	if err := w.DryRun(t.Context(), p, resource.Of(change)); err != nil {
		t.Fatal(err)
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []resource.Operation{resource.Of(change), undo} {
		if _, err := w.Do(t.Context(), p, op, cloudtest.Allow); err != nil {
			t.Fatal(err)
		}
	}
	if off := w.Sent("DisassociateAddress")[1].Form; off.Get("AssociationId") != "eipassoc-1" {
		t.Errorf("off: got %v", off)
	}
	if on := w.Sent("AssociateAddress")[0].Form; on.Get("AllocationId") != "eipalloc-1" || on.Get("NetworkInterfaceId") != "eni-1" || on.Get("PrivateIpAddress") != "10.0.0.7" || on.Get("AllowReassociation") != "false" {
		t.Errorf("back: got %v", on)
	}
}
