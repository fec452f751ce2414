package app

import (
	"encoding/json"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// notYet is the problem of a place that nobody has tried to read yet.
const notYet = "not yet"

// mostKept bounds the error that is kept of a place, in bytes.
const mostKept = 2 << 10

// KeptUnread is what the store keeps of a place that could not be read.
func KeptUnread(s dera.Scope, err error) string {
	u := UnreadableIn(s, err)
	u.Error = u.Error[:min(len(u.Error), mostKept)]
	text, err := json.Marshal(Unreadable{Call: u.Call, Problem: u.Problem, Error: u.Error})
	if err != nil {
		return u.Error
	}
	return string(text)
}

// Places is what is known of the reads so far.
type Places struct {
	// Unread could not be read when it was last tried, or was never tried.
	Unread []Unreadable
	// Nothing says that nothing was read yet.
	Nothing bool
}

// NewPlaces sorts what the store keeps, as far as it is covered. Known says that
// there is something from earlier reads.
func NewPlaces(list []store.Place, covers func(store.Place) bool, known bool) Places {
	out := Places{Nothing: !known}
	for _, p := range list {
		if !p.Read.IsZero() || p.Why != "" {
			out.Nothing = false
		}
		if p.Unread.IsZero() || !covers(p) {
			continue
		}
		u := Unreadable{Problem: notYet, Error: "dera has not tried to read it yet"}
		if p.Why != "" && json.Unmarshal([]byte(p.Why), &u) != nil {
			u = Unreadable{Problem: "error", Error: p.Why}
		}
		since := p.Unread
		u.Account, u.Region, u.Type, u.Resource, u.Since = p.Account, p.Region, p.Type, p.Resource, &since
		out.Unread = append(out.Unread, u)
	}
	return out
}

// Misses reports whether a finding lies where nothing was read since it was seen.
func (p Places) Misses(f dera.Finding) bool {
	for _, u := range p.Unread {
		if u.Account == f.Account && u.Region == f.Region && u.Type == f.ResourceType && u.Since != nil && f.LastSeen.Before(*u.Since) &&
			(u.Resource == "" || u.Resource == f.Resource.Name()) {
			return true
		}
	}
	return false
}

// With is the report with what is known of the reads.
func (r ScanReport) With(p Places) ScanReport {
	r.Unreadable, r.NothingRead, r.Summary.Unreadable = p.Unread, p.Nothing, len(p.Unread)
	return r
}

// Tried reports whether it was tried to read the place.
func (u Unreadable) Tried() bool { return u.Problem != notYet }

// SinceText says since when a place is unread, where that is known.
func (u Unreadable) SinceText() string {
	if u.Since == nil {
		return ""
	}
	return " since " + u.Since.UTC().Format(time.RFC3339)
}
