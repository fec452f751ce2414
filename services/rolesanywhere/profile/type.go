// Package profile is profiles of IAM Roles Anywhere: the roles that holders of certificates
// get credentials of.
package profile

import (
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/rolesanywhere"
)

// Kind is profiles.
func Kind() rolesanywhere.Kind {
	return rolesanywhere.Kind{
		Type: "AWS::RolesAnywhere::Profile", Noun: "Profile", Member: "profile", Slug: "profile", Says: "profile",
		Denies: "the profile is disabled, so that nobody gets credentials by it",
		Note:   "Credentials that were given stay valid until they expire, after at most 12 hours. The profile and its roles stay.",
	}
}

// Type is profiles.
func Type() resource.Type { return Kind().Define() }

// Controls are the controls on profiles.
func Controls() []control.Control { return []control.Control{Enabled()} }

// Enabled finds profiles that are enabled.
func Enabled() control.Control {
	return Kind().Enabled(control.Meta{
		ID: "rolesanywhere-profile-enabled", Title: "Profile gives holders of certificates credentials of roles",
		Why: "With a trust anchor, whoever holds a certificate gets credentials of the profile's roles from anywhere, for as long as the profile is enabled. " +
			"Attackers make one to stay.",
		Fix: "The profile is disabled; where it is needed, it goes on the exemption list.",
	})
}
