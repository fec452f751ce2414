package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera"
	"dera/iam/policy"
	"dera/iam/proof"
	"dera/iam/proof/check"
	"dera/iam/reason"
	"dera/resource"
)

// Keys of findings on who gets in to a bucket. They are the goals of Access.
const (
	PolicyRead  = "policy/read"
	PolicyWrite = "policy/write"
	ACLRead     = "acl/read"
	ACLWrite    = "acl/write"
	BlockKey    = "public-access-block"
)

// Evidence proves or refutes: nobody gets in who did not before; nobody is kept
// out but by what is dropped; and the findings are gone. Where somebody may
// depend on what a block takes away, the second is unknown.
func (a Access) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(a)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("access evidence: %w", err)
	}
	return dera.Evidence{Kind: AccessKind, Claims: a.claims(), Body: body, Denied: a.denied()}, nil
}

func (a Access) claims() []dera.Claim {
	return []dera.Claim{
		claim("nothing_new", "nobody gets in who did not before", a.nothingNew()),
		claim("nothing_else_lost", "nobody is kept out but by what the plan takes away", a.nothingLost()),
		claim("finding_gone", "the findings are gone", a.gone()),
	}
}

// answer is a verdict with its witness.
type answer struct {
	verdict dera.Verdict
	witness string
}

func claim(name, says string, a answer) dera.Claim {
	return dera.Claim{Name: name, Says: says, Verdict: a.verdict, Witness: a.witness}
}

// proved is the answer that leaves nothing to say.
func proved() answer { return answer{verdict: dera.Proved} }

func (a Access) nothingNew() answer {
	for _, g := range a.New.Grants {
		if !slices.Contains(a.Old.Grants, g) {
			return answer{dera.Refuted, g.Line() + " is new"}
		}
	}
	if !a.New.Block.AtLeast(a.Old.Block) {
		return answer{dera.Refuted, "a setting of the public access block is off that was on"}
	}
	if a.Old.Policy == a.New.Policy {
		return proved() // also where it cannot be read
	}
	old, fresh, _, err := a.documents()
	if err != nil {
		return answer{dera.Unknown, err.Error()}
	}
	return a.certified(a.NothingNew, old, fresh)
}

func (a Access) nothingLost() answer {
	for _, g := range a.Old.Grants {
		if !slices.Contains(a.New.Grants, g) && !g.Public() {
			return answer{dera.Refuted, g.Line() + " is gone"}
		}
	}
	if a.New.Block != a.Old.Block && len(a.Needs) > 0 {
		return answer{dera.Unknown, strings.Join(a.Needs, "; ")}
	}
	if a.Old.Policy == a.New.Policy && len(a.Dropped) == 0 {
		return proved()
	}
	_, fresh, kept, err := a.documents()
	if err != nil {
		return answer{dera.Unknown, err.Error()}
	}
	for _, i := range a.Dropped {
		if !a.opens(i) {
			return answer{dera.Refuted, fmt.Sprintf("statement %d of the policy is dropped, and it does not let strangers in", i+1)}
		}
	}
	return a.certified(a.NothingLost, fresh, kept)
}

// opens reports whether a statement of the old policy lets strangers in.
func (a Access) opens(i int) bool {
	open, _ := a.public(a.Old.Policy)
	return slices.ContainsFunc(open, func(o resource.Opened) bool { return o.Index == i })
}

// certified is proved when the certificate holds and is about just these
// documents.
func (a Access) certified(certificate string, old, fresh reason.Policies) answer {
	c, err := proof.Check([]byte(certificate))
	if err != nil {
		return answer{dera.Unknown, "the certificate does not hold: " + err.Error()}
	}
	if len(c.Beside) > 0 || !about(c.Old, old) || !about(c.New, fresh) {
		return answer{dera.Unknown, "the certificate is about other policies"}
	}
	return proved()
}

func about(stated []check.Document, docs reason.Policies) bool {
	return slices.EqualFunc(stated, docs, func(s check.Document, d *policy.Document) bool { return s.Text == d.Text() })
}

func (a Access) gone() answer {
	if len(a.Goals) == 0 {
		return answer{dera.Unknown, "no finding is named"}
	}
	for _, goal := range a.Goals {
		var left answer
		switch goal {
		case PolicyRead, PolicyWrite:
			left = a.policyGone(goal)
		case ACLRead, ACLWrite:
			left = a.grantsGone(goal)
		case BlockKey:
			left = proved()
			if off := a.New.Block.Off(); len(off) > 0 {
				left = answer{dera.Refuted, strings.Join(off, ", ") + " is off"}
			}
		default:
			left = answer{dera.Unknown, fmt.Sprintf("nothing is known of the finding %q", goal)}
		}
		if left.verdict != dera.Proved {
			return left
		}
	}
	return proved()
}

func (a Access) policyGone(goal string) answer {
	open, unsure := a.public(a.New.Policy)
	for _, o := range open {
		if o.Writes == (goal == PolicyWrite) {
			return answer{dera.Refuted, o.Witness}
		}
	}
	if unsure != "" {
		return answer{dera.Unknown, unsure}
	}
	return proved()
}

func (a Access) grantsGone(goal string) answer {
	for _, g := range a.New.Grants {
		if g.Public() && g.Writes() == (goal == ACLWrite) {
			return answer{dera.Refuted, g.Line()}
		}
	}
	return proved()
}

// public returns the statements of a policy of the bucket that let strangers in.
func (a Access) public(text string) ([]resource.Opened, string) {
	if text == "" {
		return nil, ""
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return nil, err.Error()
	}
	return resource.PublicStatements(context.Background(), a.Bucket, doc)
}

// denied is a request that strangers could make before and cannot after.
func (a Access) denied() string {
	open, _ := a.public(a.Old.Policy)
	for _, o := range open {
		if slices.Contains(a.Dropped, o.Index) {
			return o.Witness + " by a stranger"
		}
	}
	for _, g := range a.Old.Grants {
		if g.Public() && !slices.Contains(a.New.Grants, g) {
			return strings.TrimPrefix(g.Line(), "grant ")
		}
	}
	switch before, after := a.Old.Block, a.New.Block; {
	case after.PublicPolicy && !before.PublicPolicy:
		return "s3:PutBucketPolicy with a policy that lets strangers in"
	case after.PublicACLs && !before.PublicACLs:
		return "s3:PutBucketAcl with an ACL that lets strangers in"
	case after.RestrictedBuckets && !before.RestrictedBuckets:
		return "whatever a policy lets strangers do"
	case after.IgnorePublicACLs && !before.IgnorePublicACLs:
		return "whatever an ACL lets strangers do"
	}
	return ""
}
