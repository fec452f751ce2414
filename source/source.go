// Package source is where events come from: a queue that EventBridge fills with
// CloudTrail records and with the compliance changes of AWS Config, a
// schedule of sweeps, recorded CloudTrail files. Whatever arrives is only a hint
// where to look; nothing here is taken for a fact about a resource.
//
// A source hands over one Delivery at a time and forgets it only after the
// handler returned nil: the handler commits, so an acknowledged event is a
// committed one (invariant I8) and a lost process loses no hint. Layer: imports
// the words and cloudtrail; fetching is a port.
package source

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"dera.example/dera"
)

// Handler takes a delivery over and commits it. After an error the same events
// come again, perhaps in other company: it must bear repetition. Its context
// outlives the end of the source, so that a batch in hand is finished.
type Handler func(ctx context.Context, d Delivery) error

// Delivery is what one batch of messages came to.
type Delivery struct {
	Source string // the name of the source, for example sqs or sweep
	At     time.Time
	// Events are the hints, one for each scope key, the newest.
	Events []dera.Event
	// Older are hints for the same scopes as Events that came before these: who
	// else wrote there.
	Older []dera.Event
	// Kept are messages that a person should see: unreadable ones and those of
	// accounts that dera does not cover.
	Kept   []Kept
	Counts Counts
	// Raw are all messages of a queue as they came, whatever they are worth as
	// hints, where Authenticated says that only our rules can write to that queue.
	Raw           [][]byte
	Authenticated bool
	// Heard is the time of the newest call by CloudTrail of each covered place. What other services
	// found is no sign that a place's calls are delivered.
	Heard map[BackfillPlace]time.Time
	// Kinds are the kinds of readable messages among them, each once.
	Kinds []string
	// Tallies count what of the findings of others became no hint, by the name of a counter:
	// UnmappedPrefix and what found it, and the Left constants of cloudtrail.
	Tallies map[string]int64
	// Taken is the ID of a signed message, to be remembered with the delivery.
	Taken string
	// Tests are the IDs of the test events among them.
	Tests []string
}

// The names of counters: the findings of others that no control answers, by what found them, and
// those that are no hint, by why.
const (
	UnmappedPrefix = "findings_unmapped/"
	LeftPrefix     = "findings_left_"
)

// The kinds of messages. A source that delivers one kind can be silent for
// another.
const (
	KindCloudTrail  = "cloudtrail"
	KindConfig      = "config"
	KindAnalyzer    = "access-analyzer"
	KindSecurityHub = "securityhub"
	KindGuardDuty   = "guardduty"
	KindLogs        = "s3_logs"
	KindWebhook     = "webhook"
	KindTest        = "test"
)

// Kinds are the kinds of messages whose silence can be told.
func Kinds() []string {
	return []string{KindCloudTrail, KindConfig, KindAnalyzer, KindSecurityHub, KindGuardDuty, KindLogs, KindWebhook}
}

// Kept is a message that led to no look but must not vanish.
type Kept struct {
	ID   string // of the message: stable when it is delivered again
	At   time.Time
	Why  string
	Body string // redacted and bounded
}

// Counts says what became of the messages of a delivery. Each is counted once
// as received and once below.
type Counts struct {
	Received   int
	Irrelevant int // of no watched call, or about no resource that dera looks at
	Failed     int // a watched call that was refused: nothing changed
	Foreign    int // of an account that dera does not cover
	Malformed  int // not a readable CloudTrail event or compliance change
	Hinted     int // led to at least one event
	Unmapped   int // findings of others that no control answers, on nothing that dera looks at
	Left       int // findings of others that are no hints: echoes of dera, samples, archived, doubled
	Test       int // test events of dera doctor
}

// Names returns the counts under the names that counters have, without zeros.
func (c Counts) Names() map[string]int64 {
	out := map[string]int64{}
	for _, n := range []struct {
		name  string
		count int
	}{
		{"events_received", c.Received},
		{"events_irrelevant", c.Irrelevant},
		{"events_failed_call", c.Failed},
		{"events_foreign", c.Foreign},
		{"events_malformed", c.Malformed},
		{"events_hinted", c.Hinted},
		{"events_unmapped", c.Unmapped},
		{"events_left", c.Left},
		{"events_test", c.Test},
	} {
		if n.count > 0 {
			out[n.name] = int64(n.count)
		}
	}
	return out
}

// grace is how long what is in hand may go on after the end of a source.
const grace = 8 * time.Second

// inHand is the context of what a source hands over: it outlives ctx, but neither
// the timeout nor, once ctx is done, the grace time.
func inHand(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(grace, cancel)
		context.AfterFunc(work, func() { t.Stop() })
	})
	return work, func() { stop(); cancel() }
}

// randomness returns r, or the process's own source for nil.
func randomness(r func() float64) func() float64 {
	if r == nil {
		return rand.Float64
	}
	return r
}

// clock returns now, or the system's clock for nil.
func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// validAccounts refuses a list that no event can match: an engine that looks at
// nothing must not start in silence.
func validAccounts(ids []string) error {
	if len(ids) == 0 {
		return errors.New("no accounts are configured")
	}
	for _, id := range ids {
		if err := dera.ValidAccountID(id); err != nil {
			return err
		}
	}
	return nil
}
