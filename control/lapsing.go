package control

import (
	"net/netip"
	"slices"
	"time"
)

// Lapsing is a network of Allow that applies up to a moment.
type Lapsing struct {
	Prefix netip.Prefix
	Until  time.Time
}

// At returns the settings as they hold at a moment: what has lapsed does not
// apply any more, and the rest is on Allow.
func (s Settings) At(now time.Time) Settings {
	allow := slices.Clone(s.Allow)
	for _, l := range s.Lapsing {
		if now.Before(l.Until) {
			allow = append(allow, l.Prefix)
		}
	}
	s.Allow, s.Lapsing = allow, nil
	s.Keep = slices.DeleteFunc(slices.Clone(s.Keep), func(k Keep) bool { return !now.Before(k.Until) })
	return s
}
