package role

import "dera.example/dera/control"

// Controls are the controls on roles.
func Controls() []control.Control {
	return []control.Control{UnusedPermissions(), OutdatedCopy(), Administrator(), Escalation(), ExternalTrust(), WeakTrust(), OpenSessions(), Unused(), EmergencyUse(), Access(), Reported()}
}
