package resource

import (
	"context"
	"slices"
	"time"
)

// PortLedger is the port that tells what principals used, a [Ledger]. Types of
// principals have a part that it fills.
const PortLedger = "usage ledger"

// Ledger tells what principals of an account used. One that it leaves out of its
// answer is unknown, and not unused: the ledger was never fed for the account.
// Principals are named by ARN; arn:PARTITION:iam::ACCOUNT:root of another account
// stands for everybody there. It is safe for concurrent use.
type Ledger interface {
	Used(ctx context.Context, account string, principals []string) (map[string]Use, error)
}

// Use is what is recorded of one principal's calls.
type Use struct {
	// From and To are the window about which something may be concluded. Calls are
	// also those of before.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Gaps say why calls of the window may be missing; none for a window that is
	// recorded whole.
	Gaps []Gap `json:"gaps,omitempty"`
	// Calls are all that is recorded, sorted by source and name.
	Calls []Call `json:"calls,omitempty"`
	// Seen is the last sign of life, denied calls included, and SessionEnd when the
	// last known session ends at the latest; zero for none.
	Seen       time.Time `json:"seen,omitzero"`
	SessionEnd time.Time `json:"session_end,omitzero"`
	// Granted is when the last recorded call changed what the principal may do; zero
	// for none in the window.
	Granted time.Time `json:"granted,omitzero"`
}

// GapOfDataEvents is the kind of the gap that there is wherever not all data events are
// recorded: management events are whole without them.
const GapOfDataEvents = "data-events-not-selected"

// How late records come. CloudTrail delivers log files within minutes, as a rule, and
// they are imported now and then.
const (
	// LateRecords is how long ago a record may have ended at most: one that ended before
	// is stale, and nothing is known of what was called since.
	LateRecords = 24 * time.Hour
	// RecordLag is how long ago a record may have ended, so that what was granted since
	// need not be asked about: an import every hour is as far behind as that.
	RecordLag = 2 * time.Hour
)

// Stale reports whether a record that ends at to says too little of now.
func Stale(to, now time.Time) bool { return now.Sub(to) > LateRecords }

// Missing are the kinds of gaps because of which management events may be missing,
// each once.
func (u Use) Missing() []string {
	var out []string
	for _, g := range u.Gaps {
		if g.Kind != GapOfDataEvents && !slices.Contains(out, g.Kind) {
			out = append(out, g.Kind)
		}
	}
	return out
}

// Gap is something that the record does not cover: its kind as package usage names it,
// and why.
type Gap struct {
	Kind string `json:"kind"`
	Why  string `json:"why"`
}

// Call is one call that a principal made, as CloudTrail names it.
type Call struct {
	Source string `json:"source"` // of the event, for example s3.amazonaws.com
	Name   string `json:"name"`   // for example GetBucketAcl
	// First and Last are of calls that were authorized, and Count is how many; all are
	// zero where each was denied.
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	Count  uint64    `json:"count,omitempty"`
	Denied uint64    `json:"denied,omitempty"`
	// LastDenied is of the last denied call; zero where there is none.
	LastDenied time.Time `json:"last_denied,omitzero"`
	// Resources are ARNs that the calls named; More says that there were others, or
	// calls that named none.
	Resources []string `json:"resources,omitempty"`
	More      bool     `json:"more,omitempty"`
}

// Principal is someone whose permissions a resource decides: the principal itself, or
// one that a policy is attached to.
type Principal struct {
	// ARN is empty where the resource itself is the principal.
	ARN  string
	Name string
	Tags map[string]string
	// Human says that a person may be behind it, as far as is known.
	Human bool
	// Services are those of AWS that may act as it, by the names of trust policies; "*" is
	// anybody.
	Services []string
	// Created is when it was made, and Granted when its permissions were last widened as
	// far as AWS tells; zero where nobody says.
	Created time.Time
	Granted time.Time
	// Use is what is recorded of its calls; nil where nothing is known.
	Use *Use
	// Idle is for how many days what a plan takes was not used, where AWS itself tells; 0
	// where it does not.
	Idle int
	// IdleFrom is from how many days on that counts as unused; 0 with Idle.
	IdleFrom int
}

// ScheduleReads are the IAM actions with which one finds out what AWS starts by the
// clock, and as whom.
func ScheduleReads() []string {
	return []string{
		"backup:GetBackupPlan", "backup:ListBackupPlans", "backup:ListBackupSelections", "backup:ListRestoreTestingPlans",
		"backup:ListRestoreTestingSelections", "events:ListRules", "events:ListTargetsByRule",
		"lambda:GetFunctionConfiguration", "scheduler:GetSchedule", "scheduler:ListSchedules",
	}
}
