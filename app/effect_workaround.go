package app

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
)

// kindOf is what fixes are looked for by: the same access in the same account on the same kind of
// resource, or any access to the same resource. Port ranges of a family are compared by their overlap.
type kindOf struct{ account, typ, control, key, resource string }

// fixedThen is a fix with who had opened what it closed.
type fixedThen struct {
	at      time.Time
	finding int
	actor   string // "" for not known
	fix     int
}

// pair is a finding that was opened, after the fix of what it opens again.
type pair struct {
	fix  int
	sure int
	Workaround
}

// fixList is the fixes of a kind, by time: all of them, and by who had opened what they closed.
type fixList map[string][]fixedThen

// The lists beside those of single principals.
const (
	ofAll     = ""
	ofUnknown = "?"
	ofRole    = "role of "
)

func (l fixList) add(f fixedThen) {
	names := []string{ofAll, f.actor}
	if f.actor == "" {
		names[1] = ofUnknown
	} else if role := dera.RoleOf(f.actor); role != "" {
		names = append(names, ofRole+role)
	}
	for _, name := range names {
		l[name] = append(l[name], f)
	}
}

// last is the last fix in a list within the 30 days before a moment, other than of the finding itself.
func (l fixList) last(name string, at time.Time, finding int) (f fixedThen, ok bool) {
	list := l[name]
	end, _ := slices.BinarySearchFunc(list, at, func(e fixedThen, t time.Time) int { return e.at.Compare(t) })
	for i := end - 1; i >= 0 && at.Sub(list[i].at) <= WorkaroundWithin; i-- {
		if list[i].finding != finding {
			return list[i], true
		}
	}
	return f, false
}

// workarounds are, by control, what was opened again another way within 30 days after the fixes of a
// period.
func (p EffectData) workarounds(of Period) []Workarounds {
	by := map[string]*Workarounds{}
	for _, f := range p.fixes {
		if !f.fixed || !of.Holds(f.at) {
			continue
		}
		w := by[f.Control]
		if w == nil {
			w = &Workarounds{Control: f.Control, Found: []Workaround{}}
			by[f.Control] = w
		}
		w.Fixes++
		w.CameBack += f.cameBack
		if p.At.Sub(f.at) < WorkaroundWithin {
			w.Running++
		}
	}
	for _, o := range p.pairs { // the latest first
		f := p.fixes[o.fix]
		if !of.Holds(f.at) {
			continue
		}
		w := by[f.Control]
		switch o.sure {
		case certain:
			w.Same++
		case byRole:
			w.MayBe++
		default:
			w.NotKnown++
			continue
		}
		if len(w.Found) < mostWorkarounds {
			w.Found = append(w.Found, o.Workaround)
		}
	}
	out := []Workarounds{}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[id])
	}
	slices.SortStableFunc(out, func(a, b Workarounds) int {
		return cmp.Or(cmp.Compare(b.Same, a.Same), cmp.Compare(b.MayBe, a.MayBe), cmp.Compare(b.NotKnown, a.NotKnown))
	})
	return out
}

// opened looks for what was opened again.
type opened struct {
	findings []dera.Finding
	fixes    []madeFix
	fixed    map[kindOf]fixList
	ranges   map[kindOf]map[dera.KeyRange]bool
	pairs    []pair
}

// pairsOf are the findings that were opened within 30 days after a fix and opened the same access again
// in another way, the latest first.
func pairsOf(findings []dera.Finding, fixes []madeFix) []pair {
	x := opened{findings: findings, fixes: fixes, fixed: map[kindOf]fixList{}, ranges: map[kindOf]map[dera.KeyRange]bool{}}
	for i, f := range fixes {
		if f.fixed {
			x.note(i, f)
		}
	}
	left := leftBy(findings, fixes)
	for _, lists := range x.fixed {
		for _, list := range lists {
			slices.SortFunc(list, func(a, b fixedThen) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.fix, b.fix)) })
		}
	}
	for i, f := range findings {
		if at, ok := left[remainder(f)]; !ok || f.Actor != "" || f.FirstSeen.Before(at) || f.FirstSeen.Sub(at) > causedWithin {
			x.judge(i, f, f.FirstSeen)
		}
		for _, at := range f.Returns {
			x.judge(i, f, at)
		}
	}
	slices.SortFunc(x.pairs, func(a, b pair) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Finding, b.Finding)) })
	return x.pairs
}

// leftBy is when fixes split a part and left a remainder, by what it is a finding of: that appears right
// after the fix, as one finding or as several, and nobody opened it.
func leftBy(findings []dera.Finding, fixes []madeFix) map[kindOf]time.Time {
	ids := map[string]time.Time{}
	for _, f := range fixes {
		if f.fixed {
			for _, id := range f.Leaves {
				ids[id] = laterOf(ids[id], f.began())
			}
		}
	}
	out := map[kindOf]time.Time{}
	for _, f := range findings {
		if at, ok := ids[f.ID]; ok {
			out[remainder(f)] = laterOf(out[remainder(f)], at)
		}
	}
	return out
}

func remainder(f dera.Finding) kindOf { return kindOf{resource: f.ResourceKey(), control: f.Control} }

// note notes a fix.
func (x *opened) note(n int, f madeFix) {
	for _, i := range f.findings {
		g := x.findings[i]
		then := fixedThen{f.at, i, actorAt(g, openSince(g, f.at)), n}
		x.add(accessOf(g), then)
		if r, ok := rangeOf(g); ok {
			all := accessOf(g)
			all.key = ""
			if x.ranges[all] == nil {
				x.ranges[all] = map[dera.KeyRange]bool{}
			}
			x.ranges[all][r] = true
		}
		if grants(g) {
			x.add(kindOf{resource: g.ResourceKey()}, then)
		}
	}
}

func (x *opened) add(k kindOf, f fixedThen) {
	if x.fixed[k] == nil {
		x.fixed[k] = fixList{}
	}
	x.fixed[k].add(f)
}

// judge looks whether a finding, as it was opened at a moment, opens what a fix had closed. It counts
// once, for what is surest: that one principal did both, that a role did, that it is not known.
func (x *opened) judge(i int, f dera.Finding, at time.Time) {
	kinds := x.kinds(f)
	if grants(f) {
		kinds = append([]kindOf{{resource: f.ResourceKey()}}, kinds...)
	}
	actor := actorAt(f, at)
	look := func(name string, sure int) bool {
		for _, k := range kinds {
			if fix, ok := x.fixed[k].last(name, at, i); ok {
				x.count(f, at, fix, sure)
				return true
			}
		}
		return false
	}
	if actor == "" {
		look(ofAll, unsure)
		return
	}
	if look(actor, certain) {
		return
	}
	if role := dera.RoleOf(actor); role != "" && look(ofRole+role, byRole) {
		return
	}
	look(ofUnknown, unsure)
}

func (x *opened) count(f dera.Finding, at time.Time, then fixedThen, sure int) {
	fix := x.fixes[then.fix]
	one := pair{then.fix, sure, Workaround{
		Finding: f.ID, Account: f.Account, Resource: f.Resource, At: at, Actor: actorAt(f, at), Way: AnotherResource, Sure: workaroundSame, Remediation: fix.ID, Fixed: fix.at,
	}}
	if x.findings[then.finding].ResourceKey() == f.ResourceKey() {
		one.Way = SameResource
	}
	if sure == byRole {
		one.Sure = workaroundRole
	}
	x.pairs = append(x.pairs, one)
}

// How sure it is that one principal opened both.
const (
	unsure = iota // of one of them it is not known who did
	byRole        // sessions of one role with different names did
	certain
)

// kinds are those that a finding may open again: its own access, and ranges of ports that overlap.
func (x *opened) kinds(f dera.Finding) []kindOf {
	k := accessOf(f)
	r, ok := rangeOf(f)
	if !ok {
		return []kindOf{k}
	}
	var out []kindOf
	all := k
	all.key = ""
	for other := range x.ranges[all] {
		if r.Overlap(other) > 0 {
			all.key = keyOf(other)
			out = append(out, all)
			all.key = ""
		}
	}
	return out
}

// rangeOf are the ports of a finding; from how many addresses they can be reached makes no other access.
func rangeOf(f dera.Finding) (dera.KeyRange, bool) {
	r, ok := dera.ParseKey(f.Key)
	r.Family, _, _ = strings.Cut(r.Family, "/")
	return r, ok
}

func accessOf(f dera.Finding) kindOf {
	k := kindOf{account: f.Account, typ: f.ResourceType, control: f.Control, key: f.Key}
	if r, ok := rangeOf(f); ok {
		k.key = keyOf(r)
	}
	return k
}

func keyOf(r dera.KeyRange) string {
	return r.Family + "/" + strconv.Itoa(r.Lo) + "-" + strconv.Itoa(r.Hi)
}

// grants reports whether a finding says to whom or what the resource is open.
func grants(f dera.Finding) bool { return len(f.Sources)+len(f.Permissions) > 0 }

// actorAt is who opened a finding at a moment, as an authenticated event said: of the first time who
// changed the resource first, and of the last time who changed it since; "" for not known.
func actorAt(f dera.Finding, at time.Time) string {
	n := len(f.Returns)
	switch {
	case n > 0 && at.Equal(f.Returns[n-1]):
		return f.LastActor
	case at.Equal(f.FirstSeen):
		return f.Actor
	}
	return ""
}
