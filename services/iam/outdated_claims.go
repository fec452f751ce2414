package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// CopyKind is the kind of evidence about copies that get what AWS added.
const CopyKind = "copy/1"

// CopyEvidence is the kind of Updates.
func CopyEvidence() evidence.Kind {
	return evidence.Kind{Name: CopyKind, Remake: evidence.Remade[Updates], Policies: func(body []byte) (evidence.Policies, error) {
		var u Updates
		if err := evidence.Strict(body, &u); err != nil {
			return evidence.Policies{}, fmt.Errorf("read body of evidence: %w", err)
		}
		var out evidence.Policies
		for _, c := range u.Copies {
			name := strings.ReplaceAll(strings.TrimPrefix(c.Key(), CopyKey), "/", "-")
			out.Certificates = append(out.Certificates,
				evidence.Certificate{Name: name + "-nothing-lost", Says: "the copy after allows whatever the copy before did", Text: c.NothingLost},
				evidence.Certificate{Name: name + "-nothing-more", Says: "the copy after allows nothing but what the copy before allowed and what AWS added", Text: c.NothingMore},
				evidence.Certificate{Name: name + "-aws-allows", Says: "what AWS added, its policy allows", Text: c.AWSAllows})
		}
		if len(u.Copies) == 1 {
			out.Before, out.After = u.Copies[0].Before, u.Copies[0].After
		}
		return out, nil
	}}
}

// Updates is what a proof about copies is about. Values that can be secret have
// stand-ins, the same in all texts.
type Updates struct {
	Goals  []string `json:"goals"` // keys of the findings
	Copies []Update `json:"copies"`
}

// Update is a copy before and after it got what AWS added.
type Update struct {
	Copied
	Before string `json:"before"`
	After  string `json:"after"`
	// NothingLost, NothingMore and AWSAllows are certificates.
	NothingLost string `json:"nothing_lost,omitempty"`
	NothingMore string `json:"nothing_more,omitempty"`
	AWSAllows   string `json:"aws_allows,omitempty"`
}

// ProveCopies makes the evidence for changes of an identity, which lead to another one.
func (i *Identity) ProveCopies(after *Identity, failures []control.Failure) (dera.Evidence, error) {
	u := Updates{Goals: slices.Sorted(slices.Values(Keys(failures)))}
	left, made := slices.Clone(i.Inline), slices.Clone(after.Inline)
	for _, c := range i.Copied {
		if !slices.Contains(u.Goals, c.Key()) || !i.outgrown(c) {
			continue
		}
		name := CopyName(c.ARN, c.Now.Version)
		if after.inline(c.Inline) >= 0 && i.inline(name) < 0 && after.inline(name) < 0 {
			name = c.Inline // it stays, and has what it lacked
		} else if after.inline(c.Inline) >= 0 || i.inline(name) >= 0 && i.text(name) != after.text(name) {
			return dera.Evidence{}, fmt.Errorf("the plan does not put %q in the place of %q", name, c.Inline)
		}
		u.Copies = append(u.Copies, Update{Copied: c, Before: i.text(c.Inline), After: after.text(name)})
		left = slices.DeleteFunc(left, func(p Inline) bool { return p.Name == c.Inline || p.Name == name })
		made = slices.DeleteFunc(made, func(p Inline) bool { return p.Name == name })
	}
	attached := func(a, b Attached) bool { return a.ARN == b.ARN && a.Document == b.Document }
	if !slices.Equal(left, made) || !slices.EqualFunc(i.Attached, after.Attached, attached) {
		return dera.Evidence{}, errors.New("the plan changes policies that the findings are not about")
	}
	hidden := u.hidden()
	if err := errors.Join(u.certify(), hidden.certify()); err != nil {
		return dera.Evidence{}, err
	}
	if !slices.EqualFunc(u.claims(), hidden.claims(), func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, fmt.Errorf("prove the copies: %w", evidence.ErrHidden)
	}
	return hidden.Evidence()
}

func (u Updates) hidden() Updates {
	var hide document.Redactor
	out := u
	out.Copies = nil
	for _, c := range u.Copies {
		c.Before, c.After, c.Then.Document, c.Now.Document = hide.Text(c.Before), hide.Text(c.After), hide.Text(c.Then.Document), hide.Text(c.Now.Document)
		out.Copies = append(out.Copies, c)
	}
	return out
}

// Evidence is the evidence that the body makes.
func (u Updates) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(u)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("copies evidence: %w", err)
	}
	return dera.Evidence{Kind: CopyKind, Claims: u.claims(), Body: body}, nil
}

// questions are the pairs of policies that the certificates are about: what is less, and
// what it is held against.
func (c Update) questions() (lost, more, aws [2]reason.Policies, err error) {
	docs, err := parsed([]Text{{Name: c.Inline, Document: c.Before}, {Name: "the copy after", Document: c.After}, {Name: c.ARN, Document: c.Now.Document}})
	if err != nil {
		return lost, more, aws, err
	}
	fresh, err := c.added(c.Before)
	if err == nil && fresh.doc == nil {
		err = errors.New("there was nothing that AWS added")
	}
	if err != nil {
		return lost, more, aws, err
	}
	return [2]reason.Policies{{docs[0]}, {docs[1]}}, [2]reason.Policies{{docs[1]}, {docs[0], fresh.doc}}, [2]reason.Policies{{fresh.doc}, {docs[2]}}, nil
}

func (u *Updates) certify() error {
	for n := range u.Copies {
		c := &u.Copies[n]
		lost, more, aws, err := c.questions()
		if err != nil {
			return err
		}
		if err := certificates(map[*string][2]reason.Policies{&c.NothingLost: lost, &c.NothingMore: more, &c.AWSAllows: aws}); err != nil {
			return err
		}
	}
	return nil
}

// certificates makes those of some questions. One that is not given out leaves a claim
// unproved.
func certificates(of map[*string][2]reason.Policies) error {
	for into, q := range of {
		text, err := proof.Prove(context.Background(), proof.Change{Old: q[1], New: q[0]}, reason.Config{}).Certificate(proof.Origin{})
		if err != nil && !errors.Is(err, proof.ErrUnproved) {
			return fmt.Errorf("certify the policies: %w", err)
		}
		*into = string(text)
	}
	return nil
}

// claims are decided again from the body alone.
func (u Updates) claims() []dera.Claim {
	lost, more, gone := proved(), proved(), proved()
	var goals, names []string
	for _, c := range u.Copies {
		goals = append(goals, c.Key())
		names = append(names, fmt.Sprintf("%s %s", c.ARN, c.Now.Version))
		isLost, isMore, aws, err := c.questions()
		if err != nil {
			lost, more, gone = unproved(err.Error()), unproved(err.Error()), unproved(err.Error())
			continue
		}
		lost = lost.and(certified(c.NothingLost, isLost))
		more = more.and(certified(c.NothingMore, isMore)).and(certified(c.AWSAllows, aws))
		gone = gone.and(c.resolved())
	}
	if slices.Sort(goals); len(goals) == 0 || !slices.Equal(goals, u.Goals) {
		gone = unproved("the findings are about other copies")
	}
	return []dera.Claim{
		claim("nothing_lost", "whatever the copies allowed they allow", lost),
		claim("nothing_new", "nothing is granted besides what AWS added: "+strings.Join(names, ", "), more),
		claim("finding_gone", "nothing that AWS added to services of the copies is missing", gone),
	}
}

// and is the worse of two answers.
func (a answer) and(b answer) answer {
	if a.verdict == dera.Refuted || b.verdict == dera.Proved {
		return a
	}
	if a.verdict == dera.Proved || b.verdict == dera.Refuted {
		return b
	}
	return a
}

// certified says whether a certificate answers a question.
func certified(certificate string, q [2]reason.Policies) answer {
	ok, why := proof.About(certificate, q[1], q[0])
	if ok {
		return proved()
	}
	if a := reason.Subset(context.Background(), q[0], q[1], reason.Config{}); a.Verdict == reason.Refuted {
		return answer{dera.Refuted, a.Witness.Request.Action + " on " + a.Witness.Request.Resource}
	}
	return unproved(why)
}

// resolved judges the copy before and after.
func (c Update) resolved() answer {
	switch more, err := c.added(c.Before); {
	case err != nil:
		return unproved(err.Error())
	case len(more.actions) == 0:
		return unproved("there was nothing that AWS added")
	}
	switch more, err := c.added(c.After); {
	case err != nil:
		return unproved(err.Error())
	case len(more.actions) > 0:
		return answer{dera.Refuted, listed(more.actions, 5)}
	}
	return proved()
}
