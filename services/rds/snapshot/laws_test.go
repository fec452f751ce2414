package snapshot_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/rds/snapshot"
)

// TestLaws holds every control on snapshots of database instances against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.SharingLaws(snapshot.Kind()).RunAll(t, snapshot.Controls())
}
