package engine

import (
	"errors"
	"fmt"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// tag adds the change that tags the resource to the end of a plan (requirement
// A3), where tagging is switched on and the type of the resource has tags that
// decide nothing.
func (e *Engine) tag(r dera.Resource, g *group) error {
	if e.cfg.Tags == nil || len(g.plan.Changes) == 0 {
		return nil
	}
	var findings []dera.Finding
	for _, f := range g.findings {
		findings = append(findings, *f)
	}
	tags := e.cfg.Tags(e.accounts[r.Account], r, findings)
	kind, err := e.cfg.Types.Lookup(r.Type)
	if err != nil || kind.Tag == nil || len(tags) == 0 {
		return err
	}
	config := r.Config
	for _, c := range g.plan.Changes {
		if config, err = kind.Apply(config, resource.Of(c)); err != nil {
			return fmt.Errorf("cannot-plan: %w", err)
		}
	}
	c, err := kind.Tag(config, tags)
	switch {
	case err != nil:
		return fmt.Errorf("cannot-plan: %w", err)
	case c == nil:
		return nil
	case !c.Optional || c.Undo == nil:
		return errors.New("cannot-plan: a tag is not optional or has no undo")
	}
	g.plan.Changes = append(g.plan.Changes, *c)
	return nil
}
