package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
)

// Recommended is what Access Analyzer recommends in place of the policies of a principal. It
// is compared with dera's plan and never carried out: what it detaches and makes changes more
// than what nobody used.
//
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_GetFindingRecommendation.html
type Recommended struct {
	Steps []RecommendedStep `json:"steps,omitempty"`
	// Why says why there is none.
	Why string `json:"why,omitempty"`
}

// RecommendedStep is one policy that takes the place of an existing one, or with no document
// an existing one that is detached.
type RecommendedStep struct {
	Document string    `json:"document,omitempty"`
	Existing string    `json:"existing,omitempty"` // ARN, ID or name
	Updated  time.Time `json:"updated,omitzero"`   // when the existing one was
}

// after are the policies as recommended; the error says why they are not known.
func (r *Recommended) after(s *Subject) (out []*policy.Document, err error) {
	if r.Why != "" {
		return nil, fmt.Errorf("%s", r.Why)
	}
	left := slices.Clone(s.Policies)
	for _, step := range r.Steps {
		if step.Existing != "" {
			at := slices.IndexFunc(left, func(t Text) bool { return t.Name == step.Existing || nameOf(t.Name) == nameOf(step.Existing) })
			if at < 0 && !slices.ContainsFunc(s.Policies, func(t Text) bool { return nameOf(t.Name) == nameOf(step.Existing) }) {
				return nil, fmt.Errorf("it is about a policy %q, which is not among those that dera read", step.Existing)
			}
			if at >= 0 {
				left = slices.Delete(left, at, at+1)
			}
		}
		if step.Document != "" {
			doc, err := policy.Parse(step.Document)
			if err != nil {
				return nil, fmt.Errorf("a policy in it cannot be read: %w", err)
			}
			out = append(out, doc)
		}
	}
	kept, err := parsed(left)
	return append(out, kept...), err
}

// hidden is the same with a stand-in for every value of a policy that can be secret.
func (r *Reported) hidden(hide *document.Redactor) *Reported {
	if r == nil {
		return nil
	}
	out := *r
	out.Analyzed = slices.Clone(r.Analyzed)
	for i := range out.Analyzed {
		f := &out.Analyzed[i]
		if f.Recommended == nil {
			continue
		}
		rec := *f.Recommended
		rec.Steps = slices.Clone(rec.Steps)
		for n := range rec.Steps {
			if rec.Steps[n].Document != "" {
				rec.Steps[n].Document = hide.Text(rec.Steps[n].Document)
			}
		}
		f.Recommended = &rec
	}
	return &out
}

func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// compared says how what Access Analyzer recommends differs from the policies after a plan,
// one line a finding.
func (p *Permissions) compared() (out []string) {
	if p.Before.Reported == nil {
		return nil
	}
	var ours []*policy.Document
	for _, text := range p.After {
		if text == "" {
			continue
		}
		doc, err := policy.Parse(text)
		if err != nil {
			return nil
		}
		ours = append(ours, doc)
	}
	for _, f := range p.Before.Reported.Analyzed {
		if f.Recommended == nil {
			continue
		}
		theirs, err := f.Recommended.after(&p.Before)
		if err != nil {
			out = append(out, "what "+f.Name()+" recommends was not compared: "+err.Error())
			continue
		}
		out = append(out, f.Name()+" recommends "+difference(ours, theirs))
	}
	return out
}

// difference says how the permissions of theirs differ from ours.
func difference(ours, theirs []*policy.Document) string {
	more, what := beyond(theirs, ours)
	less, without := beyond(ours, theirs)
	switch {
	case more == dera.Unknown || less == dera.Unknown:
		return "policies of which it is not decided how they differ from this plan"
	case more == dera.Proved && less == dera.Proved:
		return "the same permissions as this plan"
	case less == dera.Proved:
		return "more permissions than this plan leaves, such as " + what
	case more == dera.Proved:
		return "fewer permissions than this plan leaves: it takes away " + without + " too"
	}
	return "other permissions than this plan leaves: it leaves " + what + ", and takes away " + without
}

// beyond reports whether everything that some policies allow others allow too, and what not.
func beyond(some, others []*policy.Document) (dera.Verdict, string) {
	answer := reason.Subset(context.Background(), reason.Policies(some), reason.Policies(others), reason.Config{})
	switch answer.Verdict {
	case reason.Proved:
		return dera.Proved, ""
	case reason.Refuted:
		if answer.Witness != nil {
			return dera.Refuted, answer.Witness.Request.Action
		}
		return dera.Refuted, "a request"
	case reason.Unknown:
	}
	return dera.Unknown, ""
}
