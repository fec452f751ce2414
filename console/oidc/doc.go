// Package oidc signs people in to the console by OpenID Connect (Core 1.0): the authorization code flow with
// PKCE. It says who somebody is and which role their groups give them; package console holds the session.
// It alone knows the libraries of OpenID Connect and OAuth 2.0.
//
// Values of this package are safe for use by several goroutines at once.
package oidc
