package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera"
	"dera/iam/policy"
	"dera/iam/proof"
	"dera/iam/reason"
	"dera/resource"
)

// AccessKind is the kind of evidence that Access makes.
const AccessKind = "access/1"

// Access is what a proof about a bucket, or about the block of an account, is
// about: who gets in before and after the plan, and which part of that shall go.
// Values of policies that can be secret have stand-ins, the same in both texts.
type Access struct {
	Bucket dera.ARN `json:"bucket,omitempty"` // none for the block of an account

	Old Side `json:"old"`
	New Side `json:"new"`
	// Goals are the keys of the findings that shall be gone.
	Goals []string `json:"goals"`
	// Dropped are the statements of the old policy, counted from 0, that go.
	Dropped []int `json:"dropped,omitempty"`
	// Needs says what could depend on what a block takes away.
	Needs []string `json:"needs,omitempty"`
	// NothingNew and NothingLost are certificates on the policies: that the new
	// one grants nothing new, and that all is left but for what is dropped.
	NothingNew  string `json:"nothing_new,omitempty"`
	NothingLost string `json:"nothing_lost,omitempty"`
}

// Side is what decides who gets in, at one time.
type Side struct {
	Policy string           `json:"policy,omitempty"`
	Grants []resource.Grant `json:"grants,omitempty"`
	Block  resource.Block   `json:"block"` // all blocks that apply
}

// ReadAccess reads the body of evidence of AccessKind. It does not check it: see
// CheckEvidence.
func ReadAccess(ev dera.Evidence) (Access, error) {
	var a Access
	if err := strict(ev.Body, &a); err != nil {
		return a, fmt.Errorf("read body of evidence: %w", err)
	}
	return a, nil
}

// ProveBucket makes the evidence for changes of a bucket. goals are the keys of
// the failures that they remove.
func ProveBucket(b *resource.Bucket, goals []string, changes []dera.Change) (dera.Evidence, error) {
	kind, err := resource.Lookup(resource.BucketType)
	if err != nil {
		return dera.Evidence{}, err
	}
	var config any = b
	for i, c := range changes {
		if config, err = kind.Apply(config, resource.Of(c)); err != nil {
			return dera.Evidence{}, fmt.Errorf("apply change %d: %w", i, err)
		}
	}
	after := config.(*resource.Bucket)
	real := Access{Bucket: b.ARN(), Goals: goals, Old: side(b, b.Policy), New: side(after, after.Policy)}
	if !real.New.Block.AtLeast(real.Old.Block) || real.New.Block != real.Old.Block {
		real.Needs = b.Needs(context.Background())
	}
	if real.Dropped, err = dropped(b.Policy, after.Policy); err != nil {
		return dera.Evidence{}, err
	}
	var hide resource.Redactor
	redacted := real
	redacted.Old.Policy, redacted.New.Policy = hide.Text(b.Policy), hide.Text(after.Policy)
	if err := redacted.certify(); err != nil {
		return dera.Evidence{}, err
	}
	// What holds of the stand-ins must hold of the texts themselves.
	if err := real.certify(); err != nil {
		return dera.Evidence{}, err
	}
	if a, b := real.claims(), redacted.claims(); !slices.EqualFunc(a, b, func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, errors.New("what is proved of the policy does not hold without the values that can be secret")
	}
	return redacted.Evidence()
}

func side(b *resource.Bucket, text string) Side {
	return Side{Policy: text, Grants: b.Grants, Block: b.Blocked()}
}

// ProveAccountBlock makes the evidence for a new block of an account.
func ProveAccountBlock(a *resource.AccountBlock, goals []string, changes []dera.Change) (dera.Evidence, error) {
	kind, err := resource.Lookup(resource.AccountBlockType)
	if err != nil {
		return dera.Evidence{}, err
	}
	var config any = a
	for i, c := range changes {
		if config, err = kind.Apply(config, resource.Of(c)); err != nil {
			return dera.Evidence{}, fmt.Errorf("apply change %d: %w", i, err)
		}
	}
	x := Access{Goals: goals, Old: Side{Block: resource.Strictest(a.Block)}, New: Side{Block: resource.Strictest(config.(*resource.AccountBlock).Block)}}
	for _, d := range a.Dependents {
		x.Needs = append(x.Needs, "bucket "+d.Bucket+" in "+d.Region+": "+strings.Join(d.Why, "; "))
	}
	return x.Evidence()
}

// dropped finds which statements of the old policy the new one leaves out; the
// others must stand in it in the same order.
func dropped(old, new string) ([]int, error) {
	if old == new {
		return nil, nil
	}
	before, err := policy.Parse(old)
	if err != nil {
		return nil, fmt.Errorf("read the policy before: %w", err)
	}
	if new == "" {
		out := make([]int, len(before.Statements))
		for i := range out {
			out[i] = i
		}
		return out, nil
	}
	after, err := policy.Parse(new)
	if err != nil {
		return nil, fmt.Errorf("read the policy after: %w", err)
	}
	var out []int
	next := 0
	for i := range before.Statements {
		if next < len(after.Statements) && alone(before, i) == alone(after, next) {
			next++
			continue
		}
		out = append(out, i)
	}
	if next != len(after.Statements) {
		return nil, errors.New("the policy after is not the one before less some statements")
	}
	return out, nil
}

// alone is what one statement says.
func alone(doc *policy.Document, i int) string {
	return (&policy.Document{Version: doc.Version, Statements: doc.Statements[i : i+1]}).Canon()
}

// certify makes the certificates on the policies.
func (a *Access) certify() error {
	if a.Old.Policy == a.New.Policy {
		return nil
	}
	old, fresh, kept, err := a.documents()
	if err != nil {
		return err
	}
	if a.NothingNew, err = certificate(old, fresh); err != nil {
		return fmt.Errorf("certify that nothing is new: %w", err)
	}
	if a.NothingLost, err = certificate(fresh, kept); err != nil {
		return fmt.Errorf("certify that nothing else is lost: %w", err)
	}
	return nil
}

// documents are the old policy, the new one, and the old one without what is
// dropped; no documents where no policy is left.
func (a *Access) documents() (old, fresh, kept reason.Policies, err error) {
	parse := func(text string) (reason.Policies, error) {
		if text == "" {
			return nil, nil
		}
		doc, err := policy.Parse(text)
		return reason.Policies{doc}, err
	}
	if old, err = parse(a.Old.Policy); err != nil {
		return nil, nil, nil, fmt.Errorf("read the policy before: %w", err)
	}
	if fresh, err = parse(a.New.Policy); err != nil {
		return nil, nil, nil, fmt.Errorf("read the policy after: %w", err)
	}
	if len(old) == 0 {
		return old, fresh, nil, nil
	}
	rest := &policy.Document{Version: old[0].Version, ID: old[0].ID}
	for i, st := range old[0].Statements {
		if !slices.Contains(a.Dropped, i) {
			rest.Statements = append(rest.Statements, st)
		}
	}
	if len(rest.Statements) > 0 {
		kept = reason.Policies{rest}
	}
	return old, fresh, kept, nil
}

// certificate proves that fresh grants nothing that old does not, and has the
// independent checker accept it. No policy at all grants nothing.
func certificate(old, fresh reason.Policies) (string, error) {
	ev := proof.Prove(context.Background(), proof.Change{Old: old, New: fresh}, reason.Config{})
	text, err := ev.Certificate(proof.Origin{})
	return string(text), err
}
