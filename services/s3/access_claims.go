package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
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
		claim("nothing_new", "no new access is granted", a.nothingNew()),
		claim("nothing_else_lost", a.saysLost(), a.nothingLost()),
		claim("finding_gone", a.saysGone(), a.gone()),
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
	d, err := a.documents()
	if err != nil {
		return answer{dera.Unknown, err.Error()}
	}
	return a.certified(a.NothingNew, d.old, d.fresh)
}

func (a Access) nothingLost() answer {
	for _, g := range a.Old.Grants {
		if !slices.Contains(a.New.Grants, g) && !g.Public() {
			return answer{dera.Refuted, g.Line() + " would be removed"}
		}
	}
	if a.New.Block != a.Old.Block && len(a.Needs) > 0 {
		return answer{dera.Unknown, strings.Join(a.Needs, "; ")}
	}
	if a.Old.Policy == a.New.Policy && len(a.Dropped)+len(a.Narrowed) == 0 {
		return proved()
	}
	d, err := a.documents()
	if err != nil {
		return answer{dera.Unknown, err.Error()}
	}
	for _, old := range d.old {
		for i := range old.Statements {
			cut, goes := a.cut(i)
			if !goes {
				continue
			}
			if x := a.offends(old, cut); x.verdict != dera.Proved {
				return x
			}
		}
	}
	x := a.certified(a.NothingLost, d.fresh, d.kept)
	switch {
	case x.verdict != dera.Proved || len(d.house) == 0:
		return x
	case a.HouseKept == "":
		return answer{dera.Unknown, "principals of " + a.House.String() + " may have access through a statement for everyone only, and lose it"}
	}
	return a.certified(a.HouseKept, d.direct, d.house)
}

// offends is proved when each element that goes allows public access on its own, and
// what goes with it names nobody.
func (a Access) offends(old *policy.Document, cut document.PublicCut) answer {
	if cut.Index < 0 || cut.Index >= len(old.Statements) {
		return answer{dera.Unknown, fmt.Sprintf("the policy has no statement %d", cut.Index+1)}
	}
	st := old.Statements[cut.Index]
	goal := PolicyRead
	if document.Writes(&st) {
		goal = PolicyWrite
	}
	if !slices.Contains(a.Goals, goal) {
		return answer{dera.Refuted, fmt.Sprintf("statement %d of the policy is about another finding (%s)", cut.Index+1, goal)}
	}
	for _, e := range cut.Elements() {
		public, unsure := document.Public(context.Background(), a.Bucket, old, e.Lost(st))
		switch {
		case !public && unsure != "":
			return answer{dera.Unknown, unsure}
		case !public:
			return answer{dera.Refuted, fmt.Sprintf("statement %d of the policy loses an element that gives no public access", cut.Index+1)}
		}
	}
	if a.House == nil {
		return proved()
	}
	if named := a.House.NamedBeside(context.Background(), a.Bucket, old, cut); len(named) > 0 {
		return answer{dera.Unknown, fmt.Sprintf("statement %d also names %s", cut.Index+1, strings.Join(named, ", "))}
	}
	return proved()
}

// certified is proved when the certificate holds and is about just these
// documents.
func (a Access) certified(certificate string, old, fresh reason.Policies) answer {
	if ok, why := proof.About(certificate, old, fresh); !ok {
		return answer{dera.Unknown, why}
	}
	return proved()
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
	if a.House == nil || a.Old.Policy == a.New.Policy {
		return proved()
	}
	d, err := a.documents()
	if err != nil {
		return answer{dera.Unknown, err.Error()}
	}
	return a.certified(a.NoMore, slices.Concat(d.kept, d.house), d.fresh)
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

// public returns the statements of a policy of the bucket that allow public access.
func (a Access) public(text string) ([]document.Opened, string) {
	if text == "" {
		return nil, ""
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return nil, err.Error()
	}
	return document.PublicStatements(context.Background(), a.Bucket, doc)
}

// denied is a request that external principals could make before and cannot after.
func (a Access) denied() string {
	open, _ := a.public(a.Old.Policy)
	for _, o := range open {
		if _, goes := a.cut(o.Index); goes {
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
