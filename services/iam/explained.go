package iam

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// UseKey is the key of the finding on use without an incident.
const UseKey = "use"

// Explaining is a principal whose use an incident has to explain, whatever it did.
type Explaining struct {
	Who   string // for people
	Title string // of the finding
	// Watched is why its use is reported; empty where it is not.
	Watched string
	Use     *resource.Use
	// Known is nil where it is not known which use is explained.
	Known *resource.Explained
}

// Listed says why the use of a user or role is reported, or nothing.
func Listed(s control.Settings, known *resource.Explained) string {
	if known == nil { // nor is its ARN
		if s.Emergency.Empty() {
			return ""
		}
		return "it may be listed"
	}
	return s.Emergency.Lists(known.Principal)
}

// Check finds use that no incident covers. What an open finding is about stays found, also
// where the principal is not listed or the use not recorded any more.
func (e Explaining) Check() control.Result {
	if e.Known == nil {
		if e.Watched == "" {
			return control.Result{Outcome: control.NotApplicable}
		}
		return control.Result{Outcome: control.UnknownResult, Why: "it is not known which of its use an incident explains"}
	}
	last := e.Known.Open
	if e.Watched != "" && e.Use != nil {
		last = last.With(e.Use.Last())
	}
	if last.Beyond(e.Known.Covered) {
		return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{
			Key: UseKey, Start: dera.Alert, Severity: dera.High, Title: e.Title, Why: e.why(last), Used: &last,
		}}}
	}
	var out control.Result
	if e.Known.Reference != "" {
		out.Settled = map[string]string{UseKey: fmt.Sprintf("Incident %q explains the use, up to %s.", e.Known.Reference, e.Known.Covered.Text())}
	}
	switch {
	case e.Watched == "":
		out.Outcome = control.NotApplicable
	case e.Use == nil:
		out.Outcome, out.Unrecorded = control.NotApplicable, true
	case len(e.Use.Missing()) > 0:
		out.Outcome, out.Why = control.UnknownResult, "no use is recorded that an incident does not explain, but the record has gaps ("+strings.Join(e.Use.Missing(), ", ")+")"
	default:
		out.Outcome = control.Pass
	}
	return out
}

// why says what the last use was.
func (e Explaining) why(last dera.LastUse) string {
	since := ""
	if e.Known.Reference != "" {
		since = fmt.Sprintf(" after what incident %q explains", e.Known.Reference)
	}
	why := fmt.Sprintf("%s was used%s; the last that is known is %s.", e.Who, since, last.Text())
	if e.Watched != "" {
		why += " Its use is reported: " + e.Watched + "."
	}
	if calls := e.calls(); len(calls) > 0 {
		why += " Calls: " + listed(calls, 5) + "."
	} else if e.Use == nil {
		why += " Nothing is recorded of it any more."
	}
	return why + " It stays open until an incident is attached: dera incident attach FINDING --reference REFERENCE."
}

// calls are those after what is explained, the last one first.
func (e Explaining) calls() (out []string) {
	if e.Use == nil {
		return nil
	}
	calls := slices.DeleteFunc(slices.Clone(e.Use.Calls), func(c resource.Call) bool { return !c.Last.After(e.Known.Covered.Seen) })
	slices.SortStableFunc(calls, func(a, b resource.Call) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Source+a.Name, b.Source+b.Name))
	})
	for _, c := range calls {
		out = append(out, fmt.Sprintf("%s:%s at %s", strings.TrimSuffix(c.Source, ".amazonaws.com"), c.Name, c.Last.UTC().Format(time.RFC3339)))
	}
	return out
}

// EmergencyMeta is the literal of the control on the use of users or roles that are for
// emergencies.
func EmergencyMeta(k Kind, parts []resource.Part) control.Meta {
	what := "break_glass.principals"
	if k == RoleKind {
		what = "break_glass (principals, roles or scp_excluded)"
	}
	return control.Meta{
		ID:       "iam-" + string(k) + "-emergency-use",
		Title:    k.Title() + " for emergencies was used",
		Type:     k.Type(),
		Severity: dera.High,
		Why: "What holds back everybody else does not hold back a principal for emergencies. Each use is an emergency that somebody knows about, or somebody " +
			"who should not have it.",
		Fix:        "dera changes nothing. Whoever knows of the emergency attaches its incident; if nobody does, the credentials are in the wrong hands.",
		Complexity: "low",
		Cases: []control.Case{
			{When: "the " + string(k) + " is on the list " + what + ", and the usage ledger has use of it, denied calls included, that no incident covers", Disposition: dera.Alert, Because: "whether it was an emergency a person knows"},
		},
		Refs:     []control.Ref{NIST("AC-2(7), AC-2(12), AC-6(9)"), {Standard: "AWS Well-Architected", ID: "SEC03-BP03", URL: "https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html"}},
		Reads:    ReadsOf(parts),
		Incident: true,
		Owner:    "dera maintainers",
		ReviewBy: "2027-11-01",
	}
}
