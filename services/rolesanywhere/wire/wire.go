// Package wire is what the wires of trust anchors and profiles of IAM Roles Anywhere share:
// how they are found, read and switched.
package wire

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/rolesanywhere"
)

// Calls are how the entries of one kind are read and written. The errors of its functions are
// the SDK's own.
type Calls struct {
	Kind own.Kind
	// Get returns an entry and its ARN, and List a page of them, with the members that both
	// tell.
	Get  func(ctx context.Context, api *rolesanywhere.Client, id string) (Read, error)
	List func(ctx context.Context, api *rolesanywhere.Client, token *string) (list []Read, next *string, err error)
	// Switch enables or disables an entry.
	Switch func(ctx context.Context, api *rolesanywhere.Client, id string, on bool) error
}

// Read is an entry as AWS tells it.
type Read struct {
	own.Entry
	ARN string
}

// Wire returns the wire of the kind.
func (c Calls) Wire() cloud.Wire {
	t, k := c.Kind.Define(), c.Kind
	return cloud.Wire{
		Type: t.Name, Parts: t.Parts, Operations: t.Operations, Find: c.find, Sample: c.sample, AtOnce: 4, Times: 5,
		Readers: []cloud.Reader{{Parts: []string{own.PartTags}, Call: "rolesanywhere:ListTagsForResource", One: readTags}},
		Do:      map[string]func(context.Context, *cloud.Writing) error{k.Enable(): c.write, k.Disable(): c.write},
		Answers: map[string]cloud.Shape{
			"RolesAnywhere List" + k.Noun + "s": {Members: []string{k.Member + "s"}}, "RolesAnywhere Get" + k.Noun: {Members: []string{k.Member}},
			"RolesAnywhere Enable" + k.Noun: {Members: []string{k.Member}}, "RolesAnywhere Disable" + k.Noun: {Members: []string{k.Member}},
			"RolesAnywhere ListTagsForResource": {},
		},
	}
}

func api(r *cloud.Reading) *rolesanywhere.Client {
	return cloud.Service(r, "rolesanywhere", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *rolesanywhere.Client { return rolesanywhere.NewFromConfig(cfg) })
}

// find returns a page of the region's entries, which tells all but the tags, or those that are
// named.
func (c Calls) find(ctx context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	if r.Scope.Sweep() {
		var token *string
		if r.Scope.Page != "" {
			token = &r.Scope.Page
		}
		list, next, err := c.List(ctx, api(r), token)
		if err == nil && next != nil && *next != "" && *next == r.Scope.Page {
			err = cloud.Foreign("the page after this one is this one")
		}
		for i := 0; err == nil && i < len(list); i++ {
			err = c.add(r, &found, list[i], list[i].ID)
		}
		if err != nil {
			return cloud.Found{}, r.Fail(c.Kind.List(), err)
		}
		found.Next = aws.ToString(next)
		return found, nil
	}
	for _, id := range r.Scope.IDs {
		if !own.ValidID(id) {
			found.Missing = append(found.Missing, id)
			continue
		}
		e, err := c.Get(ctx, api(r), id)
		if err == nil {
			err = c.add(r, &found, e, id)
		}
		if err == nil {
			continue
		}
		var failed *cloud.Error
		if err = r.Fail(c.Kind.Get(), err); !errors.As(err, &failed) || failed.Code != "ResourceNotFoundException" {
			return cloud.Found{}, err
		}
		found.Missing = append(found.Missing, id)
	}
	return found, nil
}

// add takes an entry that is the one asked for, and of this account and region.
func (c Calls) add(r *cloud.Reading, found *cloud.Found, e Read, id string) error {
	arn := c.Kind.Define().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, id)
	if !own.ValidID(e.ID) || e.ID != id || dera.ARN(e.ARN) != arn || e.Enabled == nil {
		return cloud.Foreign("it is about %.140q, want %s and whether that is enabled", e.ARN, arn)
	}
	x := cloud.NewItem(r, id, e.Name, arn, &e.Entry)
	x.Has(c.Kind.Says)
	found.Items = append(found.Items, x)
	return nil
}

// sample returns the first entry of the region.
func (c Calls) sample(ctx context.Context, r *cloud.Reading) (string, error) {
	list, _, err := c.List(ctx, api(r), nil)
	if err != nil {
		return "", r.Fail(c.Kind.List(), err)
	}
	if len(list) == 0 {
		return "", nil
	}
	return list[0].ID, nil
}

func readTags(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := api(r).ListTagsForResource(ctx, &rolesanywhere.ListTagsForResourceInput{ResourceArn: aws.String(string(x.ARN))})
	if err != nil {
		return err
	}
	tags := map[string]string{}
	for _, t := range out.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if len(tags) > 0 {
		x.Config.(*own.Entry).Tags, x.Tags = tags, tags
	}
	return nil
}

// write enables or disables an entry: each call changes nothing else of it.
func (c Calls) write(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	var on *bool
	if err := json.Unmarshal(in.Value, &on); err != nil || on == nil || !own.ValidID(in.Resource) {
		return w.Fail(w.Operation.Name, errors.New("it takes an ID, and true or false"))
	}
	return c.Switch(ctx, rolesanywhere.NewFromConfig(w.Config), in.Resource, *on)
}
