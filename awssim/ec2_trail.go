package awssim

import (
	"maps"
	"slices"
	"strconv"
)

// How EC2 requests appear in requestParameters of CloudTrail. There are two shapes, both held against recorded events:
// older operations in lower camel case with {"items":[…]} for lists, newer ones wrapped in their own name with the names
// of the API and a "tag" that numbers the members of a list.

// trail writes the older shape. Lists have their own names there, told in threes: the parameter, the list's name, and the
// name that a plain member gets (empty: the members are objects).
func trail(lists ...string) func(*call, *encoder) {
	named := map[string][2]string{
		"Filter":        {"filterSet", ""},
		"Value":         {"valueSet", "value"},
		"IpPermissions": {"ipPermissions", ""},
		"Groups":        {"groups", ""}, "IpRanges": {"ipRanges", ""}, "Ipv6Ranges": {"ipv6Ranges", ""}, "PrefixListIds": {"prefixListIds", ""},
		"TagSpecification": {"tagSpecificationSet", ""}, "Tag": {"tags", ""},
	}
	always := []string{}
	for three := range slices.Chunk(lists, 3) {
		named[three[0]] = [2]string{three[1], three[2]}
		always = append(always, three[0])
	}
	return func(k *call, e *encoder) {
		present := slices.Clone(always)
		switch {
		case k.op.readOnly:
			present = append(present, "Filter")
		case isRuleCall(k.Operation):
			present = append(present, "IpPermissions")
		}
		trailMembers(k.p, e, named, present)
	}
}

// trailMembers writes the members of a node, and as empty those lists that the shape always shows.
func trailMembers(p *parameters, e *encoder, named map[string][2]string, always []string) {
	names := slices.Collect(maps.Keys(p.kids))
	for _, name := range always {
		if !p.has(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		list, ok := named[name]
		if kid := p.get(name); !ok || kid != nil && !kid.isList() {
			trailLeaf(e, lowerFirst(name), p.text(name))
			continue
		}
		e.beginList(list[0])
		for _, member := range p.list(name) {
			e.item()
			switch {
			case list[1] != "":
				e.text(list[1], member.value)
			case name == "IpPermissions":
				trailMembers(member, e, named, []string{"Groups", "IpRanges", "Ipv6Ranges", "PrefixListIds"})
			default:
				trailMembers(member, e, named, nil)
			}
			e.endItem()
		}
		e.endList(list[0])
	}
}

// isRuleCall reports whether the event shows ipPermissions even if there are none: calls in the flat form do.
func isRuleCall(operation string) bool {
	switch operation {
	case "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress":
		return true
	}
	return false
}

// trailWrapped writes the newer shape.
func trailWrapped(k *call, e *encoder) {
	e.begin(k.Operation + "Request")
	wrappedMembers(k.p, e)
	e.end(k.Operation + "Request")
}

func wrappedMembers(p *parameters, e *encoder) {
	for _, name := range slices.Sorted(maps.Keys(p.kids)) {
		kid := p.kids[name]
		switch {
		case kid.isList():
			wrappedList(p.list(name), e, name)
		case len(kid.kids) > 0:
			e.begin(name)
			wrappedMembers(kid, e)
			e.end(name)
		default:
			trailLeaf(e, name, kid.value)
		}
	}
}

// wrappedList writes one member as an object and several as an array; plain members are called "content".
func wrappedList(members []*parameters, e *encoder, name string) {
	items := &encoder{json: true}
	for i, member := range members {
		items.item()
		if len(member.kids) == 0 {
			items.text("content", member.value)
		} else {
			wrappedMembers(member, items)
		}
		items.number("tag", i+1)
		items.endItem()
	}
	if len(members) == 1 {
		e.raw(name, items.buf)
		return
	}
	e.raw(name, slices.Concat([]byte{'['}, items.buf, []byte{']'}))
}

// trailLeaf writes a value with the type that the API gives it.
func trailLeaf(e *encoder, name, value string) {
	switch name {
	case "fromPort", "toPort", "FromPort", "ToPort", "maxResults", "MaxResults", "MaxEntries", "CurrentVersion", "TargetVersion":
		if n, err := strconv.Atoi(value); err == nil {
			e.number(name, n)
			return
		}
	case "dryRun", "DryRun", "allRegions":
		e.flag(name, value == "true")
		return
	}
	e.text(name, value)
}
