// Package dera holds the words of a closed-loop cloud security remediation
// engine as types, one file a subject. The packages of the loop (detect, evaluate,
// remediate, audit) speak to each other in these words and in no others;
// docs/glossary.md gives each its meaning. Beside the standard library it imports
// jsontext, behind CanonicalJSON.
package dera
