package dera

import (
	"strconv"
	"strings"
)

// KeyRange is the key of a finding about ports: tcp/22, udp/53-60, with /bounded
// where less than the internet reaches them. Family is the key without its ports.
type KeyRange struct {
	Family string // for example tcp, or tcp/bounded
	Lo, Hi int
}

// ParseKey reads the key of a finding about ports; ok is false for other keys.
func ParseKey(key string) (r KeyRange, ok bool) {
	protocol, rest, found := strings.Cut(key, "/")
	if !found || protocol != "tcp" && protocol != "udp" {
		return r, false
	}
	ports, suffix, more := strings.Cut(rest, "/")
	from, to, both := strings.Cut(ports, "-")
	if !both {
		to = from
	}
	lo, err := strconv.ParseUint(from, 10, 16)
	hi, err2 := strconv.ParseUint(to, 10, 16)
	if err != nil || err2 != nil || lo > hi {
		return r, false
	}
	r = KeyRange{Family: protocol, Lo: int(lo), Hi: int(hi)}
	if more {
		r.Family += "/" + suffix
	}
	return r, true
}

// Overlap is how many ports two keys of one family have in common.
func (r KeyRange) Overlap(o KeyRange) int {
	if r.Family != o.Family {
		return 0
	}
	return max(0, min(r.Hi, o.Hi)-max(r.Lo, o.Lo)+1)
}

// Extent is how far a finding reaches: through which opening, from where, to do
// what. An exemption or a rejection covers what it was given for and anything
// narrower, never more.
type Extent struct {
	Key         string   `json:"key"`
	Sources     []string `json:"sources,omitempty"`     // CIDRs of the rules that open it
	Permissions []string `json:"permissions,omitempty"` // IAM actions or ACL permissions, as written
}

// Extent is how far the finding reaches.
func (f Finding) Extent() Extent { return Extent{f.Key, f.Sources, f.Permissions} }
