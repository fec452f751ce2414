package sharing

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/document"
)

// Rule is a control on the lists of a kind.
type Rule struct {
	// Meta is the control's; empty Type, Reads, Writes and Complexity are filled in.
	Meta control.Meta
	// Start is the disposition before any guardrail, and Why what people read of it.
	Start dera.Disposition
	Why   string
}

// Public is the control that finds what is shared with everybody.
func (k Kind) Public(r Rule) control.Control {
	return k.define(r, func(s *Shared, _ control.Settings) []string {
		if slices.Contains(s.With, All) {
			return []string{All}
		}
		return nil
	})
}

// External is the control that finds what is shared with accounts, organisations and units
// that are neither declared nor a known vendor's. Everybody is Public's.
func (k Kind) External(r Rule) control.Control {
	return k.define(r, func(s *Shared, set control.Settings) []string {
		return slices.DeleteFunc(slices.Clone(s.With), func(m string) bool { return m == All || declared(m, set) })
	})
}

// declared reports whether a member is one of the accounts, of the organisation, trusted,
// or the account of a vendor that publishes it.
func declared(member string, s control.Settings) bool {
	kind, id := identify(member)
	if kind == "unit" {
		id, _, _ = strings.Cut(id, "/")
	}
	return id != "" && (id == s.Organization || slices.Contains(s.Accounts, id) || slices.Contains(s.Trusted, id) || document.KnownAccount(id) != "")
}

// key is the key of the finding on a member.
func key(member string) string {
	kind, id := identify(member)
	if kind == All {
		return "public"
	}
	return kind + "/" + id
}

func (k Kind) define(r Rule, bad func(*Shared, control.Settings) []string) control.Control {
	t, m := k.Type(), r.Meta
	m.Type, m.Reads, m.Writes = k.Name, t.Reads(), []string{k.Modify}
	if m.Complexity == "" {
		m.Complexity = "low"
	}
	// named are those of the list that the failures are about.
	named := func(s *Shared, failures []control.Failure) (out []string) {
		for _, f := range failures {
			for _, member := range s.With {
				if key(member) == f.Key {
					out = append(out, member)
				}
			}
		}
		return Minus(out, nil)
	}
	return control.Define(control.Spec[*Shared]{
		Meta: m,
		Check: func(s *Shared, set control.Settings) control.Result {
			if s.With == nil {
				return control.Result{Outcome: control.UnknownResult, Why: "who it is shared with could not be read"}
			}
			members := bad(s, set)
			switch {
			case len(members) == 0 && s.Fixed != "":
				return control.Result{Outcome: control.NotApplicable}
			case len(members) == 0:
				return control.Result{Outcome: control.Pass}
			}
			res := control.Result{Outcome: control.Fail, Whole: true}
			for _, member := range Minus(members, nil) {
				f := control.Failure{Key: key(member), Start: r.Start, Severity: m.Severity, Title: m.Title, Why: "It is shared with " + People(member) + "."}
				if s.Of != "" {
					f.Why += " It is of " + s.Of + "."
				}
				if r.Why != "" {
					f.Why += " " + r.Why
				}
				if k.Alone && len(s.With) > 1 && slices.Contains(s.With, All) {
					f.Start, f.Why = f.Start.Lower(dera.Review), f.Why+" Others are in the list too, and no plan is made: what a change does to them is not known."
				}
				if kind, _ := identify(member); kind == "member" {
					f.Start, f.Why = f.Start.Lower(dera.Review), f.Why+" What that is, this version does not know."
				}
				res.Failures = append(res.Failures, f)
			}
			return res
		},
		Plan: func(s *Shared, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			members := named(s, failures)
			for _, member := range members {
				if kind, _ := identify(member); kind == "member" {
					return nil, &control.Refusal{Code: "unknown-member", Why: "how " + member + " is taken out of the list, this version does not know"}
				}
			}
			changes, err := k.Remove(s, members)
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return changes, nil
		},
		Prove: func(s *Shared, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return prove(t, s, changes, named(s, failures))
		},
	})
}
