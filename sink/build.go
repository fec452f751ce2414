package sink

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Deps are what sinks are made with.
type Deps struct {
	Client    *http.Client
	Publisher Publisher // for sinks of kind sns
	Secret    func(env, file string) (string, error)
	Buttons   bool // of Slack: clicks are received
	Now       func() time.Time
}

// Build makes the sinks of a valid configuration by name, those of owners among them.
func (c Config) Build(d Deps) (map[string]Sink, error) {
	out := map[string]Sink{}
	var errs []error
	for _, r := range c.receivers() {
		s, err := r.make(d)
		if err != nil {
			errs = append(errs, fmt.Errorf("sink %s: %w", r.Name, err))
			continue
		}
		out[r.Name] = s
	}
	return out, errors.Join(errs...)
}

// receivers are those of the configuration, and those of owners, which post by the first
// of their kind.
func (c Config) receivers() []Receiver {
	out := slices.Clone(c.Sinks)
	for name, o := range c.Owners {
		if s, ok := c.first(KindSlack); ok && o.Slack != "" {
			s.Name, s.Channel = ownerSink(name, KindSlack), o.Slack
			out = append(out, s)
		}
		if s, ok := c.first(KindEmail); ok && o.Email != "" {
			s.Name, s.To = ownerSink(name, KindEmail), []string{o.Email}
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Receiver) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Names are those of all sinks, those of owners among them.
func (c Config) Names() (out []string) {
	for _, r := range c.receivers() {
		out = append(out, r.Name)
	}
	return out
}

// ownerSink is the name of an owner's sink: no sink of the configuration can have it.
func ownerSink(owner, kind string) string { return owner + "/" + kind }

// RoutesConfig is the configuration as the router takes it.
func (c Config) RoutesConfig() RoutesConfig {
	people := map[string]bool{}
	out := RoutesConfig{Routes: c.Routes, Quiet: c.Quiet, Escalations: c.Escalations, OwnersFirst: time.Duration(c.OwnersFirst), Default: c.Default, Owners: map[string][]string{}}
	for _, r := range c.receivers() {
		people[r.Name] = r.Kind == KindSlack || r.Kind == KindEmail || r.Kind == KindPagerDuty
	}
	if c.Code.On() {
		out.Code = CodeSink
	}
	out.People = func(sink string) bool { return people[sink] }
	for name, o := range c.Owners {
		if o.Slack != "" {
			out.Owners[name] = append(out.Owners[name], ownerSink(name, KindSlack))
		}
		if o.Email != "" {
			out.Owners[name] = append(out.Owners[name], ownerSink(name, KindEmail))
		}
	}
	return out
}

// make makes the sender.
func (r Receiver) make(d Deps) (Sink, error) {
	if r.Kind == KindSNS {
		if d.Publisher == nil {
			return nil, errors.New("there is no connection to AWS")
		}
		return NewSNS(r.Topic, d.Publisher), nil
	}
	secret := ""
	if r.Kind != KindEmail || r.User != "" {
		var err error
		if secret, err = d.Secret(r.TokenEnv, r.TokenFile); err != nil {
			return nil, err
		}
	}
	switch r.Kind {
	case KindSlack:
		return NewSlack(SlackConfig{URL: r.URL, Token: secret, Channel: r.Channel, Buttons: d.Buttons, Client: d.Client, Now: d.Now})
	case KindWebhook:
		return NewWebhook(WebhookConfig{URL: r.URL, Secret: secret, Client: d.Client, Now: d.Now})
	case KindEmail:
		return NewMail(MailConfig{Server: r.URL, User: r.User, Password: secret, From: r.From, To: r.To, Now: d.Now})
	case KindPagerDuty:
		return NewPagerDuty(PagerDutyConfig{URL: r.URL, Key: secret, Client: d.Client, Now: d.Now})
	case KindJira:
		return NewJira(JiraConfig{URL: r.URL, User: r.User, Token: secret, Project: r.Project, Type: r.IssueType, Done: r.Done, Server: r.Server, Client: d.Client, Now: d.Now})
	}
	return nil, fmt.Errorf("%q is not a kind of sink", r.Kind)
}
