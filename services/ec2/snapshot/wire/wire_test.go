package wire_test

import (
	"testing"

	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/sharing"
	"dera.example/dera/services/ec2/snapshot"
	"dera.example/dera/services/ec2/snapshot/wire"
)

type m = map[string]any

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Sharing{
		Kind: snapshot.Kind(), Wire: wire.Wire(), Service: "ec2", List: "DescribeSnapshots", Attribute: "DescribeSnapshotAttribute", Modify: "ModifySnapshotAttribute",
		IDs: [2]string{"snap-0123456789abcdef0", "snap-1234abcd"}, Token: "NextToken", Absent: "InvalidSnapshot.NotFound",
		Page: func(owner, next string, ids ...string) m {
			list := []m{}
			for _, id := range ids {
				list = append(list, m{"SnapshotId": id, "OwnerId": owner, "VolumeId": "vol-1", "Encrypted": false, "State": "completed"})
			}
			out := m{"Snapshots": list}
			if next != "" {
				out["NextToken"] = next
			}
			return out
		},
		One: func(id string) m { return m{"SnapshotIds": []string{id}} },
		Members: func(id string, members ...string) m {
			list := []m{}
			for _, x := range members {
				if x == sharing.All {
					list = append(list, m{"Group": x})
				} else {
					list = append(list, m{"UserId": x})
				}
			}
			return m{"SnapshotId": id, "CreateVolumePermissions": list}
		},
		// Everybody goes by the group alone: the accounts of the list are not named.
		Change: func(id string, add, remove []string) m {
			in := m{"SnapshotId": id, "Attribute": "createVolumePermission", "DryRun": false, "OperationType": "add"}
			members := add
			if len(remove) > 0 {
				in["OperationType"], members = "remove", remove
			}
			var groups, users []any
			for _, x := range members {
				if x == sharing.All {
					groups = append(groups, x)
				} else {
					users = append(users, x)
				}
			}
			if groups != nil {
				in["GroupNames"] = groups
			}
			if users != nil {
				in["UserIds"] = users
			}
			return in
		},
	}.Run(t)
}
