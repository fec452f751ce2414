package engine

import (
	"dera"
	"dera/evaluate"
)

// attribute notes who changed the resource, as far as an authenticated event
// tells (design §6.1.5), and whom the finding concerns. What dera itself did is
// no hint at who changes it.
func (e *Engine) attribute(f *dera.Finding, r dera.Resource, o order) {
	if o.Authenticated && o.Actor != "" && !evaluate.IsPrincipal(e.cfg.Own, o.Actor) {
		if f.Actor == "" {
			f.Actor = o.Actor
		}
		f.LastActor, f.LastAgent = o.Actor, o.UserAgent
	}
	f.Owner, f.OwnerSource = e.cfg.Owners.Of(r, e.accounts[f.Account], f.LastActor)
}
