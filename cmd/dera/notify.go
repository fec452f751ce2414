package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/sink"
)

// topics publishes to Amazon SNS.
type topics struct{ client *cloud.Client }

var _ sink.Publisher = topics{}

// Publish implements sink.Publisher.
func (t topics) Publish(ctx context.Context, p sink.Publication) error {
	err := t.client.Publish(ctx, cloud.Notice(p))
	if cloud.BadNotice(err) {
		return &sink.PermanentError{Err: err}
	}
	return err
}

// sinks are those of the configuration, by name. Secrets are read here, once.
func (s *session) sinks() (map[string]sink.Sink, error) {
	d := sink.Deps{Client: sink.Client(nil), Secret: secretOf, Buttons: s.config.Listen.Slack.on(), Now: s.app.now}
	if s.client != nil {
		d.Publisher = topics{s.client}
	}
	out, err := s.config.Notify.Build(d)
	if c := s.config.Notify.Code; c.On() && s.store != nil {
		code, codeErr := s.codeReviews(c, d)
		if codeErr != nil {
			return out, errors.Join(err, fmt.Errorf("sink %s: %w", sink.CodeSink, codeErr))
		}
		out[sink.CodeSink] = code
	}
	return out, err
}

// routes decide which sinks get which message when.
func (c fileConfig) routes() *sink.Routes {
	cfg := c.Notify.RoutesConfig()
	ous := map[string]string{}
	for _, a := range c.Accounts {
		ous[a.ID] = a.OU
	}
	cfg.OU = func(account string) string { return ous[account] }
	return sink.NewRoutes(cfg)
}

func newNotifyCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "To whom messages go: try the sinks, list the routes",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var finding string
	list := &cobra.Command{
		Use:   "list [--finding ID]",
		Short: "List the sinks and routes, or which sinks get the messages about a finding",
		Long: "list prints the sinks and routes of the configuration. With --finding it prints which sinks would get messages about\n" +
			"that finding now, and when: each kind of message may take another route.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if finding == "" {
				return a.notifyList()
			}
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.notifyFinding(ctx, s, finding) })
		},
	}
	list.Flags().StringVar(&finding, "finding", "", "ID of a finding, or the beginning of one")
	cmd.AddCommand(list, newNotifySendCommand(a), newNotifyRetryCommand(a), &cobra.Command{
		Use:   "test [SINK]",
		Short: "Send a test message through each sink, and say what came back",
		Long: "test sends a message through the sinks of the configuration, whatever the routes say, and prints what came back. It records\n" +
			"nothing.\n\nExit codes: 0 all took it, 3 one did not.",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error { return a.notifyTest(cmd.Context(), list) },
	})
	return cmd
}

// notifyTest sends a test message through sinks.
func (a *cli) notifyTest(ctx context.Context, only []string) error {
	cfg, err := loadConfig(a.flags.config)
	if err != nil {
		return a.named("config", err)
	}
	s := &session{app: a, config: cfg}
	if slices.ContainsFunc(cfg.Notify.Sinks, func(r sink.Receiver) bool { return r.Kind == sink.KindSNS }) {
		if s.client, err = cloud.New(ctx, cloud.Config{Timeout: 20 * time.Second, Profile: a.flags.profile}); err != nil {
			return orProfile(err)
		}
	}
	all, err := s.sinks()
	if err != nil && len(only) == 0 {
		a.alert("dera: %v\n", err)
	}
	names := slices.Sorted(maps.Keys(all))
	if len(only) == 1 {
		if all[only[0]] == nil {
			if err != nil {
				return usage("%w", err)
			}
			return usage("no sink is called %q; the sinks are: %s", only[0], strings.Join(names, ", "))
		}
		names, err = only, nil
	}
	if len(names) == 0 && err == nil {
		return usage("the configuration has no sinks: write notify.sinks")
	}
	bad := err != nil
	for _, name := range names {
		m := sink.Message{
			ID: fmt.Sprintf("test-%d", a.now().UnixNano()), What: sink.WhatTest, At: a.now().UTC(), Severity: dera.Low,
			Title: "A test of dera: this sink works", Why: "somebody ran dera notify test", Commands: []string{"nothing"},
		}
		if err := all[name].Send(ctx, []sink.Message{m}); err != nil {
			bad = true
			a.printf("%s: failed: %s%s\n", name, app.Plain(err.Error()), again(err))
			continue
		}
		a.printf("%s: took it\n", name)
	}
	if bad {
		return &exitError{code: exitNo}
	}
	return nil
}

// again says whether the outbox would try again.
func again(err error) string {
	wait, asked := sink.RetryAfter(err)
	switch {
	case sink.Permanent(err):
		return " (a message would not be tried again)"
	case asked:
		return fmt.Sprintf(" (a message would be tried again after %s)", wait)
	}
	return " (a message would be tried again)"
}

// notifyList prints sinks and routes.
func (a *cli) notifyList() error {
	cfg, err := loadConfig(a.flags.config)
	if err != nil {
		return a.named("config", err)
	}
	n := cfg.Notify
	if len(n.Sinks) == 0 {
		a.printf("no sinks: write notify.sinks into the configuration\n")
		return nil
	}
	for _, s := range n.Sinks {
		where := s.Channel + s.Topic + s.Project
		if s.Kind == sink.KindEmail {
			where = strings.Join(s.To, ", ")
		}
		a.printf("sink %s: %s %s\n", s.Name, s.Kind, app.Plain(where))
	}
	for _, name := range slices.Sorted(maps.Keys(n.Owners)) {
		o := n.Owners[name]
		a.printf("owner %s: %s\n", app.Plain(name), app.Plain(strings.TrimSpace(o.Slack+" "+o.Email)))
	}
	for i, r := range n.Routes {
		a.printf("route %d: %s\n", i, app.Plain(routeText(r)))
	}
	if n.Default != "" {
		a.printf("default: %s\n", n.Default)
	}
	return nil
}

func routeText(r sink.Route) string {
	var match []string
	add := func(name, value string) {
		if value != "" {
			match = append(match, name+" "+value)
		}
	}
	if r.Severity != 0 {
		add("severity", "at least "+r.Severity.String())
	}
	add("what", strings.Join(r.What, " or "))
	add("control", r.Control)
	add("account", r.Account)
	add("OU", r.OU)
	add("owner", r.Owner)
	if len(match) == 0 {
		match = []string{"everything"}
	}
	text := strings.Join(match, ", ") + " to " + strings.Join(r.Sinks, ", ")
	if r.ToOwner {
		text += ", and to the owner first"
	}
	if d := time.Duration(r.Digest); d > 0 {
		text += ", as a digest of " + d.String()
	}
	if r.Continue {
		text += ", and on to later routes"
	}
	return text
}

// notifyFinding prints which sinks would get messages about a finding.
func (a *cli) notifyFinding(ctx context.Context, s *session, id string) error {
	id, err := s.resolve(ctx, id)
	if err != nil {
		return err
	}
	f, err := s.store.Finding(ctx, id)
	if err != nil {
		return notFound(err)
	}
	router := routing{s.config.routes(), s.config}
	now := a.now()
	a.printf("%s %s, %s, owner %s\n", f.ID, f.Severity, app.Plain(f.Title), orNone(f.Owner))
	for _, what := range sink.Whats() {
		if slices.Contains([]string{sink.WhatStop, sink.WhatAlarm, sink.WhatEscalation, sink.WhatDigest, sink.WhatTest}, what) {
			continue // not about one finding
		}
		m := messageOf(f)
		m.What = what
		var to []string
		for _, d := range router.Route(m, now) {
			text := d.Sink + " at once"
			if d.Due.After(now) {
				text = d.Sink + " at " + app.Stamp(d.Due)
			}
			if d.Digest != "" {
				text += " in a digest"
			}
			to = append(to, text)
		}
		if len(to) == 0 {
			to = []string{"nobody: no route matches, and there is no default"}
		}
		a.printf("  %s: %s\n", what, app.Plain(strings.Join(to, ", ")))
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return app.Plain(s)
}

// messageOf is a message about a finding, for the routes.
func messageOf(f dera.Finding) sink.Message {
	return sink.Message{
		ID: f.ID, What: sink.WhatFinding, At: f.LastSeen, Severity: f.Severity, Title: f.Title, Why: f.Why, Account: f.Account, Region: f.Region, Control: f.Control,
		Resource: f.Resource, ResourceType: f.ResourceType, Findings: []string{f.ID}, Remediation: f.Remediation, Disposition: f.Disposition, Owner: f.Owner,
	}
}
