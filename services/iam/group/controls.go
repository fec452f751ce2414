package group

import "dera.example/dera/control"

// Controls are the controls on groups.
func Controls() []control.Control {
	return []control.Control{UnusedPermissions(), OutdatedCopy(), Administrator()}
}
