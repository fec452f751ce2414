package sink

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Config is notify of the configuration file. Its zero value sends nothing.
type Config struct {
	Sinks       []Receiver       `yaml:"sinks,omitempty" json:"sinks,omitempty" jsonschema_description:"Receivers of messages."`
	Routes      []Route          `yaml:"routes,omitempty" json:"routes,omitempty" jsonschema_description:"Which sink gets which messages; the first route that matches counts, unless it says continue."`
	Quiet       []Quiet          `yaml:"quiet_hours,omitempty" json:"quiet_hours,omitempty" jsonschema_description:"Times in which Slack, e-mail and PagerDuty get nothing; it is sent when they end."`
	Escalations []Escalation     `yaml:"escalation,omitempty" json:"escalation,omitempty" jsonschema_description:"Who gets a plan that waits, an access that is asked for, or an alarm that nobody answered."`
	Owners      map[string]Owner `yaml:"owners,omitempty" json:"owners,omitempty" jsonschema_description:"How to reach owners, by their name in tags or accounts."`
	OwnersFirst Span             `yaml:"owners_first,omitempty" json:"owners_first,omitempty" jsonschema:"type=string" jsonschema_description:"By how much owners get a message before the sinks of its routes; critical ones go to both at once. Default: at once."`
	Code        CodeReviews      `yaml:"code,omitempty" json:"code,omitempty" jsonschema_description:"Where a plan that waits is proposed as a change of code too, if infrastructure as code owns the resource."`
	Default     string           `yaml:"default,omitempty" json:"default,omitempty" jsonschema_description:"Sink of what no route matches. Default: it is counted only."`
}

// Owner is how to reach an owner.
type Owner struct {
	Slack string `yaml:"slack,omitempty" json:"slack,omitempty" jsonschema_description:"Channel, posted to by the first sink of kind slack."`
	Email string `yaml:"email,omitempty" json:"email,omitempty" jsonschema_description:"Address, written to by the first sink of kind email."`
}

// CodeReviews is where changes of code are proposed.
type CodeReviews struct {
	GitHub Repositories `yaml:"github,omitempty" json:"github,omitempty" jsonschema_description:"Pull requests or issues on GitHub; dera merges nothing."`
	GitLab Repositories `yaml:"gitlab,omitempty" json:"gitlab,omitempty" jsonschema_description:"Merge requests or issues on GitLab; dera merges nothing."`
}

// On reports whether changes of code are proposed anywhere.
func (c CodeReviews) On() bool { return c.GitHub.On() || c.GitLab.On() }

// Repositories is where the code of resources lies on a forge.
type Repositories struct {
	URL          string       `yaml:"url,omitempty" json:"url,omitempty" jsonschema_description:"API of GitHub Enterprise, https://HOST/api/v3, or of GitLab, https://HOST/api/v4. Default: that of github.com or gitlab.com."`
	TokenEnv     string       `yaml:"token_env,omitempty" json:"token_env,omitempty" jsonschema_description:"Environment variable with a token that may write contents, pull requests and issues of the repositories; of GitLab one with the scope api."`
	TokenFile    string       `yaml:"token_file,omitempty" json:"token_file,omitempty" jsonschema_description:"File with the token."`
	Repositories []Repository `yaml:"repositories,omitempty" json:"repositories,omitempty" jsonschema_description:"Which code belongs to whom; the first that matches counts."`
}

// CodeSink is the name of the sink that proposes changes of code: no sink of the
// configuration can have it.
const CodeSink = "code/review"

// On reports whether changes of code are proposed.
func (g Repositories) On() bool { return len(g.Repositories) > 0 }

func (g Repositories) validate(of string, name *regexp.Regexp) (errs []error) {
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("code.%s%s: %s", of, field, fmt.Sprintf(format, args...)))
	}
	set := g.URL != "" || g.TokenEnv != "" || g.TokenFile != ""
	switch {
	case !g.On() && set:
		bad("", "names no repositories, so that nothing is proposed")
	case !g.On():
		return nil
	case Secretive(g.TokenEnv) || Secretive(g.TokenFile) || Secretive(g.URL):
		bad("", "a secret is written here: put it into an environment variable or a file, and name that with token_env or token_file")
	case (g.TokenEnv == "") == (g.TokenFile == ""):
		bad("", "write one of token_env and token_file")
	}
	if g.URL != "" {
		if err := validURL(g.URL); err != nil {
			bad(".url", "%v", err)
		}
	}
	for i, r := range g.Repositories {
		if !name.MatchString(r.Name) {
			bad(fmt.Sprintf(".repositories[%d].repository", i), "%q is not OWNER/NAME", r.Name)
		}
		if strings.ContainsAny(r.Base, " ?#%~^:\\") || strings.Contains(r.Base, "..") {
			bad(fmt.Sprintf(".repositories[%d].base", i), "%q is not the name of a branch", r.Base)
		}
	}
	return errs
}

// The kinds of sinks.
const (
	KindSlack     = "slack"
	KindWebhook   = "webhook"
	KindSNS       = "sns"
	KindEmail     = "email"
	KindPagerDuty = "pagerduty"
	KindJira      = "jira"
)

func kinds() []string {
	return []string{KindSlack, KindWebhook, KindSNS, KindEmail, KindPagerDuty, KindJira}
}

// Receiver is one sink of the configuration. Its secret is named, never written.
type Receiver struct {
	Name      string   `yaml:"name" json:"name" jsonschema_description:"Name, for routes and reports."`
	Kind      string   `yaml:"kind" json:"kind" jsonschema:"enum=slack,enum=webhook,enum=sns,enum=email,enum=pagerduty,enum=jira" jsonschema_description:"What it is."`
	URL       string   `yaml:"url,omitempty" json:"url,omitempty" jsonschema_description:"Address: of a webhook, of Jira, host:port of a mail server; else only for other than the public one."`
	TokenEnv  string   `yaml:"token_env,omitempty" json:"token_env,omitempty" jsonschema_description:"Environment variable with the secret: bot token, signing secret, integration key, API token, password."`
	TokenFile string   `yaml:"token_file,omitempty" json:"token_file,omitempty" jsonschema_description:"File with the secret."`
	Channel   string   `yaml:"channel,omitempty" json:"channel,omitempty" jsonschema_description:"Channel of Slack, ID or #name."`
	To        []string `yaml:"to,omitempty" json:"to,omitempty" jsonschema_description:"Addresses of e-mail."`
	From      string   `yaml:"from,omitempty" json:"from,omitempty" jsonschema_description:"Sender of e-mail."`
	User      string   `yaml:"user,omitempty" json:"user,omitempty" jsonschema_description:"User of the mail server or of Jira Cloud."`
	Topic     string   `yaml:"topic,omitempty" json:"topic,omitempty" jsonschema_description:"ARN of a topic of Amazon SNS."`
	Project   string   `yaml:"project,omitempty" json:"project,omitempty" jsonschema_description:"Key of a project of Jira."`
	IssueType string   `yaml:"issue_type,omitempty" json:"issue_type,omitempty" jsonschema_description:"Type of issues. Default: Task."`
	Done      string   `yaml:"done,omitempty" json:"done,omitempty" jsonschema_description:"Name of the transition after a verified fix. Default: Done."`
	Server    bool     `yaml:"data_center,omitempty" json:"data_center,omitempty" jsonschema_description:"It is Jira Data Center. Default: false."`
}

var (
	sinkName  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	envName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	jiraKey   = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,63}$`)
	secretive = regexp.MustCompile(`xox[a-z]-|xapp-|whsec_|hooks\.slack\.com/services/|gh[pousr]_[A-Za-z0-9]{20}|github_pat_|glpat-|ATATT3|-----BEGIN`)
)

// Secretive reports whether a text looks like a secret, which belongs in no configuration.
func Secretive(s string) bool { return secretive.MatchString(s) }

// Validate returns everything that is wrong, each error with the field that it is about.
func (c Config) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	names := map[string]int{}
	for i, s := range c.Sinks {
		field := fmt.Sprintf("sinks[%d]", i)
		if first, twice := names[s.Name]; twice {
			bad(field+".name", "%q is the name of sinks[%d] too", s.Name, first)
		} else if !sinkName.MatchString(s.Name) {
			bad(field+".name", "%q is no name: write letters a to z, digits, - and _", s.Name)
		}
		names[s.Name] = i
		for _, err := range s.validate() {
			errs = append(errs, within(field, err))
		}
	}
	known := func(field string, list []string) {
		for i, name := range list {
			if _, ok := names[name]; !ok {
				bad(fmt.Sprintf("%s[%d]", field, i), "no sink is called %q: the sinks are %s", name, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
			}
		}
	}
	asked := false
	for i, r := range c.Routes {
		field := fmt.Sprintf("routes[%d]", i)
		known(field+".sinks", r.Sinks)
		asked = asked || r.ToOwner
		if len(r.Sinks) == 0 {
			bad(field, "has no sinks, so that what has no owner reaches nobody")
		}
		for j, w := range r.What {
			if !slices.Contains(Whats(), w) {
				bad(fmt.Sprintf("%s.what[%d]", field, j), "messages are about none of %q: write one of %s", w, strings.Join(Whats(), ", "))
			}
		}
		if d := time.Duration(r.Digest); d != 0 && (d < time.Minute || d > 7*24*time.Hour) {
			bad(field+".digest", "is %s, write a duration from 1m to 168h", d)
		}
	}
	if c.Default != "" {
		if _, ok := names[c.Default]; !ok {
			bad("default", "no sink is called %q", c.Default)
		}
	}
	for i, q := range c.Quiet {
		for _, err := range q.validate() {
			errs = append(errs, within(fmt.Sprintf("quiet_hours[%d]", i), err))
		}
	}
	for i, e := range c.Escalations {
		field := fmt.Sprintf("escalation[%d]", i)
		known(field+".sinks", e.Sinks)
		if len(e.Sinks) == 0 {
			bad(field, "has no sinks")
		}
		if d := time.Duration(e.After); d < time.Minute || d > 30*24*time.Hour {
			bad(field+".after", "is %s, write a duration from 1m to 720h", d)
		}
	}
	if d := time.Duration(c.OwnersFirst); d > 24*time.Hour {
		bad("owners_first", "is %s, write a duration up to 24h", d)
	}
	if len(c.Sinks) > 0 && len(c.Routes) == 0 && c.Default == "" {
		bad("routes", "there is none, so that no sink gets anything: write a route, or default")
	}
	if len(c.Owners) > 0 && !asked {
		bad("owners", "no route has owner: true, so that owners get nothing")
	}
	errs = append(append(errs, c.validateOwners()...), c.Code.GitHub.validate("github", repositoryName)...)
	errs = append(errs, c.Code.GitLab.validate("gitlab", projectName)...)
	return errors.Join(errs...)
}

func within(field string, err error) error { return fmt.Errorf("%s.%w", field, err) }

func (c Config) validateOwners() (errs []error) {
	for _, name := range slices.Sorted(maps.Keys(c.Owners)) {
		o := c.Owners[name]
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("owners: %s: %s", name, fmt.Sprintf(format, args...)))
		}
		if o == (Owner{}) {
			bad("has no receiver: write slack or email")
		}
		if Secretive(o.Slack) {
			bad("a secret stands where a channel belongs")
		}
		if _, err := mail.ParseAddress(o.Email); o.Email != "" && err != nil {
			bad("%q is no mail address", o.Email)
		}
		for kind, set := range map[string]bool{KindSlack: o.Slack != "", KindEmail: o.Email != ""} {
			if _, ok := c.first(kind); set && !ok {
				bad("no sink is of kind %s, by which this owner is reached", kind)
			}
		}
	}
	return errs
}

// first is the first sink of a kind.
func (c Config) first(kind string) (Receiver, bool) {
	i := slices.IndexFunc(c.Sinks, func(s Receiver) bool { return s.Kind == kind })
	if i < 0 {
		return Receiver{}, false
	}
	return c.Sinks[i], true
}

// validate returns what is wrong, by the name of the member.
func (s Receiver) validate() (errs []error) {
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	for field, text := range map[string]string{"url": s.URL, "token_env": s.TokenEnv, "token_file": s.TokenFile, "channel": s.Channel, "user": s.User, "from": s.From} {
		if Secretive(text) {
			bad(field, "a secret is written here: put it into an environment variable or a file, and name that with token_env or token_file")
			return errs
		}
	}
	need := func(field, value, what string) {
		if value == "" {
			bad(field, "is missing: %s", what)
		}
	}
	switch s.Kind {
	case KindSlack:
		need("channel", s.Channel, "the channel to post to")
	case KindWebhook:
		need("url", s.URL, "where to post to")
	case KindSNS:
		if a, err := dera.ParseARN(s.Topic); err != nil || a.Service() != "sns" || a.Region() == "" {
			bad("topic", "%q is not the ARN of a topic", s.Topic)
		}
		return errs
	case KindEmail:
		if _, err := NewMail(MailConfig{Server: s.URL, From: s.From, To: s.To}); err != nil {
			errs = append(errs, err)
		}
		if s.User == "" {
			return errs
		}
	case KindPagerDuty:
	case KindJira:
		need("url", s.URL, "of the site, for example https://example.atlassian.net")
		if !jiraKey.MatchString(s.Project) {
			bad("project", "%q is not the key of a project", s.Project)
		}
	default:
		bad("kind", "is %q, write one of %s", s.Kind, strings.Join(kinds(), ", "))
		return errs
	}
	if s.URL != "" && s.Kind != KindEmail {
		if err := validURL(s.URL); err != nil {
			bad("url", "%v", err)
		}
	}
	switch {
	case s.TokenEnv != "" && s.TokenFile != "":
		bad("token_file", "token_env is set too: write one of them")
	case s.TokenEnv == "" && s.TokenFile == "":
		bad("token_env", "is missing: name the environment variable, or with token_file the file, that holds the secret")
	case s.TokenEnv != "" && !envName.MatchString(s.TokenEnv):
		bad("token_env", "%q is not the name of an environment variable", s.TokenEnv)
	}
	return errs
}
