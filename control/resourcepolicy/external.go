package resourcepolicy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// External is the control on statements that give access to accounts, organisations and
// principals which are not declared.
func (s Shape[T]) External(why string, refs ...control.Ref) control.Control {
	refs = append(slices.Clone(refs), control.Ref{Standard: "IAM Access Analyzer", ID: "external access", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html"})
	because := "it may be meant, and only its owner knows"
	if s.Untested {
		because += "; the calls for it are tested against AWS's model of the service alone"
	}
	if s.Late != "" {
		because += "; " + s.Late
	}
	return control.Define(control.Spec[*T]{
		Meta: control.Meta{
			ID: s.Prefix + "-external-access", Title: "The policy of the " + s.Noun + " allows access by an external principal that is not declared",
			Type: s.Type.Name, Severity: dera.High, Why: why,
			Fix: "The principal that the finding names, or the value of the condition that names it, goes out of the statement; with the only one the statement goes. Whoever is meant " +
				"is declared in trusted_accounts of the configuration instead.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "a statement that allows something names an account, an organisation or a principal that is not the resource's own, not among accounts, not in trusted_accounts and not a known vendor's", Disposition: dera.Review, Because: because},
				{When: "a statement for everyone is denied to all but such a one", Disposition: dera.Review, Because: "no plan is made: who else has access by it, only its owner knows"},
				{When: "a statement allows a service of AWS without aws:SourceArn, aws:SourceAccount or aws:SourceOrgID", Disposition: dera.Alert, Because: "the service can be made to act by any of its customers; seldom urgent"},
			},
			Refs: refs, Reads: s.reads(), Writes: s.writes(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(c *T, set control.Settings) control.Result {
			if s.Applies != nil && s.Applies(c) != "" {
				return control.Result{Outcome: control.NotApplicable}
			}
			return s.checkExternal(s.Policy(c), set)
		},
		Plan: func(c *T, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			p := s.Policy(c)
			doc, err := p.Parsed()
			if err != nil || doc == nil {
				return nil, refused(err)
			}
			q := document.Question{On: s.target(p), Account: p.Account, Outsiders: Change{Goals: keys(failures)}.outsiders()}
			var statements []int
			for i := range doc.Statements {
				found := document.Outsiders(context.Background(), doc, i, document.Own{Account: p.Account}, func(id string) bool {
					return !slices.ContainsFunc(q.Outsiders, func(o document.Outsider) bool { return o.ID == id })
				})
				if len(found) > 0 {
					statements = append(statements, i)
				}
			}
			if len(statements) == 0 { // a service on behalf of anybody: who is meant is for a person to write
				return nil, &control.Refusal{Code: "cannot-plan", Why: "no statement names an account, an organisation or a principal that could go"}
			}
			return s.plan(p, doc, q, statements, document.House{})
		},
		Prove: func(c *T, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return s.prove(c, failures, changes, nil)
		},
	})
}

func keys(failures []control.Failure) (out []string) {
	for _, f := range failures {
		out = append(out, f.Key)
	}
	slices.Sort(out)
	return out
}

func (s Shape[T]) checkExternal(p *Config, set control.Settings) control.Result {
	doc, err := p.Parsed()
	switch {
	case !p.Read(PartPolicy):
		return control.Result{Outcome: control.UnknownResult, Why: "its policy could not be read"}
	case err != nil:
		return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
	case doc == nil:
		return control.Result{Outcome: control.Pass}
	}
	trusted := func(id string) bool {
		return id == set.Organization || slices.Contains(set.Accounts, id) || slices.Contains(set.Trusted, id) || document.KnownAccount(id) != ""
	}
	found := map[string]*control.Failure{}
	lines := map[string][]string{}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		note := func(key, title string, f control.Failure) {
			if found[key] == nil {
				f.Key, f.Title = key, title
				found[key] = &f
			}
			lines[key] = append(lines[key], "“"+document.StatementLine(i, st)+"”")
			found[key].Permissions = append(found[key].Permissions, granted(st)...)
		}
		for _, o := range document.Outsiders(context.Background(), doc, i, document.Own{Account: p.Account}, trusted) {
			note(o.Kind+"/"+o.ID, fmt.Sprintf("The policy of the %s allows access by undeclared %s %s", s.Noun, o.Kind, o.ID), control.Failure{Start: dera.Review, Severity: dera.High})
		}
		for _, name := range document.OpenServices(doc, i) {
			note("service/"+name, "The policy of the "+s.Noun+" allows access by "+name+" on behalf of any account", control.Failure{Start: dera.Alert, Severity: dera.Low})
		}
	}
	var failures []control.Failure
	for _, key := range sorted(found) {
		f := *found[key]
		slices.Sort(f.Permissions)
		f.Permissions = slices.Compact(f.Permissions)
		f.Why = "Access is allowed by " + strings.Join(lines[key], ", ") + "."
		if f.Start == dera.Alert {
			f.Why += " No condition limits on whose behalf it acts (aws:SourceArn, aws:SourceAccount)."
		} else if s.Late != "" {
			f.Why += " A person decides: " + s.Late + "."
		}
		failures = append(failures, f)
	}
	return judged(failures, "")
}

func sorted(m map[string]*control.Failure) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// after is the policy after the changes.
func (s Shape[T]) after(config *T, changes []dera.Change) (string, error) {
	fixed, err := s.Define().ApplyPlan(config, dera.Plan{Changes: changes})
	if err != nil {
		return "", err
	}
	return s.Policy(fixed.(*T)).Policy, nil
}

// prove makes the evidence for changes of the policy; house is nil where outsiders lose
// access by name.
func (s Shape[T]) prove(config *T, failures []control.Failure, changes []dera.Change, house *document.House) (dera.Evidence, error) {
	p := s.Policy(config)
	after, err := s.after(config, changes)
	if err != nil {
		return dera.Evidence{}, err
	}
	make := func(old, fresh string) (Change, error) {
		c := Change{Resource: p.ARN, On: s.target(p), Account: p.Account, Goals: keys(failures), Keeps: s.Keeps, Cuts: document.Cuts{Old: old, New: fresh, House: house}}
		err := c.Compare()
		if err == nil {
			err = c.Certify()
		}
		return c, err
	}
	real, err := make(p.Policy, after)
	if err != nil {
		return dera.Evidence{}, err
	}
	var hide document.Redactor
	shown, err := make(hide.Text(p.Policy), hide.Text(after))
	if err != nil {
		return dera.Evidence{}, err
	}
	// What holds of the stand-ins must hold of the texts themselves.
	if !slices.EqualFunc(real.claims(), shown.claims(), func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, fmt.Errorf("prove the policy: %w", evidence.ErrHidden)
	}
	return shown.Evidence()
}
