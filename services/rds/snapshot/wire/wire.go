// Package wire reads and writes with whom snapshots of database instances are shared.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"dera.example/dera/cloud"
	"dera.example/dera/control/sharing"
	"dera.example/dera/services/rds/snapshot"
	shared "dera.example/dera/services/rds/wire"
)

// Wire returns how snapshots are read and written: a page of a sweep costs one call, and each
// snapshot on it one more for its list.
func Wire() cloud.Wire {
	t := snapshot.Type()
	o := cloud.Owning{Call: "rds:DescribeDBSnapshots", Page: page, ARN: t.ARN, Absent: []string{"DBSnapshotNotFound", "DBSnapshotNotFoundFault"}}
	return cloud.Wire{
		Type: snapshot.Name, Parts: t.Parts, Operations: t.Operations, Find: o.Find, Sample: o.Sample, Gone: o.Gone, AtOnce: 4, Times: 15,
		Readers:     []cloud.Reader{{Parts: []string{sharing.Part}, Call: "rds:DescribeDBSnapshotAttributes", One: readList}},
		Do:          map[string]func(context.Context, *cloud.Writing) error{snapshot.Modify: modify},
		Answers:     shared.Answers(),
		ConfigRules: []string{"RDS_SNAPSHOTS_PUBLIC_PROHIBITED"},
	}
}

// page asks for manual snapshots alone: the others cannot be shared.
func page(ctx context.Context, r *cloud.Reading, id string, token *string) ([]cloud.Owned, *string, error) {
	in := &rds.DescribeDBSnapshotsInput{SnapshotType: aws.String(shared.Manual), MaxRecords: aws.Int32(shared.PageSize), Marker: token}
	if id != "" {
		in = &rds.DescribeDBSnapshotsInput{SnapshotType: aws.String(shared.Manual), DBSnapshotIdentifier: aws.String(id)}
	}
	out, err := shared.RDS(r).DescribeDBSnapshots(ctx, in)
	if err != nil || out.DBSnapshots == nil {
		return nil, nil, err
	}
	list := []cloud.Owned{}
	for _, d := range out.DBSnapshots {
		x, err := shared.Snapshot(d.DBSnapshotIdentifier, d.DBSnapshotArn, d.Engine, d.Encrypted, d.TagList)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, x)
	}
	return list, out.Marker, nil
}

func readList(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.RDS(r).DescribeDBSnapshotAttributes(ctx, &rds.DescribeDBSnapshotAttributesInput{DBSnapshotIdentifier: aws.String(x.ID)})
	if err == nil && out.DBSnapshotAttributesResult == nil {
		err = cloud.Foreign("it has no attributes")
	}
	if err != nil {
		return err
	}
	var attributes []shared.Attribute
	for _, a := range out.DBSnapshotAttributesResult.DBSnapshotAttributes {
		attributes = append(attributes, shared.Attribute{Name: a.AttributeName, Values: a.AttributeValues})
	}
	return shared.SetList(x, out.DBSnapshotAttributesResult.DBSnapshotIdentifier, attributes)
}

// modify names the members that come and go, and no other.
func modify(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[sharing.Members](w.Operation)
	if err != nil {
		return err
	}
	_, err = rds.NewFromConfig(w.Config).ModifyDBSnapshotAttribute(ctx, &rds.ModifyDBSnapshotAttributeInput{
		DBSnapshotIdentifier: aws.String(in.Resource), AttributeName: aws.String(shared.Restore), ValuesToAdd: in.Add, ValuesToRemove: in.Remove,
	})
	return err
}
