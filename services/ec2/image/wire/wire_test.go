package wire_test

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/image"
	"dera.example/dera/services/ec2/image/wire"
)

type m = map[string]any

const (
	own  = "arn:aws:organizations::111111111111:organization/o-abcdefghij"
	unit = "arn:aws:organizations::111111111111:ou/o-abcdefghij/ou-root-1"
	id   = "ami-0123456789abcdef0"
)

func page(owner, next string, ids ...string) m {
	list := []m{}
	for _, id := range ids {
		list = append(list, m{"ImageId": id, "OwnerId": owner, "Name": "shop", "Public": false, "State": "available"})
	}
	out := m{"Images": list}
	if next != "" {
		out["NextToken"] = next
	}
	return out
}

func permissions(members []string) []any {
	list := []any{}
	for _, x := range members {
		switch x {
		case sharing.All:
			list = append(list, m{"Group": x})
		case own:
			list = append(list, m{"OrganizationArn": x})
		case unit:
			list = append(list, m{"OrganizationalUnitArn": x})
		default:
			list = append(list, m{"UserId": x})
		}
	}
	return list
}

func members(id string, members ...string) m {
	return m{"ImageId": id, "LaunchPermissions": permissions(members)}
}

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Sharing{
		Kind: image.Kind(), Wire: wire.Wire(), Service: "ec2", List: "DescribeImages", Attribute: "DescribeImageAttribute", Modify: "ModifyImageAttribute",
		Own: m{"Owners": []any{"self"}},
		IDs: [2]string{id, "ami-1234abcd"}, Token: "NextToken", Absent: "InvalidAMIID.NotFound", Page: page, Members: members,
		One: func(id string) m { return m{"ImageIds": []string{id}} },
		Change: func(id string, add, remove []string) m {
			permission := m{}
			if len(add) > 0 {
				permission["Add"] = permissions(add)
			}
			if len(remove) > 0 {
				permission["Remove"] = permissions(remove)
			}
			return m{"ImageId": id, "DryRun": false, "LaunchPermission": permission}
		},
	}.Run(t)
}

// TestOrganisations: organisations and units are members as accounts are, each under its own
// name.
func TestOrganisations(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	w.On("ec2", "DescribeImages", moto.Answer{Output: page(cloudtest.Hub, "", id)})
	w.On("ec2", "DescribeImageAttribute", moto.Answer{Output: members(id, unit, "222222222222", own)})
	w.On("ec2", "ModifyImageAttribute", moto.Answer{})
	c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
	found, err := c.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: image.Name, IDs: []string{id}}, true)
	if err != nil || len(found.Resources) != 1 {
		t.Fatalf("got %+v, %v", found, err)
	}
	now := found.Resources[0].Config.(*sharing.Shared)
	if want := []string{"222222222222", own, unit}; !slices.Equal(now.With, want) {
		t.Fatalf("got %q, want %q", now.With, want)
	}
	changes, err := image.Kind().Remove(now, []string{own, unit})
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: found.Resources[0].ARN, Type: image.Name, Changes: changes}
	if _, err := c.Do(t.Context(), p, resource.Of(changes[0]), cloudtest.Allow); err != nil {
		t.Fatal(err)
	}
	got := w.Calls("ModifyImageAttribute")[0].Input["LaunchPermission"].(m)["Remove"].([]any)
	if len(got) != 2 || got[0].(m)["OrganizationArn"] != own || got[1].(m)["OrganizationalUnitArn"] != unit {
		t.Errorf("got %v, want that the organisation and the unit go", got)
	}
}
