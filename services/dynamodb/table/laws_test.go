package table_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/dynamodb/table"
	"dera.example/dera/services/policies/policytest"
)

// TestLaws holds every control on DynamoDB tables against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, table.Type(), func(c any) *resourcepolicy.Config { return &c.(*table.Table).Config }, table.Controls(), evidence.SettingsEvidence())
}
