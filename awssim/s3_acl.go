package awssim

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// Grant is one grant of an ACL. Its grantee is an account by its canonical ID, or a group by its URI.
type Grant struct {
	ID, URI    string
	Permission string // READ, WRITE, READ_ACP, WRITE_ACP or FULL_CONTROL
}

// The groups of AWS.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee
const (
	AllUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	AuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	LogDelivery        = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

// CanonicalID returns the canonical user ID by which ACLs name an account.
func CanonicalID(account string) string {
	sum := sha256.Sum256([]byte("awssim canonical " + account))
	return hex.EncodeToString(sum[:])
}

// isPublicACL reports whether a grant is to everyone or to every user of AWS.
func isPublicACL(grants []Grant) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool { return g.URI == AllUsers || g.URI == AuthenticatedUsers })
}

// onlyOwner reports whether nobody but the owner has a grant.
func onlyOwner(grants []Grant, account string) bool {
	return !slices.ContainsFunc(grants, func(g Grant) bool { return g.ID != CanonicalID(account) })
}

func enforcedACL() *Error {
	return errorf(400, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
}

func blockedACL(k *call) *Error {
	return errorf(403, "AccessDenied", "User: %s is not authorized to perform: %s on resource: \"%s\" because public access control lists (ACLs) are prevented by the BlockPublicAcls setting in S3 Block Public Access.",
		k.Principal, k.action(), bucketARN(k.request.rest.bucket))
}

// canned returns the grants of a canned ACL.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
func canned(name, account string) ([]Grant, error) {
	grants := ownersOwn(account)
	switch name {
	case "", "private", "bucket-owner-full-control", "bucket-owner-read":
		return grants, nil
	case "public-read":
		return append(grants, Grant{URI: AllUsers, Permission: "READ"}), nil
	case "public-read-write":
		return append(grants, Grant{URI: AllUsers, Permission: "READ"}, Grant{URI: AllUsers, Permission: "WRITE"}), nil
	case "authenticated-read":
		return append(grants, Grant{URI: AuthenticatedUsers, Permission: "READ"}), nil
	case "log-delivery-write":
		return append(grants, Grant{URI: LogDelivery, Permission: "WRITE"}, Grant{URI: LogDelivery, Permission: "READ_ACP"}), nil
	}
	return nil, errorf(400, "InvalidArgument", "Argument x-amz-acl has the invalid value %s", name)
}

// headerGrants reads the ACL of the headers: a canned one, or grants of their own, but not both.
func headerGrants(header http.Header, account string) ([]Grant, error) {
	var grants []Grant
	for _, permission := range []string{"FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"} {
		text := header.Get("X-Amz-Grant-" + strings.ReplaceAll(permission, "_", "-"))
		if text == "" {
			continue
		}
		for grantee := range strings.SplitSeq(text, ",") {
			kind, value, _ := strings.Cut(strings.TrimSpace(grantee), "=")
			g, err := checkGrant(Grant{Permission: permission}, kind, strings.Trim(value, `"`))
			if err != nil {
				return nil, err
			}
			grants = append(grants, g)
		}
	}
	name := header.Get("X-Amz-Acl")
	switch {
	case name != "" && len(grants) > 0:
		return nil, errorf(400, "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
	case len(grants) > 0:
		return grants, nil
	}
	return canned(name, account)
}

// checkGrant completes a grant by its grantee. E-mail addresses are refused, as AWS does since October 2025.
func checkGrant(g Grant, kind, value string) (Grant, error) {
	switch {
	case kind == "id" && len(value) == 64:
		g.ID = value
	case kind == "uri" && slices.Contains([]string{AllUsers, AuthenticatedUsers, LogDelivery}, value):
		g.URI = value
	case kind == "id":
		return g, errorf(400, "InvalidArgument", "Invalid id")
	case kind == "uri":
		return g, errorf(400, "InvalidArgument", "Invalid group uri")
	default:
		return g, errorf(400, "InvalidArgument", "Invalid grantee")
	}
	return g, nil
}

// readGrants reads an AccessControlPolicy, whose owner must be the bucket's.
func readGrants(root *element, account string) ([]Grant, error) {
	if err := root.only("Owner", "AccessControlList"); err != nil {
		return nil, err
	}
	if owner := root.first("Owner"); owner == nil || owner.text("ID") != CanonicalID(account) {
		return nil, errorf(403, "AccessDenied", "Access Denied")
	}
	list := root.first("AccessControlList")
	if list == nil || list.only("Grant") != nil {
		return nil, malformedXML()
	}
	grants := []Grant{}
	for _, e := range list.all("Grant") {
		g := Grant{Permission: e.text("Permission")}
		if !slices.Contains([]string{"READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"}, g.Permission) {
			return nil, malformedXML()
		}
		grantee := e.first("Grantee")
		if grantee == nil {
			return nil, malformedXML()
		}
		var err error
		switch grantee.attribute("xsi:type") {
		case "CanonicalUser":
			g, err = checkGrant(g, "id", grantee.text("ID"))
		case "Group":
			g, err = checkGrant(g, "uri", grantee.text("URI"))
		default:
			err = malformedXML()
		}
		if err != nil {
			return nil, err
		}
		grants = append(grants, g)
	}
	return grants, nil
}

func writeOwner(e *encoder, account string) {
	e.begin("Owner")
	e.text("ID", CanonicalID(account))
	e.end("Owner")
}

func getBucketACL(k *call) (any, error) {
	b, err := k.bucket(k.view())
	if err != nil {
		return nil, err
	}
	return s3Document("AccessControlPolicy", func(e *encoder) {
		writeOwner(e, b.account)
		e.begin("AccessControlList")
		for _, g := range b.acl() {
			g.write(e)
		}
		e.end("AccessControlList")
	}), nil
}

// acl is the ACL that a read shows: under an enforced owner the one that holds then, whatever was put before.
func (b *bucket) acl() []Grant {
	if b.ownership == ownerEnforced {
		return ownersOwn(b.account)
	}
	return b.grants
}

// ownersOwn is the ACL of a bucket that is its owner's alone.
func ownersOwn(account string) []Grant {
	return []Grant{{ID: CanonicalID(account), Permission: "FULL_CONTROL"}}
}

func (g Grant) write(e *encoder) {
	e.begin("Grant")
	kind, name, value := "CanonicalUser", "ID", g.ID
	if g.URI != "" {
		kind, name, value = "Group", "URI", g.URI
	}
	e.open("Grantee" + xsiNamespace + ` xsi:type="` + kind + `"`)
	e.text(name, value)
	e.shut("Grantee")
	e.text("Permission", g.Permission)
	e.end("Grant")
}

// putBucketACL replaces the ACL. A bucket whose owner is enforced has none: only one that says the same is taken.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html
func putBucketACL(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	header := k.request.rest.header
	isHeader := slices.ContainsFunc(createBucketActions(k), func(action string) bool { return action == "s3:PutBucketAcl" })
	var grants []Grant
	switch {
	case len(k.request.body) == 0 && !isHeader:
		return nil, errorf(400, "MissingSecurityHeader", "Your request was missing a required header")
	case len(k.request.body) > 0 && isHeader:
		return nil, errorf(400, "UnexpectedContent", "This request does not support content")
	case isHeader:
		if grants, err = headerGrants(header, b.account); err != nil {
			return nil, err
		}
	default:
		root, err := k.body("AccessControlPolicy")
		if err != nil {
			return nil, err
		}
		if grants, err = readGrants(root, b.account); err != nil {
			return nil, err
		}
	}
	full := ownersOwn(b.account)
	switch name := header.Get("X-Amz-Acl"); {
	case b.ownership == ownerEnforced && (!slices.Equal(grants, full) || name != "" && name != "bucket-owner-full-control"):
		return nil, errorf(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	case b.blocks(k).BlockPublicACLs && isPublicACL(grants):
		return nil, blockedACL(k)
	}
	k.change(b, func(b *bucket) { b.grants = grants })
	return emptyOK(), nil
}
