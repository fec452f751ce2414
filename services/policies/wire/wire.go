// Package wire is what the wires of the types of shape resourcepolicy share: how such
// resources are found, their policy and tags read, and the policy written.
package wire

import (
	"context"
	"slices"

	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"github.com/aws/smithy-go"
)

// Service is how the resources of one type are read and written, as data over their
// configuration T. The errors of its functions are the SDK's own.
type Service[T any] struct {
	Type resource.Type
	// Make returns a configuration of which nothing is known but this, and Policy the part
	// of it that the shape is about.
	Make   func(resourcepolicy.Config) *T
	Policy func(*T) *resourcepolicy.Config
	// List returns a page of the region's resources, by the call ListCall.
	ListCall string
	List     func(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error)
	// Read returns the policy of a resource, "" for none, by ReadCall; Tags its tags, by
	// TagsCall.
	ReadCall string
	Read     func(ctx context.Context, r *cloud.Reading, id string) (string, error)
	TagsCall string
	Tags     func(ctx context.Context, r *cloud.Reading, id string) (map[string]string, error)
	// Gone are the error codes that say that the resource does not exist.
	Gone []string
	// Put writes a policy, and Delete takes it away; both by the names of their actions,
	// the same where one call does both, and none where Do writes single statements.
	PutAction, DeleteAction string
	Put                     func(ctx context.Context, w *cloud.Writing, id, text string) error
	Delete                  func(ctx context.Context, w *cloud.Writing, id string) error
	// Readers, Do, Answers, Actions and ConfigRules are further ones of the type.
	Readers     []cloud.Reader
	Do          map[string]func(context.Context, *cloud.Writing) error
	Answers     map[string]cloud.Shape
	Actions     map[string]string
	ConfigRules []string
	Unread      func(c *T, part string)
}

// Wire returns the wire of the type.
func (s Service[T]) Wire() cloud.Wire {
	w := cloud.Wire{
		Type: s.Type.Name, Parts: s.Type.Parts, Operations: s.Type.Operations, Find: s.find, AtOnce: 8, Times: 15,
		Readers: slices.Concat([]cloud.Reader{
			{Parts: []string{resourcepolicy.PartPolicy}, Call: s.ReadCall, One: func(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
				text, err := s.Read(ctx, r, x.ID)
				if err != nil {
					return err
				}
				s.Policy(x.Config.(*T)).Policy = text
				return nil
			}},
			{Parts: []string{resourcepolicy.PartTags}, Call: s.TagsCall, One: func(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
				tags, err := s.Tags(ctx, r, x.ID)
				if err != nil {
					return err
				}
				if len(tags) > 0 {
					s.Policy(x.Config.(*T)).Tags, x.Tags = tags, tags
				}
				return nil
			}},
		}, s.Readers),
		Sample: s.sample, Gone: s.gone, Unread: s.unread, Answers: s.Answers, Actions: s.Actions, ConfigRules: s.ConfigRules,
		Do: map[string]func(context.Context, *cloud.Writing) error{},
	}
	if s.PutAction != "" {
		w.Do[s.PutAction] = s.write
	}
	if s.DeleteAction != "" {
		w.Do[s.DeleteAction] = s.write
	}
	for name, do := range s.Do {
		w.Do[name] = do
	}
	return w
}

// find returns the resources on a page of the region's, or those that are named: that one
// of them does not exist its policy tells.
func (s Service[T]) find(ctx context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	ids := r.Scope.IDs
	if r.Scope.Sweep() {
		var token *string
		if r.Scope.Page != "" {
			token = &r.Scope.Page
		}
		list, next, err := s.List(ctx, r, token)
		if err == nil && next != nil && *next == r.Scope.Page && *next != "" {
			err = cloud.Foreign("the page after this one is this one")
		}
		if err != nil {
			return found, r.Fail(s.ListCall, err)
		}
		if ids = list; next != nil {
			found.Next = *next
		}
	}
	for _, id := range ids {
		arn := s.Type.ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, id)
		c := s.Make(resourcepolicy.Config{ID: id, ARN: arn, Account: r.Scope.Account})
		found.Items = append(found.Items, cloud.NewItem(r, id, id, arn, c))
	}
	return found, nil
}

// sample returns the first resource of the region.
func (s Service[T]) sample(ctx context.Context, r *cloud.Reading) (string, error) {
	ids, _, err := s.List(ctx, r, nil)
	if err != nil {
		return "", r.Fail(s.ListCall, err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	return ids[0], nil
}

func (s Service[T]) gone(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
	return slices.Contains(s.Gone, cloud.Code(err))
}

// unread notes that a part is not known, and empties it.
func (s Service[T]) unread(config any, part string) {
	c := config.(*T)
	p := s.Policy(c)
	if !slices.Contains(p.Unread, part) {
		p.Unread = append(p.Unread, part)
	}
	switch part {
	case resourcepolicy.PartPolicy:
		p.Policy = ""
	case resourcepolicy.PartTags:
		p.Tags = nil
	}
	if s.Unread != nil {
		s.Unread(c, part)
	}
}

// write puts or deletes a policy. Right before it the policy is read again: it must be
// the one that the plan replaces.
func (s Service[T]) write(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resourcepolicy.Input](w.Operation)
	if err != nil {
		return err
	}
	now, err := s.Read(ctx, w.Reading, in.Resource)
	if err != nil && !slices.Contains(s.Type.Parts[0].Absent, cloud.Code(err)) {
		return w.Fail(s.ReadCall, err)
	}
	if !document.SamePolicy(now, in.Expect) {
		return cloud.ErrMoved
	}
	if in.Policy == "" {
		return s.Delete(ctx, w, in.Resource)
	}
	return s.Put(ctx, w, in.Resource, in.Policy)
}

// Tags are the tags of a list, by what takes a key and a value of an entry.
func Tags[E any](list []E, of func(E) (key, value *string)) map[string]string {
	out := map[string]string{}
	for _, e := range list {
		if k, v := of(e); k != nil && v != nil {
			out[*k] = *v
		}
	}
	return out
}

// Listed returns nil where a resource is on the list of its service, and an error with the
// code where it is not: for services whose answer does not tell.
func Listed(ctx context.Context, r *cloud.Reading, list func(context.Context, *cloud.Reading, *string) ([]string, *string, error), id, code string) error {
	var token *string
	for {
		ids, next, err := list(ctx, r, token)
		switch {
		case err != nil:
			return err
		case slices.Contains(ids, id):
			return nil
		case next == nil || *next == "" || token != nil && *next == *token:
			return &smithy.GenericAPIError{Code: code, Message: "it is not on the list"}
		}
		token = next
	}
}
