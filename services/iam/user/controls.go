package user

import "dera.example/dera/control"

// Controls are the controls on users.
func Controls() []control.Control {
	return []control.Control{UnusedPermissions(), OutdatedCopy(), Administrator(), Escalation(), DirectPolicies(), EmergencyUse(), Access()}
}
