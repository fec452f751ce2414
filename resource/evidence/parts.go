package evidence

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// PartsKind is the kind of evidence that Parts makes.
const PartsKind = "parts/1"

// PartsEvidence is the kind of Parts.
func PartsEvidence() Kind { return Kind{Name: PartsKind, Remake: Remade[Parts]} }

// Parts is what a proof about parts of a resource is about, which are the lines of its
// canonical form: all of them before the plan, after it, and after its undo, and those that
// the plan shall take away and bring. Kept are those that an undo leaves.
type Parts struct {
	Resource string   `json:"resource"` // its type
	Before   []string `json:"before"`
	After    []string `json:"after"`
	Undone   []string `json:"undone"`
	Gone     []string `json:"gone"`
	Come     []string `json:"come,omitempty"`
	Kept     []string `json:"kept,omitempty"`
}

// ProveParts makes the evidence for changes that take the lines gone from the canonical form
// of a configuration and bring the lines come.
func ProveParts(t resource.Type, config any, changes []dera.Change, gone, come []string) (dera.Evidence, error) {
	p := Parts{Resource: t.Name, Gone: gone, Come: come}
	now, err := p.note(t, config, &p.Before)
	if err != nil {
		return dera.Evidence{}, err
	}
	undos := make([]resource.Operation, 0, len(changes))
	for i, c := range changes {
		before := now
		if now, err = t.Apply(now, resource.Of(c)); err != nil {
			return dera.Evidence{}, fmt.Errorf("apply change %d: %w", i, err)
		}
		if c.Undo == nil {
			if err := p.keeps(t, before, now); err != nil {
				return dera.Evidence{}, err
			}
			continue
		}
		_, out, err := t.Effect(now, resource.Of(c))
		if err != nil {
			return dera.Evidence{}, err
		}
		undo, err := resource.OfUndo(*c.Undo, out)
		if err != nil {
			return dera.Evidence{}, err
		}
		undos = append(undos, undo)
	}
	if now, err = p.note(t, now, &p.After); err != nil {
		return dera.Evidence{}, err
	}
	for _, undo := range slices.Backward(undos) {
		if now, err = t.Apply(now, undo); err != nil {
			return dera.Evidence{}, fmt.Errorf("undo: %w", err)
		}
	}
	if _, err = p.note(t, now, &p.Undone); err != nil {
		return dera.Evidence{}, err
	}
	return p.Evidence()
}

// note writes the lines of a configuration down.
func (p *Parts) note(t resource.Type, config any, into *[]string) (any, error) {
	text, err := t.Canon(config)
	*into = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return config, err
}

// keeps notes the lines that a change without an undo brings.
func (p *Parts) keeps(t resource.Type, before, after any) error {
	var old, next []string
	if _, err := p.note(t, before, &old); err != nil {
		return err
	}
	if _, err := p.note(t, after, &next); err != nil {
		return err
	}
	p.Kept = append(p.Kept, without(next, old)...)
	return nil
}

// without are the lines that others do not have, as often as they are more.
func without(lines, others []string) []string {
	left := slices.Clone(others)
	var out []string
	for _, l := range lines {
		if i := slices.Index(left, l); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		out = append(out, l)
	}
	return out
}

// Evidence proves or refutes: the plan takes and brings the named lines of the canonical form
// and changes nothing else; those that shall go were there and are not after; and its undo
// leads back to what was before, but for what is kept.
func (p Parts) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(p)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("parts evidence: %w", err)
	}
	ev := dera.Evidence{Kind: PartsKind, Body: body, Claims: []dera.Claim{p.onlyThese(), p.resolved(), p.back()}}
	if gone := without(p.Before, p.After); len(gone) > 0 {
		ev.Denied = gone[0]
	} else if come := without(p.After, p.Before); len(come) > 0 {
		ev.Denied = come[0] // what denies
	}
	return ev, nil
}

func (p Parts) onlyThese() dera.Claim {
	witness := ""
	if extra := without(without(p.Before, p.After), p.Gone); len(extra) > 0 {
		witness = "removed: " + extra[0]
	} else if extra := without(without(p.After, p.Before), p.Come); len(extra) > 0 {
		witness = "added: " + extra[0]
	}
	return claimOf("only_these_changed", "nothing but the named parts changes", witness)
}

func (p Parts) resolved() dera.Claim {
	says, witness := "each part that was found is not there any more", ""
	switch {
	case len(p.Gone)+len(p.Come) == 0:
		witness = "no part is named"
	case len(p.Gone) == 0:
		says = "each part that was missing is there"
	}
	for _, l := range p.Gone {
		if !slices.Contains(p.Before, l) || slices.Contains(p.After, l) {
			witness = "it was not there before, or is after: " + l
		}
	}
	for _, l := range p.Come {
		switch {
		case !slices.Contains(p.After, l):
			witness = "it is not there after: " + l
		case len(p.Gone) == 0 && slices.Contains(p.Before, l):
			witness = "it was there before: " + l
		}
	}
	return claimOf("finding_resolved", says, witness)
}

func (p Parts) back() dera.Claim {
	says, witness := "the undo brings back what was there before", ""
	if len(p.Kept) > 0 {
		says += ", and leaves: " + strings.Join(p.Kept, "; ")
	}
	if lost := without(p.Before, p.Undone); len(lost) > 0 {
		witness = "not brought back: " + lost[0]
	} else if more := without(without(p.Undone, p.Before), p.Kept); len(more) > 0 {
		witness = "left behind: " + more[0]
	}
	return claimOf("undo_restores", says, witness)
}
