package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/sink"
)

// listenConfig is where dera run takes requests.
type listenConfig struct {
	Address   string            `yaml:"address,omitempty" json:"address,omitempty" jsonschema_description:"host:port, for example 127.0.0.1:8088. Default: none, nothing listens. Other than this machine needs tls_cert."`
	Cert      string            `yaml:"tls_cert,omitempty" json:"tls_cert,omitempty" jsonschema_description:"File with the certificate, PEM."`
	Key       string            `yaml:"tls_key,omitempty" json:"tls_key,omitempty" jsonschema_description:"File with its key, PEM."`
	TokenEnv  string            `yaml:"metrics_token_env,omitempty" json:"metrics_token_env,omitempty" jsonschema_description:"Environment variable with the bearer token that GET /metrics asks for. Default: none; /metrics is then there only where nothing is taken from outside, neither answers in Slack nor a webhook."`
	TokenFile string            `yaml:"metrics_token_file,omitempty" json:"metrics_token_file,omitempty" jsonschema_description:"File with that token."`
	Slack     slackClicksConfig `yaml:"slack,omitempty" json:"slack,omitempty" jsonschema_description:"Answers by buttons in Slack, at POST /slack/actions."`
}

// slackClicksConfig is who may answer in Slack.
type slackClicksConfig struct {
	SecretEnv  string            `yaml:"signing_secret_env,omitempty" json:"signing_secret_env,omitempty" jsonschema_description:"Environment variable with the signing secret of the Slack app."`
	SecretFile string            `yaml:"signing_secret_file,omitempty" json:"signing_secret_file,omitempty" jsonschema_description:"File with the signing secret of the Slack app."`
	Workspaces []string          `yaml:"workspaces,omitempty" json:"workspaces,omitempty" jsonschema_description:"IDs of the Slack workspaces whose users may answer, such as T012AB3CD."`
	Users      map[string]string `yaml:"users,omitempty" json:"users,omitempty" jsonschema_description:"Who a Slack user is: ID of the user, such as U012AB3CD, and the ARN of their role or user in AWS. Nobody else can answer."`
	Responses  string            `yaml:"response_base,omitempty" json:"response_base,omitempty" jsonschema_description:"Where answers may be posted to, beside https://hooks.slack.com/."`
}

func (c slackClicksConfig) on() bool { return c.SecretEnv != "" || c.SecretFile != "" }

var (
	slackUserID      = regexp.MustCompile(`^[UW][A-Z0-9]{5,20}$`)
	slackWorkspaceID = regexp.MustCompile(`^T[A-Z0-9]{5,20}$`)
)

// validateNotify returns what is wrong with notify and listen.
func (c fileConfig) validateNotify() (errs []error) {
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if joined, ok := c.Notify.Validate().(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			errs = append(errs, fmt.Errorf("notify.%w", err))
		}
	}
	for i, r := range c.Notify.Routes {
		if r.Control != "" && !matchesControl(r.Control) {
			bad(fmt.Sprintf("notify.routes[%d].control", i), "%q matches no control", r.Control)
		}
	}
	l := c.Listen
	host, _, err := net.SplitHostPort(l.Address)
	switch ip := net.ParseIP(host); {
	case l.Address == "" && (l.Cert != "" || l.Key != "" || l.TokenEnv != "" || l.TokenFile != "" || l.Slack.on()):
		bad("listen", "has no address, so that nothing listens: write one such as 127.0.0.1:8088")
	case l.Address != "" && err != nil:
		bad("listen.address", "%q is not host:port such as 127.0.0.1:8088", l.Address)
	case (l.Cert == "") != (l.Key == ""):
		bad("listen.tls_cert", "tls_cert and tls_key belong together")
	case l.Address != "" && l.Cert == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()):
		bad("listen.address", "%q can be reached from other machines without TLS: write tls_cert and tls_key, or 127.0.0.1 behind a proxy that has TLS", l.Address)
	}
	if l.TokenEnv != "" && l.TokenFile != "" {
		bad("listen.metrics_token_file", "metrics_token_env is set too: write one of them")
	}
	for _, f := range []struct{ name, text string }{{"metrics_token_env", l.TokenEnv}, {"metrics_token_file", l.TokenFile}} {
		if hexSecret.MatchString(f.text) || sink.Secretive(f.text) {
			bad("listen."+f.name, "a secret is written here: put it into an environment variable or a file, and name that")
		}
	}
	s := l.Slack
	if s.SecretEnv != "" && s.SecretFile != "" {
		bad("listen.slack.signing_secret_file", "signing_secret_env is set too: write one of them")
	}
	for _, f := range []struct{ name, text string }{{"signing_secret_env", s.SecretEnv}, {"signing_secret_file", s.SecretFile}} {
		if hexSecret.MatchString(f.text) || sink.Secretive(f.text) {
			bad("listen.slack."+f.name, "a secret is written here: put it into an environment variable or a file, and name that")
		}
	}
	if len(s.Users) > 0 && !s.on() {
		bad("listen.slack", "names users and no signing secret, so that nobody can answer: write signing_secret_env or signing_secret_file")
	}
	if s.on() && len(s.Users) == 0 {
		bad("listen.slack", "names no users, so that nobody can answer: write users")
	}
	if s.on() && len(s.Workspaces) == 0 {
		bad("listen.slack", "names no workspaces, so that nobody can answer: write workspaces, such as [T012AB3CD]")
	}
	for _, id := range s.Workspaces {
		if !slackWorkspaceID.MatchString(id) {
			bad("listen.slack.workspaces", "%q is not the ID of a Slack workspace such as T012AB3CD", id)
		}
	}
	for user, arn := range s.Users {
		a, err := dera.ParseARN(arn)
		if !slackUserID.MatchString(user) {
			bad("listen.slack.users", "%q is not the ID of a Slack user such as U012AB3CD", user)
		}
		switch {
		case err == nil && strings.HasPrefix(a.Name(), "AWSReservedSSO_"): // a session has another name
			bad("listen.slack.users", "%s: name the session of the person, …:assumed-role/%s/NAME, since everybody with that permission set has the role", user, a.Name())
		case err != nil || !evaluate.IsPerson(arn):
			bad("listen.slack.users", "%s: %q is not the ARN of a user, a role or a session of one", user, arn)
		}
	}
	return errs
}

var hexSecret = regexp.MustCompile(`\b[0-9a-f]{32,}\b`)

// hasSecret reports whether a line of a configuration holds what looks like a secret.
func hasSecret(line string) bool { return sink.Secretive(line) || hexSecret.MatchString(line) }

// secretOf reads a secret from where the configuration says.
func secretOf(env, file string) (string, error) {
	text := ""
	switch {
	case env != "":
		if text = os.Getenv(env); strings.TrimSpace(text) == "" {
			return "", fmt.Errorf("the environment variable %s is not set", env)
		}
	default:
		const most = 64 << 10
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read the secret: %w", err)
		}
		if text = string(b); strings.TrimSpace(text) == "" || len(text) > most {
			return "", fmt.Errorf("the file %s is empty, or too long for a secret", file)
		}
	}
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "\r\n\x00") {
		return "", errors.New("the secret has several lines")
	}
	return text, nil
}
