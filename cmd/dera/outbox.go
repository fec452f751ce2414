package main

import (
	"cmp"
	"log/slog"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/app/export"
	"dera.example/dera/control"
	"dera.example/dera/outbox"
	"dera.example/dera/securityhub"
	"dera.example/dera/services"
	"dera.example/dera/sink"
)

// hubSink is the name of the sink that writes to Security Hub: no sink of the configuration
// can have it.
const hubSink = "aws/security-hub"

// outbox is what sends messages, or nil where the configuration names no receiver.
func (s *session) outbox(log *slog.Logger) (*outbox.Outbox, error) {
	sinks, err := s.sinks()
	if err != nil {
		return nil, usage("notify: %w", err)
	}
	if s.config.Hub.on() {
		sinks[hubSink] = s.hubWriter()
	}
	if len(sinks) == 0 {
		return nil, nil
	}
	return outbox.New(outbox.Config{
		Store: s.store, Router: routing{s.config.routes(), s.config}, Sinks: sinks, Now: s.app.now, Log: log,
	})
}

// sinkNames are those of everybody who gets messages.
func (c fileConfig) sinkNames() []string {
	out := c.Notify.Names()
	if c.Hub.on() {
		out = append(out, hubSink)
	}
	return out
}

// needsAWS reports whether some receiver is reached through AWS.
func (s *session) needsAWS() bool {
	return s.config.Hub.on() || slices.ContainsFunc(s.config.Notify.Sinks, func(r sink.Receiver) bool { return r.Kind == sink.KindSNS })
}

// routing adds Security Hub to the routes of people.
type routing struct {
	*sink.Routes
	config fileConfig
}

// Route implements sink.Router. That a finding is exempt or is not found any more only those hear who
// ask for it; the latter ends also what stands in PagerDuty and Jira of it.
func (r routing) Route(m sink.Message, now time.Time) []sink.Delivery {
	var out []sink.Delivery
	asked := slices.ContainsFunc(r.config.Notify.Routes, func(x sink.Route) bool { return slices.Contains(x.What, m.What) })
	if m.What != sink.WhatExempt && m.What != sink.WhatResolved || asked {
		out = r.Routes.Route(m, now)
	} else if m.What == sink.WhatResolved {
		out = slices.DeleteFunc(r.Routes.Route(m, now), func(d sink.Delivery) bool { return !r.tracks(d.Sink) })
	}
	if r.config.Hub.on() && len(m.Findings) > 0 {
		out = append(out, sink.Delivery{Sink: hubSink, Due: now})
	}
	return out
}

// tracks reports whether a sink keeps something of a finding until it is over.
func (r routing) tracks(name string) bool {
	return slices.ContainsFunc(r.config.Notify.Sinks, func(x sink.Receiver) bool {
		return x.Name == name && (x.Kind == sink.KindPagerDuty || x.Kind == sink.KindJira)
	})
}

// hubWriter writes to Security Hub what the configuration says.
func (s *session) hubWriter() securityhub.Writer {
	cfg := s.config.Hub
	w := securityhub.Writer{
		API: securityhub.Remote{
			Hub: func(at securityhub.Place) securityhub.Caller { return s.client.SecurityHub(at.Account, at.Region) },
			V1:  !cfg.V2 || cfg.Both, V2: cfg.V2,
		},
		Store: s.store, WriteBack: cfg.WriteBack, Aliases: hubControls, Now: s.app.now,
		At: func(f dera.Finding) securityhub.Place {
			own := securityhub.PlaceOf(f)
			return securityhub.Place{Account: cmp.Or(cfg.Account, own.Account), Region: cmp.Or(cfg.Region, own.Region)}
		},
	}
	if cfg.Import {
		w.Describe = func(f dera.Finding) securityhub.Finding {
			var meta control.Meta
			if c, err := services.FindControl(f.Control); err == nil {
				meta = c.Meta
			}
			return export.Described(f, meta, version)
		}
	}
	return w
}

// hubControls are the controls of Security Hub that stand for one of dera's, by its
// references.
func hubControls(id string) (out []string) {
	c, err := services.FindControl(id)
	if err != nil {
		return nil // of another version
	}
	for _, r := range c.Refs {
		if r.Standard == "Security Hub" {
			out = append(out, r.ID)
		}
	}
	return out
}
