package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"dera.example/dera/console"
)

// Config is an identity provider, and what its groups may do.
type Config struct {
	// Issuer is the provider, exactly as its tokens name it.
	Issuer string
	// ClientID and Secret are those of dera there; a public client has no secret.
	ClientID, Secret string
	// Scopes are asked for beside openid.
	Scopes []string
	// GroupsClaim is the claim of the ID token with the groups; "" is groups. NameClaim is the one with the
	// name for people; "" is email.
	GroupsClaim, NameClaim string
	// Viewers, Approvers and Admins are the groups that give a role; the highest one counts.
	Viewers, Approvers, Admins []string
	// How is what is recorded of how an identity was established.
	How string
	// Transport sends the requests; nil is that of net/http.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Provider is an identity provider. It is asked for its endpoints and keys when the first person signs in, so
// that dera starts while it does not answer.
type Provider struct {
	cfg    Config
	client *http.Client
	known  chan *endpoints // holds what is known of the provider, nil for nothing; whoever has taken it may renew it
}

var _ console.SignIn = (*Provider)(nil)

// endpoints is what a provider says of itself, and its keys.
type endpoints struct {
	oauth2.Endpoint
	verifier *oidc.IDTokenVerifier
	names    bool // it names itself in its answers (RFC 9207)
	at       time.Time
}

// The bounds of what a provider may take and send, and how long what it says of itself counts.
const (
	answerIn   = 8 * time.Second // all of an answer to a person takes 15 s at most
	mostAnswer = 1 << 20
	mostToken  = 64 << 10
	knownFor   = time.Hour
	skew       = time.Minute
)

// algorithms are those with a key that only the provider has: neither "none", nor one whose key is the secret
// of the client.
var algorithms = [...]string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// New returns a provider. It sends nothing.
func New(cfg Config) (*Provider, error) {
	if cfg.Issuer == "" || cfg.ClientID == "" || cfg.How == "" || cfg.Now == nil {
		return nil, errors.New("oidc: issuer, client ID, how and clock are required")
	}
	cfg.GroupsClaim, cfg.NameClaim = cmp.Or(cfg.GroupsClaim, "groups"), cmp.Or(cfg.NameClaim, "email")
	p := &Provider{cfg: cfg, known: make(chan *endpoints, 1), client: &http.Client{
		Transport: bounded{cfg.Transport}, Timeout: answerIn,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a secret reaches nobody else
	}}
	p.known <- nil
	return p, nil
}

// endpoints asks the provider for what it says of itself, unless that is known since a short time.
func (p *Provider) endpoints(ctx context.Context) (*endpoints, error) {
	var e *endpoints
	select {
	case e = <-p.known:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { p.known <- e }()
	if e != nil && p.cfg.Now().Sub(e.at) < knownFor {
		return e, nil
	}
	found, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask the identity provider for its endpoints: %w", brief(err))
	}
	var says struct {
		JWKS    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
		Names   bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, fmt.Errorf("read what the identity provider says of itself: %w", brief(err))
	}
	next := &endpoints{Endpoint: found.Endpoint(), names: says.Names, at: p.cfg.Now()}
	for _, address := range []string{next.AuthURL, next.TokenURL, says.JWKS} {
		if err := Safe(address); err != nil {
			return nil, fmt.Errorf("an endpoint of the identity provider: %w", err)
		}
	}
	next.AuthStyle = oauth2.AuthStyleInHeader
	if p.cfg.Secret == "" || len(says.Methods) > 0 && !slices.Contains(says.Methods, "client_secret_basic") {
		next.AuthStyle = oauth2.AuthStyleInParams
	}
	next.verifier = found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, SupportedSigningAlgs: algorithms[:], Now: func() time.Time { return p.cfg.Now().Add(-skew) }})
	e = next
	return e, nil
}

// Safe refuses an address at which others could read or change what is sent: one without TLS, but on this
// machine.
func Safe(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("%.200q is not an address such as https://login.example.com", address)
	case u.Scheme == "https", u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()):
		return nil
	}
	return fmt.Errorf("%.200q has no TLS: write https://", address)
}

// bounded refuses answers that are longer than an identity provider has anything to say.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	res, err := next.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, mostAnswer)
	}
	return res, err
}

// brief is an error without what a provider answered at length.
func brief(err error) error {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) { // its body can repeat what was sent
		return fmt.Errorf("the token endpoint answered %s %.60q", answer.Response.Status, answer.ErrorCode)
	}
	if text := err.Error(); len(text) > 300 {
		return errors.New(strings.ToValidUTF8(text[:300], "") + " …")
	}
	return err
}
