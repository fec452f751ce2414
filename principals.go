package dera

import (
	"slices"
	"strings"
)

// Principals are ARN globs that are asked for often, of which there may be one for each of thousands of accounts: only
// those that name the account of an ARN, or no account, are held against it. The zero value has none. It is immutable,
// and safe for concurrent use.
type Principals struct {
	globs     []string
	byAccount map[string][]int // positions of those that name their account
	others    []int            // and of all others
}

// NewPrincipals returns the globs, in their order.
func NewPrincipals(globs []string) Principals {
	p := Principals{globs: slices.Clone(globs), byAccount: map[string][]int{}}
	for i, glob := range globs {
		part := strings.SplitN(glob, ":", 6)
		if len(part) != 6 || strings.ContainsAny(part[4], "*?") {
			p.others = append(p.others, i)
			continue
		}
		p.byAccount[part[4]] = append(p.byAccount[part[4]], i)
	}
	return p
}

// Globs are the globs, in their order.
func (p Principals) Globs() []string { return slices.Clone(p.globs) }

// Has reports whether an actor, as an event names it, is one of them; an event that names nobody is not.
func (p Principals) Has(actor string) bool {
	_, ok := p.Match(ARN(actor))
	return ok && actor != ""
}

// Match returns the first glob that fits, as [MatchPrincipal] has it.
func (p Principals) Match(actor ARN) (glob string, ok bool) {
	first := -1
	for _, list := range [][]int{p.byAccount[actor.Account()], p.others} {
		i := slices.IndexFunc(list, func(i int) bool { return MatchPrincipal(p.globs[i], actor) })
		if i >= 0 && (first < 0 || list[i] < first) {
			first = list[i]
		}
	}
	if first < 0 {
		return "", false
	}
	return p.globs[first], true
}
