// Package policy reads, checks, prints and edits IAM policy documents.
//
// A Document keeps the text that it was read from. Printing gives that text
// back byte for byte, and an edit changes only the bytes that it must, so that
// a person who reads the diff of a remediation sees the remediation and
// nothing else.
//
// Reading and checking are two steps, because AWS is more lenient when it
// stores a document than its documentation is: Parse accepts every document
// that AWS may hand back, Validate says what AWS would answer to a write of
// the document as a policy of a given Kind.
//
// The package depends on the standard library only, keeps no state, and its
// values may be used by several goroutines as long as nobody changes them.
package policy

// Versions of the policy language. A document without a version has the older
// one, in which "${...}" is plain text.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// Document is one policy document. Take one from Parse, or build one as a
// literal. The fields of a parsed document are a view of its text: changing
// them changes what Canon and an evaluator see, never what Text prints.
type Document struct {
	Version    string // "" when the document has none
	ID         string
	Statements []Statement

	text string // "" for a document built as a literal
	root *node
}

// Variables reports whether "${...}" in this document is a policy variable.
func (d *Document) Variables() bool { return d.Version == Version2012 }

// Statement is one permission or prohibition. A nil list means that the
// element is absent, an empty one that it is present and empty.
type Statement struct {
	Sid           string
	Effect        Effect
	Principals    *Principals
	NotPrincipals *Principals
	Actions       []string
	NotActions    []string
	Resources     []string
	NotResources  []string
	Conditions    []Condition // all of them must hold

	node *node
}

// Span tells where the statement stands in the text of its document. It is
// zero for a statement that was not parsed.
func (s *Statement) Span() Span {
	if s.node == nil {
		return Span{}
	}
	return Span{Start: s.node.start, End: s.node.end}
}

// Span is a half-open range of byte offsets.
type Span struct{ Start, End int }

// Effect says what a statement does to the requests that it matches.
type Effect uint8

// The effects. The zero value is none of them, so that a statement whose
// effect was forgotten grants nothing.
const (
	NoEffect Effect = iota
	Allow
	Deny
)

// String gives the effect as a policy writes it, or "" for NoEffect.
func (e Effect) String() string {
	switch e {
	case Allow:
		return "Allow"
	case Deny:
		return "Deny"
	case NoEffect:
	}
	return ""
}

// Principals is the value of a Principal or NotPrincipal element.
type Principals struct {
	Any    bool // written as a bare "*"
	Groups []PrincipalGroup
}

// PrincipalGroup is the list of principals of one kind, in source order.
type PrincipalGroup struct {
	Kind   string // one of PrincipalAWS, PrincipalService, ...
	Values []string
}

// The kinds of principal that a policy can name.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
const (
	PrincipalAWS       = "AWS"
	PrincipalService   = "Service"
	PrincipalFederated = "Federated"
	PrincipalCanonical = "CanonicalUser"
)

// Everyone reports whether the principals include everybody, anonymous callers
// too: "*" and {"AWS": "*"} mean the same.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
func (p *Principals) Everyone() bool {
	if p == nil {
		return false
	}
	if p.Any {
		return true
	}
	for _, g := range p.Groups {
		if g.Kind != PrincipalAWS {
			continue
		}
		for _, v := range g.Values {
			if v == "*" {
				return true
			}
		}
	}
	return false
}

// Condition is one line of a Condition element: the values of one key under
// one operator, of which one must match (or none, for a negated operator).
type Condition struct {
	Operator string // as written, e.g. "ForAnyValue:StringLikeIfExists"
	Key      string
	Values   []string // booleans and numbers in their JSON spelling
}
