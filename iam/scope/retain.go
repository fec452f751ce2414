package scope

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// narrower decides about the actions of one policy.
type narrower struct {
	Input
	*record
	broad    map[string]bool             // services that are kept as a whole
	why      map[string]string           // action in lower case -> why it stays, "" if it does not
	evidence map[string]catalog.Evidence // of what waits for others, by action in lower case
	writes   map[string]string           // service -> an action that stays or was used, and does more than read
	unseen   string                      // an action that stays, that no source speaks of, and that does more than read
	terse    bool                        // nobody reads why an entry stays or goes
	doubtful bool                        // the policy has entries that the catalogue does not know
}

func newNarrower(in Input) *narrower {
	n := &narrower{
		Input: in, record: in.record, broad: map[string]bool{}, why: map[string]string{}, evidence: map[string]catalog.Evidence{},
	}
	if n.record == nil {
		n.record = newRecord(in)
	}
	n.decide()
	return n
}

// decide says about every action that the policy allows why it stays.
func (n *narrower) decide() {
	clear(n.why)
	n.writes, n.unseen = maps.Clone(n.wrote), n.unseenUse
	var waiting []string // stay only beside others
	for _, entry := range n.entries() {
		actions, known := n.Catalogue.Expand(entry)
		n.doubtful = n.doubtful || !known || len(actions) == 0
		for _, a := range actions {
			f := n.fact(a)
			key := f.lower
			if _, done := n.why[key]; done {
				continue
			}
			why, wait := n.reason(a, f)
			if n.why[key] = why; why != "" {
				n.stay(a)
			}
			if wait {
				waiting = append(waiting, a)
			}
		}
	}
	// What stays can make others stay.
	for grown := true; grown; {
		grown = false
		for _, a := range waiting {
			key := strings.ToLower(a)
			if n.why[key] != "" {
				continue
			}
			if with := n.companion(a); with != "" {
				n.why[key] = "its use may come with that of " + with + ", without an event of its own"
				n.stay(a)
				grown = true
			}
		}
	}
}

// stay notes that an action stays, or was used.
func (n *narrower) stay(action string) {
	e := n.fact(action)
	if !e.PureRead && n.writes[e.Action.Service] == "" {
		n.writes[e.Action.Service] = action
	}
	if !e.PureRead && e.Class == catalog.Unknown && n.unseen == "" {
		n.unseen = action
	}
}

// entries returns what the policy allows.
func (n *narrower) entries() []string {
	var out []string
	for i := range n.Policy.Statements {
		if st := &n.Policy.Statements[i]; st.Effect == policy.Allow {
			out = append(out, st.Actions...)
		}
	}
	return out
}

// reason says why an action stays whatever else does, or "". One that has
// companions waits for them.
func (n *narrower) reason(action string, of fact) (why string, wait bool) {
	service, _, _ := strings.Cut(action, ":")
	if _, ok := n.used[of.lower]; ok {
		return "used", false
	}
	for _, k := range n.Keep {
		if catalog.MatchAction(k, action) {
			return fmt.Sprintf("required by the list of what must stay (%s)", k), false
		}
	}
	switch {
	case n.unknown != "":
		return fmt.Sprintf("there were events of %q, which stands for no service that the catalogue knows: any use is unknown", n.unknown), false
	case n.broad[service]:
		return "the list of what stays would be too long: the service is kept as a whole", false
	case n.unclear[service] != "":
		return "events of this service are not understood: its use is unknown", false
	}
	e := of.Evidence
	if n.Hold != nil {
		if why := n.Hold(action); why != "" {
			return why, false
		}
	}
	if n.Window < n.Period && action != catalog.PassRole {
		if p := precious(action); p != "" {
			return fmt.Sprintf("%s, and use was watched for less than %d days", p, int(n.Period.Hours()/24)), false
		}
	}
	switch e.Class {
	case catalog.Data:
		if n.DataEvents == nil || !n.DataEvents(action) {
			return "its use is a data event, and these were not recorded", false
		}
	case catalog.Unknown:
		return "no source shows that it was not used: " + e.Kept(), false
	case catalog.Hidden, catalog.Management:
	}
	if len(e.With) == 0 {
		return "", false
	}
	n.evidence[of.lower] = e
	return "", true
}

// precious says why an action may be needed though it is rarely used.
func precious(action string) string {
	switch service, _, _ := strings.Cut(strings.ToLower(action), ":"); service {
	case "iam", "sts", "organizations":
		return "it is about identities"
	}
	return Rare(action)
}

// companion returns something that stays, was used or is allowed besides, and that
// an action may be used with, or "".
func (n *narrower) companion(action string) string {
	for _, with := range n.evidence[strings.ToLower(action)].With {
		if found := n.present(with); found != "" {
			return found
		}
		for _, doc := range n.Beside {
			if entry := n.allowedBy(doc, with); entry != "" {
				return entry + " of another policy"
			}
		}
	}
	switch {
	case action != catalog.PassRole:
	case n.unseen != "":
		return n.unseen + ", of which no source says what it does"
	case n.doubtful:
		return "an action that the catalogue does not know"
	}
	return ""
}

// present returns an action that an entry of Evidence.With stands for and that
// stays or was used.
func (n *narrower) present(with string) string {
	service, name, _ := strings.Cut(with, ":")
	if name == catalog.NoPureRead {
		return n.writes[service]
	}
	if !strings.ContainsAny(name, "*?") {
		lower := strings.ToLower(with)
		if used := n.used[lower]; used != "" || n.why[lower] == "" {
			return used
		}
		return with
	}
	for _, lower := range n.order {
		if catalog.MatchAction(with, lower) {
			return n.used[lower]
		}
	}
	actions, _ := n.Catalogue.Expand(with)
	for _, a := range actions {
		if n.why[strings.ToLower(a)] != "" {
			return a
		}
	}
	return ""
}

// allowedBy returns an entry of a document that allows something that an entry of
// Evidence.With stands for.
func (n *narrower) allowedBy(doc *policy.Document, with string) string {
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		if st.NotActions != nil {
			return "NotAction"
		}
		for _, entry := range st.Actions {
			if n.allows(entry, with) {
				return entry
			}
		}
	}
	return ""
}

func (n *narrower) allows(entry, with string) bool {
	if of, _, _ := strings.Cut(entry, ":"); strings.ContainsAny(of, "*?") {
		return true // of any service: what it leaves out, nobody says
	}
	service, name, _ := strings.Cut(with, ":")
	if name != catalog.NoPureRead {
		return overlap(entry, with)
	}
	if !overlap(entry, service+":*") {
		return false
	}
	actions, known := n.Catalogue.Expand(entry)
	return !known || slices.ContainsFunc(actions, func(a string) bool { return !n.Catalogue.Evidence(a).PureRead })
}
