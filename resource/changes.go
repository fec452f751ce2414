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
