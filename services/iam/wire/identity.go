package wire

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
)

// times is how many times the timeout of a read the walk over an account may take,
// and atOnce how many identities are read at the same time.
const (
	times  = 5
	atOnce = 4
)

// Identities are how identities of a kind are read, for the wire of their type.
type Identities struct {
	Kind own.Kind
	// Part is that of the identity itself.
	Part string
	// New makes a configuration, and Identity finds the identity in one.
	New      func(account string) any
	Identity func(config any) *own.Identity
	// Take takes what is the kind's own, and Walked what a walk alone tells; both may
	// be nil.
	Take func(x *cloud.Item, e *Entity)
	// Climbs is the identity as one that may get more permissions, and Peers notes to whom it
	// gets; nil for a kind that acts through others.
	Climbs func(config any) escalation.Principal
	Peers  func(config any, to []escalation.Peer)
	Walked func(ctx context.Context, x *cloud.Item, b Book, e *Entity)
}

// Wire is the wire of the type, which has further readers and calls. Only the answer to
// the question for the identity itself says that it does not exist: IAM is eventually
// consistent, and a policy that is listed may not be there yet.
func (s Identities) Wire(t resource.Type, readers []cloud.Reader, calls ...string) cloud.Wire {
	self := s.Kind.Call("Get", "")
	calls = append(calls, "GetAccountAuthorizationDetails", "GetPolicy", "GetPolicyVersion")
	for _, c := range []string{self, s.Kind.Call("List", "Policies"), s.Kind.Call("Get", "Policy"), s.Kind.Call("ListAttached", "Policies")} {
		calls = append(calls, c[len("iam:"):])
	}
	var last []cloud.Reader
	if s.Climbs != nil {
		last = []cloud.Reader{{Parts: []string{escalation.PartPeers}, Call: own.Walk, One: s.readPeers}} // by what the others read
	}
	return cloud.Wire{
		Type: t.Name, Parts: t.Parts, Operations: t.Operations, Times: times, AtOnce: atOnce, Find: s.find, Sample: s.sample,
		Gone: func(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
			return NoSuchEntity(err, self)
		},
		Unread: func(c any, part string) { s.Identity(c).NotRead(part) },
		Readers: slices.Concat(readers, []cloud.Reader{
			{Parts: []string{s.Part}, Call: self, One: s.readSelf},
			{Parts: []string{own.PartInline}, Call: s.Kind.Call("List", "Policies"), One: s.readInline},
			{Parts: []string{own.PartAttached}, Call: s.Kind.Call("ListAttached", "Policies"), One: s.readAttached},
			{Parts: []string{own.PartDocuments}, Call: CallPolicy, One: s.readDocuments},
			{Parts: []string{own.PartCopied}, Call: CallPolicy, One: s.readCopied},
		}, last),
		Do: s.writes(), Answers: Answers(calls...),
	}
}

// NoSuchEntity reports whether the call answered that what it is about does not exist.
func NoSuchEntity(err error, call string) bool {
	var e *cloud.Error
	return errors.As(err, &e) && e.Code == "NoSuchEntity" && e.Call == call
}

func (s Identities) item(r *cloud.Reading, path, name string) *cloud.Item {
	config := s.New(r.Scope.Account)
	id := s.Identity(config)
	id.Name, id.Path = name, path
	return cloud.NewItem(r, name, name, s.Kind.ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, path, name), config)
}

// find names the identities of the scope. A sweep is one walk, which tells all of them
// and their policies.
func (s Identities) find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	if s.Climbs != nil {
		defer func() { _, _ = peers(ctx, r) }() // before several ask at once, who tell the error
	}
	if !r.Scope.Sweep() {
		for _, name := range r.Scope.IDs {
			if s.Kind.ValidName(name) {
				found.Items = append(found.Items, s.item(r, "/", name))
			} else {
				found.Missing = append(found.Missing, name)
			}
		}
		return found, nil
	}
	a, err := Walk(ctx, r, everyKind()...)
	if err != nil {
		return cloud.Found{}, err
	}
	for _, e := range a.Entities {
		if e.Kind != s.Kind {
			continue
		}
		x := s.item(r, e.Path, e.Name)
		if !s.Kind.ValidName(e.Name) || x.ARN != e.ARN {
			return cloud.Found{}, r.Fail(own.Walk, cloud.Foreign("it has a %s %.140q with the ARN %.200q", s.Kind, e.Name, e.ARN))
		}
		found.Items = append(found.Items, x)
		if a.Twice[string(e.ARN)] {
			x.Unknown("the listing has it twice: it changed meanwhile")
			continue
		}
		s.take(x, e)
		id := s.Identity(x.Config)
		id.Inline, id.Attached = e.Copy().Inline, e.Copy().Attached
		if e.Garbled != nil {
			x.Lost(own.PartInline, e.Garbled)
		}
		x.Has(own.PartInline, own.PartAttached)
		if s.Walked != nil {
			s.Walked(ctx, x, Book{r, a}, e)
		}
	}
	return found, nil
}

// take takes what both a walk and the read of one tell. Without a trust policy that can
// be read nothing of a role counts as read.
func (s Identities) take(x *cloud.Item, e *Entity) {
	id, is := s.Identity(x.Config), e.Copy()
	id.Path, id.ID, id.Created, id.Tags, id.Boundary = is.Path, is.ID, is.Created, is.Tags, is.Boundary
	x.ARN, x.Tags = e.ARN, id.Tags
	if s.Take != nil {
		s.Take(x, e)
	}
	if e.Distrust != nil {
		x.Lost(s.Part, e.Distrust)
	}
	x.Has(s.Part)
}

// readSelf reads the identity itself. Until then its path, and so its ARN, is not known.
func (s Identities) readSelf(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	e, err := Get(ctx, r, s.Kind, x.ID)
	if err != nil {
		fact, _ := cloud.Cause(err)
		x.Doubt("its path is not known: " + fact)
		return err
	}
	s.take(x, e)
	return nil
}

func (s Identities) readInline(ctx context.Context, r *cloud.Reading, x *cloud.Item) (err error) {
	id := s.Identity(x.Config)
	id.Inline, err = inline(ctx, r, s.Kind, x.ID)
	id.Sort()
	return err
}

func (s Identities) readAttached(ctx context.Context, r *cloud.Reading, x *cloud.Item) (err error) {
	id := s.Identity(x.Config)
	id.Attached, err = attached(ctx, r, s.Kind, x.ID)
	id.Sort()
	return err
}

// readDocuments reads the documents of the managed policies, which a walk has told. A
// policy that is attached and is not there contradicts itself: IAM is eventually
// consistent.
func (s Identities) readDocuments(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	for _, p := range s.Identity(x.Config).Managed() {
		if p.Document != "" {
			continue
		}
		known, err := managed(ctx, r, p.ARN)
		if err != nil {
			x.Lost(own.PartDocuments, err)
			continue
		}
		*p = known
	}
	return nil
}

// readCopied reads the policies of AWS of which inline policies are copies: AWS tells
// nobody when it changes them. One that is not there is none of AWS's, or not any more.
func (s Identities) readCopied(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	id := s.Identity(x.Config)
	id.Copied = nil
	for _, p := range id.Inline {
		arn, version, ok := own.CopyOf(cloud.PartitionOf(r.Scope), p.Name)
		if !ok {
			continue
		}
		of, err := Policy(ctx, r, arn)
		if NoSuchEntity(err, CallPolicy) {
			continue
		}
		if err != nil {
			return err
		}
		c := own.Copied{Inline: p.Name, ARN: arn, Then: own.Attached{ARN: arn, Version: version}, Now: own.Attached{ARN: arn, Version: aws.ToString(of.DefaultVersionId)}}
		if c.Now.Version != version {
			if c.Now, err = managed(ctx, r, arn); err != nil {
				return err
			}
			then, err := cloud.Once(r, "version "+version+" of "+arn, func() (own.Attached, error) { return Version(ctx, r, arn, version) })
			if err != nil && !NoSuchEntity(err, "iam:GetPolicyVersion") {
				return err
			}
			c.Then.Document = then.Document
		}
		id.Copied = append(id.Copied, c)
	}
	return nil
}

// sample returns the name of any identity of the kind.
func (s Identities) sample(ctx context.Context, r *cloud.Reading) (string, error) {
	out, err := IAM(r).GetAccountAuthorizationDetails(ctx, Details(1, s.Kind))
	if err != nil {
		return "", r.Fail(own.Walk, err)
	}
	for _, x := range out.RoleDetailList {
		return aws.ToString(x.RoleName), nil
	}
	for _, x := range out.UserDetailList {
		return aws.ToString(x.UserName), nil
	}
	for _, x := range out.GroupDetailList {
		return aws.ToString(x.GroupName), nil
	}
	return "", nil
}
