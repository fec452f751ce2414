package wire_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ec2/vpcblock"
	"dera.example/dera/services/ec2/vpcblock/wire"
)

type m = map[string]any

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Regional{
		Kind: vpcblock.Kind(), Wire: wire.Wire(), Service: "ec2", Read: "DescribeVpcBlockPublicAccessOptions",
		Answer: func(state, manager string) m {
			return m{"VpcBlockPublicAccessOptions": m{"InternetGatewayBlockMode": state, "ManagedBy": manager, "State": "update-complete"}}
		},
		Want: regional.Setting{Region: cloudtest.East, ManagedBy: regional.Account},
	}.Run(t)
}

// TestChanging: a mode that is on its way is unknown.
func TestChanging(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	w.On("ec2", "DescribeVpcBlockPublicAccessOptions", moto.Answer{Output: m{"VpcBlockPublicAccessOptions": m{"InternetGatewayBlockMode": "off", "State": "update-in-progress"}}})
	c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
	page, err := c.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: vpcblock.Name}, true)
	if err != nil || len(page.Resources) != 1 || page.Resources[0].Unread == "" {
		t.Errorf("got %+v, %v, want that it is unread", page, err)
	}
}
