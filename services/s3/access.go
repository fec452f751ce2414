package s3

import (
	"context"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// AccessKind is the kind of evidence that Access makes.
const AccessKind = "access/1"

// AccessEvidence is the kind of Access.
func AccessEvidence() evidence.Kind {
	return evidence.Kind{Name: AccessKind, Remake: evidence.Remade[Access], Policies: policies}
}

// policies are those of a body, where the plan changes the policy, and the
// certificates about it.
func policies(body []byte) (evidence.Policies, error) {
	x, err := ReadAccess(dera.Evidence{Body: body})
	if err != nil {
		return evidence.Policies{}, err
	}
	var out evidence.Policies
	if x.Old.Policy != x.New.Policy {
		out.Before, out.After = x.Old.Policy, x.New.Policy
	}
	for _, c := range []evidence.Certificate{
		{Name: "nothing-new", Says: "the policy after grants nothing that the one before does not", Text: x.NothingNew},
		{Name: "nothing-lost", Says: "the policy before, without what the plan removes, grants nothing that the policy after does not", Text: x.NothingLost},
		{Name: "house-kept", Says: "of what the plan removes, the policy after still grants trusted principals what they had", Text: x.HouseKept},
		{Name: "no-more", Says: "and nothing else of it", Text: x.NoMore},
	} {
		if c.Text != "" {
			out.Certificates = append(out.Certificates, c)
		}
	}
	return out, nil
}

// Access is what a proof about a bucket, or about the block of an account, is
// about: who has access before and after the plan, and which part of that shall go.
// Values of policies that can be secret have stand-ins, the same in both texts.
type Access struct {
	Bucket dera.ARN `json:"bucket,omitempty"` // none for the block of an account

	Old Side `json:"old"`
	New Side `json:"new"`
	// Goals are the keys of the findings that shall be gone.
	Goals []string `json:"goals"`
	// Dropped are the statements of the old policy, counted from 0, that go, and
	// Narrowed those that lose what allows public access.
	Dropped  []int                `json:"dropped,omitempty"`
	Narrowed []document.PublicCut `json:"narrowed,omitempty"`
	// House is who must lose nothing, although it came in by a statement for
	// anybody. Bodies from before 2026-12 have none: they claim less.
	House *document.House `json:"house,omitempty"`
	// Needs says what could depend on what a block takes away.
	Needs []string `json:"needs,omitempty"`
	// NothingNew, NothingLost, HouseKept and NoMore are certificates on the policies:
	// that the new one grants nothing new, that all is left but for what goes, that
	// the house keeps its part of that, and that nothing else of it is left.
	NothingNew  string `json:"nothing_new,omitempty"`
	NothingLost string `json:"nothing_lost,omitempty"`
	HouseKept   string `json:"house_kept,omitempty"`
	NoMore      string `json:"no_more,omitempty"`
}

// Side is what decides who has access, at one time.
type Side struct {
	Policy string  `json:"policy,omitempty"`
	Grants []Grant `json:"grants,omitempty"`
	Block  Block   `json:"block"` // all blocks that apply
}

// ReadAccess reads the body of evidence of AccessKind. It does not check it: see
// CheckEvidence.
func ReadAccess(ev dera.Evidence) (Access, error) {
	var a Access
	if err := evidence.Strict(ev.Body, &a); err != nil {
		return a, fmt.Errorf("read body of evidence: %w", err)
	}
	return a, nil
}

// Compare finds which statements of the old policy the new one leaves out or has
// narrower. The others must stand in it in the same order; what it has beyond them
// is for the first certificate.
func (a *Access) Compare() error {
	if a.Old.Policy == a.New.Policy {
		return nil
	}
	before, err := policy.Parse(a.Old.Policy)
	if err != nil {
		return fmt.Errorf("read the policy before: %w", err)
	}
	after := &policy.Document{}
	if a.New.Policy != "" {
		if after, err = policy.Parse(a.New.Policy); err != nil {
			return fmt.Errorf("read the policy after: %w", err)
		}
	}
	next := 0
	for i := range before.Statements {
		if next < len(after.Statements) {
			if alone(before, i) == alone(after, next) {
				next++
				continue
			}
			if cut, ok := a.House.NarrowedBy(i, before.Statements[i], after.Statements[next]); ok {
				a.Narrowed = append(a.Narrowed, cut)
				next++
				continue
			}
		}
		a.Dropped = append(a.Dropped, i)
	}
	return nil
}

// alone is what one statement says.
func alone(doc *policy.Document, i int) string {
	return (&policy.Document{Version: doc.Version, Statements: doc.Statements[i : i+1]}).Canon()
}

// Certify makes the certificates on the policies.
func (a *Access) Certify() error {
	if a.Old.Policy == a.New.Policy {
		return nil
	}
	d, err := a.documents()
	if err != nil {
		return err
	}
	if a.NothingNew, err = certificate(d.old, d.fresh); err != nil {
		return fmt.Errorf("certify that nothing is new: %w", err)
	}
	if a.NothingLost, err = certificate(d.fresh, d.kept); err != nil {
		return fmt.Errorf("certify that nothing else is lost: %w", err)
	}
	if a.NoMore, err = certificate(slices.Concat(d.kept, d.house), d.fresh); err != nil {
		return fmt.Errorf("certify that nothing is left of what the plan removes: %w", err)
	}
	if len(d.house) == 0 {
		return nil
	}
	if a.HouseKept, err = certificate(d.direct, d.house); err != nil {
		a.HouseKept = "" // it is lost: the claim says so
	}
	return nil
}

// documents are what the certificates are about; none where no policy is left.
type documents struct {
	old, fresh reason.Policies
	kept       reason.Policies // the old policy without what goes
	house      reason.Policies // what the house had by what goes
	direct     reason.Policies // what the new policy gives the house directly
}

func (a *Access) documents() (d documents, err error) {
	parse := func(text string) (reason.Policies, error) {
		if text == "" {
			return nil, nil
		}
		doc, err := policy.Parse(text)
		return reason.Policies{doc}, err
	}
	if d.old, err = parse(a.Old.Policy); err != nil {
		return d, fmt.Errorf("read the policy before: %w", err)
	}
	if d.fresh, err = parse(a.New.Policy); err != nil {
		return d, fmt.Errorf("read the policy after: %w", err)
	}
	if len(d.old) == 0 {
		return d, nil
	}
	rest := &policy.Document{Version: d.old[0].Version, ID: d.old[0].ID}
	var parts []policy.Statement
	for i, st := range d.old[0].Statements {
		cut, goes := a.cut(i)
		if !goes {
			rest.Statements = append(rest.Statements, st)
			continue
		}
		part, open := policy.Statement{}, false
		if a.House != nil {
			if part, _, open, err = a.House.Part(cut.Lost(st)); err != nil {
				return d, err
			}
		}
		if open {
			parts = append(parts, part)
		}
		switch {
		case slices.Contains(a.Dropped, i):
		case cut.Whole():
			rest.Statements = append(rest.Statements, part)
		default:
			rest.Statements = append(rest.Statements, cut.Left(st))
		}
	}
	if len(rest.Statements) > 0 {
		d.kept = reason.Policies{rest}
	}
	if len(parts) == 0 {
		return d, nil
	}
	d.house = reason.Policies{document.Only(d.old[0], parts...)}
	if len(d.fresh) > 0 {
		if direct := a.House.Direct(d.fresh[0]); len(direct.Statements) > 0 {
			d.direct = reason.Policies{direct}
		}
	}
	return d, nil
}

// cut is what goes of a statement of the old policy; false where nothing does.
func (a *Access) cut(i int) (document.PublicCut, bool) {
	at := slices.IndexFunc(a.Narrowed, func(c document.PublicCut) bool { return c.Index == i })
	if at >= 0 {
		return a.Narrowed[at], true
	}
	return document.PublicCut{Index: i}, slices.Contains(a.Dropped, i)
}

// certificate proves that fresh grants nothing that old does not, and has the
// independent checker accept it. No policy at all grants nothing.
func certificate(old, fresh reason.Policies) (string, error) {
	ev := proof.Prove(context.Background(), proof.Change{Old: old, New: fresh}, reason.Config{})
	text, err := ev.Certificate(proof.Origin{})
	return string(text), err
}
