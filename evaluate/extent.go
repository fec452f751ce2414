package evaluate

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera"
	"dera.example/dera/netset"
)

// bounded marks the key of what less than the internet reaches.
const bounded = "/bounded"

// Within reports whether a finding reaches no further than what someone has
// judged before: the same opening or a part of it, from the same addresses or
// fewer, with the same permissions or fewer.
func Within(e dera.Extent, judged []dera.Extent) bool {
	return slices.ContainsFunc(judged, func(o dera.Extent) bool {
		return keyWithin(e.Key, []string{o.Key}) && sourcesWithin(e.Sources, o.Sources) && permissionsWithin(e.Permissions, o.Permissions)
	})
}

// Touches reports whether what reaches so far has an opening in common with one of
// the judged extents, from wherever: to decide about it is to decide about some of
// what was judged.
func Touches(e dera.Extent, judged []dera.Extent) bool {
	return slices.ContainsFunc(judged, func(o dera.Extent) bool {
		return strings.HasSuffix(e.Key, bounded) == strings.HasSuffix(o.Key, bounded) && (keyTouches(o.Key, e.Key) || e.Key == o.Key)
	})
}

// allTraffic is the key of a rule that lets all traffic through.
const allTraffic = "all"

// ofTraffic reports whether a key is one of traffic, of which "all" is the whole.
func ofTraffic(key string) bool {
	key = strings.TrimSuffix(key, bounded)
	_, ports := dera.ParseKey(key)
	return ports || key == allTraffic || key == "icmp" || key == "icmpv6" || strings.HasPrefix(key, "protocol/")
}

// keyWithin reports whether the patterns cover the key: of a range of ports each
// port. What covers an opening to the internet covers it to bounded networks, and
// what covers all traffic covers each part of it, and nothing that is not traffic.
func keyWithin(key string, patterns []string) bool {
	fits := func(p, key string) bool {
		narrower, less := strings.CutSuffix(key, bounded)
		return dera.MatchGlob(p, key) || less && dera.MatchGlob(p, narrower)
	}
	r, ports := dera.ParseKey(key)
	if slices.ContainsFunc(patterns, func(p string) bool {
		whole := p == allTraffic || p == allTraffic+bounded && strings.HasSuffix(key, bounded)
		return whole && ofTraffic(key) || !ports && fits(p, key)
	}) {
		return true
	}
	if !ports {
		return false
	}
	protocol, suffix, _ := strings.Cut(r.Family, "/")
	if suffix != "" {
		suffix = "/" + suffix
	}
	for port := r.Lo; port <= r.Hi; port++ {
		one := protocol + "/" + strconv.Itoa(port) + suffix
		if !slices.ContainsFunc(patterns, func(p string) bool {
			o, ok := dera.ParseKey(p)
			if ok {
				return port >= o.Lo && port <= o.Hi && (o.Family == r.Family || o.Family+bounded == r.Family)
			}
			return fits(p, one)
		}) {
			return false
		}
	}
	return true
}

// keyTouches reports whether a pattern and the key have anything in common: a port
// at least, to the internet or to bounded networks.
func keyTouches(pattern, key string) bool {
	pattern, key = strings.TrimSuffix(pattern, bounded), strings.TrimSuffix(key, bounded)
	if dera.MatchGlob(pattern, key) || pattern == allTraffic && ofTraffic(key) || key == allTraffic && ofTraffic(pattern) {
		return true
	}
	r, ok := dera.ParseKey(key)
	if o, ports := dera.ParseKey(pattern); ok && ports {
		return r.Overlap(o) > 0
	}
	for port := r.Lo; ok && port <= r.Hi; port++ {
		if dera.MatchGlob(pattern, r.Family+"/"+strconv.Itoa(port)) {
			return true
		}
	}
	return false
}

// sourcesWithin reports whether every source lies within the allowed CIDRs. What
// has no sources, or one that is no CIDR, is within nothing but itself.
func sourcesWithin(sources, allowed []string) bool {
	if slices.Equal(sources, allowed) {
		return true
	}
	have, ok := addrs(sources)
	in, ok2 := addrs(allowed)
	return ok && ok2 && len(sources) > 0 && have.Subset(in)
}

func addrs(list []string) (netset.Addrs, bool) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return netset.Addrs{}, false
		}
		out = append(out, p.Masked())
	}
	return netset.AddrsOf(out...), true
}

// permissionsWithin reports whether every permission, itself perhaps a pattern,
// is covered by one of the patterns. IAM compares actions without regard to case.
func permissionsWithin(list, allowed []string) bool {
	if slices.Equal(list, allowed) {
		return true
	}
	return len(list) > 0 && !slices.ContainsFunc(list, func(s string) bool {
		return !slices.ContainsFunc(allowed, func(p string) bool { return globWithin(strings.ToLower(s), strings.ToLower(p)) })
	})
}

// globWithin reports whether all that the pattern s matches is matched by p: its
// stars stand for nothing and for more than any ? of p can match.
func globWithin(s, p string) bool {
	long := strings.Repeat("\x00", len(p)+1)
	return dera.MatchGlob(p, strings.ReplaceAll(s, "*", "")) && dera.MatchGlob(p, strings.ReplaceAll(s, "*", long))
}
