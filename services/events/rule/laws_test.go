package rule_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/events/rule"
)

// TestLaws holds every control on rules against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: rule.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, rule.Controls())
}
