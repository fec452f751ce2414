package cloudtrail

import (
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource/evidence"
)

// EventsKind is the kind of evidence that EventsClaims makes.
const EventsKind = "cloudtrail-events/1"

// EventsEvidence is the kind of EventsClaims.
func EventsEvidence() evidence.Kind {
	return evidence.Kind{Name: EventsKind, Remake: evidence.Remade[EventsClaims]}
}

// EventsClaims is what a proof about the events of a trail is about: the selectors before
// the plan, and those after it.
type EventsClaims struct {
	Trail  string    `json:"trail"`
	Before Selectors `json:"before"`
	After  Selectors `json:"after"`
	// Only says that the plan changes nothing else of the trail.
	Only bool `json:"only"`
}

// Evidence proves or refutes: nothing but the management events that are recorded
// changes; all of them are recorded afterwards, and were not before.
func (e EventsClaims) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(e)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("evidence on events of a trail: %w", err)
	}
	claim := func(name, says, witness string) dera.Claim {
		if witness != "" {
			return dera.Claim{Name: name, Says: says, Verdict: dera.Refuted, Witness: witness}
		}
		return dera.Claim{Name: name, Says: says, Verdict: dera.Proved}
	}
	before, _ := e.Before.Missing()
	after, _ := e.After.Missing()
	var only, resolved string
	switch {
	case !e.Only:
		only = "something that is no selector"
	case !slices.Equal(e.Before.others(), e.After.others()):
		only = "data events"
	}
	switch {
	case after != "":
		resolved = after
	case before == "":
		resolved = "all were recorded before"
	}
	return dera.Evidence{Kind: EventsKind, Body: body, Claims: []dera.Claim{
		claim("only_these_changed", "nothing but the management events that are recorded changes: every selector of other events stays", only),
		claim("finding_resolved", "all management events are recorded, which they were not before", resolved),
	}}, nil
}
