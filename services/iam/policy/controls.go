package policy

import "dera.example/dera/control"

// Controls are the controls on managed policies: none yet.
func Controls() []control.Control { return nil }
