package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"dera.example/dera"
	"dera.example/dera/console"
)

// Begin implements console.SignIn.
func (p *Provider) Begin(ctx context.Context, a console.Attempt) (string, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), answerIn)
	defer cancel()
	e, err := p.endpoints(ctx)
	if err != nil {
		return "", err
	}
	return p.oauth(e, a).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

func (p *Provider) oauth(e *endpoints, a console.Attempt) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID}
	for _, s := range p.cfg.Scopes {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: p.cfg.Secret, Endpoint: e.Endpoint, RedirectURL: a.Return, Scopes: scopes}
}

// Finish implements console.SignIn.
func (p *Provider) Finish(ctx context.Context, a console.Attempt, q url.Values) (console.Person, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), answerIn)
	defer cancel()
	e, err := p.endpoints(ctx)
	if err != nil {
		return console.Person{}, err
	}
	if iss := q.Get("iss"); iss != p.cfg.Issuer && (iss != "" || e.names) { // an answer of another provider (RFC 9207)
		return console.Person{}, refused("The answer is not one of %s.", p.cfg.Issuer)
	}
	if code := q.Get("error"); code != "" {
		return console.Person{}, refused("The identity provider answered %.60q.", code)
	}
	raw, err := p.exchange(ctx, e, a, q.Get("code"))
	if err != nil {
		return console.Person{}, err
	}
	if len(raw) > mostToken || strings.Count(raw, ".") != 2 {
		return console.Person{}, refused("The ID token is longer than 64 KiB, or none.")
	}
	token, err := e.verifier.Verify(ctx, raw)
	if err != nil {
		return console.Person{}, refusedFor(fmt.Errorf("verify the ID token: %w", brief(err)), "The ID token is not one that counts here.")
	}
	return p.person(a, token)
}

// exchange gets the ID token for a code.
func (p *Provider) exchange(ctx context.Context, e *endpoints, a console.Attempt, code string) (string, error) {
	if code == "" {
		return "", refused("The identity provider sent no code.")
	}
	tokens, err := p.oauth(e, a).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &answer) && answer.Response.StatusCode < 500:
		return "", refusedFor(brief(err), "The identity provider does not take the code: it was used, is too old, or dera is not set up there as the configuration says.")
	case err != nil:
		return "", fmt.Errorf("exchange the code: %w", brief(err))
	}
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return "", refused("The identity provider sent no ID token.")
	}
	return raw, nil
}

// person is who a verified token names, with the role of their groups.
func (p *Provider) person(a console.Attempt, token *oidc.IDToken) (console.Person, error) {
	var claims map[string]json.RawMessage
	if err := token.Claims(&claims); err != nil {
		return console.Person{}, refused("The claims of the ID token cannot be read.")
	}
	var azp string
	if text, ok := claims["azp"]; ok && json.Unmarshal(text, &azp) != nil {
		return console.Person{}, refused("The claim azp of the ID token is no text.")
	}
	switch now := p.cfg.Now(); {
	case a.Nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(a.Nonce)) != 1:
		return console.Person{}, refused("The ID token is the answer to another sign-in (nonce).")
	case azp != "" && azp != p.cfg.ClientID, azp == "" && len(token.Audience) > 1:
		return console.Person{}, refused("The ID token was issued to another client (azp).")
	case token.IssuedAt.After(now.Add(skew)):
		return console.Person{}, refused("The ID token comes from the future (iat): a clock is wrong.")
	case token.Subject == "" || len(token.Subject) > 255:
		return console.Person{}, refused("The ID token names nobody (sub).")
	}
	role, err := p.role(claims)
	if err != nil {
		return console.Person{}, err
	}
	who := dera.Person{Issuer: p.cfg.Issuer, Subject: token.Subject, Name: p.name(claims)}
	return console.Person{Actor: dera.Actor{Name: who.String(), How: p.cfg.How}, Role: role}, nil
}

// name is that for people, or "" where there is none, or an e-mail address that the provider did not verify.
func (p *Provider) name(claims map[string]json.RawMessage) string {
	var name string
	if err := json.Unmarshal(claims[p.cfg.NameClaim], &name); err != nil || len(name) > 255 {
		return ""
	}
	if text, ok := claims["email_verified"]; ok && p.cfg.NameClaim == "email" && string(text) != "true" && string(text) != `"true"` {
		return ""
	}
	return strings.TrimSpace(name)
}

// role is the highest one that the groups give.
func (p *Provider) role(claims map[string]json.RawMessage) (console.Role, error) {
	groups, err := p.groups(claims)
	if err != nil {
		return 0, err
	}
	for _, of := range []struct {
		role   console.Role
		groups []string
	}{{console.Admin, p.cfg.Admins}, {console.Approver, p.cfg.Approvers}, {console.Viewer, p.cfg.Viewers}} {
		if slices.ContainsFunc(groups, func(g string) bool { return g != "" && slices.Contains(of.groups, g) }) {
			return of.role, nil
		}
	}
	return 0, refused("None of the %d groups in the claim %q of the ID token has a role here (console.oidc.viewers, approvers, admins).", len(groups), p.cfg.GroupsClaim)
}

// groups are those of the claim; a text is one group, whatever it holds.
func (p *Provider) groups(claims map[string]json.RawMessage) ([]string, error) {
	text, ok := claims[p.cfg.GroupsClaim]
	if !ok {
		var elsewhere map[string]string
		if json.Unmarshal(claims["_claim_names"], &elsewhere) == nil && elsewhere[p.cfg.GroupsClaim] != "" {
			return nil, refused("The groups are more than fit into the ID token (_claim_names has %q): let the identity provider send only those that are used here.", p.cfg.GroupsClaim)
		}
		return nil, refused("The ID token has no claim %q (console.oidc.groups_claim) with groups.", p.cfg.GroupsClaim)
	}
	var list []string
	if json.Unmarshal(text, &list) == nil {
		return list, nil
	}
	var one string
	if json.Unmarshal(text, &one) == nil {
		return []string{one}, nil
	}
	return nil, refused("The claim %q of the ID token is no list of groups.", p.cfg.GroupsClaim)
}

// refused is why a person does not enter, in words for them.
func refused(format string, args ...any) error {
	return &console.Refused{Why: fmt.Sprintf(format, args...)}
}

// refusedFor also says the reason to whoever reads the log.
func refusedFor(reason error, why string) error {
	return fmt.Errorf("%w (%w)", &console.Refused{Why: why}, reason)
}
