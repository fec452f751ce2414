// Package services lists every resource type, control and kind of evidence that
// dera has.
package services

import (
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
)

// Types returns all resource types.
func Types() resource.Registry {
	return resource.NewRegistry(securitygroup.Type(), bucket.Type(), account.Type(), role.Type())
}

// EvidenceKinds returns all kinds of evidence.
func EvidenceKinds() []evidence.Kind {
	return []evidence.Kind{evidence.NetworkEvidence(), evidence.SettingsEvidence(), s3.AccessEvidence()}
}
