package main

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"

	"dera.example/dera"
)

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// lookAt is the event that looks at a remediation's resource again.
func lookAt(r dera.Remediation, now time.Time) dera.Event {
	return dera.Event{
		Source: "command", Name: "look again", Time: now,
		Scope: dera.Scope{Partition: r.Plan.Partition, Account: r.Plan.Account, Region: r.Plan.Region, Type: r.Plan.Type, IDs: []string{r.Plan.Resource.Name()}},
	}
}

func newDiscardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
