package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"dera"
	"dera/netset"
)

// NetworkKind is the kind of evidence that Network makes.
const NetworkKind = "network/1"

// Network is what a network proof is about: the packets that a resource lets in
// before and after the plan, those on the way between two changes, and the
// forbidden ones that shall go. Others are sources that stand for no addresses
// (security groups), by name.
type Network struct {
	Old       netset.Set `json:"old"`
	New       netset.Set `json:"new"`
	Forbidden netset.Set `json:"forbidden"`
	// Between are the changes on the way from Old, but for the last one, that
	// make a difference: differences are small where states are not.
	Between []Step `json:"between,omitempty"`
	// Symbolic sources before, after, and those that shall go.
	OldOthers       []string `json:"old_others,omitempty"`
	NewOthers       []string `json:"new_others,omitempty"`
	ForbiddenOthers []string `json:"forbidden_others,omitempty"`
}

// Step is what one change takes away, and then what it brings.
type Step struct {
	Gone netset.Set `json:"gone"`
	Come netset.Set `json:"come"`
}

// Evidence proves or refutes, exactly: the new state lets in nothing that the
// old did not; it loses nothing outside the forbidden set; nothing forbidden is
// left; and no state on the way is wider than the old or narrower than the new.
func (n Network) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(n)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("network evidence: %w", err)
	}
	ev := dera.Evidence{Kind: NetworkKind, Claims: n.claims(), Body: body}
	if p, ok := n.Old.Subtract(n.New).Witness(); ok {
		ev.Denied = p.String()
	} else if gone := minus(n.OldOthers, n.NewOthers); len(gone) > 0 {
		ev.Denied = gone[0]
	}
	return ev, nil
}

func (n Network) claims() []dera.Claim {
	kept := n.Old.Subtract(n.Forbidden)
	left := n.New.Intersect(n.Forbidden)
	claims := []dera.Claim{
		subset("nothing_new", "the new state lets in nothing that the old one did not", n.New, n.Old, n.NewOthers, n.OldOthers),
		subset("nothing_else_lost", "everything outside the forbidden set is still let in", kept, n.New,
			minus(n.OldOthers, n.ForbiddenOthers), n.NewOthers),
		subset("finding_gone", "nothing of the forbidden set is let in any more", left, netset.Set{},
			intersect(n.NewOthers, n.ForbiddenOthers), nil),
	}
	between := dera.Claim{Name: "never_wider_between", Verdict: dera.Proved,
		Says: "no state between two changes lets in more than the old one or less than what is kept"}
	now := n.Old
	for _, s := range n.Between {
		now = now.Subtract(s.Gone).Union(s.Come)
		for _, c := range []dera.Claim{subset("", "", now, n.Old, nil, nil), subset("", "", kept, now, nil, nil)} {
			if c.Verdict != dera.Proved {
				between.Verdict, between.Witness = c.Verdict, c.Witness
			}
		}
	}
	return append(claims, between)
}

func subset(name, says string, a, b netset.Set, aOthers, bOthers []string) dera.Claim {
	c := dera.Claim{Name: name, Says: says, Verdict: dera.Proved}
	if ok, p := netset.Subset(a, b); !ok {
		c.Verdict, c.Witness = dera.Refuted, p.String()
	} else if extra := minus(aOthers, bOthers); len(extra) > 0 {
		c.Verdict, c.Witness = dera.Refuted, extra[0]
	}
	return c
}

// CheckEvidence computes a stored evidence blob again from its body alone and
// returns an error if the claims, their witnesses or the denied packet are not
// those that it states, or if anything else stands in it.
func CheckEvidence(blob []byte) error {
	var ev dera.Evidence
	if err := strict(blob, &ev); err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	var again dera.Evidence
	var err error
	switch ev.Kind {
	case NetworkKind:
		again, err = remade[Network](ev.Body)
	case AccessKind:
		again, err = remade[Access](ev.Body)
	default:
		return fmt.Errorf("evidence of kind %q cannot be checked by this version", ev.Kind)
	}
	switch {
	case err != nil:
		return err
	case !slices.Equal(again.Claims, ev.Claims):
		return errors.New("the stated verdicts are not those that the body proves")
	case again.Denied != ev.Denied:
		return fmt.Errorf("what is denied now is stated as %q; the body shows %q", ev.Denied, again.Denied)
	case !bytes.Equal(again.Body, ev.Body):
		return errors.New("the body of the evidence is not in its one canonical form")
	}
	return nil
}

// remade makes the evidence again from its body alone.
func remade[T interface{ Evidence() (dera.Evidence, error) }](body []byte) (dera.Evidence, error) {
	var v T
	if err := strict(body, &v); err != nil {
		return dera.Evidence{}, fmt.Errorf("read body of evidence: %w", err)
	}
	return v.Evidence()
}

// strict reads one JSON value without unknown fields and nothing after it.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after the value")
	}
	return nil
}

func minus(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

func intersect(a, b []string) []string {
	var out []string
	for _, s := range a {
		if slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}
