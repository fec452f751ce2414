package resource

import (
	"context"

	"dera.example/dera"
)

// PortIncidents is the port that tells to which use incidents are attached, an [Incidents].
const PortIncidents = "incidents"

// Incidents tells of the resources of a type in a place which use findings are open about,
// and up to which use an incident is attached, by ARN; nothing of a resource with neither.
// It is safe for concurrent use.
type Incidents interface {
	Attached(ctx context.Context, at dera.Scope) (map[dera.ARN]Explained, error)
}

// Explained is which use of a principal an incident is attached to, and which not yet.
type Explained struct {
	Principal dera.ARN `json:"principal"`
	// Open is the use that an open finding is about: it counts even where the record of it
	// is lost. Covered is up to where Reference, the latest incident, explains the use.
	Open      dera.LastUse `json:"open,omitzero"`
	Covered   dera.LastUse `json:"covered,omitzero"`
	Reference string       `json:"reference,omitempty"`
}

// Last is how far the use goes.
func (u Use) Last() dera.LastUse { return dera.LastUse{Seen: u.Seen, SessionEnd: u.SessionEnd} }
