package iam

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// InlineLimit is how many characters IAM stores of all inline policies of an identity,
// white space apart.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (k Kind) InlineLimit() int {
	return map[Kind]int{RoleKind: 10240, UserKind: 2048, GroupKind: 5120}[k]
}

// SubjectOf are the policies of an identity: inline ones are narrowed, attached ones go
// whole or stay. holders are those who have them: the identity itself, or the members
// of a group. A policy by which an access is in force is none of them: it stands beside.
func (i *Identity) SubjectOf(k Kind, holders []Holder, s control.Settings) (*Subject, error) {
	var texts []Text
	if why := i.unknownAccess(); why != "" {
		return nil, errors.New(why)
	}
	limit := k.InlineLimit()
	holders = slices.Clone(holders)
	for _, p := range i.Inline {
		if i.Given(p) {
			size, err := growth("", p.Document)
			if err != nil {
				return nil, fmt.Errorf("read policy %s: %w", p.Name, err)
			}
			limit -= size
			for h := range holders {
				holders[h].Beside = append(slices.Clone(holders[h].Beside), Attached{ARN: InlineName("", p.Name), Document: p.Document})
			}
			continue
		}
		texts = append(texts, Text{Name: p.Name, Document: p.Document})
	}
	for _, p := range i.Attached {
		if p.Document == "" {
			return nil, fmt.Errorf("policy %s could not be read", p.ARN)
		}
		texts = append(texts, attachedText(p))
	}
	slices.SortStableFunc(texts, func(a, b Text) int { // whatever order they were listed in
		if d := strings.Compare(a.Whole, b.Whole); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	out, err := NewSubject(texts, holders, max(limit, 1), s) // 0 is no limit
	return out.By(i.Reported, holders).Stage(i.Staged, s.GraduationDays, holders), err
}

// Empty reports whether the identity has no policy: whatever is recorded, it has no
// permission that nobody uses.
func (i *Identity) Empty() bool {
	return i.Read(PartInline, PartAttached) && len(i.Inline)+len(i.Attached) == 0
}

// attachedText is a managed policy, which goes whole or stays.
func attachedText(p Attached) Text {
	arn := dera.ARN(p.ARN)
	name := strings.TrimPrefix(arn.Resource(), "policy/")
	if arn.Account() == "aws" {
		return Text{Name: p.ARN, Document: p.Document, Whole: UnusedAWSKey + name, AWS: true, Version: p.Version}
	}
	return Text{Name: p.ARN, Document: p.Document, Whole: UnusedAttachedKey + name[strings.LastIndexByte(name, '/')+1:]}
}

// Become are the changes after which the policies of a subject of the identity have
// the texts; "" is none. IAM stores only so much of an identity's inline policies, all of
// them together: what gets shorter goes before what gets longer, in the undo too, which
// takes them from the last to the first.
func (i *Identity) Become(k Kind, s *Subject, after []string) ([]dera.Change, *control.Refusal) {
	var shorter, longer []dera.Change
	copied := map[string]bool{}
	for n, t := range s.Policies {
		if t.Document == after[n] {
			continue
		}
		if t.Whole == "" {
			if at := i.inline(t.Name); at >= 0 && (i.Inline[at].Document == after[n] || s.Stages[t.Name] != nil && document.SamePolicy(i.Inline[at].Document, after[n])) {
				continue
			}
			c, err := i.SetInline(k, t.Name, after[n])
			grows, errSize := growth(i.text(t.Name), after[n]) // with its stage
			if err := errors.Join(err, errSize); err != nil {
				return nil, CannotPlan(err)
			}
			if grows > 0 {
				longer = append(longer, c)
			} else {
				shorter = append(shorter, c)
			}
			continue
		}
		if after[n] != "" {
			c, half, refusal := i.copied(k, t, after[n], copied)
			if refusal != nil {
				return nil, refusal
			}
			if !half {
				longer = append(longer, c)
			}
		}
		c, err := i.DetachManaged(k, t.Name)
		if err != nil {
			return nil, CannotPlan(err)
		}
		longer = append(longer, c)
	}
	return append(shorter, longer...), nil
}

// copied is the change that puts a copy of a policy of AWS; taken are the names of others.
// A plan that was carried out in part has put it already.
func (i *Identity) copied(k Kind, t Text, after string, taken map[string]bool) (c dera.Change, half bool, refusal *control.Refusal) {
	name := t.copyName()
	key := strings.ToLower(name) // IAM may not tell names apart by their case
	half = i.hasCopy(name, after)
	if taken[key] || !half && slices.ContainsFunc(i.Inline, func(p Inline) bool { return strings.EqualFold(p.Name, name) }) {
		return c, half, &control.Refusal{Code: "name-taken", Why: fmt.Sprintf("there is an inline policy %q, or another copy, whose name the copy would have", name)}
	}
	taken[key] = true
	c, err := i.SetInline(k, name, after)
	if err != nil {
		return c, half, CannotPlan(err)
	}
	what := "inline policy " + strconv.Quote(name)
	c.Diff = append([]string{"+ " + what + ": " + t.Name + " without"}, document.DiffPolicy(what+" ", t.Document, after)...)
	return c, half, nil
}

// growth is how many characters more IAM stores of one text than of another.
func growth(before, after string) (int, error) {
	size := func(text string) (int, error) {
		if text == "" {
			return 0, nil
		}
		doc, err := policy.Parse(text)
		if err != nil {
			return 0, err
		}
		return doc.Size(policy.Identity), nil
	}
	old, errOld := size(before)
	fresh, errFresh := size(after)
	return fresh - old, errors.Join(errOld, errFresh)
}

// InlineSize is how many characters IAM stores of the inline policies.
func (i *Identity) InlineSize() (size int, err error) {
	for _, p := range i.Inline {
		n, errSize := growth("", p.Document)
		size, err = size+n, errors.Join(err, errSize)
	}
	return size, err
}

// hasCopy reports whether the identity has an inline policy that says what a text does.
func (i *Identity) hasCopy(name, text string) bool {
	at := i.inline(name)
	return at >= 0 && text != "" && document.SamePolicy(i.Inline[at].Document, text)
}

// PlanUnused removes what the failures are about from the policies of the identity.
func (i *Identity) PlanUnused(k Kind, s *Subject, err error, failures []control.Failure) ([]dera.Change, *control.Refusal) {
	if err != nil {
		return nil, CannotPlan(err)
	}
	after, refusal := s.Narrowed(Keys(failures))
	if refusal != nil {
		return nil, refusal
	}
	return i.Become(k, s, after)
}

// ProveUnused makes the evidence for changes of an identity, which lead to another one.
func (i *Identity) ProveUnused(s *Subject, err error, after *Identity, failures []control.Failure) (dera.Evidence, error) {
	if err != nil {
		return dera.Evidence{}, err
	}
	texts, copied := make([]string, len(s.Policies)), []string(nil)
	planned, _ := s.Narrowed(Keys(failures))
	half := func(n int, name string) bool { return planned != nil && i.hasCopy(name, planned[n]) }
	for n, t := range s.Policies {
		switch at := after.inline(t.Name); {
		case t.Whole != "" && after.attached(t.Name) >= 0:
			texts[n] = t.Document
		case t.AWS && after.inline(t.copyName()) >= 0 && (i.inline(t.copyName()) < 0 || half(n, t.copyName())):
			texts[n] = after.Inline[after.inline(t.copyName())].Document
			copied = append(copied, t.copyName())
		case t.Whole == "" && at >= 0:
			texts[n] = after.Inline[at].Document
		}
	}
	whole := *s
	for _, p := range i.Inline {
		if i.Given(p) && after.text(p.Name) != p.Document {
			return dera.Evidence{}, fmt.Errorf("the plan changes policy %q, by which an access is given", p.Name)
		}
	}
	for _, p := range after.Inline { // one that is new has no text before
		if i.inline(p.Name) < 0 && !slices.Contains(copied, p.Name) {
			return dera.Evidence{}, fmt.Errorf("the plan makes a policy %q", p.Name)
		}
	}
	for _, p := range after.Attached {
		if i.attached(p.ARN) < 0 {
			return dera.Evidence{}, fmt.Errorf("the plan attaches %s", p.ARN)
		}
	}
	return whole.Prove(texts, Keys(failures))
}

// Applied is an identity after some changes.
func Applied[T any](t resource.Type, c *T, changes []dera.Change) (*T, error) {
	after, err := t.ApplyPlan(c, dera.Plan{Changes: changes})
	if err != nil {
		return nil, err
	}
	out, ok := after.(*T)
	if !ok {
		return nil, fmt.Errorf("the changes make a %T", after)
	}
	return out, nil
}
