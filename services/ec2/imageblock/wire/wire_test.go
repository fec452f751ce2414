package wire_test

import (
	"testing"

	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ec2/imageblock"
	"dera.example/dera/services/ec2/imageblock/wire"
)

type m = map[string]any

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Regional{
		Kind: imageblock.Kind(), Wire: wire.Wire(), Service: "ec2", Read: "GetImageBlockPublicAccessState",
		Answer: func(state, manager string) m { return m{"ImageBlockPublicAccessState": state, "ManagedBy": manager} },
		Set:    "EnableImageBlockPublicAccess", SetInput: m{"ImageBlockPublicAccessState": "block-new-sharing", "DryRun": false},
		Unset: "DisableImageBlockPublicAccess", UnsetInput: m{"DryRun": false},
		Uses: "DescribeImages", Used: m{"Images": []m{{"ImageId": "ami-1", "OwnerId": cloudtest.Hub}, {"ImageId": "ami-2", "OwnerId": "999999999999"}}},
		Want: regional.Setting{Region: cloudtest.East, ManagedBy: regional.Account, Uses: []string{"ami-1"}, UsesRead: true},
	}.Run(t)
}
