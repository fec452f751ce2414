package resource_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// TestWhatACustomFixTookIsNotKnown: whoever asks what denied a call hears that, and no no.
func TestWhatACustomFixTookIsNotKnown(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{dera.StartAutomation, dera.InvokeFunction} {
		c := dera.Change{Operation: operation, Version: 1}
		if got, err := (resource.Type{Name: "x"}).Taken(dera.Plan{Changes: []dera.Change{c}}, c); err == nil || !strings.Contains(err.Error(), "custom fix") {
			t.Errorf("%s: got %+v, %v, want that it is not known", operation, got, err)
		}
	}
}
