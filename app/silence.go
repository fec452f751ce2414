package app

import (
	"context"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// Silence tells of kinds of messages that have not come for longer than is expected: a rule that
// was switched off or a queue policy that was changed looks just like a quiet day. It goes by
// what Noting keeps, so that a new process and another replica know it too.
type Silence struct {
	Store *store.Store
	Now   func() time.Time
	// Expect is how long each kind may be silent.
	Expect map[string]time.Duration
	Alarm  func(ctx context.Context, a dera.Alarm) error
	Ended  func(ctx context.Context, key string) error
}

// rememberExpected is the name under which it is kept since when a kind is expected that never
// came.
const rememberExpected = "expected/"

// Check raises an alarm for each kind that is silent for too long, and ends that of one that came.
func (s Silence) Check(ctx context.Context) error {
	for kind, most := range s.Expect {
		since, err := s.since(ctx, kind)
		if err != nil {
			return err
		}
		key := "silent/" + kind
		if quiet := s.Now().Sub(since); quiet < most {
			if err := s.Ended(ctx, key); err != nil {
				return err
			}
			continue
		}
		if err := s.Alarm(ctx, dera.Alarm{
			Key: key, Severity: dera.High, Title: "The source " + kind + " is silent",
			Why: fmt.Sprintf("Nothing has come since %s, and it is expected every %s. Until it does, only sweeps find what it would tell: compare rules, their states and the queue's policy with dera pattern.", Stamp(since), most),
		}); err != nil {
			return err
		}
	}
	return nil
}

// since is when a kind last came, or since when it is expected.
func (s Silence) since(ctx context.Context, kind string) (time.Time, error) {
	var last time.Time
	for _, name := range []string{rememberDelivery + kind, rememberExpected + kind} {
		text, err := s.Store.Remembered(ctx, name)
		if err != nil {
			return last, err
		}
		at, err := time.Parse(time.RFC3339, text)
		if text != "" && err != nil {
			return last, fmt.Errorf("recall %s: %w", name, err)
		}
		if text != "" {
			return at, nil
		}
	}
	last = s.Now().UTC().Truncate(time.Second)
	return last, s.Store.Commit(ctx, store.Batch{First: map[string]string{rememberExpected + kind: last.Format(time.RFC3339)}})
}
