package resource

import (
	"context"
	"time"

	"dera.example/dera"
)

// PortAccess is the port that tells what was asked to be given back, an [Accesses].
const PortAccess = "access"

// Accesses tells what was asked to be given back to the principals of a type in an
// account, by the ID of the resource; nothing of a principal for which nothing is to be
// done or left. It is safe for concurrent use.
type Accesses interface {
	Asked(ctx context.Context, at dera.Scope) (map[string][]Asked, error)
}

// Asked is an access as those see it that give it.
type Asked struct {
	dera.Access
	State dera.AccessState `json:"state"`
	// Plans are the changes that took the actions, of remediations that are in effect.
	Plans []TookBy `json:"plans,omitempty"`
	// Given are the changes that gave them back, where that is in force.
	Given []dera.Change `json:"given,omitempty"`
	// Unknown says why it is not known where it stands.
	Unknown string `json:"unknown,omitempty"`
	// Missing says that a remediation that took some of it is not in effect any more.
	Missing string `json:"missing,omitempty"`
}

// TookBy are the changes of a remediation, which was made At.
type TookBy struct {
	Remediation string        `json:"remediation"`
	At          time.Time     `json:"at,omitzero"`
	Changes     []dera.Change `json:"changes"`
}
