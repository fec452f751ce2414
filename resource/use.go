package resource

import (
	"context"
	"time"
)

// PortLedger is the port that tells what principals used, a [Ledger]. Types of
// principals have a part that it fills.
const PortLedger = "usage ledger"

// Ledger tells what principals of an account used. One that it leaves out of its
// answer is unknown, and not unused.
type Ledger interface {
	Used(ctx context.Context, account string, principals []string) (map[string]Use, error)
}

// Use is what one principal used in a window of recorded calls.
type Use struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Gaps say why calls of the window may be missing; none for a window that is
	// recorded whole.
	Gaps []string `json:"gaps,omitempty"`
	// Last is when each call was last authorized, by the names that CloudTrail has for
	// service and call, for example s3:GetBucketAcl.
	Last map[string]time.Time `json:"last,omitempty"`
}
