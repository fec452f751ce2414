// Package clustersnapshot is manual snapshots of database clusters (Aurora, RDS, DocumentDB, Neptune) of an account: with whom they are shared,
// events and controls. Automated ones cannot be shared, and those of AWS Backup not by RDS.
package clustersnapshot

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
	"dera.example/dera/services/rds"
)

// Name is the type name. CloudFormation has no such type; this one is AWS Config's and
// Security Hub's.
const Name = "AWS::RDS::DBClusterSnapshot"

// Modify is the write of the attribute, by its IAM action.
const Modify = "rds:ModifyDBClusterSnapshotAttribute"

// Kind is snapshots of database clusters (Aurora, RDS, DocumentDB, Neptune).
//
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html
func Kind() sharing.Kind {
	return sharing.Kind{
		Name: Name,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "rds", region, account, "cluster-snapshot:"+id)
		},
		SampleIDs: []string{"before-upgrade", "shop-1", "orders-2026-11"},
		Events:    Events(),
		Reads:     []string{"rds:DescribeDBClusterSnapshotAttributes", "rds:DescribeDBClusterSnapshots"},
		Modify:    Modify,
		Uses:      []string{"rds:RestoreDBClusterFromSnapshot", "rds:CopyDBClusterSnapshot", "rds:DescribeDBClusterSnapshot*"},
		Note:      "Databases that others restored from the snapshot and copies that they took of it stay theirs.",
	}
}

// Type is snapshots of database clusters (Aurora, RDS, DocumentDB, Neptune).
func Type() resource.Type { return Kind().Type() }

// Events are the calls after which a snapshot may be shared otherwise, and what Access
// Analyzer finds. A new one is nobody else's, also where it is a copy.
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type:   Name,
		Calls:  cloudtrail.Calls(rds.Source, rds.Named(Name, "dBClusterSnapshotIdentifier"), "ModifyDBClusterSnapshotAttribute", "DeleteDBClusterSnapshot"),
		Config: []cloudtrail.Configured{{Type: Name, Find: func(r cloudtrail.Record, _ string) []dera.Scope { return r.Sweep(Name) }}},
		Analyzed: func(r cloudtrail.Record, id string) []dera.Scope {
			return r.Scopes(Name, []string{strings.TrimPrefix(id, "cluster-snapshot:")})
		},
	}
}

func names() rds.Names {
	return rds.Names{Type: "clustersnapshot", Of: "Snapshot of a cluster of Aurora, DocumentDB, Neptune or RDS", Refs: []control.Ref{
		{Standard: "Security Hub", ID: "RDS.1", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html"},
		{Standard: "AWS Config", ID: "RDS_SNAPSHOTS_PUBLIC_PROHIBITED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/rds-snapshots-public-prohibited.html"},
		{Standard: "Security Hub", ID: "DocumentDB.3", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/documentdb-controls.html"},
		{Standard: "Security Hub", ID: "Neptune.3", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/neptune-controls.html"},
	}}
}

// Controls are the controls on snapshots of database clusters (Aurora, RDS, DocumentDB, Neptune).
func Controls() []control.Control { return []control.Control{Public(), ExternalAccess()} }

// Public finds those that every account of AWS can restore.
func Public() control.Control { return rds.Public(Kind(), names()) }

// ExternalAccess finds those that are shared with accounts that nobody declared.
func ExternalAccess() control.Control { return rds.External(Kind(), names()) }
