package awssim

import (
	"slices"
	"strings"
)

// prefixList is a managed prefix list: the customer's own, or AWS's (account "AWS").
type prefixList struct {
	id, name, family, account, state string
	maxEntries                       int
	clientToken                      string // of the call that made it: a repeated call makes no second list
	tags                             tags
	versions                         [][]prefixEntry // the first is version 1
}

type prefixEntry struct{ cidr, description string }

// addManagedPrefixLists adds the lists that AWS keeps for gateway endpoints.
// https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
func (s *regionState) addManagedPrefixLists() {
	for _, own := range []struct {
		service string
		ranges  []prefixEntry
	}{
		{"s3", []prefixEntry{{cidr: "52.216.0.0/15"}, {cidr: "54.231.0.0/16"}}},
		{"dynamodb", []prefixEntry{{cidr: "52.94.0.0/22"}}},
	} {
		id := s.ids.resource("pl")
		s.prefixLists.put(id, &prefixList{
			id: id, name: "com.amazonaws." + s.region + "." + own.service, family: "IPv4", account: "AWS",
			state: "create-complete", maxEntries: 1, versions: [][]prefixEntry{own.ranges},
		})
	}
}

func (k *call) prefixList(id string, v view) (*prefixList, error) {
	if !strings.HasPrefix(id, "pl-") {
		return nil, errorf(400, "InvalidPrefixListId.Malformed", "Invalid id: \"%s\" (expecting \"pl-...\")", id)
	}
	list := k.state.prefixLists.get(id, v)
	if list == nil {
		return nil, errorf(400, "InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist", id)
	}
	return list, nil
}

// ownPrefixList finds a list that the caller may change: AWS's it may not.
func (k *call) ownPrefixList(id string) (*prefixList, error) {
	list, err := k.prefixList(id, view{})
	if err == nil && list.account != k.Account {
		return nil, errorf(403, "UnauthorizedOperation", "You are not authorized to perform this operation.")
	}
	return list, err
}

type onePrefixList struct {
	*prefixList
	arn string
}

func createPrefixList(k *call) (any, error) {
	limit, _, err := k.p.number("MaxEntries")
	if err != nil {
		return nil, err
	}
	list := &prefixList{id: k.state.ids.resource("pl"), name: k.p.text("PrefixListName"), family: k.p.text("AddressFamily"), account: k.Account, state: "create-complete", maxEntries: limit}
	switch {
	case list.name == "":
		return nil, missing("PrefixListName")
	case list.family != "IPv4" && list.family != "IPv6":
		return nil, invalid("Invalid value '%s' for addressFamily.", list.family)
	case limit < 1 || limit > 1000:
		return nil, invalid("Invalid value '%d' for maxEntries.", limit)
	}
	if list.clientToken = k.p.text("ClientToken"); list.clientToken != "" {
		for _, made := range k.state.prefixLists.all {
			if made.clientToken == list.clientToken {
				return onePrefixList{made, k.arn("prefix-list", made.id)}, nil
			}
		}
	}
	if list.tags, err = tagSpecification(k.p, "prefix-list"); err != nil {
		return nil, err
	}
	entries, err := list.with(nil, k.p.list("Entry"))
	if err != nil {
		return nil, err
	}
	list.versions = [][]prefixEntry{entries}
	k.state.prefixLists.put(list.id, list)
	return onePrefixList{list, k.arn("prefix-list", list.id)}, nil
}

// with returns the entries and the new ones; an entry of a range that is there replaces its description.
func (l *prefixList) with(entries []prefixEntry, added []*parameters) ([]prefixEntry, error) {
	entries = slices.Clone(entries)
	for _, a := range added {
		cidr, err := canonicalCIDR(a.text("Cidr"), l.family == "IPv6")
		if err != nil {
			return nil, err
		}
		entry := prefixEntry{cidr, a.text("Description")}
		if i := slices.IndexFunc(entries, func(e prefixEntry) bool { return e.cidr == cidr }); i >= 0 {
			entries[i] = entry
		} else {
			entries = append(entries, entry)
		}
	}
	if len(entries) > l.maxEntries {
		return nil, errorf(400, "PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list.")
	}
	return entries, nil
}

// modifyPrefixList changes entries, which makes a new version and needs the current one, or name and size.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyManagedPrefixList.html
func modifyPrefixList(k *call) (any, error) {
	list, err := k.ownPrefixList(k.p.text("PrefixListId"))
	if err != nil {
		return nil, err
	}
	changed := *list
	changed.state = "modify-complete"
	if name := k.p.text("PrefixListName"); name != "" {
		changed.name = name
	}
	added, removed := k.p.list("AddEntry"), k.p.list("RemoveEntry")
	size, resized, err := k.p.number("MaxEntries")
	switch {
	case err != nil:
		return nil, err
	case resized && len(added)+len(removed) > 0:
		return nil, errorf(400, "InvalidParameterCombination", "You cannot modify the entries of a prefix list and modify the size of a prefix list at the same time.")
	case resized && size < len(list.entries()):
		return nil, invalid("The maximum number of entries cannot be less than the number of entries.")
	case resized:
		changed.maxEntries = size
	case len(added)+len(removed) > 0:
		if changed.versions, err = k.nextVersion(list, added, removed); err != nil {
			return nil, err
		}
	}
	k.state.prefixLists.put(list.id, &changed)
	if resized {
		if err := k.checkReferences(list.id); err != nil {
			return nil, err
		}
	}
	return onePrefixList{&changed, k.arn("prefix-list", list.id)}, nil
}

func (k *call) nextVersion(list *prefixList, added, removed []*parameters) ([][]prefixEntry, error) {
	current, given, err := k.p.number("CurrentVersion")
	switch {
	case err != nil:
		return nil, err
	case !given:
		return nil, missing("CurrentVersion")
	case current != len(list.versions):
		return nil, errorf(400, "PrefixListVersionMismatch", "The prefix list has the incorrect version number.")
	}
	entries := slices.Clone(list.entries())
	for _, r := range removed {
		i := slices.IndexFunc(entries, func(e prefixEntry) bool { return e.cidr == r.text("Cidr") })
		if i < 0 {
			return nil, invalid("The entry '%s' does not exist in the prefix list.", r.text("Cidr"))
		}
		entries = slices.Delete(entries, i, i+1)
	}
	if entries, err = list.with(entries, added); err != nil {
		return nil, err
	}
	return append(slices.Clone(list.versions), entries), nil
}

// checkReferences fails if a group that uses the list would hold more rules than it may.
func (k *call) checkReferences(id string) error {
	for _, g := range k.state.groups.all {
		for _, r := range g.rules {
			if r.PrefixList != id {
				continue
			}
			if err := k.checkQuota(g, r.Egress); err != nil {
				return err
			}
		}
	}
	return nil
}

func deletePrefixList(k *call) (any, error) {
	list, err := k.ownPrefixList(k.p.text("PrefixListId"))
	if err != nil {
		return nil, err
	}
	for _, g := range k.state.groups.all {
		if slices.ContainsFunc(g.rules, func(r *Rule) bool { return r.PrefixList == list.id }) {
			return nil, errorf(400, "DependencyViolation", "The prefix list '%s' is in use", list.id)
		}
	}
	k.state.prefixLists.put(list.id, nil)
	gone := *list
	gone.state = "delete-complete"
	return onePrefixList{&gone, k.arn("prefix-list", list.id)}, nil
}

func (l *prefixList) entries() []prefixEntry {
	return l.versions[len(l.versions)-1]
}

func (a onePrefixList) write(e *encoder) {
	e.begin("prefixList")
	a.prefixList.write(e, a.arn)
	e.end("prefixList")
}

func (l *prefixList) write(e *encoder, arn string) {
	e.text("prefixListId", l.id)
	e.text("addressFamily", l.family)
	e.text("state", l.state)
	e.text("prefixListArn", arn)
	e.text("prefixListName", l.name)
	if l.account != "AWS" {
		e.number("maxEntries", l.maxEntries)
		e.number("version", len(l.versions))
	}
	e.text("ownerId", l.account)
	l.tags.write(e)
}

type prefixListPage struct {
	lists []*prefixList
	arn   func(kind, id string) string
	token string
}

func describePrefixLists(k *call) (any, error) {
	ids := k.p.texts("PrefixListId")
	for _, id := range ids {
		if _, err := k.prefixList(id, k.view()); err != nil {
			return nil, err
		}
	}
	match, err := filters(k.p, "owner-id", "prefix-list-id", "prefix-list-name", "tag:*", "tag-key")
	if err != nil {
		return nil, err
	}
	found, token, err := page(k, k.state.prefixLists, func(l *prefixList) bool {
		return wanted(ids, l.id) && match.text("owner-id", l.account) && match.text("prefix-list-id", l.id) &&
			match.text("prefix-list-name", l.name) && match.tags(l.tags)
	})
	return prefixListPage{found, k.arn, token}, err
}

func (a prefixListPage) write(e *encoder) {
	e.beginList("prefixListSet")
	for _, l := range a.lists {
		e.item()
		l.write(e, a.arn("prefix-list", l.id))
		e.endItem()
	}
	e.endList("prefixListSet")
	e.optional("nextToken", a.token)
}
