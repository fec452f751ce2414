package user

import "dera.example/dera/control"

// Controls are the controls on users: none yet.
func Controls() []control.Control { return nil }
