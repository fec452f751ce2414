package evaluate

import (
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/netset"
)

// Match returns the first exemption that covers the finding, or nil. byTag says
// that it covers it only because of a tag, which whoever can change the resource
// can set: it may lower to review and no further. An exemption without tags goes
// before one with them. One that has lapsed at now matches nothing.
//
// acct is the configured account of the finding, tags are those of the resource.
func (e *Exemptions) Match(f dera.Finding, acct dera.Account, tags map[string]string, now time.Time) (match *dera.Exemption, byTag bool) {
	for _, x := range e.list {
		if lapsed(x, now) || !exemptionCovers(x.Match, f, acct, tags) {
			continue
		}
		if len(x.Match.Tags) == 0 {
			return &x, false
		}
		if match == nil {
			match, byTag = &x, true
		}
	}
	return match, byTag
}

// exemptionCovers reports whether the finding fits every field that is set. A match that
// sets none covers nothing.
func exemptionCovers(m dera.ExemptionMatch, f dera.Finding, acct dera.Account, tags map[string]string) bool {
	if coversEverything(m) {
		return false
	}
	// The OU is that of the finding's account or of nobody.
	if len(m.OUs) > 0 && (acct.ID != f.Account || acct.OU == "") {
		return false
	}
	for key, pattern := range m.Tags {
		if value, ok := tags[key]; !ok || !dera.MatchGlob(pattern, value) {
			return false
		}
	}
	return matchesAny(m.Controls, f.Control) && matchesAny(m.Accounts, f.Account) && matchesAny(m.OUs, acct.OU) &&
		(len(m.Keys) == 0 || keyWithin(f.Key, m.Keys)) &&
		(len(m.Sources) == 0 || sourcesWithin(f.Sources, m.Sources)) &&
		(len(m.Permissions) == 0 || permissionsWithin(f.Permissions, m.Permissions)) &&
		(len(m.Resources) == 0 || slices.ContainsFunc(m.Resources, func(p string) bool { return dera.MatchARN(p, f.Resource) }))
}

// matchesAny reports whether one of the patterns matches; no patterns match all.
func matchesAny(patterns []string, s string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return dera.MatchGlob(p, s) })
}

// coversEverything reports whether no field of the match leaves anything out: the
// values of a field are alternatives, so one * makes the whole field count for
// nothing. A tag always leaves something out.
func coversEverything(m dera.ExemptionMatch) bool {
	for _, field := range [][]string{m.Controls, m.Accounts, m.OUs, m.Resources, m.Keys, m.Permissions} {
		if len(field) > 0 && !slices.ContainsFunc(field, matchesAll) {
			return false
		}
	}
	sources, _ := addrs(m.Sources)
	return len(m.Tags) == 0 && (len(m.Sources) == 0 || netset.Public().Subset(sources))
}

// matchesAll reports whether a pattern matches all values: stars only, or an ARN
// of which all but the partition are stars.
func matchesAll(pattern string) bool {
	if parts := strings.SplitN(pattern, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return !slices.ContainsFunc(parts[2:], func(p string) bool { return !matchesAll(p) })
	}
	return strings.Contains(pattern, "*") && strings.Trim(pattern, "*?") == ""
}
