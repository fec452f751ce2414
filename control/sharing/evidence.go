package sharing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
)

// EvidenceKind is the kind of evidence that Proof makes.
const EvidenceKind = "sharing/1"

// Evidence is the kind of Proof.
func Evidence() evidence.Kind {
	return evidence.Kind{Name: EvidenceKind, Remake: evidence.Remade[Proof]}
}

// Proof is what a proof about a sharing list is about: the list before and after the plan,
// and the members that the findings name.
type Proof struct {
	Resource string   `json:"resource"` // its type
	Before   []string `json:"before"`
	After    []string `json:"after"`
	Named    []string `json:"named"`
	// RestBefore and RestAfter are digests of all of the canonical form that is not the list.
	RestBefore string `json:"rest_before"`
	RestAfter  string `json:"rest_after"`
}

// prove makes the evidence for changes that shall take the named members out of the list.
func prove(t resource.Type, s *Shared, changes []dera.Change, named []string) (dera.Evidence, error) {
	config, err := t.ApplyPlan(s, dera.Plan{Changes: changes})
	if err != nil {
		return dera.Evidence{}, err
	}
	after, ok := config.(*Shared)
	if !ok {
		return dera.Evidence{}, fmt.Errorf("the plan makes a configuration of %T", config)
	}
	p := Proof{Resource: t.Name, Before: Minus(s.With, nil), After: Minus(after.With, nil), Named: Minus(named, nil)}
	var errs [2]error
	p.RestBefore, errs[0] = rest(t, s, p.After)
	p.RestAfter, errs[1] = rest(t, after, p.After)
	if err := errors.Join(errs[:]...); err != nil {
		return dera.Evidence{}, err
	}
	return p.Evidence()
}

// rest is a digest of all that is not the list, with the versions of those who stay.
func rest(t resource.Type, s *Shared, stay []string) (string, error) {
	bare := *s
	bare.With, bare.Versions = nil, map[string]string{}
	for _, m := range stay {
		if v, ok := s.Versions[m]; ok {
			bare.Versions[m] = v
		}
	}
	text, err := t.Canon(&bare)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:]), err
}

// Evidence proves or refutes: nobody comes into the list; nobody goes but the named ones,
// and nothing else of the resource changes; and each named one was there and is not after.
func (p Proof) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(p)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("sharing evidence: %w", err)
	}
	went := Minus(p.Before, p.After)
	other := list(Minus(went, p.Named))
	if p.RestBefore != p.RestAfter {
		other = "something that is not the list"
	}
	left := list(Minus(p.Named, Minus(p.Before, p.After)))
	if len(p.Named) == 0 {
		left = "nobody is named"
	}
	ev := dera.Evidence{Kind: EvidenceKind, Body: body, Claims: []dera.Claim{
		claim("nothing_new_shared", "nobody is in the list who was not in it before", list(Minus(p.After, p.Before))),
		claim("only_named_removed", "nobody goes out of the list but those that the findings name, and nothing else changes", other),
		claim("finding_resolved", "each of those that the findings name was in the list, and is not in it any more", left),
	}}
	if len(went) > 0 {
		ev.Denied = "use by " + People(went[0])
	}
	return ev, nil
}

func list(members []string) string {
	names := slices.Clone(members)
	for i := range names {
		names[i] = People(names[i])
	}
	return strings.Join(names, ", ")
}

func claim(name, says, witness string) dera.Claim {
	c := dera.Claim{Name: name, Says: says, Verdict: dera.Proved}
	if witness != "" {
		c.Verdict, c.Witness = dera.Refuted, witness
	}
	return c
}
