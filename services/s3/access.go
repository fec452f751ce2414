package s3

import (
	"fmt"

	"dera.example/dera"
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
	return x.cuts().Policies(), nil
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
// narrower; see document.Cuts.
func (a *Access) Compare() error {
	c := a.cuts()
	err := c.Compare()
	a.Dropped, a.Narrowed = c.Dropped, c.Narrowed
	return err
}

// Certify makes the certificates on the policies.
func (a *Access) Certify() error {
	c := a.cuts()
	err := c.Certify()
	a.NothingNew, a.NothingLost, a.HouseKept, a.NoMore = c.NothingNew, c.NothingLost, c.HouseKept, c.NoMore
	return err
}

// cuts is the part that is about the policies.
func (a *Access) cuts() *document.Cuts {
	return &document.Cuts{
		Old: a.Old.Policy, New: a.New.Policy, Dropped: a.Dropped, Narrowed: a.Narrowed, House: a.House,
		NothingNew: a.NothingNew, NothingLost: a.NothingLost, HouseKept: a.HouseKept, NoMore: a.NoMore,
	}
}
