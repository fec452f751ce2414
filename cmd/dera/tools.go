package main

import (
	"log/slog"
	"time"

	"dera.example/dera"
)

// lookAt is the event that looks at a remediation's resource again.
func lookAt(r dera.Remediation, now time.Time) dera.Event {
	return dera.Event{
		Source: "command", Name: "look again", Time: now,
		Scope: dera.Scope{Partition: r.Plan.Partition, Account: r.Plan.Account, Region: r.Plan.Region, Type: r.Plan.Type, IDs: []string{r.Plan.Resource.Name()}},
	}
}

func newDiscardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
