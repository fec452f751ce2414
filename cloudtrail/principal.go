package cloudtrail

import (
	"bytes"
	"fmt"
	"strings"

	"dera.example/dera"
)

// PrincipalKind says what sort of principal a call is attributed to.
type PrincipalKind byte

// The kinds of principals. The numbers are stored: never change one.
const (
	UnknownPrincipal   PrincipalKind = iota
	RootUser                         // the account's root user
	User                             // an IAM user, also with the sessions that it made
	Role                             // an IAM role, with all its sessions
	Federated                        // an identity provider's user before it has a role
	IdentityCenter                   // a user of IAM Identity Center
	Service                          // an AWS service in its own name
	ForeignAccount                   // someone of another account, as far as it is told
	AnonymousPrincipal               // nobody that AWS knows
)

// String names the kind.
func (k PrincipalKind) String() string {
	names := [...]string{"unknown", "root", "user", "role", "federated", "identity-center", "service", "foreign-account", "anonymous"}
	if int(k) >= len(names) {
		return fmt.Sprintf("kind %d", byte(k))
	}
	return names[k]
}

// Principal appends to dst the key of the principal that the permissions of a
// call came from, and returns its kind and its ARN as AWS wrote it. Sessions of a
// role are the role, those of GetSessionToken and GetFederationToken the user. It
// returns false where the record does not say.
//
// The key of a role or user is its ARN without the path: names are unique in an
// account whatever their path, and some records tell no path. See Key.
func (d *Identity) Principal(dst []byte) (key []byte, kind PrincipalKind, arn []byte, ok bool) {
	arn, issuer := Text(d.ARN), Text(d.Issuer)
	switch string(Text(d.Type)) {
	case rootType:
		return account(dst, d, arn)
	case "IAMUser":
		return named(dst, User, arn)
	case "AssumedRole", "Role":
		if len(issuer) > 0 {
			arn = issuer
		}
		return named(dst, Role, arn)
	case "FederatedUser":
		// The session has at most the permissions of the user or root that made it.
		switch {
		case bytes.HasSuffix(issuer, []byte(":root")):
			return account(dst, d, issuer)
		case len(issuer) > 0:
			return named(dst, User, issuer)
		}
		return plain(dst, Federated, arn, arn)
	case "SAMLUser", "WebIdentityUser":
		provider := Text(d.Provider)
		if len(provider) == 0 {
			provider, _, _ = bytes.Cut(Text(d.PrincipalID), []byte(":"))
		}
		return plain(dst, Federated, provider, nil)
	case "IdentityCenterUser":
		user, store := Text(d.BehalfUser), Text(d.BehalfStore)
		if len(user) == 0 || len(store) == 0 {
			return dst, UnknownPrincipal, nil, false
		}
		key, kind, _, ok = plain(dst, IdentityCenter, store, nil)
		return append(append(key, "/user/"...), user...), kind, nil, ok
	case "AWSService":
		return plain(dst, Service, Text(d.InvokedBy), nil)
	case "AWSAccount":
		return foreign(dst, d, arn)
	}
	return rest(dst, d, arn)
}

// rest maps identities without a type: those of old records and of AWS services.
func rest(dst []byte, d *Identity, arn []byte) ([]byte, PrincipalKind, []byte, bool) {
	switch {
	case bytes.Contains(arn, []byte(":assumed-role/")) || bytes.Contains(arn, []byte(":role/")):
		return named(dst, Role, arn)
	case bytes.Contains(arn, []byte(":user/")):
		return named(dst, User, arn)
	case len(arn) > 0:
		return plain(dst, UnknownPrincipal, arn, arn)
	case len(Text(d.InvokedBy)) > 0:
		return plain(dst, Service, Text(d.InvokedBy), nil)
	}
	return plain(dst, UnknownPrincipal, Text(d.PrincipalID), nil)
}

// foreign is someone of another account: the unique ID of the role or user is
// all that AWS tells.
func foreign(dst []byte, d *Identity, arn []byte) ([]byte, PrincipalKind, []byte, bool) {
	if len(arn) > 0 {
		return rest(dst, d, arn)
	}
	owner, id := Text(d.Account), Text(d.PrincipalID)
	if string(owner) == "ANONYMOUS_PRINCIPAL" || string(id) == "ANONYMOUS_PRINCIPAL" {
		return append(dst, "anonymous"...), AnonymousPrincipal, nil, true
	}
	if len(owner) == 0 {
		return dst, UnknownPrincipal, nil, false
	}
	dst = append(append(dst, "account/"...), owner...)
	if id, _, _ = bytes.Cut(id, []byte(":")); len(id) > 0 {
		dst = append(append(dst, '/'), id...)
	}
	return dst, ForeignAccount, nil, true
}

func plain(dst []byte, kind PrincipalKind, key, arn []byte) ([]byte, PrincipalKind, []byte, bool) {
	return append(dst, key...), kind, arn, len(key) > 0
}

// rootType is the type of the identity of a root user.
const rootType = "Root"

// byService reports whether a call of a root user was made by an AWS service in its name,
// such as CloudFormation's on a stack that it made. What the console does for somebody who
// signed in, and what is no name of a service ("AWS Internal"), may be somebody's.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func byService(invokedBy string) bool {
	name, _, found := strings.Cut(invokedBy, ".amazonaws.com")
	return found && name != "signin" && name != "console"
}

// account is the root user. What AWS services call in its name has a key of its own.
func account(dst []byte, d *Identity, arn []byte) ([]byte, PrincipalKind, []byte, bool) {
	key, kind, arn, ok := self(dst, d, arn)
	if ok && string(Text(d.Type)) == rootType && byService(string(Text(d.InvokedBy))) {
		key, arn = append(key, "/by-service"...), nil
	}
	return key, kind, arn, ok
}

func self(dst []byte, d *Identity, arn []byte) ([]byte, PrincipalKind, []byte, bool) {
	if len(arn) == 0 {
		id := Text(d.Account)
		if len(id) == 0 {
			return dst, UnknownPrincipal, nil, false
		}
		return append(dst, dera.NewARN(dera.PartitionOf(string(Text(d.region))).ID, "iam", "", string(id), "root")...), RootUser, nil, true
	}
	return append(dst, arn...), RootUser, arn, true
}

// named makes the key of a role or user from its ARN or that of a session.
func named(dst []byte, kind PrincipalKind, arn []byte) ([]byte, PrincipalKind, []byte, bool) {
	key, ok := appendKey(dst, arn)
	if bytes.Contains(arn, []byte(":sts:")) {
		arn = nil // that of a session
	}
	return key, kind, arn, ok
}

// appendKey appends arn:PARTITION:iam::ACCOUNT:role/NAME for every ARN of a role
// or of its sessions, and likewise for users.
func appendKey(dst, arn []byte) ([]byte, bool) {
	var part [6][]byte
	rest := arn
	for n := range part {
		if n == 5 {
			part[n] = rest
			break
		}
		var found bool
		if part[n], rest, found = bytes.Cut(rest, []byte(":")); !found {
			return dst, false
		}
	}
	what, name, ok := bytes.Cut(part[5], []byte("/"))
	if !ok || len(name) == 0 {
		return dst, false
	}
	switch string(what) {
	case "role", "user":
		name = name[bytes.LastIndexByte(name, '/')+1:]
	case "assumed-role":
		what = what[len("assumed-"):]
		name, _, _ = bytes.Cut(name, []byte("/"))
	default:
		return dst, false
	}
	dst = append(append(append(dst, "arn:"...), part[1]...), ":iam::"...)
	dst = append(append(append(dst, part[4]...), ':'), what...)
	return append(append(dst, '/'), name...), len(name) > 0
}

// Key returns the key that Principal gives a principal that a person names: an
// ARN of a role or user with or without its path, that of a session, or a key.
func Key(text string) string {
	if strings.HasPrefix(text, "arn:") {
		if key, ok := appendKey(nil, []byte(text)); ok {
			return string(key)
		}
	}
	return text
}
