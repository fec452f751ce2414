// Package services lists every resource type, control and kind of evidence that
// dera has.
package services

import (
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Types returns all resource types.
func Types() resource.Registry { return resource.NewRegistry(resource.Kinds()...) }

// EvidenceKinds returns all kinds of evidence.
func EvidenceKinds() []control.EvidenceKind {
	return []control.EvidenceKind{control.NetworkEvidence(), control.AccessEvidence()}
}
