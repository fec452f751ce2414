package group

import "dera.example/dera/control"

// Controls are the controls on groups: none yet.
func Controls() []control.Control { return nil }
