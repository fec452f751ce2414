package main

import (
	"slices"
	"testing"
	"time"

	"dera.example/dera/sink"
)

// TestRoutingOfWhatIsOver: what is not found any more ends what stands of it in PagerDuty and Jira; people hear of it
// only where a route asks.
func TestRoutingOfWhatIsOver(t *testing.T) {
	t.Parallel()
	const sinks = "version: 1\nnotify:\n  sinks: [{name: chat, kind: slack, channel: '#x', token_env: T}, {name: pager, kind: pagerduty, token_env: T}, {name: issues, kind: jira, url: 'https://jira.example', token_env: T, project: SEC}]\n"
	for routes, want := range map[string]map[string][]string{
		"  routes: [{sinks: [chat, pager, issues]}]\n":                   {sink.WhatResolved: {"issues", "pager"}, sink.WhatExempt: nil, sink.WhatFixed: {"chat", "issues", "pager"}},
		"  routes: [{sinks: [chat, issues]}]\n":                          {sink.WhatResolved: {"issues"}},
		"  routes: [{sinks: [chat, issues], what: [resolved, fixed]}]\n": {sink.WhatResolved: {"chat", "issues"}},
		"  routes: [{sinks: [chat, issues], what: [fixed]}]\n":           {sink.WhatResolved: nil},
	} {
		cfg, err := loadConfig(fileIn(t, t.TempDir(), "dera.yaml", sinks+routes))
		if err != nil {
			t.Fatal(err)
		}
		for what, names := range want {
			var got []string
			for _, d := range (routing{cfg.routes(), cfg}).Route(sink.Message{ID: "m", What: what, Findings: []string{"f-1"}}, time.Now()) {
				got = append(got, d.Sink)
			}
			slices.Sort(got)
			if !slices.Equal(got, names) {
				t.Errorf("%s%s: got %q, want %q", routes, what, got, names)
			}
		}
	}
}
