// Package instance is RDS database instances: their configuration, reads, settings,
// events and controls.
package instance

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Name is the type name of database instances.
const Name = "AWS::RDS::DBInstance"

// Modify is the operation of all settings, by its IAM action.
const Modify = "rds:ModifyDBInstance"

// The settings of an instance.
const (
	Public             = "publicly_accessible"
	DeletionProtection = "deletion_protection"
	MinorUpgrade       = "auto_minor_version_upgrade"
	CopyTags           = "copy_tags_to_snapshot"
	IAMAuth            = "iam_database_authentication"
	BackupDays         = "backup_retention_days"
)

// The parts of an instance.
const (
	PartInstance = "instance"
	PartSources  = "public sources"
)

// Instance is a database instance.
type Instance struct {
	ID                 string `json:"id"`
	Engine             string `json:"engine"`
	Public             *bool  `json:"publicly_accessible,omitempty"`
	DeletionProtection *bool  `json:"deletion_protection,omitempty"`
	MinorUpgrade       *bool  `json:"auto_minor_version_upgrade,omitempty"`
	CopyTags           *bool  `json:"copy_tags_to_snapshot,omitempty"`
	IAMAuth            *bool  `json:"iam_database_authentication,omitempty"`
	BackupDays         *int32 `json:"backup_retention_days,omitempty"` // 0 is no backups
	// Cluster is the cluster that manages the instance, where one does.
	Cluster string   `json:"cluster,omitempty"`
	Groups  []string `json:"groups,omitempty"` // IDs of its security groups
	// Pending are the values that wait for the maintenance window: a change that is
	// applied immediately applies them too.
	Pending []string          `json:"pending,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	Status  string            `json:"status"` // for example available
	// Sources are the public sources that its security groups allow, for a full look,
	// and SourcesUnread says that they are not known.
	Sources       []string `json:"sources,omitempty"`
	SourcesUnread bool     `json:"sources_unread,omitempty"`
}

// Passing reports whether the instance is on its way to another status, so that
// what it says of itself may be different in a minute.
//
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
func (i *Instance) Passing() bool {
	first, _, _ := strings.Cut(i.Status, "-")
	return strings.HasSuffix(first, "ing") || i.Status == "maintenance" || i.Status == "delete-precheck"
}

// Held says why AWS could not change the instance alone now, or nothing.
func (i *Instance) Held() string {
	switch {
	case len(i.Pending) > 0:
		return "it would apply what waits for the maintenance window too: " + strings.Join(i.Pending, ", ")
	case i.Status != "available":
		return "the instance is " + i.Status + ", and AWS changes only one that is available"
	}
	return ""
}

// leastDays are the days that backups must be kept (Security Hub RDS.11).
const leastDays = 7

// denies is what the most secure value of a setting denies. A restart of the instance is no
// denial: AWS makes those of upgrades in the maintenance window.
func denies(within ...resource.Bounds) func(dera.Plan) []resource.Bounds {
	return func(dera.Plan) []resource.Bounds { return within }
}

// Type is database instances.
func Type() resource.Type {
	off, on := []any{true, false}, []any{false, true}
	return resource.Define(resource.Spec[Instance]{
		Name: Name,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "rds", region, account, "db:"+id)
		},
		Identify:  func(i *Instance) (id, name string, tags map[string]string) { return i.ID, i.ID, i.Tags },
		SampleIDs: []string{"shop", "db-1", "Orders-Replica-2"},
		Parts: []resource.Part{
			{Name: PartInstance, Action: "rds:DescribeDBInstances", Cheap: true},
			{Name: PartSources, Action: "ec2:DescribeSecurityGroupRules", Around: true},
		},
		Around: []string{"status", "sources", "sources_unread"},
		Settings: []resource.Setting{
			{Path: Public, Says: "public accessibility", Operation: Modify, Order: off, Terraform: "aws_db_instance.publicly_accessible", CloudFormation: "PubliclyAccessible", Denies: denies(resource.Bounds{Public: true, Why: "the instance is not publicly accessible any more"})},
			{Path: DeletionProtection, Says: "deletion protection", Operation: Modify, Order: on, Terraform: "aws_db_instance.deletion_protection", CloudFormation: "DeletionProtection", Denies: denies(resource.Bounds{Actions: []string{"rds:DeleteDBInstance"}, Error: true, Why: "deletion protection refuses to delete the instance"})},
			{Path: MinorUpgrade, Says: "the automatic upgrade of minor versions", Operation: Modify, Order: on, Terraform: "aws_db_instance.auto_minor_version_upgrade", CloudFormation: "AutoMinorVersionUpgrade", Denies: denies()},
			{Path: CopyTags, Says: "the copying of tags to snapshots", Operation: Modify, Order: on, Terraform: "aws_db_instance.copy_tags_to_snapshot", CloudFormation: "CopyTagsToSnapshot", Denies: denies()},
			{Path: IAMAuth, Says: "IAM database authentication", Operation: Modify, Order: on, Terraform: "aws_db_instance.iam_database_authentication_enabled", CloudFormation: "EnableIAMDatabaseAuthentication", Denies: denies()},
			// Fewer days delete backups, and 0 all of them.
			// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html
			{Path: BackupDays, Says: "the retention of backups in days", Operation: Modify, Final: true, Order: []any{0, 1, 2, 3, 4, 5, 6, leastDays}, Terraform: "aws_db_instance.backup_retention_period", CloudFormation: "BackupRetentionPeriod", Denies: denies()},
		},
		Events: Events(),
		Note:   "AWS applies a change of an instance within minutes; until then it is modifying, and nothing else can be changed.",
	})
}
