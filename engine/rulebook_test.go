package engine_test

import (
	"slices"

	"dera.example/dera/control"
	"dera.example/dera/services"
)

// rulebook returns the controls of the resource types. The worlds of most tests
// are about security groups, and count every call that is made for these.
func rulebook(types ...string) []control.Control {
	return slices.DeleteFunc(services.Controls(), func(c control.Control) bool { return !slices.Contains(types, c.Type) })
}
