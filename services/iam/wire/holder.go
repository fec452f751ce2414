package wire

import (
	"cmp"
	"context"
	"slices"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
)

// Book tells of identities with their policies: from a walk, or without one each read
// alone.
type Book struct {
	Reading *cloud.Reading
	Walked  *Account
}

// entity is an identity with its policies. One that a walk leaves out was made, or
// deleted, meanwhile: IAM is eventually consistent.
func (b Book) entity(ctx context.Context, k own.Kind, name string) (*Entity, error) {
	if b.Walked == nil {
		return whole(ctx, b.Reading, k, name)
	}
	e := b.Walked.named[k][name]
	switch {
	case e == nil:
		return nil, b.Reading.Fail(own.Walk, cloud.Foreign("it leaves out the %s %.140q", k, name))
	case b.Walked.Twice[string(e.ARN)]:
		return nil, b.Reading.Fail(own.Walk, cloud.Foreign("it has the %s %.140q twice, so that it changed meanwhile", k, name))
	case e.Distrust != nil:
		return nil, b.Reading.Fail(own.Walk, e.Distrust)
	case e.Garbled != nil:
		return nil, b.Reading.Fail(own.Walk, e.Garbled)
	}
	return e, nil
}

// Head is an identity; without a walk its policies are not read.
func (b Book) Head(ctx context.Context, k own.Kind, name string) (*Entity, error) {
	if b.Walked == nil {
		return Get(ctx, b.Reading, k, name)
	}
	return b.entity(ctx, k, name)
}

// Group is a group with the documents of its policies.
func (b Book) Group(ctx context.Context, name string) (own.Identity, error) {
	e, err := b.entity(ctx, own.GroupKind, name)
	if err != nil {
		return own.Identity{}, err
	}
	id := e.Copy()
	for _, p := range id.Managed() {
		if *p, err = b.document(ctx, p.ARN); err != nil {
			return own.Identity{}, err
		}
	}
	return id, nil
}

// document is a managed policy. One that may not be read is not known.
func (b Book) document(ctx context.Context, arn string) (own.Attached, error) {
	p, err := managed(ctx, b.Reading, arn)
	if cloud.Is(err, cloud.Denied) {
		return own.Attached{ARN: arn}, nil
	}
	return p, err
}

// grant is a policy that an identity has, by a group or itself.
type grant struct {
	group string
	own.Attached
}

// Holder is an identity with its policies, but those that except says, by the group by
// which it has them and by ARN.
func (b Book) Holder(ctx context.Context, k own.Kind, name string, except func(group, arn string) bool) (own.Holder, error) {
	type granted struct {
		own.Holder
		grants []grant
	}
	all, err := cloud.Once(b.Reading, "holder "+string(k)+" "+name, func() (granted, error) {
		e, err := b.entity(ctx, k, name)
		if err != nil {
			return granted{}, err
		}
		g := granted{Holder: own.Holder{ARN: string(e.ARN), Kind: k, Name: e.Name, Path: e.Path, Created: e.Created, Tags: e.Tags, Trust: e.Trust}}
		if e.Boundary != nil {
			g.Boundary = e.Boundary.ARN
		}
		if g.grants, err = b.grants(ctx, "", e); err != nil {
			return granted{}, err
		}
		for _, group := range e.Groups {
			by, err := b.entity(ctx, own.GroupKind, group)
			if err != nil {
				return granted{}, err
			}
			more, err := b.grants(ctx, group, by)
			if err != nil {
				return granted{}, err
			}
			g.grants = append(g.grants, more...)
		}
		return g, nil
	})
	h := all.Holder
	for _, p := range all.grants {
		if !except(p.group, p.ARN) && !slices.ContainsFunc(h.Beside, func(a own.Attached) bool { return a.ARN == p.ARN }) {
			h.Beside = append(h.Beside, p.Attached)
		}
	}
	return h, err
}

func (b Book) grants(ctx context.Context, group string, e *Entity) (out []grant, err error) {
	for _, p := range e.Inline {
		out = append(out, grant{group, own.Attached{ARN: own.InlineName(group, p.Name), Document: p.Document}})
	}
	for _, p := range e.Attached {
		known, err := b.document(ctx, p.ARN)
		if err != nil {
			return nil, err
		}
		out = append(out, grant{group, known})
	}
	return out, nil
}

// Holding is who has something, and by which group.
type Holding struct {
	Named
	Via string
}

// Holders are those who have something, with their other policies. Of more than are read
// it returns how many they are, and of each only who it is.
func (b Book) Holders(ctx context.Context, who []Holding, except func(group, arn string) bool) (out []own.Holder, tooMany int, err error) {
	if len(who) > own.MostHolders {
		tooMany = len(who)
	}
	for _, w := range who {
		var h own.Holder
		if tooMany == 0 {
			h, err = b.Holder(ctx, w.Kind, w.Name, except)
		} else {
			var e *Entity
			if e, err = b.Head(ctx, w.Kind, w.Name); err == nil {
				h = own.Holder{ARN: string(e.ARN), Kind: e.Kind, Name: e.Name, Path: e.Path, Created: e.Created, Tags: e.Tags}
			}
		}
		if err != nil {
			return nil, 0, err
		}
		h.Via = w.Via
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b own.Holder) int { return cmp.Compare(a.ARN, b.ARN) })
	return out, tooMany, nil
}
