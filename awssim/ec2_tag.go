package awssim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

func createTags(k *call) (any, error) {
	added, err := readTags(k.p)
	if err != nil {
		return nil, err
	}
	if len(added) == 0 {
		return nil, missing("tagSet")
	}
	return k.retag(func(old tags) (tags, error) {
		merged := old.with(added)
		if len(merged) > maxTags {
			return nil, errorf(400, "TagLimitExceeded", "The maximum number of tags for this resource has been reached.")
		}
		return merged, nil
	})
}

// deleteTags removes tags by key, or by key and value if a value is given, be it empty; without any, all tags that are
// the user's own.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
func deleteTags(k *call) (any, error) {
	listed := k.p.list("Tag")
	return k.retag(func(old tags) (tags, error) {
		if len(listed) == 0 {
			return nil, nil
		}
		kept := maps.Clone(old)
		for _, t := range listed {
			key := t.text("Key")
			if value, has := old[key]; has && (!t.has("Value") || t.text("Value") == value) {
				delete(kept, key)
			}
		}
		return kept, nil
	})
}

// retag changes the tags of every resource of the request, or of none.
func (k *call) retag(change func(old tags) (tags, error)) (any, error) {
	ids := k.p.texts("ResourceId")
	if len(ids) == 0 {
		return nil, missing("resourceIdSet")
	}
	for _, id := range ids {
		if err := k.retagOne(id, change); err != nil {
			return nil, err
		}
	}
	return done{}, nil
}

func (k *call) retagOne(id string, change func(old tags) (tags, error)) error {
	s := k.state
	switch resourceType(id) {
	case "security-group":
		g, err := k.groupByID(id, view{})
		if err != nil {
			return err
		}
		changed := g.edit()
		if changed.tags, err = change(g.tags); err == nil {
			s.groups.put(id, changed)
		}
		return err
	case "security-group-rule":
		for _, g := range s.groups.all {
			if i := g.findID(id); i >= 0 {
				changed, r := g.edit(), g.rules[i].clone()
				var err error
				if r.Tags, err = change(r.Tags); err == nil {
					changed.rules[i] = r
					s.groups.put(g.id, changed)
				}
				return err
			}
		}
		return unknownRule(id)
	case "vpc":
		if v := s.vpcs.get(id, view{}); v != nil {
			changed := *v
			var err error
			if changed.tags, err = change(v.tags); err == nil {
				s.vpcs.put(id, &changed)
			}
			return err
		}
		return errorf(400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
	case "network-interface":
		if n := s.interfaces.get(id, view{}); n != nil {
			changed := *n
			var err error
			if changed.tags, err = change(n.tags); err == nil {
				s.interfaces.put(id, &changed)
			}
			return err
		}
		return errorf(400, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
	case "prefix-list":
		list, err := k.ownPrefixList(id)
		if err != nil {
			return err
		}
		changed := *list
		if changed.tags, err = change(list.tags); err == nil {
			s.prefixLists.put(id, &changed)
		}
		return err
	default:
		return errorf(400, "InvalidID", "The ID '%s' is not valid", id)
	}
}

type tagPage struct {
	tags  []tagOf
	token string
}

// tagOf is one tag of one resource.
type tagOf struct{ key, value, kind, id string }

func describeTags(k *call) (any, error) {
	match, err := filters(k.p, "key", "value", "resource-id", "resource-type", "tag:*")
	if err != nil {
		return nil, err
	}
	w, err := readWindow(k)
	if err != nil {
		return nil, err
	}
	var found []tagOf
	collect := func(id string, t tags) {
		for key, value := range t {
			kind := resourceType(id)
			if match.text("key", key) && match.text("value", value) && match.text("resource-id", id) && match.text("resource-type", kind) && match.tags(t) {
				found = append(found, tagOf{key, value, kind, id})
			}
		}
	}
	k.eachTagged(collect)
	slices.SortFunc(found, func(a, b tagOf) int { return strings.Compare(a.key+"\x00"+a.id, b.key+"\x00"+b.id) })
	found = found[min(w.start, len(found)):]
	next := ""
	if w.size > 0 && len(found) > w.size {
		found, next = found[:w.size], strconv.Itoa(w.start+w.size)
	}
	found, token, err := cut(k, found, next)
	return tagPage{found, token}, err
}

// eachTagged calls collect for every resource that can have tags.
func (k *call) eachTagged(collect func(id string, t tags)) {
	for _, v := range k.state.vpcs.from(0, k.view()) {
		collect(v.id, v.tags)
	}
	for _, g := range k.state.groups.from(0, k.view()) {
		collect(g.id, g.tags)
		for _, r := range g.rules {
			collect(r.ID, r.Tags)
		}
	}
	for _, n := range k.state.interfaces.from(0, k.view()) {
		collect(n.id, n.tags)
	}
	for _, l := range k.state.prefixLists.from(0, k.view()) {
		collect(l.id, l.tags)
	}
}

func (a tagPage) write(e *encoder) {
	e.beginList("tagSet")
	for _, t := range a.tags {
		e.item()
		e.text("key", t.key)
		e.text("resourceId", t.id)
		e.text("resourceType", t.kind)
		e.text("value", t.value)
		e.endItem()
	}
	e.endList("tagSet")
	e.optional("nextToken", a.token)
}
