package queue_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/policies/policytest"
	"dera.example/dera/services/sqs/queue"
)

// TestLaws holds every control on queues against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, queue.Type(), func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) }, queue.Controls())
}
