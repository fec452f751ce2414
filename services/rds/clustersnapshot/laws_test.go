package clustersnapshot_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/rds/clustersnapshot"
)

// TestLaws holds every control on snapshots of database clusters (Aurora, RDS, DocumentDB, Neptune) against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.SharingLaws(clustersnapshot.Kind()).RunAll(t, clustersnapshot.Controls())
}
