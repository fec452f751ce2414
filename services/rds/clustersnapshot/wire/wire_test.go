package wire_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/sharing"
	"dera.example/dera/services/rds/clustersnapshot"
	"dera.example/dera/services/rds/clustersnapshot/wire"
)

type m = map[string]any

func page(owner, next string, ids ...string) m {
	list := []m{}
	for _, id := range ids {
		list = append(list, m{
			"DBClusterSnapshotIdentifier": id, "DBClusterSnapshotArn": "arn:aws:rds:us-east-1:" + owner + ":cluster-snapshot:" + id,
			"Engine": "docdb", "StorageEncrypted": false, "SnapshotType": "manual",
		})
	}
	out := m{"DBClusterSnapshots": list}
	if next != "" {
		out["Marker"] = next
	}
	return out
}

func members(id string, list ...string) m {
	values := append([]string{}, list...)
	return m{"DBClusterSnapshotAttributesResult": m{"DBClusterSnapshotIdentifier": id, "DBClusterSnapshotAttributes": []m{{"AttributeName": "restore", "AttributeValues": values}}}}
}

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Sharing{
		Kind: clustersnapshot.Kind(), Wire: wire.Wire(), Service: "rds", List: "DescribeDBClusterSnapshots", Attribute: "DescribeDBClusterSnapshotAttributes", Modify: "ModifyDBClusterSnapshotAttribute",
		Own: m{"SnapshotType": "manual"},
		IDs: [2]string{"before-upgrade", "shop-1"}, Token: "Marker", Absent: "DBClusterSnapshotNotFoundFault", Status: 404, Page: page, Members: members,
		// An automated snapshot is not asked for: it cannot be shared.
		One: func(id string) m { return m{"DBClusterSnapshotIdentifier": id, "SnapshotType": "manual"} },
		Change: func(id string, add, remove []string) m {
			in := m{"DBClusterSnapshotIdentifier": id, "AttributeName": "restore"}
			if len(add) > 0 {
				in["ValuesToAdd"] = values(add)
			}
			if len(remove) > 0 {
				in["ValuesToRemove"] = values(remove)
			}
			return in
		},
	}.Run(t)
}

func values(list []string) (out []any) {
	for _, x := range list {
		out = append(out, x)
	}
	return out
}

// TestAttributes: an answer that leaves out the attribute restore does not say that the
// snapshot is private, and the engine is part of what is read.
func TestAttributes(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	w.On("rds", "DescribeDBClusterSnapshots", moto.Answer{Output: page(cloudtest.Hub, "", "shop-1")})
	w.On("rds", "DescribeDBClusterSnapshotAttributes", moto.Answer{Output: m{"DBClusterSnapshotAttributesResult": m{"DBClusterSnapshotIdentifier": "shop-1", "DBClusterSnapshotAttributes": []m{{"AttributeName": "other", "AttributeValues": []string{}}}}}},
		moto.Answer{Output: members("shop-1")})
	c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
	scope := dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: clustersnapshot.Name, IDs: []string{"shop-1"}}
	if found, err := c.Read(t.Context(), scope, true); err == nil {
		t.Errorf("without the attribute: got %+v", found)
	}
	found, err := c.Read(t.Context(), scope, true)
	if err != nil || len(found.Resources) != 1 || found.Resources[0].Config.(*sharing.Shared).Of != "docdb" {
		t.Errorf("got %+v, %v, want one of docdb", found, err)
	}
}
