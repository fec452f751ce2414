package image_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/ec2/image"
)

// TestLaws holds every control on images against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.SharingLaws(image.Kind()).RunAll(t, image.Controls())
}
