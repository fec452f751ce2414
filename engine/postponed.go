package engine

import (
	"errors"
	"fmt"
	"time"

	"dera.example/dera/remediate"
)

// postponed is the error of a look that was not made, since dera keeps to its share of AWS's calls; nil for every
// other. Such a look tells nothing of its place, not even that it could not be read: it is made later.
func postponed(err error) error {
	var later interface{ Later() time.Time }
	if !errors.As(err, &later) {
		return nil
	}
	return fmt.Errorf("look later: %w", &remediate.LaterError{At: later.Later(), Why: err.Error(), Expected: true})
}
