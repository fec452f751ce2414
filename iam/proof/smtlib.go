package proof

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// questions writes the claims for a solver: a prelude that defines every
// statement once, and one assertion for each claim, of which unsat means that
// the claim holds. The definitions are those of reason.SMTLIB under the first
// reading. What cannot be written is said.
func questions(c Change) (claims []check.Claim, prelude, unwritten string) {
	purpose := check.Subset
	if c.narrow() {
		purpose = check.Narrow
	}
	for _, name := range check.Claims(purpose, len(c.Beside) > 0) {
		claims = append(claims, check.Claim{Claim: name})
	}
	s := &script{change: c}
	prelude, err := s.prelude()
	if err != nil {
		return claims, "", err.Error()
	}
	for i := range claims {
		claims[i].SMTLIB = s.question(claims[i].Claim)
	}
	return claims, prelude, ""
}

// script numbers the documents as they are defined: new, what stands beside,
// what denies all but the kept and all but the removed actions; and old.
type script struct{ change Change }

func (s *script) fresh() reason.Policies {
	out := slices.Concat(s.change.New, s.change.Beside)
	if s.change.narrow() {
		out = append(out, nothingBut(s.change.Kept), nothingBut(s.change.Removed))
	}
	return out
}

// prelude takes the definitions from the question about all documents at once.
func (s *script) prelude() (string, error) {
	text, err := reason.SMTLIB(s.fresh(), s.change.Old, reason.Reading{}, reason.Config{})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	bodies := map[string]string{}
	lines := strings.SplitAfter(text, "\n")
	for _, line := range lines[:len(lines)-4] { // without the two assertions and the check
		name, body, ok := definition(line)
		if ok && bodies[body] != "" && len(bodies[body]) < len(body) {
			line = fmt.Sprintf("(define-fun %s () Bool %s)\n", name, bodies[body])
		} else if ok {
			bodies[body] = name
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

// definition takes "(define-fun name () Bool body)" apart.
func definition(line string) (name, body string, ok bool) {
	rest, ok := strings.CutPrefix(line, "(define-fun ")
	if !ok {
		return "", "", false
	}
	name, body, ok = strings.Cut(strings.TrimSuffix(rest, ")\n"), " () Bool ")
	return name, body, ok
}

// question asks for a request that contradicts a claim.
func (s *script) question(claim string) string {
	c := s.change
	all := len(c.New) + len(c.Beside)
	oldAlone, newAlone := s.allowed("known", c.Old, 0), s.allowed("fresh", c.New, 0)
	old := s.together(s.list("known", c.Old, 0), s.list("fresh", c.Beside, len(c.New)))
	fresh := s.together(s.list("fresh", c.New, 0), s.list("fresh", c.Beside, len(c.New)))
	var parts []string
	switch claim {
	case check.NothingNew:
		parts = []string{fresh, "(not " + old + ")"}
	case check.NothingNewAlone:
		parts = []string{newAlone, "(not " + oldAlone + ")"}
	case check.NothingLost:
		parts = []string{old, fmt.Sprintf("(not fresh_%d_0)", all), "(not " + fresh + ")"}
	case check.Gone:
		parts = []string{fresh, fmt.Sprintf("(not fresh_%d_0)", all+1)}
	}
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "(assert %s)\n", p)
	}
	b.WriteString("(check-sat)\n")
	return b.String()
}

// granted is the names of the statements of some documents.
type granted struct{ allow, deny []string }

func (s *script) list(name string, docs reason.Policies, first int) granted {
	var g granted
	for i, d := range docs {
		for j := range d.Statements {
			id := fmt.Sprintf("%s_%d_%d", name, first+i, j)
			if d.Statements[j].Effect == policy.Allow {
				g.allow = append(g.allow, id)
			} else {
				g.deny = append(g.deny, id)
			}
		}
	}
	return g
}

func (s *script) allowed(name string, docs reason.Policies, first int) string {
	return s.together(s.list(name, docs, first))
}

// together says that one of the allowances applies and none of the denials.
func (s *script) together(lists ...granted) string {
	var allow, deny []string
	for _, g := range lists {
		allow, deny = append(allow, g.allow...), append(deny, g.deny...)
	}
	return fmt.Sprintf("(and %s (not %s))", anyOf(allow), anyOf(deny))
}

func anyOf(names []string) string {
	switch len(names) {
	case 0:
		return "false"
	case 1:
		return names[0]
	}
	return "(or " + strings.Join(names, " ") + ")"
}
