package document

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

// Opened is a statement of a policy that allows public access.
type Opened struct {
	Index   int // of the statement in the policy
	Writes  bool
	Line    string // without values that can be secret
	Witness string // a request that it allows
}

// Target is where a policy stands: the patterns of the actions and of the resources of
// which it decides there. No resources are any.
type Target struct {
	Actions   []string `json:"actions"`
	Resources []string `json:"resources,omitempty"`
}

// PublicStatements returns the statements of the policy that allow public access where
// it stands, decided for every request that there can be. unsure says about which
// statements nothing is known, and why; with it the list may be short.
func PublicStatements(ctx context.Context, on Target, doc *policy.Document) (open []Opened, unsure string) {
	if doc == nil {
		return nil, ""
	}
	ex := proof.PublicOn(ctx, reason.Policies{doc}, on.Actions, on.Resources, reason.Config{})
	for _, o := range ex.Open {
		st := &doc.Statements[o.Statement.Statement]
		open = append(open, Opened{
			Index: o.Statement.Statement, Writes: Writes(st), Line: StatementLine(o.Statement.Statement, st),
			Witness: o.Witness.Request.Action + " on " + o.Witness.Request.Resource,
		})
	}
	if ex.Verdict == reason.Unknown || len(ex.Unsure) > 0 {
		var parts []string
		for _, d := range ex.Unsure {
			parts = append(parts, fmt.Sprintf("statement %d: %s (%s)", d.Statement.Statement+1, d.Detail, d.Why))
		}
		unsure = "dera could not decide whether public access is allowed by " + strings.Join(parts, "; ")
	}
	return open, unsure
}

// Writes reports whether a statement lets more than read: any action whose name
// does not begin with Get, List or Head counts.
func Writes(st *policy.Statement) bool {
	if len(st.Actions) == 0 {
		return true
	}
	for _, a := range st.Actions {
		a = strings.ToLower(a)
		if !strings.HasPrefix(a, "s3:get") && !strings.HasPrefix(a, "s3:list") && !strings.HasPrefix(a, "s3:head") {
			return true
		}
	}
	return false
}

// StatementLine is a statement in one line for diffs and records: whom it is
// about, which actions, on what, and by which condition keys. Values of
// conditions can be secret (aws:Referer), so they are left out.
func StatementLine(i int, st *policy.Statement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "statement %d", i+1)
	if plain(st.Sid) {
		b.WriteString(" " + strconv.Quote(st.Sid))
	}
	b.WriteString(": " + strings.ToLower(st.Effect.String()))
	switch { // an identity policy names no principal, a trust policy no resource
	case st.NotPrincipals != nil:
		b.WriteString(" all but " + principals(st.NotPrincipals))
	case st.Principals != nil:
		b.WriteString(" " + principals(st.Principals))
	}
	b.WriteString(" " + List("", st.Actions, "all but ", st.NotActions))
	if len(st.Resources)+len(st.NotResources) > 0 {
		b.WriteString(" on " + List("", st.Resources, "all but ", st.NotResources))
	}
	for n, c := range st.Conditions {
		word := " and "
		if n == 0 {
			word = " when "
		}
		b.WriteString(word + c.Operator + " " + c.Key)
	}
	return b.String()
}

// plain reports whether a Sid is short and made of letters and digits.
func plain(sid string) bool {
	return sid != "" && len(sid) <= 64 && strings.Trim(sid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ ") == ""
}

func principals(p *policy.Principals) string {
	if p.Any {
		return "anybody (*)"
	}
	var out []string
	for _, g := range p.Groups {
		for _, v := range g.Values {
			if v == "*" && g.Kind == policy.PrincipalAWS {
				v = "anybody (*)"
			}
			out = append(out, v)
		}
	}
	return List("", out, "", nil)
}

// List joins a list for people; of two lists the other one is used where the first
// is empty.
func List(prefix string, list []string, otherwise string, other []string) string {
	const most = 4
	if len(list) == 0 {
		prefix, list = otherwise, other
	}
	if len(list) > most {
		return prefix + strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return prefix + strings.Join(list, ", ")
}
