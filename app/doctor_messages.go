package app

import (
	"context"
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
	case size-next > 1000:
		x.says("messages", "", ToDo, fmt.Sprintf("%d records are not made messages yet", size-next), "is dera run running? dera notify send does it once")
	case len(list) == 0:
		x.says("messages", "", Healthy, "none waits", "")
	}
	return nil
}
