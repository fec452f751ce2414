package instance

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Events are the calls after which an instance may be different. AWS Config has
// instances by another ID than calls do.
//
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Operations.html
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type: Name,
		Calls: cloudtrail.Calls("rds.amazonaws.com", find,
			"CreateDBInstance", "CreateDBInstanceReadReplica", "RestoreDBInstanceFromDBSnapshot", "RestoreDBInstanceFromS3", "RestoreDBInstanceToPointInTime",
			"ModifyDBInstance", "DeleteDBInstance", "StartDBInstance", "StopDBInstance", "RebootDBInstance", "PromoteReadReplica", "SwitchoverReadReplica",
			"AddTagsToResource", "RemoveTagsFromResource"),
		Config: []cloudtrail.Configured{{Type: Name, Find: func(r cloudtrail.Record, _ string) []dera.Scope { return r.Sweep(Name) }}},
	}
}

// find finds the instances that a call names, under their old and new names.
func find(c cloudtrail.Call) []dera.Scope {
	var ids []string
	for _, id := range []string{
		c.Parameters.Text("dBInstanceIdentifier"), c.Parameters.Text("targetDBInstanceIdentifier"), c.Parameters.Text("newDBInstanceIdentifier"),
		c.Answer.Text("dBInstanceIdentifier"),
	} {
		if id != "" {
			ids = append(ids, strings.ToLower(id)) // RDS stores them so
		}
	}
	if name := c.Parameters.Text("resourceName"); name != "" { // of tags: an ARN, of anything
		_, id, ok := strings.Cut(name, ":db:")
		if !ok {
			return nil
		}
		ids = append(ids, strings.ToLower(id))
	}
	return c.Scopes(Name, ids)
}
