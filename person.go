package dera

import (
	"net/url"
	"strings"
)

// Person is who an identity provider (OpenID Connect) says that somebody is. The issuer and the subject tell
// them from everybody else; the name is for people, and may be empty.
type Person struct{ Issuer, Subject, Name string }

// String is the person as the name of an Actor: what the provider chose is escaped, so that ParsePerson
// reads the same person, and no other, from it.
func (p Person) String() string {
	return p.Issuer + "|" + url.PathEscape(p.Subject) + "|" + url.PathEscape(p.Name)
}

// ParsePerson reads the name of an Actor whose identity OpenID Connect established; ok is false for every
// other name, as an ARN is.
func ParsePerson(name string) (p Person, ok bool) {
	parts := strings.Split(name, "|")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return Person{}, false
	}
	subject, err := url.PathUnescape(parts[1])
	text, err2 := url.PathUnescape(parts[2])
	return Person{parts[0], subject, text}, err == nil && err2 == nil
}
