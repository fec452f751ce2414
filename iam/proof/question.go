package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// Question is one call as far as it is known, as a question to policies.
type Question struct {
	Action string // without wildcards
	// Resource is an ARN; "" or * where it is not known, or where the action has none. With
	// wildcards, as in what a service says of a resource that is not made yet, it is every
	// resource that fits, which is more than the call.
	Resource string
	Account  string // of the caller; "" where it is not known, or nobody's
	// Is says whether a principal of a statement is the caller. nil for policies that name
	// no principals.
	Is func(kind, principal string) Match
}

// Match is whether a principal of a statement is a caller.
type Match uint8

// The matches.
const (
	MatchMaybe Match = iota
	MatchNo
	MatchYes
)

// Loss is what a change of policies takes from a call.
type Loss uint8

// The losses.
const (
	LossUnknown Loss = iota // not decided: it may depend on circumstances
	LossNothing             // proved: whatever else applies, it is allowed after if it was before
	LossAll                 // proved: allowed before in all circumstances, and in none after
	LossDenied              // proved: denied by a statement in all circumstances, and before in none
)

// Claim is that Known allows everything that Fresh allows.
type Claim struct{ Fresh, Known reason.Policies }

func (c Claim) holds() error { return check.Includes(c.Fresh, c.Known) }

// Certificate is the claim with its documents as an auditor can check it alone (dera policy
// check-certificate). The error wraps ErrUnproved where the engine of dera/iam/reason, which
// was not asked before, does not prove it too.
func (c Claim) Certificate(ctx context.Context) ([]byte, error) {
	return Prove(ctx, Change{Old: c.Known, New: c.Fresh}, reason.Config{}).Certificate(Origin{})
}

// Lost decides what a call lost when the policies before gave way to those after, whatever
// other policies apply beside them and whatever the circumstances. Only the independent
// checker decides. claims are what it accepted where nothing is lost; why says what could not
// be proved.
//
// Nothing is lost where after allows the call as far as before did, and denies it in no
// circumstances in which before did not: both are claims of the form "allows no more than".
func Lost(c Question, before, after reason.Policies) (loss Loss, claims []Claim, why string) {
	pin, err := c.pin()
	if err != nil {
		return LossUnknown, nil, err.Error()
	}
	one, err := c.allow(c.Action, c.Resource)
	if err != nil {
		return LossUnknown, nil, err.Error()
	}
	all, err := Question{Is: c.Is}.allow("*", "*")
	if err != nil {
		return LossUnknown, nil, err.Error()
	}
	everyone := c.everyone(before) || c.everyone(after)
	before, after = c.about(before, everyone), c.about(after, everyone)
	with := func(docs reason.Policies, more ...*policy.Document) reason.Policies {
		return append(slices.Clone(docs), more...)
	}
	deny := Claim{with(before, all, pin), with(after, all)}
	lose := Claim{with(before, pin), after}
	denies, loses := deny.holds(), lose.holds()
	if whole := (Claim{reason.Policies{one}, after}); loses != nil && whole.holds() == nil { // after allows the call whatever the circumstances
		lose, loses = whole, nil
	}
	switch {
	case denies == nil && loses == nil:
		return LossNothing, []Claim{deny, lose}, ""
	case denies != nil && Claim{Fresh: with(denials(after), one)}.holds() == nil && (Claim{reason.Policies{one}, with(before, all)}).holds() == nil:
		return LossDenied, nil, ""
	case Claim{Fresh: with(after, pin)}.holds() == nil && (Claim{reason.Policies{one}, before}).holds() == nil:
		return LossAll, nil, ""
	case denies != nil:
		return LossUnknown, nil, "it may deny the call in some circumstances: " + denies.Error()
	}
	return LossUnknown, nil, "it may take the call in some circumstances: " + loses.Error()
}

// denials are the statements that deny.
func denials(list reason.Policies) (out reason.Policies) {
	for _, d := range list {
		next := &policy.Document{Version: d.Version}
		for _, st := range d.Statements {
			if st.Effect == policy.Deny {
				next.Statements = append(next.Statements, st)
			}
		}
		out = append(out, next)
	}
	return out
}

// pin denies every other call.
func (c Question) pin() (*policy.Document, error) {
	other := []any{c.statement("Deny", "NotAction", c.Action, "Resource", "*")}
	if c.Resource != "" && c.Resource != "*" {
		other = append(other, c.statement("Deny", "Action", "*", "NotResource", literal(c.Resource)))
	}
	return write(other...)
}

// allow allows a call and nothing else, to whoever may be the caller.
func (c Question) allow(action, resource string) (*policy.Document, error) {
	if resource = literal(resource); resource == "" {
		resource = "*"
	}
	s := c.statement("Allow", "Action", action, "Resource", resource)
	if c.Account != "" {
		s["Condition"] = map[string]any{"StringEquals": map[string]string{"aws:PrincipalAccount": c.Account}}
	}
	return write(s)
}

// statement is a statement with its actions and resources.
func (c Question) statement(effect, actions, action, resources, resource string) map[string]any {
	s := map[string]any{"Effect": effect, actions: action, resources: resource}
	if c.Is != nil {
		s["Principal"] = "*"
	}
	return s
}

func write(statements ...any) (*policy.Document, error) {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		return nil, fmt.Errorf("ask about a call: %w", err)
	}
	return policy.Parse(string(text))
}

// literal is a pattern without variables: a dollar is one.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func literal(text string) string {
	return strings.ReplaceAll(text, "$", "${$}")
}

// everyone reports whether a statement is about everybody.
func (c Question) everyone(list reason.Policies) bool {
	return slices.ContainsFunc(list, func(d *policy.Document) bool {
		return slices.ContainsFunc(d.Statements, func(st policy.Statement) bool { return st.Principals != nil && st.Principals.Everyone() })
	})
}

// about leaves out the statements that are about other principals, and lets those that name
// the caller be about everybody. Where others are about everybody already, they stay as they
// are: boundaries limit what a role is allowed by name, and not what everybody is.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (c Question) about(list reason.Policies, everyone bool) (out reason.Policies) {
	if c.Is == nil {
		return list
	}
	for _, d := range list {
		next := &policy.Document{Version: d.Version, ID: d.ID}
		for _, st := range d.Statements {
			switch c.match(st.Principals) {
			case MatchYes:
				if !everyone {
					st.Principals = &policy.Principals{Any: true}
				}
			case MatchNo:
				continue
			case MatchMaybe:
			}
			if st.Resources == nil && st.NotResources == nil { // a trust policy is about its role
				st.Resources = []string{"*"}
			}
			next.Statements = append(next.Statements, st)
		}
		if len(next.Statements) > 0 {
			out = append(out, next)
		}
	}
	return out
}

func (c Question) match(p *policy.Principals) Match {
	switch {
	case p == nil:
		return MatchMaybe
	case p.Any:
		return MatchYes
	}
	out := MatchNo
	for _, g := range p.Groups {
		for _, v := range g.Values {
			switch m := c.Is(g.Kind, v); {
			case m == MatchYes, v == "*" && g.Kind == policy.PrincipalAWS:
				return MatchYes
			case m == MatchMaybe:
				out = MatchMaybe
			}
		}
	}
	return out
}
