package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Class says what CloudTrail shows of the use of an action, and so whether its
// absence there means that it was not used.
type Class uint8

const (
	// Unknown: no source says that its use would have been seen. It is kept.
	Unknown Class = iota
	// Management: an API operation of the action exists, and AWS documents that
	// CloudTrail logs its calls as management events.
	Management
	// Data: a call is an event where the trail selects the resource.
	Data
	// Hidden: a call is no event of its own. The use follows from that of the
	// companions.
	Hidden
)

// String names the class as the documentation of dera does.
func (c Class) String() string {
	switch c {
	case Management:
		return "O1"
	case Data:
		return "O2"
	case Hidden:
		return "O3"
	case Unknown:
	}
	return "O4"
}

// PassRole is the action that hands a role to a service.
const PassRole = "iam:PassRole"

// Evidence says what CloudTrail shows of the use of an action. What the
// program's table of observed actions does not have is Unknown, even if a newer
// catalogue has it. Its lists are shared and must not be changed.
func (c *Catalog) Evidence(action string) Evidence {
	if k := c.Find(action); k != nil {
		return k.Evidence
	}
	prefix, name, _ := strings.Cut(action, ":")
	return Evidence{Action: Action{Service: prefix, Name: name}}
}

// Kept says why an action of class Unknown stays: which source is missing.
func (e Evidence) Kept() string {
	switch e.Missing {
	case NoOperation:
		return "no API operation has its name: where it is checked is not known"
	case NoDocument:
		if e.Row.Document == "" {
			return "no document was read that says which calls of the service CloudTrail logs"
		}
		return "no document says that CloudTrail logs its calls"
	case NotListed:
		return "it is not among the calls that CloudTrail logs, after " + e.Row.Document
	case ReadsNotLogged:
		return "only calls that change something are logged, after " + e.Row.Document
	case DataPlane:
		return "its operation is part of a data plane, whose calls are not known to be logged"
	case Streams:
		return "its operation streams events, whose calls are not known to be logged"
	case Agent:
		return "its operation is for agents and services, whose calls are not known to be logged"
	case Unsigned:
		return "its operation takes calls without credentials, which belong to nobody"
	case Silent:
		return "CloudTrail does not show its use, or not each time"
	}
	return "the table of observed actions does not have it"
}

// Source says in a line why the absence of use means that an action was not
// used, or why it does not.
func (e Evidence) Source() string {
	switch e.Class {
	case Management:
		return fmt.Sprintf("each call is a management event, after %s (read %s)", e.Row.Document, e.Row.Read)
	case Data:
		return "each call is a data event, which were recorded"
	case Hidden:
		return "it is used with other actions only"
	case Unknown:
	}
	return e.Kept()
}

// MatchAction reports whether an entry of an Action list matches an action.
// Case does not matter; wildcards count after the colon only.
func MatchAction(entry, action string) bool {
	if entry == "*" || entry == "*:*" {
		return true
	}
	prefix, pattern, ok := strings.Cut(entry, ":")
	service, name, _ := strings.Cut(action, ":")
	return ok && strings.EqualFold(prefix, service) && Match(pattern, name)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
