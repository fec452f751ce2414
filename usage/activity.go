// Package usage is the activity ledger: which principal used which action, when
// for the first and for the last time, how often, on what, and what was denied.
// It is fed by CloudTrail log files and by the event queue, and knows what it
// does not know: a gap means stale, never unused (design §6.1.16).
//
// What it keeps merges in any order: the least first use, the greatest last use,
// sums, and the smallest few resources of a union. Layer: may import the words,
// iam and cloudtrail; storing is a port.
package usage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"dera.example/dera/cloudtrail"
)

// Second is a time in seconds since 1970, 0 for none: the resolution of
// CloudTrail.
type Second int64

// Time is the moment in UTC; the zero time for none.
func (s Second) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

// SecondOf cuts a time to the second.
func SecondOf(t time.Time) Second {
	if t.IsZero() {
		return 0
	}
	return Second(t.Unix())
}

// String is RFC 3339, or "" for none.
func (s Second) String() string {
	if s == 0 {
		return ""
	}
	return s.Time().Format(time.RFC3339)
}

// MarshalText writes String.
func (s Second) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Second) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = 0
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err == nil {
		*s = SecondOf(t)
	}
	return err
}

// Trust says whether what was read came on an authenticated path. Unverified use
// may keep a permission, but nothing may be concluded from it otherwise.
type Trust byte

// The two kinds of trust. The numbers are stored.
const (
	Unverified Trust = iota
	Verified
)

// String names the trust.
func (t Trust) String() string {
	if t == Verified {
		return "verified"
	}
	return "unverified"
}

// MarshalText writes the name.
func (t Trust) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Action is a call as CloudTrail names it. Which IAM actions authorize it is the
// catalogue's to say, when it is read and not when it is kept: a better catalogue
// then reads old history better.
type Action struct {
	Source string `json:"source"` // ec2.amazonaws.com
	Name   string `json:"name"`   // RunInstances
}

// String is service:Name.
func (a Action) String() string { return strings.TrimSuffix(a.Source, ".amazonaws.com") + ":" + a.Name }

// PassRole is inferred; CloudTrail has no event for it.
func PassRole() Action { return Action{"iam.amazonaws.com", "PassRole"} }

// MaxResources bounds the resources that are kept of a use.
const MaxResources = 8

// Use is what one principal did with one action.
type Use struct {
	Action Action `json:"action"`
	Trust  Trust  `json:"trust"`
	// First and Last are of calls that were authorized, whether or not they then
	// succeeded: NoSuchBucket shows that the permission was used.
	First Second `json:"first,omitzero"`
	Last  Second `json:"last,omitzero"`
	Count uint64 `json:"count"`
	// Succeeded is the last call without any error.
	Succeeded  Second `json:"succeeded,omitzero"`
	LastDenied Second `json:"last_denied,omitzero"`
	Denied     uint64 `json:"denied"`
	// Resources are the smallest few ARNs that the calls named; More says that
	// there were others, or calls that named none that fit.
	Resources []string `json:"resources,omitempty"`
	More      bool     `json:"more,omitempty"`
}

// merge adds what another part of the ledger knows of the same use.
func (u *Use) merge(o Use) {
	u.First = earlier(u.First, o.First)
	u.Last, u.Succeeded, u.LastDenied = max(u.Last, o.Last), max(u.Succeeded, o.Succeeded), max(u.LastDenied, o.LastDenied)
	u.Count, u.Denied = u.Count+o.Count, u.Denied+o.Denied
	u.More = u.More || o.More
	if len(o.Resources) == 0 {
		return
	}
	all := make([]string, 0, min(len(u.Resources)+len(o.Resources), MaxResources))
	a, b := u.Resources, o.Resources // both sorted
	for len(a)+len(b) > 0 {
		if len(all) == MaxResources {
			u.More = true
			break
		}
		switch {
		case len(a) == 0:
			all, b = append(all, b[0]), b[1:]
		case len(b) == 0 || a[0] < b[0]:
			all, a = append(all, a[0]), a[1:]
		case a[0] == b[0]:
			a = a[1:]
		default:
			all, b = append(all, b[0]), b[1:]
		}
	}
	u.Resources = all
}

func earlier(a, b Second) Second {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Activity is what is known of one principal.
type Activity struct {
	Key  string                   `json:"key"` // see cloudtrail.Key
	Kind cloudtrail.PrincipalKind `json:"-"`
	ARN  string                   `json:"arn,omitempty"` // as AWS writes it, with the path
	// SessionEnd is when the last known session ends at the latest.
	SessionEnd Second `json:"session_end,omitzero"`
	Uses       []Use  `json:"uses"` // sorted by action and trust
}

// Last is the principal's last sign of life, denied calls included.
func (a Activity) Last() Second {
	var last Second
	for _, u := range a.Uses {
		last = max(last, u.Last, u.LastDenied)
	}
	return last
}

// union is everything that parts of the ledger know of one principal, in whatever
// order they stand.
func union(parts []Activity) Activity {
	if len(parts) == 1 {
		return parts[0]
	}
	out, uses := parts[0], 0
	for _, p := range parts {
		uses += len(p.Uses)
		out.Kind, out.SessionEnd = max(out.Kind, p.Kind), max(out.SessionEnd, p.SessionEnd)
		// One name can have had several paths; any rule that knows no order will do.
		if cmp.Or(cmp.Compare(len(p.ARN), len(out.ARN)), strings.Compare(p.ARN, out.ARN)) > 0 {
			out.ARN = p.ARN
		}
	}
	all := make([]Use, 0, uses)
	for _, p := range parts {
		all = append(all, p.Uses...)
	}
	slices.SortFunc(all, compareUses)
	out.Uses = all[:0]
	for _, u := range all {
		if n := len(out.Uses); n > 0 && compareUses(out.Uses[n-1], u) == 0 {
			out.Uses[n-1].merge(u)
			continue
		}
		out.Uses = append(out.Uses, u)
	}
	return out
}

func compareUses(a, b Use) int {
	return cmp.Or(strings.Compare(a.Action.Source, b.Action.Source), strings.Compare(a.Action.Name, b.Action.Name), cmp.Compare(a.Trust, b.Trust))
}
