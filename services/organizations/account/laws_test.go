package account_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/organizations/account"
)

// TestLaws holds every control on members of organizations against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: account.Type()}.RunAll(t, account.Controls())
}
