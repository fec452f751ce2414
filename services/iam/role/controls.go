package role

import "dera.example/dera/control"

// Controls are the controls on roles.
func Controls() []control.Control {
	return []control.Control{UnusedPermissions(), OutdatedCopy(), ExternalTrust(), WeakTrust(), OpenSessions(), Unused()}
}
