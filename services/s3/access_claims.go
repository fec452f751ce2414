package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
)

// Keys of findings on who has access to a bucket. They are the goals of Access.
const (
	PolicyRead  = "policy/read"
	PolicyWrite = "policy/write"
	ACLRead     = "acl/read"
	ACLWrite    = "acl/write"
	BlockKey    = "public-access-block"
)

// Evidence proves or refutes: no new access is granted; nobody is kept
// out but by what is dropped; and the findings are resolved. Where someone may
// depend on what a block takes away, the second is unknown.
func (a Access) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(a)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("access evidence: %w", err)
	}
	return dera.Evidence{Kind: AccessKind, Claims: a.Claims(), Body: body, Denied: a.denied()}, nil
}

// Claims are what the body proves or refutes.
func (a Access) Claims() []dera.Claim {
	return []dera.Claim{
		a.nothingNew().Claim("nothing_new", "no new access is granted"),
		a.nothingLost().Claim("nothing_else_lost", a.saysLost()),
		a.gone().Claim("finding_gone", a.saysGone()),
	}
}

// saysLost says over which set nothing is lost.
func (a Access) saysLost() string {
	if a.House == nil {
		return "no access is lost other than what this plan removes"
	}
	return "only public access is removed: whoever the policy names keeps access, and so do the principals of " + a.House.String() +
		" that had it through a statement for everyone"
}

// saysGone says by which definition of public the findings are resolved.
func (a Access) saysGone() string {
	says := "the findings are resolved"
	if a.House == nil {
		return says
	}
	doc, err := policy.Parse(a.New.Policy)
	if err != nil {
		return says
	}
	if deemed, why := Public(doc); deemed != DeemedPrivate {
		says += " by dera's definition of public; by S3's own the policy still is, or may be, because of " + strings.Join(why, "; ")
	}
	return says
}

// proved is the answer that leaves nothing to say.
func proved() document.Answer { return document.Answer{Verdict: dera.Proved} }

func (a Access) nothingNew() document.Answer {
	for _, g := range a.New.Grants {
		if !slices.Contains(a.Old.Grants, g) {
			return document.Answer{Verdict: dera.Refuted, Witness: g.Line() + " is new"}
		}
	}
	if !a.New.Block.AtLeast(a.Old.Block) {
		return document.Answer{Verdict: dera.Refuted, Witness: "a setting of the public access block is off that was on"}
	}
	return a.cuts().NotWider()
}

func (a Access) nothingLost() document.Answer {
	for _, g := range a.Old.Grants {
		if !slices.Contains(a.New.Grants, g) && !g.Public() {
			return document.Answer{Verdict: dera.Refuted, Witness: g.Line() + " would be removed"}
		}
	}
	if a.New.Block != a.Old.Block && len(a.Needs) > 0 {
		return document.Answer{Verdict: dera.Unknown, Witness: strings.Join(a.Needs, "; ")}
	}
	return a.cuts().Lost(a.offends)
}

// offends is proved when each element that goes allows public access on its own, and
// what goes with it names nobody; all of it for one of the findings.
func (a Access) offends(old *policy.Document, cut document.PublicCut) document.Answer {
	if cut.Index >= 0 && cut.Index < len(old.Statements) {
		goal := PolicyRead
		if document.Writes(&old.Statements[cut.Index]) {
			goal = PolicyWrite
		}
		if !slices.Contains(a.Goals, goal) {
			return document.Answer{Verdict: dera.Refuted, Witness: fmt.Sprintf("statement %d of the policy is about another finding (%s)", cut.Index+1, goal)}
		}
	}
	return a.cuts().PublicOnly(Target(a.Bucket), old, cut)
}

func (a Access) gone() document.Answer {
	if len(a.Goals) == 0 {
		return document.Answer{Verdict: dera.Unknown, Witness: "no finding is named"}
	}
	for _, goal := range a.Goals {
		var left document.Answer
		switch goal {
		case PolicyRead, PolicyWrite:
			left = a.policyGone(goal)
		case ACLRead, ACLWrite:
			left = a.grantsGone(goal)
		case BlockKey:
			left = proved()
			if off := a.New.Block.Off(); len(off) > 0 {
				left = document.Answer{Verdict: dera.Refuted, Witness: strings.Join(off, ", ") + " is off"}
			}
		default:
			left = document.Answer{Verdict: dera.Unknown, Witness: fmt.Sprintf("nothing is known of the finding %q", goal)}
		}
		if left.Verdict != dera.Proved {
			return left
		}
	}
	if a.House == nil || a.Old.Policy == a.New.Policy {
		return proved()
	}
	return a.cuts().Rest()
}

func (a Access) policyGone(goal string) document.Answer {
	open, unsure := a.public(a.New.Policy)
	for _, o := range open {
		if o.Writes == (goal == PolicyWrite) {
			return document.Answer{Verdict: dera.Refuted, Witness: o.Witness}
		}
	}
	if unsure != "" {
		return document.Answer{Verdict: dera.Unknown, Witness: unsure}
	}
	return proved()
}

func (a Access) grantsGone(goal string) document.Answer {
	for _, g := range a.New.Grants {
		if g.Public() && g.Writes() == (goal == ACLWrite) {
			return document.Answer{Verdict: dera.Refuted, Witness: g.Line()}
		}
	}
	return proved()
}

// public returns the statements of a policy of the bucket that allow public access.
func (a Access) public(text string) ([]document.Opened, string) {
	if text == "" {
		return nil, ""
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return nil, err.Error()
	}
	return document.PublicStatements(context.Background(), Target(a.Bucket), doc)
}

// denied is a request that external principals could make before and cannot after.
func (a Access) denied() string {
	open, _ := a.public(a.Old.Policy)
	for _, o := range open {
		if _, goes := a.cuts().Cut(o.Index); goes {
			return o.Witness + " by the public"
		}
	}
	for _, g := range a.Old.Grants {
		if g.Public() && !slices.Contains(a.New.Grants, g) {
			return strings.TrimPrefix(g.Line(), "grant ")
		}
	}
	switch before, after := a.Old.Block, a.New.Block; {
	case after.PublicPolicy && !before.PublicPolicy:
		return "s3:PutBucketPolicy with a policy that allows public access"
	case after.PublicACLs && !before.PublicACLs:
		return "s3:PutBucketAcl with an ACL that grants public access"
	case after.RestrictedBuckets && !before.RestrictedBuckets:
		return "all public access that a policy allows"
	case after.IgnorePublicACLs && !before.IgnorePublicACLs:
		return "all public access that an ACL grants"
	}
	return ""
}
