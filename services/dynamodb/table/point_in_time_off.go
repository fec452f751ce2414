package table

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// PointInTimeOff finds tables that cannot be restored to a moment.
func PointInTimeOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Table]{
		Path: "point_in_time_recovery",
		Meta: control.Meta{
			ID: "dynamodb-table-point-in-time-off", Title: "DynamoDB table has point-in-time recovery disabled", Severity: dera.Medium,
			Why:        "What is deleted or overwritten by mistake or by an attacker cannot be restored.",
			Fix:        "Point-in-time recovery is switched on, for 35 days. AWS charges for it by the size of the table; its undo deletes the history.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "it is off", Disposition: dera.Review, Because: "it costs by the size of the table"},
				{When: "the table is not ACTIVE", Disposition: dera.Review, Because: "AWS would refuse it; no plan is made"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "DynamoDB.2", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/dynamodb-controls.html"},
				{Standard: "AWS Config", ID: "DYNAMODB_PITR_ENABLED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/dynamodb-pitr-enabled.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Refuse: (*Table).busy,
		Start: func(*Table, control.Settings) (dera.Disposition, string) {
			return dera.Review, "It costs by the size of the table."
		},
	})
}
