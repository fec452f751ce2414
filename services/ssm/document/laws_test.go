package document_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/ssm/document"
)

// TestLaws holds every control on documents against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.SharingLaws(document.Kind()).RunAll(t, document.Controls())
}
