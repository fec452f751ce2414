package topic_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/policies/policytest"
	"dera.example/dera/services/sns/topic"
)

// TestLaws holds every control on SNS topics against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, topic.Type(), func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) }, topic.Controls())
}
