package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dera.example/dera/cloud"
	"dera.example/dera/source"
	"dera.example/dera/store"
)

// rememberLoad is the name under which the load of the last controller is kept.
const rememberLoad = "load"

// Load is how much a controller has to do, at a moment.
type Load struct {
	At      time.Time       `json:"at"`
	Queue   source.Load     `json:"queue"`
	Waiting int             `json:"waiting"` // messages in the queue that nobody has in hand
	Known   bool            `json:"known"`   // the queue said so
	Calls   cloud.LimitLoad `json:"calls"`
}

// NoteLoad keeps the load, for other processes.
func NoteLoad(ctx context.Context, s *store.Store, l Load) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("note the load: %w", err)
	}
	return s.Remember(ctx, map[string]string{rememberLoad: string(text)})
}

// lateAfter is the lag of the queue from which on a person should know.
const lateAfter = 5 * time.Minute

// load says how much dera run has to do, where it said so lately.
func (x *examination) load(ctx context.Context) error {
	text, err := x.Store.Remembered(ctx, rememberLoad)
	if err != nil || text == "" {
		return err
	}
	var l Load
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return fmt.Errorf("read the load: %w", err)
	}
	if age := x.Now().Sub(l.At); age > 5*time.Minute {
		return nil // nothing runs, or it cannot write: other checks say so
	}
	if x.Queue != "" {
		h, fix := Healthy, ""
		if l.Queue.Lag > lateAfter || l.Queue.Oldest > lateAfter {
			h, fix = ToDo, "is the database slow or away? More processes may share a PostgreSQL database (docs/operations.md, Load)"
		}
		x.says("load", "queue", h, fmt.Sprintf("%d receivers, %d messages in hand, %d handled in %d commits; the oldest of the last minute was %s in the queue",
			l.Queue.Receivers, l.Queue.InHand, l.Queue.Handled, l.Queue.Deliveries, l.Queue.Lag.Round(time.Second)), fix)
	}
	h, fix := Healthy, ""
	if l.Calls.Later > 0 || l.Calls.Throttled > 0 {
		h, fix = ToDo, "aws.share and aws.rates of the configuration say how many calls dera makes; a longer time between sweeps takes fewer"
	}
	x.says("load", "calls", h, fmt.Sprintf("%d calls, %d waited for their turn (%s in all), %d were put off, AWS refused %d as too many; %d processes share the rates",
		l.Calls.Calls, l.Calls.Waits, l.Calls.Waited.Round(time.Second), l.Calls.Later, l.Calls.Throttled, l.Calls.Replicas), fix)
	return nil
}
