package wire_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
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
		Own: m{"OwnerIds": []any{"self"}},
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

// TestManagedKey: of a snapshot that is encrypted with the key that AWS manages no list is
// asked for in a sweep, and of another each one is; where the key is not known, all are.
func TestManagedKey(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	const own, other = "arn:aws:kms:us-east-1:111122223333:key/own", "arn:aws:kms:us-east-1:111122223333:key/other"
	for name, tc := range map[string]struct {
		key   moto.Answer
		lists int
	}{
		"known":          {moto.Answer{Output: m{"KeyMetadata": m{"KeyId": "own", "Arn": own, "KeyManager": "AWS"}}}, 2},
		"of_the_account": {moto.Answer{Output: m{"KeyMetadata": m{"KeyId": "own", "Arn": own, "KeyManager": "CUSTOMER"}}}, 4},
		"denied":         {moto.Answer{Error: "AccessDeniedException"}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			list := []m{{"SnapshotId": "snap-3", "OwnerId": cloudtest.Hub, "Encrypted": false}, {"SnapshotId": "snap-4", "OwnerId": cloudtest.Hub, "Encrypted": true, "KmsKeyId": other}}
			for _, id := range []string{"snap-1", "snap-2"} {
				list = append(list, m{"SnapshotId": id, "OwnerId": cloudtest.Hub, "Encrypted": true, "KmsKeyId": own})
			}
			w.On("kms", "DescribeKey", tc.key)
			w.On("ec2", "DescribeSnapshots", moto.Answer{When: m{"SnapshotIds": []string{"snap-1"}}, Output: m{"Snapshots": list[2:3]}}, moto.Answer{Output: m{"Snapshots": list}})
			var answers []moto.Answer
			for _, s := range list {
				id := s["SnapshotId"].(string)
				answers = append(answers, moto.Answer{When: m{"SnapshotId": id}, Output: m{"SnapshotId": id, "CreateVolumePermissions": []m{}}})
			}
			w.On("ec2", "DescribeSnapshotAttribute", answers...)
			c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
			scope := dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: snapshot.Name}
			page, err := c.Read(t.Context(), scope, false)
			if err != nil || len(page.Resources) != 4 {
				t.Fatalf("got %+v, %v", page, err)
			}
			if n, keys := len(w.Calls("DescribeSnapshotAttribute")), len(w.Calls("DescribeKey")); n != tc.lists || keys != 1 {
				t.Errorf("got %d lists and %d keys, want %d and 1", n, keys, tc.lists)
			}
			for _, x := range page.Resources {
				s := x.Config.(*sharing.Shared)
				fixed := tc.lists == 2 && (x.ID == "snap-1" || x.ID == "snap-2")
				if s.With == nil || x.Unread != "" || (s.Fixed != "") != fixed {
					t.Errorf("got %+v, unread %q", s, x.Unread)
				}
			}
			scope.IDs = []string{"snap-1"}
			if _, err := c.Read(t.Context(), scope, true); err != nil || len(w.Calls("DescribeSnapshotAttribute")) != tc.lists+1 {
				t.Errorf("what is named is read: got %d lists, %v", len(w.Calls("DescribeSnapshotAttribute")), err)
			}
		})
	}
}
