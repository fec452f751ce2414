package wire_test

import (
	"testing"

	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ec2/snapshotblock"
	"dera.example/dera/services/ec2/snapshotblock/wire"
)

type m = map[string]any

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Regional{
		Kind: snapshotblock.Kind(), Wire: wire.Wire(), Service: "ec2", Read: "GetSnapshotBlockPublicAccessState",
		Answer: func(state, manager string) m { return m{"State": state, "ManagedBy": manager} },
		Set:    "EnableSnapshotBlockPublicAccess", SetInput: m{"State": "block-all-sharing", "DryRun": false},
		Unset: "DisableSnapshotBlockPublicAccess", UnsetInput: m{"DryRun": false},
		Uses: "DescribeSnapshots", Used: m{"Snapshots": []m{{"SnapshotId": "snap-1", "OwnerId": cloudtest.Hub}, {"SnapshotId": "snap-2", "OwnerId": "999999999999"}}},
		Want: regional.Setting{Region: cloudtest.East, ManagedBy: regional.Account, Uses: []string{"snap-1"}, UsesRead: true},
	}.Run(t)
}
