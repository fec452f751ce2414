package trust

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
)

// Unused is the key of the finding that nobody uses a role: its plan lets nobody assume it.
const Unused = "unused"

// closingSid names the statement that denies everybody.
const closingSid = "DeniedAsUnused"

// Record is what is known of the use of a role.
type Record struct {
	// Idle is for how many days IAM saw no use of it, and Days how many make it unused.
	Idle int `json:"idle_days"`
	Days int `json:"window_days"`
	// Use is what is recorded, without the calls; nil where nothing is.
	Use *resource.Use `json:"use,omitempty"`
}

// Closed reports whether a trust policy lets nobody assume the role; only with a proof that
// the independent checker accepts.
func Closed(doc *policy.Document) bool {
	return proof.Subset(context.Background(), reason.Policies{assumable(doc)}, reason.Policies{denial(assuming())}, reason.Config{}).Verdict == reason.Proved
}

// Close returns the trust policy with a denial for everybody at its end; every other byte
// stays.
func Close(doc *policy.Document) (*policy.Document, error) {
	st := denial(gives(doc)).Statements[0]
	st.Sid, st.Principals = closingSid, &policy.Principals{Any: true}
	text, err := st.Line()
	if err != nil {
		return nil, err
	}
	return document.PolicyEdit{Append: []string{text}}.Apply(doc)
}

// Dead reports whether a trust policy names a principal that was deleted, by the unique ID
// that AWS put in its place. IAM takes no policy that names one.
//
// Source: IAM user guide, "AWS JSON policy elements: Principal".
func Dead(doc *policy.Document) bool {
	for _, st := range doc.Statements {
		if st.NotPrincipals != nil { // to IAM it names them all the same
			st.Principals, st.NotPrincipals = st.NotPrincipals, nil
		}
		if slices.ContainsFunc(document.PrincipalsOf(&st), func(p document.Principal) bool {
			return p.Kind == policy.PrincipalAWS && !p.Everyone() && p.Account() == ""
		}) {
			return true
		}
	}
	return false
}

// denial denies everybody some actions.
func denial(actions []string) *policy.Document {
	return &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{
		Effect: policy.Deny, Actions: actions,
		Principals: &policy.Principals{Groups: []policy.PrincipalGroup{{Kind: policy.PrincipalAWS, Values: []string{"*"}}}},
	}}}
}

// gives are the actions by which a trust policy lets somebody assume the role.
func gives(doc *policy.Document) (out []string) {
	for i := range doc.Statements {
		if st := &doc.Statements[i]; st.Effect == policy.Allow {
			out = append(out, givesBy(st)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// givesBy are those of one statement. One that AWS adds counts by its name.
func givesBy(st *policy.Statement) (out []string) {
	for _, a := range assuming() {
		if iam.Lets(st, a) {
			out = append(out, a)
		}
	}
	for _, a := range st.Actions {
		known := slices.ContainsFunc(assuming(), func(k string) bool { return strings.EqualFold(a, k) })
		if !known && !strings.ContainsAny(a, "*?") && strings.HasPrefix(strings.ToLower(a), "sts:assumerole") {
			out = append(out, a)
		}
	}
	return out
}

// assumable is the part of a trust policy by which somebody may assume the role, with all
// denials: tags and names of sessions give nobody the role.
func assumable(doc *policy.Document) *policy.Document {
	out := &policy.Document{Version: doc.Version}
	for _, st := range doc.Statements {
		if st.Effect == policy.Allow {
			actions := givesBy(&st)
			if len(actions) == 0 {
				continue
			}
			st.Actions, st.NotActions = actions, nil
		}
		out.Statements = append(out.Statements, st)
	}
	if len(out.Statements) == 0 {
		return denial(assuming())
	}
	return out
}

// closes reports whether the change is about a role that nobody uses.
func (t Change) closes() bool { return slices.Contains(t.Goals, Unused) }

// unused says what IAM and the record tell of the use of the role.
func (t Change) unused() (dera.Verdict, string, string) {
	const says = "no recorded call would be denied"
	r := t.Record
	switch {
	case r == nil:
		return dera.Unknown, says, "nothing is known of the use of the role"
	case r.Idle < r.Days:
		return dera.Refuted, says, fmt.Sprintf("IAM saw no use of the role for %d days alone, of %d that make it unused", r.Idle, r.Days)
	case r.Use == nil:
		return dera.Unknown, says, fmt.Sprintf("nothing is recorded of the calls of the role; IAM saw none for %d days", r.Idle)
	case len(r.Use.Missing()) > 0:
		return dera.Unknown, says, fmt.Sprintf("the record of calls has gaps (%s)", strings.Join(r.Use.Missing(), ", "))
	case r.Use.To.Sub(r.Use.From).Hours() < float64(24*r.Days):
		return dera.Unknown, says, fmt.Sprintf("the record of calls is shorter than %d days", r.Days)
	case !r.Use.Seen.Before(r.Use.From):
		return dera.Refuted, says, "the role made a call at " + r.Use.Seen.UTC().Format("2006-01-02 15:04 UTC")
	}
	day := func(use *resource.Use) string {
		return use.From.UTC().Format("2006-01-02") + " to " + use.To.UTC().Format("2006-01-02")
	}
	return dera.Proved, fmt.Sprintf("the role made no call from %s, as is recorded, and IAM saw none for %d days", day(r.Use), r.Idle), ""
}
