// Package trustanchor is trust anchors of IAM Roles Anywhere: the certificate authorities
// whose certificates are taken for a proof of who somebody is.
package trustanchor

import (
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/rolesanywhere"
)

// Kind is trust anchors.
func Kind() rolesanywhere.Kind {
	return rolesanywhere.Kind{
		Type: "AWS::RolesAnywhere::TrustAnchor", Noun: "TrustAnchor", Member: "trustAnchor", Slug: "trust-anchor", Says: "trust anchor",
		Denies: "the trust anchor is disabled, so that its certificates get no credentials",
		Note:   "Credentials that were given stay valid until they expire, after at most 12 hours. The anchor and its certificate stay.",
	}
}

// Type is trust anchors.
func Type() resource.Type { return Kind().Define() }

// Controls are the controls on trust anchors.
func Controls() []control.Control { return []control.Control{Enabled()} }

// Enabled finds trust anchors that are enabled.
func Enabled() control.Control {
	return Kind().Enabled(control.Meta{
		ID: "rolesanywhere-trustanchor-enabled", Title: "Trust anchor lets holders of certificates get credentials",
		Why: "Whoever holds a certificate of that authority can get credentials of roles from anywhere, without a user, a key or a password that somebody could take away. " +
			"Attackers make one to stay.",
		Fix: "The trust anchor is disabled; where it is needed, it goes on the exemption list.",
	})
}
