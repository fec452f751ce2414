package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/resource/evidence"
)

// Dependency is a declared use of a resource: someone needs what a plan would
// take away. It is configuration, reviewed like the exemptions.
type Dependency struct {
	Resource string `yaml:"resource" json:"resource" jsonschema_description:"Resource ID or ARN glob."`
	Keys     string `yaml:"keys,omitempty" json:"keys,omitempty" jsonschema_description:"Glob on keys of findings, or a range of ports such as tcp/20-25. Default: all."`
	Accounts string `yaml:"accounts,omitempty" json:"accounts,omitempty" jsonschema_description:"Account ID or glob. Default: all."`
	Owner    string `yaml:"owner" json:"owner" jsonschema_description:"Who uses the resource and answers for the entry."`
	Reason   string `yaml:"reason" json:"reason" jsonschema_description:"What the resource is used for."`
}

// Flow is one conversation from a network flow log: who talked to which
// interface, and when last. Only those that the interface answered are kept: a
// scanner's knock is not use.
type Flow struct {
	Interface string
	From      netip.Addr
	To        netip.Addr // an address of the interface, unless it was the caller
	Protocol  uint8
	Port      uint16
	Last      time.Time
	Packets   int64
}

// Flows finds the conversations with an interface since a time.
type Flows interface {
	To(ctx context.Context, iface string, since time.Time) ([]Flow, error)
	// Known reports whether it is known what the interface accepted on each of so many days
	// before now.
	Known(ctx context.Context, iface string, now time.Time, days int) (bool, error)
}

// InUse sends to review a plan that would take away what is in use: what a
// declared dependency names, or what flow logs show to be used, and for some controls
// what flow logs do not tell of. That a group is attached to something is not use.
type InUse struct {
	Declared []Dependency
	// Flows is nil where no flow logs are configured.
	Flows Flows
	Now   func() time.Time
	// Window is how far back flows count; 0 means 14 days.
	Window time.Duration
}

// Name implements Guardrail.
func (InUse) Name() string { return "in-use" }

// Check implements Guardrail.
func (g InUse) Check(ctx context.Context, c Case) (dera.Reason, error) {
	for _, d := range g.Declared {
		if d.covers(c.Finding) {
			r := review("%s declared that it is needed: %s", d.Owner, d.Reason)
			r.Ref = d.Resource
			return r, nil
		}
	}
	if c.Refusal != "" || c.Evidence.Kind != evidence.NetworkKind {
		return pass("no declared dependency names it"), nil
	}
	if g.Flows == nil && c.Unused {
		return review("no flow logs are configured, so that nobody knows whether it is used"), nil
	}
	if g.Flows == nil {
		return pass("no declared dependency names it; no flow logs are configured, so past traffic was not checked"), nil
	}
	return g.traffic(ctx, c)
}

func (d Dependency) covers(f dera.Finding) bool {
	match := func(glob, s string) bool { return glob == "" || dera.MatchGlob(glob, s) }
	return (d.Resource == f.Resource.Name() || dera.MatchGlob(d.Resource, string(f.Resource))) &&
		(d.Keys == "" || keyTouches(d.Keys, f.Key)) && match(d.Accounts, f.Account)
}

func (g InUse) traffic(ctx context.Context, c Case) (dera.Reason, error) {
	var n evidence.Network
	if err := json.Unmarshal(c.Evidence.Body, &n); err != nil {
		return dera.Reason{}, fmt.Errorf("read the evidence: %w", err)
	}
	removed := n.Old.Subtract(n.New)
	if c.Type.Attachments == nil {
		return dera.Reason{}, fmt.Errorf("nobody knows what a resource of type %q is attached to", c.Resource.Type)
	}
	attached := c.attachments()
	window := g.Window
	if window == 0 {
		window = 14 * 24 * time.Hour
	}
	days := int(window.Hours() / 24)
	looked := 0
	for _, i := range attached {
		if c.Unused {
			known, err := g.Flows.Known(ctx, i.ID, g.Now(), days)
			if err != nil {
				return dera.Reason{}, fmt.Errorf("read flows to %s: %w", i.ID, err)
			}
			if !known {
				r := review("the flow logs do not tell what %s accepted on each of the last %d days, so that nobody knows whether it is used", i.ID, days)
				r.Ref = i.ID
				return r, nil
			}
		}
		flows, err := g.Flows.To(ctx, i.ID, g.Now().Add(-window))
		if err != nil {
			return dera.Reason{}, fmt.Errorf("read flows to %s: %w", i.ID, err)
		}
		for _, f := range flows {
			if !slices.Contains(i.Addresses, f.To.String()) {
				continue // the interface was the caller: security groups let answers in
			}
			looked++
			p := netset.Point{Addr: f.From, Protocol: netset.Protocol(f.Protocol), Port: f.Port}
			if removed.Contains(p) {
				r := review("%s was used: %s talked to %s, last on %s", p, f.From, i.ID, f.Last.UTC().Format(time.DateOnly))
				r.Ref = i.ID
				return r, nil
			}
		}
	}
	return pass("none of %d conversations of the last %d days with its %d interfaces would be cut", looked, days, len(attached)), nil
}
