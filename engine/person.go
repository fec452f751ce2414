package engine

import (
	"strings"

	"dera.example/dera"
)

// HowOIDC is how the identity of a person is established who signed in to the console: by an ID token of the
// identity provider that the configuration names.
const HowOIDC = "oidc"

// relation is what is known of two names: whether they stand for one person.
type relation int

const (
	unknown relation = iota
	same
	different
)

// related compares two names of people. Names of AWS are compared as whose has them; IAM Identity Center names the
// sessions of one person alike, whatever the account and permission set. Between a person of an identity provider
// and AWS an equal name is the same person; another one tells something only of sessions of Identity Center, and
// only where the configuration says that the provider's names are those of Identity Center.
func (e *Engine) related(a, b string) relation {
	p, oidc := dera.ParsePerson(a)
	q, other := dera.ParsePerson(b)
	switch {
	case oidc && other:
		if p.Issuer == q.Issuer && p.Subject == q.Subject || p.Name != "" && strings.EqualFold(p.Name, q.Name) {
			return same
		}
		if p.Issuer != q.Issuer {
			return unknown
		}
		return different
	case oidc:
		return e.inAWS(p, b)
	case other:
		return e.inAWS(q, a)
	case whose(a) == whose(b), centerName(a) != "" && strings.EqualFold(centerName(a), centerName(b)):
		return same
	}
	return different
}

// inAWS compares a person of an identity provider with a name of AWS.
func (e *Engine) inAWS(p dera.Person, arn string) relation {
	a := dera.ARN(arn)
	kind, rest, _ := strings.Cut(a.Resource(), "/")
	named := rest[strings.LastIndexByte(rest, '/')+1:] // of a session or a user
	switch {
	case p.Name == "":
		return unknown
	case (kind == "assumed-role" || kind == "user" || kind == "federated-user") && strings.EqualFold(named, p.Name):
		return same
	case e.cfg.CenterNames && centerName(arn) != "":
		return different
	}
	return unknown
}

// centerName is the user name in IAM Identity Center of whom a session is, or "" for another name.
func centerName(arn string) string {
	kind, rest, _ := strings.Cut(dera.ARN(arn).Resource(), "/")
	role, session, ok := strings.Cut(rest, "/")
	if kind != "assumed-role" || !ok || !strings.HasPrefix(role, "AWSReservedSSO_") {
		return ""
	}
	return session
}

// anotherPerson returns an error unless whoever approves an access is known to be another person than who asked
// for it and who gets it.
func (e *Engine) anotherPerson(a dera.Access, approver string) error {
	switch e.related(approver, a.By.Name) {
	case same:
		return refused("%s asked for it (as %s), so that another person has to grant it", whose(approver), a.By.Name)
	case unknown:
		return refused("it is not known whether %s is %s, who asked for it: AWS and the identity provider name people in their own ways (console.oidc.identity_center_names); grant it with credentials of AWS", whose(approver), a.By.Name)
	case different:
	}
	_, oidc := dera.ParsePerson(approver)
	switch e.related(approver, string(a.Principal)) {
	case same:
		return refused("%s is who gets it, so that another person has to grant it", whose(approver))
	case unknown:
		if oidc && strings.HasPrefix(a.Principal.Resource(), "user/") {
			return refused("it is not known whether %s is the user %s, who gets it: grant it with credentials of AWS", approver, a.Principal)
		}
	case different:
	}
	return nil
}
