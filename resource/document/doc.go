// Package document is about policies that are attached to resources: which of their
// elements grant public or external access, how just these are taken out, and what
// the rest still grants. It knows no resource type.
package document
