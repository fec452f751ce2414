// Package proof makes the evidence for a change to IAM policies, and the
// certificate in which an auditor finds it.
//
// The claims are (a) that the new policies grant nothing that the old ones do
// not, (b) that nothing is lost of the actions that are kept, on any resource
// and under any circumstances, (c) that all that was removed is gone, and (d) a
// request that was allowed and is not any more. The engine of dera/iam/reason
// decides them; the certificate is given out only after the checker, which
// shares no code with the engine, has accepted it. docs/certificate.md explains
// it to the reader.
package proof

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// Change is what is to be proved.
type Change struct {
	// Old and New are the documents that change, before and after. Nothing in
	// New: the policy is detached.
	Old, New reason.Policies
	// Beside is everything else that is attached to the principal.
	Beside reason.Policies
	// Kept are actions of which nothing may be lost, and Removed entries, as in an
	// Action list, of which nothing may be left. With neither, only (a) is
	// claimed.
	Kept, Removed []string
	// Unused says what is known about the use of what was removed; nil: nothing is
	// claimed about it.
	Unused *Use
}

// Evidence is what was decided about a change.
type Evidence struct {
	NothingNew      reason.Answer  // (a)
	NothingNewAlone *reason.Answer // (a) without what stands beside, if there is any
	NothingLost     *reason.Answer // (b), for a change that keeps or removes something
	Gone            *reason.Answer // (c), likewise
	Less            reason.Answer  // (d): the claim that nothing was lost at all; Refuted is what is wanted

	change Change
}

// narrow reports whether (b) and (c) are claimed.
func (c Change) narrow() bool { return len(c.Kept)+len(c.Removed) > 0 }

// Prove decides the claims about a change.
func Prove(ctx context.Context, c Change, cfg reason.Config) Evidence {
	old, fresh := slices.Concat(c.Old, c.Beside), slices.Concat(c.New, c.Beside)
	cfg = cfg.Remember()
	e := Evidence{change: c, NothingNew: reason.Subset(ctx, fresh, old, cfg)}
	if len(c.Beside) > 0 {
		alone := reason.Subset(ctx, c.New, c.Old, cfg)
		e.NothingNewAlone = &alone
	}
	if c.narrow() {
		nothing, left := lost(ctx, old, fresh, c.Kept, cfg), gone(ctx, fresh, c.Removed, cfg)
		e.NothingLost, e.Gone = &nothing, &left
	}
	e.Less = less(ctx, old, fresh, c.Removed, cfg)
	return e
}

// nothingBut is a document that denies all actions but some. An empty NotAction
// would deny nothing.
func nothingBut(actions []string) *policy.Document {
	st := policy.Statement{Effect: policy.Deny, NotActions: actions, Resources: []string{"*"}}
	if len(actions) == 0 {
		st.NotActions, st.Actions = nil, []string{"*"}
	}
	return &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{st}}
}

// Proved reports whether (a) to (c) hold, which automation needs.
func (e Evidence) Proved() bool { return e.Verdict() == reason.Proved }

// Verdict joins the verdicts of (a) to (c): refuted where one of them is, else
// unknown where one of them is.
func (e Evidence) Verdict() reason.Conclusion {
	out := reason.Proved
	for _, a := range e.answers() {
		switch a.Verdict {
		case reason.Refuted:
			return reason.Refuted
		case reason.Unknown:
			out = reason.Unknown
		case reason.Proved:
		}
	}
	return out
}

// answers returns the answers to the claims that were made, by name.
func (e Evidence) answers() map[string]*reason.Answer {
	out := map[string]*reason.Answer{check.NothingNew: &e.NothingNew}
	for name, a := range map[string]*reason.Answer{
		check.NothingNewAlone: e.NothingNewAlone, check.NothingLost: e.NothingLost, check.Gone: e.Gone,
	} {
		if a != nil {
			out[name] = a
		}
	}
	return out
}

// Automatic reports whether the change may be made without a person: everything
// is proved, and a request shows that it changes something.
func (e Evidence) Automatic() bool { return e.Proved() && e.Less.Verdict == reason.Refuted }

// ErrUnproved: there is no certificate for what was not proved.
var ErrUnproved = errors.New("not everything is proved")

// Origin is where the facts of a certificate come from; all of it is optional.
type Origin struct {
	Catalogue string // version of the catalogue
	Events    string // digest of the record of use
	From, To  string // the time in which use was watched, RFC 3339
}

// Certificate writes the certificate of a change. The error wraps ErrUnproved
// where a claim was not proved, or the checker, which knows less than the
// engine, could not follow.
func (e Evidence) Certificate(o Origin) ([]byte, error) {
	for _, name := range slices.Sorted(maps.Keys(e.answers())) {
		if a := e.answers()[name]; a.Verdict != reason.Proved {
			return nil, fmt.Errorf("claim %s is %v: %w", name, a.Verdict, ErrUnproved)
		}
	}
	change := e.change
	change.Kept, change.Removed = sorted(change.Kept), sorted(change.Removed)
	c := &check.Certificate{
		Format: check.Format, Purpose: check.Subset, Semantics: check.Semantics(),
		Catalogue: o.Catalogue, Events: o.Events, Window: check.Window{From: o.From, To: o.To},
		Kept: change.Kept, Removed: change.Removed,
		Old: texts(change.Old), New: texts(change.New), Beside: texts(change.Beside),
	}
	if change.narrow() {
		c.Purpose = check.Narrow
	}
	if c.Witness = witness(e.Less); c.Witness == nil && change.narrow() {
		return nil, fmt.Errorf("no request was found that shows the difference: %w", ErrUnproved)
	}
	if err := change.unused(c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnproved, err)
	}
	var prelude string
	c.Claims, prelude, c.Unwritten = questions(change)
	c.Prelude = compress(prelude)
	data, err := c.Encode()
	if err != nil {
		return nil, err
	}
	if _, err := check.Check(data); err != nil {
		return nil, fmt.Errorf("%w: the checker does not confirm it: %w", ErrUnproved, err)
	}
	return data, nil
}

// witness gives a request as a certificate has it, or nil for one that only
// holds under an unusual reading, or that needs a caller.
func witness(a reason.Answer) *check.Request {
	if a.Verdict != reason.Refuted || a.Witness.Reading != (reason.Reading{}) {
		return nil
	}
	r := a.Witness.Request
	if r.Principal.ARN != "" || r.Principal.Canonical != "" || r.Principal.ID != "" || r.Principal.Type != 0 {
		return nil
	}
	context := map[string][]string{}
	maps.Copy(context, r.Context)
	return &check.Request{Action: r.Action, Resource: r.Resource, Context: context}
}

func sorted(list []string) []string {
	out := append([]string{}, list...)
	slices.Sort(out)
	return out
}

func texts(docs reason.Policies) []check.Document {
	out := []check.Document{}
	for _, d := range docs {
		out = append(out, check.NewDocument(d.Text()))
	}
	return out
}

// Check checks a certificate: the independent checker must accept it, and the
// SMT-LIB in it must be what its documents and claims give.
func Check(data []byte) (*check.Certificate, error) {
	c, err := check.Check(data)
	if err != nil {
		return nil, err
	}
	change, err := changeOf(c)
	if err != nil {
		return nil, err
	}
	claims, prelude, unwritten := questions(change)
	have, err := decompress(c.Prelude)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(claims, c.Claims) || prelude != have || unwritten != c.Unwritten {
		return nil, errors.New("the SMT-LIB text is not that of these policies and claims")
	}
	return c, nil
}

// changeOf reads the documents of a certificate.
func changeOf(c *check.Certificate) (Change, error) {
	out := Change{Kept: c.Kept, Removed: c.Removed}
	for _, part := range []struct {
		into *reason.Policies
		from []check.Document
	}{{&out.Old, c.Old}, {&out.New, c.New}, {&out.Beside, c.Beside}} {
		for _, d := range part.from {
			doc, err := policy.Parse(d.Text)
			if err != nil {
				return out, fmt.Errorf("read certificate: %w", err)
			}
			*part.into = append(*part.into, doc)
		}
	}
	return out, nil
}

// Script returns the question of a claim for a solver, or false where there is
// none.
func Script(c *check.Certificate, claim string) (string, bool) {
	at := slices.IndexFunc(c.Claims, func(q check.Claim) bool { return q.Claim == claim })
	if at < 0 || c.Claims[at].SMTLIB == "" {
		return "", false
	}
	prelude, err := decompress(c.Prelude)
	return prelude + c.Claims[at].SMTLIB, err == nil
}

func compress(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// maxPrelude bounds what a prelude may grow to.
const maxPrelude = 64 << 20

func decompress(data []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("read the SMT-LIB text: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxPrelude))
	if err != nil {
		return "", fmt.Errorf("read the SMT-LIB text: %w", err)
	}
	return string(text), nil
}

// About reports whether a certificate holds and is about just these documents, with
// nothing beside; why says what is wrong with it.
func About(certificate string, old, fresh reason.Policies) (ok bool, why string) {
	c, err := Check([]byte(certificate))
	if err != nil {
		return false, "the certificate does not hold: " + err.Error()
	}
	same := func(stated []check.Document, docs reason.Policies) bool {
		return slices.EqualFunc(stated, docs, func(s check.Document, d *policy.Document) bool { return s.Text == d.Text() })
	}
	if len(c.Beside) > 0 || !same(c.Old, old) || !same(c.New, fresh) {
		return false, "the certificate is about other policies"
	}
	return true, ""
}
