package scope

import (
	"fmt"
	"slices"
	"strings"

	"dera/iam/catalog"
	"dera/iam/policy"
)

// narrower decides about the actions of one policy.
type narrower struct {
	Input
	used     map[string]string // in lower case -> as it was written
	unclear  map[string]bool   // services
	broad    map[string]bool   // services that are kept as a whole
	why      map[string]string // action in lower case -> why it stays, "" if it does not
	doubtful bool              // the policy has entries that the catalogue does not know
}

func newNarrower(in Input) *narrower {
	n := &narrower{
		Input: in, used: map[string]string{}, unclear: map[string]bool{},
		broad: map[string]bool{}, why: map[string]string{},
	}
	for _, u := range in.Usage {
		for _, a := range u.Actions {
			n.used[strings.ToLower(a)] = a
		}
		for _, s := range u.Unclear {
			n.unclear[strings.ToLower(s)] = true
		}
	}
	n.decide()
	return n
}

// decide says about every action that the policy allows why it stays.
func (n *narrower) decide() {
	clear(n.why)
	var hidden []string // stay only beside others
	for _, entry := range n.entries() {
		actions, known := n.Catalogue.Expand(entry)
		n.doubtful = n.doubtful || !known || len(actions) == 0
		for _, a := range actions {
			key := strings.ToLower(a)
			if _, done := n.why[key]; done {
				continue
			}
			why, wait := n.reason(a)
			n.why[key] = why
			if wait {
				hidden = append(hidden, a)
			}
		}
	}
	// What stays can make others stay.
	for grown := true; grown; {
		grown = false
		for _, a := range hidden {
			key := strings.ToLower(a)
			if n.why[key] != "" {
				continue
			}
			if with := n.companion(a); with != "" {
				n.why[key] = "CloudTrail does not show its use, which may come with " + with
				grown = true
			}
		}
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

// reason says why an action stays whatever else does, or "". A hidden action
// waits for its companions.
func (n *narrower) reason(action string) (why string, wait bool) {
	service, _, _ := strings.Cut(action, ":")
	if _, ok := n.used[strings.ToLower(action)]; ok {
		return "used", false
	}
	for _, k := range n.Keep {
		if catalog.MatchAction(k, action) {
			return fmt.Sprintf("required by the list of what must stay (%s)", k), false
		}
	}
	class, companions := n.Catalogue.Class(action)
	switch {
	case n.broad[service]:
		return "the list of what stays would be too long: the service is kept as a whole", false
	case n.unclear[service]:
		return "events of this service are not understood: its use is unknown", false
	case action == catalog.PassRole:
		return "", true
	}
	if p := precious(action); p != "" && n.Window < n.Period {
		return fmt.Sprintf("%s, and use was watched for less than %d days", p, int(n.Period.Hours()/24)), false
	}
	switch class {
	case catalog.Data:
		if n.DataEvents == nil || !n.DataEvents(action) {
			return "its use is a data event, and these were not recorded", false
		}
	case catalog.Hidden:
		if len(companions) == 0 {
			return "CloudTrail does not show its use: a person must decide", false
		}
		return "", true
	case catalog.Unknown:
		return "the catalogue does not know it", false
	case catalog.Management:
	}
	return "", false
}

// precious says why an action may be needed though it is rarely used.
func precious(action string) string {
	service, name, _ := strings.Cut(action, ":")
	switch service {
	case "iam", "sts", "organizations":
		return "it is about identities"
	case "backup", "backup-gateway", "dr", "drs":
		return "it is about recovery"
	case "kms":
		if name == "PutKeyPolicy" || name == "CancelKeyDeletion" {
			return "a key may be lost without it"
		}
	case "rds":
		if strings.HasPrefix(name, "Describe") {
			return "it is about recovery"
		}
	}
	for _, word := range []string{"Restore", "Failover", "Rollback"} {
		if strings.Contains(name, word) {
			return "it is about recovery"
		}
	}
	if strings.Contains(name, "Snapshot") && (strings.HasPrefix(name, "Copy") || strings.HasPrefix(name, "Create")) {
		return "it is about recovery"
	}
	return ""
}

// companion returns something that stays and that a hidden action may be used
// with, or "".
func (n *narrower) companion(action string) string {
	_, companions := n.Catalogue.Class(action)
	for _, c := range companions {
		for u := range n.used {
			if catalog.MatchAction(c, u) {
				return n.used[u]
			}
		}
		if kept := n.stays(c); kept != "" {
			return kept
		}
		for _, doc := range n.Beside {
			if entry := allowedBy(doc, c); entry != "" {
				return entry + " of another policy"
			}
		}
	}
	if action == catalog.PassRole && n.doubtful {
		return "an action that the catalogue does not know"
	}
	return ""
}

// stays returns the first action of the policy that stays and that an entry
// matches.
func (n *narrower) stays(entry string) string {
	actions, _ := n.Catalogue.Expand(entry)
	for _, a := range actions {
		if n.why[strings.ToLower(a)] != "" {
			return a
		}
	}
	return ""
}

// allowedBy returns an entry of a document that allows something of another.
func allowedBy(doc *policy.Document, entry string) string {
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		if st.NotActions != nil {
			return "NotAction"
		}
		if at := slices.IndexFunc(st.Actions, func(e string) bool { return overlap(e, entry) }); at >= 0 {
			return st.Actions[at]
		}
	}
	return ""
}
