// Package iam is what the resource types of IAM share: where their events come
// from, and the port that tells what principals use.
package iam

import (
	"context"
	"time"
)

// Source is where IAM's events come from.
const Source = "iam.amazonaws.com"

// PortLedger is the name of the port that tells what principals use, a [Ledger].
const PortLedger = "usage ledger"

// Ledger tells what principals used. One that it leaves out of its answer is
// unknown, and not unused.
type Ledger interface {
	Used(ctx context.Context, principals []string) (map[string]Use, error)
}

// Use is what one principal used in a window of recorded calls.
type Use struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Gaps say why calls of the window may be missing; none for a window that is
	// recorded whole.
	Gaps []string `json:"gaps,omitempty"`
	// Last is when each action was last authorized, by its IAM name.
	Last map[string]time.Time `json:"last,omitempty"`
}
