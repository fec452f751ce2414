package account_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/inspector2/account"
)

// TestLaws holds every control on Inspector against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: account.Type()}.RunAll(t, account.Controls())
}
