package analyzer_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/accessanalyzer/analyzer"
)

// TestLaws holds every control on analyzers of external access against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: analyzer.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, analyzer.Controls())
}
