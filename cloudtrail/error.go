package cloudtrail

import (
	"errors"
	"fmt"
)

// Why Decode refuses a message. Test with errors.Is; a field that is missing or
// malformed is a *FieldError.
var (
	ErrTooLarge      = errors.New("event is larger than 1 MiB")
	ErrNotJSON       = errors.New("event is not a JSON object")
	ErrDuplicateName = errors.New("event has a member twice")
	ErrNotCloudTrail = errors.New("not a CloudTrail event")
	// ErrOtherEvent is an ErrNotCloudTrail that says plainly what else it is.
	ErrOtherEvent = fmt.Errorf("an event of another kind: %w", ErrNotCloudTrail)
)

// FieldError says which field that dera cannot do without is missing or has a
// value that AWS would not write.
type FieldError struct {
	Field string // as CloudTrail calls it, for example awsRegion
	Value string // "" where the field is missing
}

// Error names the field and quotes the value, shortened.
func (e *FieldError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("event has no %s", e.Field)
	}
	return fmt.Sprintf("event has a malformed %s %q", e.Field, clean(e.Value, 64))
}
