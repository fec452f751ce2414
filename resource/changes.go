package resource

import (
	"context"
	"time"

	"dera.example/dera"
)

// PortChanges is the port that tells what dera itself changed, a [Changes].
const PortChanges = "own changes"

// Changes tells when dera last carried out an operation on the resources of a type in a
// place, by ARN, unless that was taken back. It is safe for concurrent use.
type Changes interface {
	Changed(ctx context.Context, at dera.Scope, operation string) (map[dera.ARN]time.Time, error)
}

// PortStages is the port that tells since when something is staged, a [Stages].
const PortStages = "own stages"

// StagesBack is more days than something is staged for.
const StagesBack = 31

// Stages tells when dera last staged something in the resources of a type in a place, by ARN,
// unless that was taken back. It is safe for concurrent use.
type Stages interface {
	Staged(ctx context.Context, at dera.Scope) (map[dera.ARN]Stage, error)
}

// Stage is when something was staged, and what of it was missed since, for people; "" is
// nothing.
type Stage struct {
	At     time.Time
	Missed string
	// From are the ARNs of those from whom it was taken, whose denials were looked for.
	From []string
}
