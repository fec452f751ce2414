package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dera.example/dera/console/oidc"
	"dera.example/dera/engine"
	"dera.example/dera/sink"
)

// consoleConfig is how people reach the console and sign in.
type consoleConfig struct {
	URL  string     `yaml:"url,omitempty" json:"url,omitempty" jsonschema_description:"Public address under which browsers reach it, https://NAME or https://NAME:PORT. Required where dera run --console listens on an address that other machines reach. Default: none, this machine alone."`
	Cert string     `yaml:"tls_cert,omitempty" json:"tls_cert,omitempty" jsonschema_description:"File with the certificate for url, PEM. Default: none, a proxy before it ends TLS."`
	Key  string     `yaml:"tls_key,omitempty" json:"tls_key,omitempty" jsonschema_description:"File with its key, PEM."`
	OIDC oidcConfig `yaml:"oidc,omitempty" json:"oidc,omitempty" jsonschema_description:"Identity provider at which people sign in. Default: none, links alone."`
}

// oidcConfig is an identity provider, and what its groups may do.
type oidcConfig struct {
	Issuer      string   `yaml:"issuer,omitempty" json:"issuer,omitempty" jsonschema_description:"Issuer, https://, exactly as its tokens name it."`
	ClientID    string   `yaml:"client_id,omitempty" json:"client_id,omitempty" jsonschema_description:"Client ID of dera there; its redirect URI is url with /signed-in."`
	SecretEnv   string   `yaml:"client_secret_env,omitempty" json:"client_secret_env,omitempty" jsonschema_description:"Environment variable with the client secret. Default: none, a public client; PKCE protects the code in either case."`
	SecretFile  string   `yaml:"client_secret_file,omitempty" json:"client_secret_file,omitempty" jsonschema_description:"File with the client secret."`
	Scopes      []string `yaml:"scopes,omitempty" json:"scopes,omitempty" jsonschema_description:"Scopes beside openid. Default: email, profile."`
	GroupsClaim string   `yaml:"groups_claim,omitempty" json:"groups_claim,omitempty" jsonschema_description:"Claim of the ID token with the groups, at its top level. Default: groups."`
	NameClaim   string   `yaml:"name_claim,omitempty" json:"name_claim,omitempty" jsonschema_description:"Claim of the ID token with the name for people, which is recorded. Default: email."`
	CenterNames bool     `yaml:"identity_center_names,omitempty" json:"identity_center_names,omitempty" jsonschema_description:"The names of name_claim are the user names in AWS IAM Identity Center, so that two names are two people where four eyes are required. Default: false."`
	Viewers     []string `yaml:"viewers,omitempty" json:"viewers,omitempty" jsonschema_description:"Groups that look."`
	Approvers   []string `yaml:"approvers,omitempty" json:"approvers,omitempty" jsonschema_description:"Groups that also approve, reject and stop."`
	Admins      []string `yaml:"admins,omitempty" json:"admins,omitempty" jsonschema_description:"Groups that also roll back and resume."`
	Session     duration `yaml:"session,omitempty" json:"session,omitempty" jsonschema:"type=string" jsonschema_description:"How long a session lasts, from 5m to 12h; a role that is taken away holds that long. Default: 1h."`
}

func (c oidcConfig) on() bool { return c.Issuer != "" }

// sessionDefault is how long a session of an identity provider lasts.
const sessionDefault = time.Hour

// validate returns what is wrong with it.
func (c consoleConfig) validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Host != strings.ToLower(u.Host) || c.URL != "https://"+u.Host || u.Port() == "443") {
		bad("console.url", "%.200q is not an address such as https://dera.example.com, in small letters and with nothing after the name and port", c.URL)
	}
	switch {
	case c.URL != "" && !c.OIDC.on():
		bad("console.url", "other machines reach it, and nobody can sign in: write console.oidc")
	case (c.Cert == "") != (c.Key == ""):
		bad("console.tls_cert", "tls_cert and tls_key belong together")
	case c.Cert != "" && c.URL == "":
		bad("console.url", "is missing: write the name that the certificate is for, such as https://dera.example.com")
	}
	o := c.OIDC
	if !o.on() {
		if o.ClientID != "" || len(o.Viewers)+len(o.Approvers)+len(o.Admins) > 0 {
			bad("console.oidc.issuer", "is missing: write the issuer of the identity provider, such as https://login.example.com")
		}
		return errors.Join(errs...)
	}
	if err := oidc.Safe(o.Issuer); err != nil {
		bad("console.oidc.issuer", "%v", err)
	}
	if o.ClientID == "" {
		bad("console.oidc.client_id", "is missing")
	}
	if o.SecretEnv != "" && o.SecretFile != "" {
		bad("console.oidc.client_secret_file", "client_secret_env is set too: write one of them")
	}
	for _, f := range []struct{ name, text string }{{"client_secret_env", o.SecretEnv}, {"client_secret_file", o.SecretFile}} {
		if hexSecret.MatchString(f.text) || sink.Secretive(f.text) {
			bad("console.oidc."+f.name, "a secret is written here: put it into an environment variable or a file, and name that")
		}
	}
	if len(o.Viewers)+len(o.Approvers)+len(o.Admins) == 0 {
		bad("console.oidc", "names no groups, so that nobody can enter: write viewers, approvers or admins")
	}
	for _, l := range []struct {
		name   string
		groups []string
	}{{"viewers", o.Viewers}, {"approvers", o.Approvers}, {"admins", o.Admins}} {
		for i, g := range l.groups {
			if strings.TrimSpace(g) != g || g == "" || strings.Contains(g, "*") {
				bad(fmt.Sprintf("console.oidc.%s[%d]", l.name, i), "%q is not the name of one group, as the identity provider writes it", g)
			}
		}
	}
	if d := time.Duration(o.Session); d != 0 && (d < 5*time.Minute || d > 12*time.Hour) {
		bad("console.oidc.session", "is %s, write a duration from 5m to 12h", d)
	}
	return errors.Join(errs...)
}

// provider is the one that the configuration names; how its client secret is read may fail.
func (c oidcConfig) provider(now func() time.Time) (*oidc.Provider, error) {
	secret := ""
	if c.SecretEnv != "" || c.SecretFile != "" {
		var err error
		if secret, err = secretOf(c.SecretEnv, c.SecretFile); err != nil {
			return nil, usage("console.oidc: %w", err)
		}
	}
	scopes := c.Scopes
	if len(scopes) == 0 {
		scopes = []string{"email", "profile"}
	}
	return oidc.New(oidc.Config{
		Issuer: c.Issuer, ClientID: c.ClientID, Secret: secret, Scopes: scopes, GroupsClaim: c.GroupsClaim, NameClaim: c.NameClaim,
		Viewers: c.Viewers, Approvers: c.Approvers, Admins: c.Admins, How: engine.HowOIDC, Transport: http.DefaultTransport, Now: now,
	})
}

// sessionFor is how long a session of the provider lasts.
func (c oidcConfig) sessionFor() time.Duration {
	return cmp.Or(time.Duration(c.Session), sessionDefault)
}

// loopback reports whether an address is one of this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// consoleAddress refuses an address that other machines reach, unless people sign in there by TLS.
func (c consoleConfig) consoleAddress(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return usage("--console is %q, must be host:port such as 127.0.0.1:9480", address)
	}
	switch {
	case loopback(address):
	case !c.OIDC.on():
		return usage("--console is %q, which other machines reach, and nobody can sign in there: write console.oidc and console.url in the configuration, or an address of this machine such as 127.0.0.1:9480, and reach it from elsewhere by a tunnel (ssh -L)", address)
	case c.URL == "":
		return usage("--console is %q, which other machines reach: write console.url in the configuration, the https:// address under which browsers reach it, by a proxy with TLS or with console.tls_cert", address)
	}
	return nil
}
