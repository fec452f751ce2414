package sink

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"dera.example/dera"
)

// PagerDuty sends events. Each finding, and each alarm, has one incident: its key stays the same,
// and it is resolved once dera has verified the fix, or nothing is there any more.
//
// https://developer.pagerduty.com/docs/events-api-v2-overview
type PagerDuty struct {
	url, key string
	post     poster
}

// PagerDutyConfig is where and with what key.
type PagerDutyConfig struct {
	URL    string // "" is https://events.pagerduty.com
	Key    string // integration key of a service
	Client *http.Client
	Now    func() time.Time
}

// NewPagerDuty returns the sender.
func NewPagerDuty(cfg PagerDutyConfig) (*PagerDuty, error) {
	if cfg.URL == "" {
		cfg.URL = "https://events.pagerduty.com"
	}
	if err := validURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &PagerDuty{url: strings.TrimSuffix(cfg.URL, "/") + "/v2/enqueue", key: cfg.Key, post: poster{client: cfg.Client, secrets: []string{cfg.Key}, now: cfg.Now}}, nil
}

// Send implements Sink. Where one of several events fails, all are sent again: the key
// makes them one.
func (p *PagerDuty) Send(ctx context.Context, list []Message) error {
	for _, m := range list {
		keys := []string{"dera-" + m.ID}
		if m.Alarm != "" {
			keys = []string{"dera-alarm-" + m.Alarm}
		}
		if len(m.Findings) > 0 {
			keys = nil
			for _, f := range m.Findings {
				keys = append(keys, "dera-"+f)
			}
		}
		for _, key := range keys {
			if _, err := p.post.do(ctx, call{method: http.MethodPost, url: p.url, body: p.event(m, key)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// event is one event. A rejection and an exemption are a person's answer: they acknowledge.
func (p *PagerDuty) event(m Message, key string) map[string]any {
	e := map[string]any{"routing_key": p.key, "dedup_key": cut(key, 255), "event_action": "trigger"}
	switch {
	case m.What == WhatFixed, m.What == WhatResolved, m.Ended:
		e["event_action"] = "resolve"
	case m.What == WhatRejected, m.What == WhatExempt:
		e["event_action"] = "acknowledge"
	}
	details := map[string]string{}
	for _, f := range m.facts() {
		details[f.name] = cut(f.value, 1000)
	}
	if m.Why != "" {
		details["Why"] = cut(oneLine(m.Why), 2000)
	}
	if len(m.Commands) > 0 {
		details["To do"] = cut(strings.Join(m.Commands, "\n"), 2000)
	}
	source := string(m.Resource)
	if source == "" {
		source = "dera"
	}
	e["payload"] = map[string]any{
		"summary": cut(m.title(), 1024), "source": cut(oneLine(source), 1024), "severity": pagerSeverity(m.Severity), "timestamp": m.At.UTC().Format(time.RFC3339),
		"component": cut(m.Control, 250), "group": cut(m.Account, 250), "class": m.What, "custom_details": details,
	}
	return e
}

func pagerSeverity(s dera.Severity) string {
	switch s {
	case dera.Critical:
		return "critical"
	case dera.High:
		return "error"
	case dera.Medium:
		return "warning"
	case dera.Low:
		return "info"
	}
	return "error" // an alarm of dera itself has none
}
