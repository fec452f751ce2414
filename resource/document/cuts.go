package document

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/evidence"
)

// Cuts is what a proof about a policy that loses some of its access is about: the
// policy before and after, what goes, and the certificates. Values that can be secret
// have stand-ins, the same in both texts. An empty text is no policy.
type Cuts struct {
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Dropped are the statements of the old policy, counted from 0, that go, and Narrowed
	// those that lose elements.
	Dropped  []int       `json:"dropped,omitempty"`
	Narrowed []PublicCut `json:"narrowed,omitempty"`
	// House is who must lose nothing, although it came in by a statement for anybody; nil
	// where what goes names who loses it.
	House *House `json:"house,omitempty"`
	// NothingNew, NothingLost, HouseKept and NoMore are certificates on the policies:
	// that the new one grants nothing new, that all is left but for what goes, that
	// the house keeps its part of that, and that nothing else of it is left.
	NothingNew  string `json:"nothing_new,omitempty"`
	NothingLost string `json:"nothing_lost,omitempty"`
	HouseKept   string `json:"house_kept,omitempty"`
	NoMore      string `json:"no_more,omitempty"`
}

// Answer is a verdict with its witness.
type Answer struct {
	Verdict dera.Verdict
	Witness string
}

// Claim is the answer as a claim.
func (a Answer) Claim(name, says string) dera.Claim {
	return dera.Claim{Name: name, Says: says, Verdict: a.Verdict, Witness: a.Witness}
}

// Compare finds which statements of the old policy the new one leaves out or has
// narrower. The others must stand in it in the same order; what it has beyond them
// is for the first certificate.
func (c *Cuts) Compare() error {
	if c.Old == c.New {
		return nil
	}
	before, err := policy.Parse(c.Old)
	if err != nil {
		return fmt.Errorf("read the policy before: %w", err)
	}
	after := &policy.Document{}
	if c.New != "" {
		if after, err = policy.Parse(c.New); err != nil {
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
			if cut, ok := c.house().NarrowedBy(i, before.Statements[i], after.Statements[next]); ok {
				c.Narrowed = append(c.Narrowed, cut)
				next++
				continue
			}
		}
		c.Dropped = append(c.Dropped, i)
	}
	return nil
}

func (c *Cuts) house() House {
	if c.House == nil {
		return House{}
	}
	return *c.House
}

// alone is what one statement says.
func alone(doc *policy.Document, i int) string {
	return (&policy.Document{Version: doc.Version, Statements: doc.Statements[i : i+1]}).Canon()
}

// Certify makes the certificates on the policies.
func (c *Cuts) Certify() error {
	if c.Old == c.New {
		return nil
	}
	d, err := c.documents()
	if err != nil {
		return err
	}
	if c.NothingNew, err = certificate(d.old, d.fresh); err != nil {
		return fmt.Errorf("certify that nothing is new: %w", err)
	}
	if c.NothingLost, err = certificate(d.fresh, d.kept); err != nil {
		return fmt.Errorf("certify that nothing else is lost: %w", err)
	}
	if c.NoMore, err = certificate(slices.Concat(d.kept, d.house), d.fresh); err != nil {
		return fmt.Errorf("certify that nothing is left of what the plan removes: %w", err)
	}
	if len(d.house) == 0 {
		return nil
	}
	if c.HouseKept, err = certificate(d.direct, d.house); err != nil {
		c.HouseKept = "" // it is lost: the claim says so
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

func (c *Cuts) documents() (d documents, err error) {
	parse := func(text string) (reason.Policies, error) {
		if text == "" {
			return nil, nil
		}
		doc, err := policy.Parse(text)
		return reason.Policies{doc}, err
	}
	if d.old, err = parse(c.Old); err != nil {
		return d, fmt.Errorf("read the policy before: %w", err)
	}
	if d.fresh, err = parse(c.New); err != nil {
		return d, fmt.Errorf("read the policy after: %w", err)
	}
	if len(d.old) == 0 {
		return d, nil
	}
	rest := &policy.Document{Version: d.old[0].Version, ID: d.old[0].ID}
	var parts []policy.Statement
	for i, st := range d.old[0].Statements {
		cut, goes := c.Cut(i)
		if !goes {
			rest.Statements = append(rest.Statements, st)
			continue
		}
		part, _, open, err := c.house().Part(cut.Lost(st))
		if err != nil {
			return d, err
		}
		if open {
			parts = append(parts, part)
		}
		switch {
		case slices.Contains(c.Dropped, i):
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
	d.house = reason.Policies{Only(d.old[0], parts...)}
	if len(d.fresh) > 0 {
		if direct := c.House.Direct(d.fresh[0]); len(direct.Statements) > 0 {
			d.direct = reason.Policies{direct}
		}
	}
	return d, nil
}

// Cut is what goes of a statement of the old policy; false where nothing does.
func (c *Cuts) Cut(i int) (PublicCut, bool) {
	at := slices.IndexFunc(c.Narrowed, func(x PublicCut) bool { return x.Index == i })
	if at >= 0 {
		return c.Narrowed[at], true
	}
	return PublicCut{Index: i}, slices.Contains(c.Dropped, i)
}

// certificate proves that fresh grants nothing that old does not, and has the
// independent checker accept it. No policy at all grants nothing.
func certificate(old, fresh reason.Policies) (string, error) {
	ev := proof.Prove(context.Background(), proof.Change{Old: old, New: fresh}, reason.Config{})
	text, err := ev.Certificate(proof.Origin{})
	return string(text), err
}

// NotWider is proved where the policy after grants nothing that the one before does not.
func (c *Cuts) NotWider() Answer {
	if c.Old == c.New {
		return Answer{Verdict: dera.Proved} // also where it cannot be read
	}
	d, err := c.documents()
	if err != nil {
		return Answer{dera.Unknown, err.Error()}
	}
	return certified(c.NothingNew, d.old, d.fresh)
}

// Lost is proved where nothing goes but what may, and the house keeps its part of it.
// allowed says of a cut of the old policy whether it may be made.
func (c *Cuts) Lost(allowed func(old *policy.Document, cut PublicCut) Answer) Answer {
	if c.Old == c.New && len(c.Dropped)+len(c.Narrowed) == 0 {
		return Answer{Verdict: dera.Proved}
	}
	d, err := c.documents()
	if err != nil {
		return Answer{dera.Unknown, err.Error()}
	}
	for _, old := range d.old {
		for i := range old.Statements {
			if cut, goes := c.Cut(i); goes {
				if x := allowed(old, cut); x.Verdict != dera.Proved {
					return x
				}
			}
		}
	}
	x := certified(c.NothingLost, d.fresh, d.kept)
	switch {
	case x.Verdict != dera.Proved || len(d.house) == 0:
		return x
	case c.HouseKept == "":
		return Answer{dera.Unknown, "principals of " + c.House.String() + " may have access through a statement for everyone only, and lose it"}
	}
	return certified(c.HouseKept, d.direct, d.house)
}

// Rest is proved where nothing is left of what goes but the house's part.
func (c *Cuts) Rest() Answer {
	d, err := c.documents()
	if err != nil {
		return Answer{dera.Unknown, err.Error()}
	}
	return certified(c.NoMore, slices.Concat(d.kept, d.house), d.fresh)
}

// certified is proved when the certificate holds and is about just these
// documents.
func certified(certificate string, old, fresh reason.Policies) Answer {
	if ok, why := proof.About(certificate, old, fresh); !ok {
		return Answer{dera.Unknown, why}
	}
	return Answer{Verdict: dera.Proved}
}

// PublicOnly says of a cut whether each element that goes allows public access on its
// own, and what goes with it names nobody beside the house.
func (c *Cuts) PublicOnly(on Target, old *policy.Document, cut PublicCut) Answer {
	x := Question{On: on}.Only(old, cut)
	if c.House == nil || x.Verdict != dera.Proved {
		return x
	}
	if named := c.House.NamedBeside(context.Background(), on, old, cut); len(named) > 0 {
		return Answer{dera.Unknown, fmt.Sprintf("statement %d also names %s", cut.Index+1, strings.Join(named, ", "))}
	}
	return x
}

// Policies are the two policies, where they differ, and the certificates about them.
func (c *Cuts) Policies() evidence.Policies {
	var out evidence.Policies
	if c.Old != c.New {
		out.Before, out.After = c.Old, c.New
	}
	for _, x := range []evidence.Certificate{
		{Name: "nothing-new", Says: "the policy after grants nothing that the one before does not", Text: c.NothingNew},
		{Name: "nothing-lost", Says: "the policy before, without what the plan removes, grants nothing that the policy after does not", Text: c.NothingLost},
		{Name: "house-kept", Says: "of what the plan removes, the policy after still grants trusted principals what they had", Text: c.HouseKept},
		{Name: "no-more", Says: "and nothing else of it", Text: c.NoMore},
	} {
		if x.Text != "" {
			out.Certificates = append(out.Certificates, x)
		}
	}
	return out
}
