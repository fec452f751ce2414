package snapshot_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/ec2/snapshot"
)

// TestLaws holds every control on snapshots against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.SharingLaws(snapshot.Kind()).RunAll(t, snapshot.Controls())
}
