// Package wire reads and writes with whom snapshots of database clusters are shared.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"dera.example/dera/cloud"
	"dera.example/dera/control/sharing"
	"dera.example/dera/services/rds/clustersnapshot"
	shared "dera.example/dera/services/rds/wire"
)

// Wire returns how snapshots are read and written: a page of a sweep costs one call, and each
// snapshot on it one more for its list.
func Wire() cloud.Wire {
	t := clustersnapshot.Type()
	o := cloud.Owning{Call: "rds:DescribeDBClusterSnapshots", Page: page, ARN: t.ARN, Absent: []string{"DBClusterSnapshotNotFound", "DBClusterSnapshotNotFoundFault"}}
	return cloud.Wire{
		Type: clustersnapshot.Name, Parts: t.Parts, Operations: t.Operations, Find: o.Find, Sample: o.Sample, Gone: o.Gone, AtOnce: 4, Times: 15,
		Readers:     []cloud.Reader{{Parts: []string{sharing.Part}, Call: "rds:DescribeDBClusterSnapshotAttributes", One: readList}},
		Do:          map[string]func(context.Context, *cloud.Writing) error{clustersnapshot.Modify: modify},
		Answers:     shared.Answers(),
		ConfigRules: []string{"DOCDB_CLUSTER_SNAPSHOT_PUBLIC_PROHIBITED", "NEPTUNE_CLUSTER_SNAPSHOT_PUBLIC_PROHIBITED"},
	}
}

// page asks for manual snapshots alone: the others cannot be shared.
func page(ctx context.Context, r *cloud.Reading, id string, token *string) ([]cloud.Owned, *string, error) {
	in := &rds.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String(shared.Manual), MaxRecords: aws.Int32(shared.PageSize), Marker: token}
	if id != "" {
		in = &rds.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String(shared.Manual), DBClusterSnapshotIdentifier: aws.String(id)}
	}
	out, err := shared.RDS(r).DescribeDBClusterSnapshots(ctx, in)
	if err != nil || out.DBClusterSnapshots == nil {
		return nil, nil, err
	}
	list := []cloud.Owned{}
	for _, d := range out.DBClusterSnapshots {
		x, err := shared.Snapshot(d.DBClusterSnapshotIdentifier, d.DBClusterSnapshotArn, d.Engine, d.StorageEncrypted, d.TagList)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, x)
	}
	return list, out.Marker, nil
}

func readList(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.RDS(r).DescribeDBClusterSnapshotAttributes(ctx, &rds.DescribeDBClusterSnapshotAttributesInput{DBClusterSnapshotIdentifier: aws.String(x.ID)})
	if err == nil && out.DBClusterSnapshotAttributesResult == nil {
		err = cloud.Foreign("it has no attributes")
	}
	if err != nil {
		return err
	}
	var attributes []shared.Attribute
	for _, a := range out.DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes {
		attributes = append(attributes, shared.Attribute{Name: a.AttributeName, Values: a.AttributeValues})
	}
	return shared.SetList(x, out.DBClusterSnapshotAttributesResult.DBClusterSnapshotIdentifier, attributes)
}

// modify names the members that come and go, and no other.
func modify(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[sharing.Members](w.Operation)
	if err != nil {
		return err
	}
	_, err = rds.NewFromConfig(w.Config).ModifyDBClusterSnapshotAttribute(ctx, &rds.ModifyDBClusterSnapshotAttributeInput{
		DBClusterSnapshotIdentifier: aws.String(in.Resource), AttributeName: aws.String(shared.Restore), ValuesToAdd: in.Add, ValuesToRemove: in.Remove,
	})
	return err
}
