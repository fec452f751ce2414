package policy

import "dera.example/dera/control"

// Controls are the controls on managed policies.
func Controls() []control.Control { return []control.Control{UnusedPermissions(), Administrator()} }
