package s3

import "strings"

// Grant is one grant of an ACL.
type Grant struct {
	// ID is a canonical user ID, or URI that of a predefined group.
	ID         string `json:"id,omitempty"`
	URI        string `json:"uri,omitempty"`
	Permission string `json:"permission"` // READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL
}

// Predefined groups of ACLs that stand for external principals (S3 user guide, "Access
// control list (ACL) overview").
const (
	AllUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	AuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// Public reports whether the grant allows public access: anybody, or anybody who
// has an AWS account.
func (g Grant) Public() bool { return g.URI == AllUsers || g.URI == AuthenticatedUsers }

// Writes reports whether the grant lets more than read.
func (g Grant) Writes() bool { return g.Permission != "READ" && g.Permission != "READ_ACP" }

// Line is the grant in one line.
func (g Grant) Line() string {
	who := g.ID
	switch g.URI {
	case "":
	case AllUsers:
		who = "AllUsers (anybody)"
	case AuthenticatedUsers:
		who = "AuthenticatedUsers (anyone with an AWS account)"
	default:
		who = g.URI[strings.LastIndexByte(g.URI, '/')+1:]
	}
	return "grant " + g.Permission + " to " + who
}
