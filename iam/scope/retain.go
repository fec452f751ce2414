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
	broad    map[string]bool   // services that are kept as a whole
	why      map[string]string // action in lower case -> why it stays, "" if it does not
	writes   map[string]string // service -> an action that stays or was used, and does more than read
	unseen   string            // an action that stays, that no source speaks of, and that does more than read
	terse    bool              // nobody reads why an entry stays or goes
	doubtful bool              // the policy has entries that the catalogue does not know
}

func newNarrower(in Input) *narrower {
	n := &narrower{Input: in, record: in.record, broad: map[string]bool{}}
	if n.record == nil {
		n.record = newRecord(in)
	}
	n.decide()
	return n
}

// decide says about every action that the policy allows why it stays.
func (n *narrower) decide() {
	n.writes, n.unseen = maps.Clone(n.wrote), n.unseenUse
	var lists [][]*catalog.Known
	most := 0
	for _, entry := range n.entries() {
		actions, known := n.Catalogue.Matched(entry)
		n.doubtful = n.doubtful || !known || len(actions) == 0
		lists, most = append(lists, actions), most+len(actions)
	}
	n.why = make(map[string]string, min(most, n.Catalogue.Len()))
	var waiting []*catalog.Known // stay only beside others
	for _, actions := range lists {
		for _, a := range actions {
			if _, done := n.why[a.Lower]; done {
				continue
			}
			why, wait := n.reason(a)
			if n.why[a.Lower] = why; why != "" {
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
			if n.why[a.Lower] != "" {
				continue
			}
			if with := n.companion(a); with != "" {
				n.why[a.Lower] = "its use may come with that of " + with + ", without an event of its own"
				n.stay(a)
				grown = true
			}
		}
	}
}

// stay notes that an action stays, or was used.
func (n *narrower) stay(a *catalog.Known) {
	if !a.PureRead && n.writes[a.Action.Service] == "" {
		n.writes[a.Action.Service] = a.Name
	}
	if !a.PureRead && a.Class == catalog.Unknown && n.unseen == "" {
		n.unseen = a.Name
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
func (n *narrower) reason(a *catalog.Known) (why string, wait bool) {
	service := a.Action.Service
	if _, ok := n.used[a.Lower]; ok {
		return "used", false
	}
	for _, k := range n.Keep {
		if catalog.MatchAction(k, a.Name) {
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
	if n.Hold != nil {
		if why := n.Hold(a.Name); why != "" {
			return why, false
		}
	}
	if n.Window < n.Period && a.Name != catalog.PassRole {
		if p := precious(a.Name); p != "" {
			return fmt.Sprintf("%s, and use was watched for less than %d days", p, int(n.Period.Hours()/24)), false
		}
	}
	switch a.Class {
	case catalog.Data:
		if n.DataEvents == nil || !n.DataEvents(a.Name) {
			return "its use is a data event, and these were not recorded", false
		}
	case catalog.Unknown:
		return "no source shows that it was not used: " + a.Kept(), false
	case catalog.Hidden, catalog.Management:
	}
	return "", len(a.With) > 0
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
func (n *narrower) companion(a *catalog.Known) string {
	for i := range a.Companions {
		with := &a.Companions[i]
		if found := n.present(with); found != "" {
			return found
		}
		for _, doc := range n.Beside {
			if entry := n.allowedBy(doc, with.Entry); entry != "" {
				return entry + " of another policy"
			}
		}
	}
	switch {
	case a.Name != catalog.PassRole:
	case n.unseen != "":
		return n.unseen + ", of which no source says what it does"
	case n.doubtful:
		return "an action that the catalogue does not know"
	}
	return ""
}

// present returns an action that an entry of Evidence.With stands for and that
// stays or was used.
func (n *narrower) present(with *catalog.Companion) string {
	if with.Name == catalog.NoPureRead {
		return n.writes[with.Service]
	}
	if !with.Many {
		if used := n.used[with.Lower]; used != "" || n.why[with.Lower] == "" {
			return used
		}
		return with.Entry
	}
	for _, lower := range n.order {
		if catalog.MatchAction(with.Entry, lower) {
			return n.used[lower]
		}
	}
	actions, _ := n.Catalogue.Matched(with.Entry)
	for _, a := range actions {
		if n.why[a.Lower] != "" {
			return a.Name
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
	if everything(entry) {
		return true
	}
	actions, known := n.Catalogue.Matched(entry)
	return !known || slices.ContainsFunc(actions, func(a *catalog.Known) bool { return !a.PureRead })
}
