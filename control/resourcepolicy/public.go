package resourcepolicy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
)

// Public is the control on statements that allow public access. why is what can happen;
// refs are rules of standards.
func (s Shape[T]) Public(why string, refs ...control.Ref) control.Control {
	m := control.Meta{
		ID: s.Prefix + "-public-policy", Title: "The policy of the " + s.Noun + " allows public access", Type: s.Type.Name, Severity: dera.Critical, Why: why,
		Fix: "Public access is removed and nothing else: “*” from a list of principals, the wide value from a condition; every other byte of the policy stays. " +
			"A statement for everyone alone is narrowed to the organisation that the configuration names (aws:PrincipalOrgID), or else to the account of the resource (aws:PrincipalAccount). " +
			"A whole statement is removed only where other statements grant the same.",
		Complexity: "medium", Cases: s.cases(), Refs: refs, Reads: s.reads(), Writes: s.writes(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}
	switch {
	case s.ByHand != "":
		m.ByHand, m.Writes, m.Fix = true, nil, "A person narrows the statement: "+s.ByHand+"."
	case s.Edit != nil:
		m.Fix = "The statement is removed; where it names others too, a person narrows it. The undo adds the same statement again."
	}
	return control.Define(control.Spec[*T]{
		Meta: m,
		Check: func(c *T, set control.Settings) control.Result {
			if s.Applies != nil && s.Applies(c) != "" {
				return control.Result{Outcome: control.NotApplicable}
			}
			return s.checkPublic(c, set)
		},
		Plan: func(c *T, failures []control.Failure, set control.Settings) ([]dera.Change, *control.Refusal) {
			if s.ByHand != "" {
				return nil, &control.Refusal{Code: "by-hand", Why: s.ByHand}
			}
			p := s.Policy(c)
			doc, err := p.Parsed()
			if err != nil || doc == nil {
				return nil, refused(err)
			}
			house := document.House{Account: p.Account, Organization: set.Organization}
			return s.plan(p, doc, document.Question{On: s.target(p), Account: p.Account}, s.openFor(p, doc, failures), house)
		},
		Prove: func(c *T, failures []control.Failure, changes []dera.Change, set control.Settings) (dera.Evidence, error) {
			house := document.House{Account: s.Policy(c).Account, Organization: set.Organization}
			return s.prove(c, failures, changes, &house)
		},
	})
}

// cases are the rows of the table of dispositions.
func (s Shape[T]) cases() []control.Case {
	open := control.Case{When: "a statement grants access to a caller of whom nothing is known, decided for every request that there can be, conditions included", Disposition: dera.Review}
	switch {
	case s.ByHand != "":
		open.Because = s.ByHand
		return []control.Case{open}
	case s.Edit != nil:
		open.Because = s.Service + " removes whole statements only, and who has access through it alone loses that"
	case s.Untested:
		open.Because = "the calls for it are tested against AWS's model of the service alone"
	case s.Late != "":
		open.Because = s.Late
	default:
		open.Disposition, open.Because = dera.Auto, "only public access is removed, with a proof, and it can be undone"
	}
	out := []control.Case{open, {When: "it also names someone, and no single element can be removed that leaves their access", Disposition: dera.Review, Because: "only its owner knows which of them are meant"}}
	if len(s.ByServices) > 0 {
		out = append(out, control.Case{When: "it lets everyone call " + strings.Join(s.ByServices, ", "), Disposition: dera.Review, Because: "services of AWS that call it in their own name come as everyone too, and would lose access"})
	}
	if len(s.Keeps) > 0 {
		out = append(out, control.Case{When: "no other statement without a condition lets someone of the account change the policy", Disposition: dera.Review, Because: "nobody could repair it"})
	}
	return out
}

func (s Shape[T]) reads() []string {
	var out []string
	for _, p := range s.parts() {
		out = append(out, p.Actions()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s Shape[T]) writes() []string {
	out := []string{s.Put}
	if s.Delete != "" && s.Delete != s.Put {
		out = append(out, s.Delete)
	}
	return out
}

func refused(err error) *control.Refusal {
	if err == nil {
		err = fmt.Errorf("there is no policy")
	}
	return &control.Refusal{Code: "cannot-plan", Why: err.Error()}
}

// public are the statements that allow public access, but for those that are held to
// callers from within.
func (s Shape[T]) public(p *Config, doc *policy.Document) ([]document.Opened, string) {
	open, unsure := document.PublicStatements(context.Background(), s.target(p), doc)
	return slices.DeleteFunc(open, func(o document.Opened) bool {
		return s.HeldTo != "" && slices.ContainsFunc(doc.Statements[o.Index].Conditions, func(c policy.Condition) bool {
			return c.Operator == "Bool" && strings.EqualFold(c.Key, s.HeldTo) && len(c.Values) == 1 && strings.EqualFold(c.Values[0], "true")
		})
	}), unsure
}

// openFor are the statements that allow public access, of the findings.
func (s Shape[T]) openFor(p *Config, doc *policy.Document, failures []control.Failure) (out []int) {
	open, _ := s.public(p, doc)
	for _, o := range open {
		if slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Key == keyOf(&doc.Statements[o.Index]) }) {
			out = append(out, o.Index)
		}
	}
	return out
}

// plan cuts what the question is about out of statements.
func (s Shape[T]) plan(p *Config, doc *policy.Document, q document.Question, statements []int, house document.House) ([]dera.Change, *control.Refusal) {
	var cuts []document.PublicCut
	for _, i := range statements {
		cut, impossible := q.Cut(context.Background(), doc, i, house)
		if impossible != "" {
			return nil, &control.Refusal{Code: "cannot-narrow", Why: impossible}
		}
		cuts = append(cuts, cut)
	}
	if s.Edit != nil {
		changes, err := s.Edit(p, doc, cuts)
		if err != nil {
			return nil, refused(err)
		}
		return changes, nil
	}
	e, err := document.Narrowed(doc, cuts, house)
	if err != nil {
		return nil, refused(err)
	}
	c, err := s.edit(p, doc, e)
	if err != nil {
		return nil, refused(err)
	}
	return []dera.Change{c}, nil
}

func (s Shape[T]) checkPublic(config *T, set control.Settings) control.Result {
	p := s.Policy(config)
	doc, err := p.Parsed()
	switch {
	case !p.Read(PartPolicy):
		return control.Result{Outcome: control.UnknownResult, Why: "its policy could not be read"}
	case err != nil:
		return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
	}
	open, unsure := s.public(p, doc)
	var failures []control.Failure
	for _, key := range []string{ReadKey, WriteKey} {
		f := control.Failure{Key: key, Start: dera.Auto, Severity: dera.High, Title: "The policy of the " + s.Noun + " allows public read access"}
		if key == WriteKey {
			// To receive a message or decrypt is no write, and as bad.
			f.Severity, f.Title = dera.Critical, "The policy of the "+s.Noun+" allows public access"
		}
		var lines []string
		var at []int
		for _, o := range open {
			if st := &doc.Statements[o.Index]; keyOf(st) == key {
				lines, at = append(lines, "“"+o.Line+"”"), append(at, o.Index)
				f.Permissions = append(f.Permissions, granted(st)...)
			}
		}
		if len(lines) == 0 {
			continue
		}
		slices.Sort(f.Permissions)
		f.Permissions = slices.Compact(f.Permissions)
		f.Why = "Public access is allowed by " + strings.Join(lines, ", ") + "."
		if why := s.doubts(config, doc, at, set); len(why) > 0 {
			f.Start, f.Why = dera.Review, f.Why+" "+strings.Join(why, " ")
		}
		failures = append(failures, f)
	}
	return judged(failures, unsure)
}

// judged turns failures into a result; why says what is not known.
func judged(failures []control.Failure, why string) control.Result {
	switch {
	case why != "":
		return control.Result{Outcome: control.UnknownResult, Failures: failures, Why: why}
	case len(failures) > 0:
		return control.Result{Outcome: control.Fail, Failures: failures}
	}
	return control.Result{Outcome: control.Pass}
}

// granted are the actions of a statement as written; of NotAction nobody lists them.
func granted(st *policy.Statement) []string {
	if len(st.NotActions) > 0 {
		return []string{"*"}
	}
	return st.Actions
}

// doubts say why a person has to decide about the statements.
func (s Shape[T]) doubts(config *T, doc *policy.Document, statements []int, set control.Settings) (out []string) {
	p := s.Policy(config)
	if s.Untested {
		out = append(out, "The calls for this fix are tested against AWS's model of the service alone, so a person decides.")
	}
	if s.Late != "" {
		out = append(out, "A person decides: "+s.Late+".")
	}
	if s.ByHand != "" {
		return append(out, "No plan is made: "+s.ByHand+".")
	}
	if s.Edit != nil {
		out = append(out, s.Service+" removes whole statements only: who has access through it alone loses that, of the account too.")
	}
	if !p.Read(PartTags) {
		out = append(out, "Its tags could not be read, by which guardrails go.")
	}
	if set.Organization == "" && slices.ContainsFunc(set.Accounts, func(a string) bool { return a != p.Account }) {
		out = append(out, "Other accounts of the configuration may have access through it, and would lose it: with organization in the configuration they keep it.")
	}
	house := document.House{Account: p.Account, Organization: set.Organization}
	changes, refusal := s.plan(p, doc, document.Question{On: s.target(p), Account: p.Account}, statements, house)
	if refusal != nil {
		return append(out, "It cannot be narrowed without a decision: "+refusal.Why+".")
	}
	for _, i := range statements {
		if by := s.byServices(&doc.Statements[i]); by != "" {
			out = append(out, "Services of AWS that call "+by+" in their own name come as everyone too, and would lose access.")
			break
		}
	}
	for _, st := range doc.Statements {
		for _, c := range st.Conditions {
			if key := strings.ToLower(c.Key); key == "aws:referer" || key == "aws:useragent" {
				out = append(out, "It goes by "+c.Key+", which the caller sends: whoever writes such a condition often means a client by it.")
			}
		}
	}
	if slices.ContainsFunc(changes, func(c dera.Change) bool { return c.Undo == nil }) {
		out = append(out, "What goes could not be put back as it is.")
	}
	fixed, err := s.after(config, changes)
	if err != nil {
		return append(out, "What the fix would leave cannot be read.")
	}
	after := Change{Resource: p.ARN, Account: p.Account, Keeps: s.Keeps, Cuts: document.Cuts{New: fixed}}
	if a := after.administered(); len(s.Keeps) > 0 && a.Verdict != dera.Proved {
		out = append(out, "After the fix nobody might be able to change the policy: "+a.Witness+".")
	}
	left, err := policy.Parse(after.New)
	if after.New == "" {
		return out
	}
	if err != nil {
		return append(out, "What the fix would leave cannot be read.")
	}
	if _, unsure := document.PublicStatements(context.Background(), s.target(p), left); unsure != "" {
		out = append(out, "After the fix "+unsure+", so a person decides.")
	}
	return out
}

// byServices are actions of a statement that services of AWS call in their own name.
func (s Shape[T]) byServices(st *policy.Statement) string {
	for _, pattern := range s.ByServices {
		if len(st.NotActions) > 0 {
			return pattern
		}
		for _, a := range st.Actions {
			if overlap(strings.ToLower(a), strings.ToLower(pattern)) {
				return pattern
			}
		}
	}
	return ""
}

// overlap reports whether there is a text that both patterns match.
func overlap(a, b string) bool {
	reached := make([][]bool, len(a)+2) // by how much of a and of b is used
	for i := range reached {
		reached[i] = make([]bool, len(b)+2)
	}
	reached[0][0] = true
	for i := 0; i <= len(a); i++ {
		for j := 0; j <= len(b); j++ {
			if !reached[i][j] {
				continue
			}
			many := i < len(a) && a[i] == '*' || j < len(b) && b[j] == '*'
			if many {
				reached[i+1][j] = reached[i+1][j] || i < len(a) && (a[i] == '*' || j < len(b))
				reached[i][j+1] = reached[i][j+1] || j < len(b) && (b[j] == '*' || i < len(a))
			} else if i < len(a) && j < len(b) && (a[i] == b[j] || a[i] == '?' || b[j] == '?') {
				reached[i+1][j+1] = true
			}
		}
	}
	return reached[len(a)][len(b)]
}
