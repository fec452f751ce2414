package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// messages looks whether messages arrive: which sinks are behind, and what was given up.
func (x *examination) messages(ctx context.Context) error {
	list, err := x.Store.Backlogs(ctx)
	if err != nil {
		return err
	}
	for _, b := range list {
		about, why := "sink "+b.Sink, Plain(b.Why)
		switch {
		case !slices.Contains(x.Sinks, b.Sink):
			x.says("messages", about, ToDo, fmt.Sprintf("%d messages wait for it, and the configuration has no such sink", b.Waiting+b.Dead),
				"name the sink again, or take them away: dera notify retry "+b.Sink+" --drop")
		case b.Dead > 0:
			x.says("messages", about, Broken, fmt.Sprintf("%d messages were given up: %s", b.Dead, why), "mend it (dera notify test "+b.Sink+"), then dera notify retry "+b.Sink)
		case b.Late > 0 && x.Now().Sub(b.Oldest) > 10*time.Minute:
			x.says("messages", about, Broken, fmt.Sprintf("%d messages wait, the oldest for %s: %s", b.Waiting, x.Now().Sub(b.Oldest).Truncate(time.Second), why),
				"they are tried again automatically; dera notify test "+b.Sink+" says what is wrong")
		}
	}
	next, posted, err := x.Store.Posted(ctx)
	if err != nil {
		return err
	}
	size, err := x.Store.LogSize(ctx)
	switch {
	case err != nil:
		return err
	case len(x.Sinks) == 0:
		x.says("messages", "", ToDo, "nobody is notified of anything: the configuration has no notify.sinks", "see docs/notifications.md")
	case !posted:
		x.says("messages", "", ToDo, "none was ever sent", "dera run sends them, or dera notify send")
	case size > next && x.recordedBefore(ctx, next, 10*time.Minute):
		x.says("messages", "", Broken, fmt.Sprintf("%d records are not made messages yet, the first for more than 10 minutes", size-next), "is dera run running, and what does its log say? dera notify send does it once")
	case len(list) == 0:
		x.says("messages", "", Healthy, "none waits", "")
	}
	return nil
}

// recordedBefore reports whether a record of the audit log is older than that, or cannot be read.
func (x *examination) recordedBefore(ctx context.Context, index int64, age time.Duration) bool {
	leaves, err := x.Store.Leaves(ctx, index, 1)
	if err != nil || len(leaves) != 1 {
		return true
	}
	var r struct{ Time time.Time }
	return json.Unmarshal(leaves[0], &r) != nil || x.Now().Sub(r.Time) > age
}
