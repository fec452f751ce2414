package role

import "dera.example/dera/control"

// Controls are the controls on roles: none yet, they are only read.
func Controls() []control.Control { return nil }
