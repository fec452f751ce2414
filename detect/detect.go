// Package detect turns a hint into facts: it re-reads the resources of a scope
// and runs the controls of their type on what it read. Layer: may import the
// words, resource and control.
package detect

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
)

// Reader reads resources as they are now.
type Reader interface {
	// Read returns one page of the scope. full asks for everything that a plan
	// needs; a cheap look may leave that out. IDs that the service says do not
	// exist are in Missing; an error means that nothing is known of the scope.
	Read(ctx context.Context, scope dera.Scope, full bool) (Page, error)
}

// Completer is a Reader that reads only what a cheap look of just now left out of
// the resources that it returned, and again only those of which it could not read
// something. The others come back as old as that look. Readers that are none read in
// full again.
type Completer interface {
	Complete(ctx context.Context, scope dera.Scope, quick []dera.Resource) (Page, error)
}

// Page is what one read returned.
type Page struct {
	Resources []dera.Resource
	Missing   []string
	Next      string // continuation of a sweep; empty at its end
}

// Assessment is one resource and what each control of its type says of it.
type Assessment struct {
	Resource dera.Resource
	Results  []Judgement
	// Confirmed says that an earlier read found the same: only then is a finding
	// resolved.
	Confirmed bool
}

// Judgement is the result of one control.
type Judgement struct {
	Control control.Control
	Result  control.Result
}

// Unjudged reports whether there is something of the resource that the control could not
// judge, and why.
func (j Judgement) Unjudged() (why string, unjudged bool) {
	if j.Result.Unrecorded {
		return "nothing is recorded of the use of its principals", true
	}
	return j.Result.Why, j.Result.Outcome == control.UnknownResult
}

// Clean reports whether no control has anything to say.
func (a Assessment) Clean() bool {
	for _, j := range a.Results {
		if j.Result.Outcome == control.UnknownResult || len(j.Result.Failures) > 0 {
			return false
		}
	}
	return true
}

// Look is the result of one look at a scope.
type Look struct {
	Assessments []Assessment
	Missing     []string
	Next        string
}

// Detector looks at scopes. It is safe for concurrent use.
type Detector struct {
	Reader   Reader
	Controls []control.Control
	Settings control.Settings
}

// Look reads one page of the scope and judges it. It is a cheap look at first: of what
// fails on it the rest is read too, so that a finding never rests on a partial view, and
// of what has a past, where that is not nil. No part is read twice for that: the cheap
// look is one read, and what is to be confirmed by a second one takes another look.
func (d Detector) Look(ctx context.Context, scope dera.Scope, past func(dera.Resource) (bool, error)) (Look, error) {
	page, err := d.Reader.Read(ctx, scope, false)
	if err != nil {
		return Look{}, unread(scope, err)
	}
	look := Look{Missing: page.Missing, Next: page.Next}
	var again []dera.Resource
	for _, r := range page.Resources {
		a := d.Assess(r)
		rest := !r.Full && !a.Clean()
		if !rest && !r.Full && past != nil {
			if rest, err = past(r); err != nil {
				return Look{}, err
			}
		}
		if rest {
			again = append(again, r)
			continue
		}
		look.Assessments = append(look.Assessments, a)
	}
	if len(again) == 0 {
		return look, nil
	}
	full, err := d.complete(ctx, scope, again)
	if err != nil {
		return Look{}, err
	}
	look.Assessments = append(look.Assessments, full.Assessments...)
	look.Missing = append(look.Missing, full.Missing...)
	return look, nil
}

// complete looks at resources of a cheap look in full.
func (d Detector) complete(ctx context.Context, scope dera.Scope, quick []dera.Resource) (Look, error) {
	scope.IDs, scope.Page = nil, ""
	for _, r := range quick {
		scope.IDs = append(scope.IDs, r.ID)
	}
	var page Page
	var err error
	if c, ok := d.Reader.(Completer); ok {
		page, err = c.Complete(ctx, scope, quick)
	} else {
		page, err = d.Reader.Read(ctx, scope, true)
	}
	if err != nil {
		return Look{}, unread(scope, err)
	}
	look := Look{Missing: page.Missing}
	for _, r := range page.Resources {
		look.Assessments = append(look.Assessments, d.Assess(r))
	}
	return look, nil
}

// unread says what could not be read.
func unread(s dera.Scope, err error) error {
	if s.Sweep() {
		return fmt.Errorf("read %s in %s %s: %w", s.Type, s.Account, s.Region, err)
	}
	return fmt.Errorf("read %d of %s in %s %s: %w", len(s.IDs), s.Type, s.Account, s.Region, err)
}

// Assess runs the controls of the resource's type on it. A control that fails or
// breaks on one resource makes that one unknown; it must not hide the others.
func (d Detector) Assess(r dera.Resource) Assessment {
	a := Assessment{Resource: r}
	for _, c := range d.Controls {
		if c.Type == r.Type {
			a.Results = append(a.Results, Judgement{c, d.check(c, r)})
		}
	}
	return a
}

func (d Detector) check(c control.Control, r dera.Resource) (res control.Result) {
	defer func() {
		if p := recover(); p != nil {
			why := "the control broke on it"
			if e, ok := p.(runtime.Error); ok { // any other value may quote the configuration
				why += " (" + e.Error() + ")"
			}
			res = control.Result{Outcome: control.UnknownResult, Why: why}
		}
	}()
	if r.Config == nil && r.Unread != "" {
		return control.Result{Outcome: control.UnknownResult, Why: r.Unread}
	}
	res, err := c.Check(r, d.Settings)
	if err != nil {
		return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
	}
	if r.Unread != "" {
		return doubted(res, r.Unread)
	}
	return res
}

// doubted is a result on a resource of which something is not known: what was
// found stays, for a person, and nothing passes.
func doubted(res control.Result, why string) control.Result {
	res.Failures = slices.Clone(res.Failures)
	for i := range res.Failures {
		res.Failures[i].Start = res.Failures[i].Start.Lower(dera.Review)
		if res.Whole {
			res.Failures[i].Why += " Also not known: " + why + "."
		}
	}
	if res.Whole && res.Outcome == control.Fail {
		return res // one setting has one finding
	}
	if res.Outcome == control.UnknownResult {
		why = res.Why + "; " + why
	}
	res.Outcome, res.Why = control.UnknownResult, why
	return res
}
