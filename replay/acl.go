package replay

import (
	"strings"

	"dera.example/dera/services/s3"
	s3bucket "dera.example/dera/services/s3/bucket"
)

// putACL takes an ACL in every form that events have it in: as a document, as a
// canned one, or as grants in headers.
func (b *bucket) putACL(c call) error {
	grants, ok := documentGrants(c.request)
	if !ok {
		grants, ok = headerGrants(c.request)
	}
	b.config.Grants = grants
	b.tell(s3bucket.PartACL, ok)
	if !ok {
		return c.lost("it does not tell the ACL")
	}
	return nil
}

func documentGrants(request tree) ([]s3.Grant, bool) {
	doc := request.object("AccessControlPolicy")
	if doc == nil {
		return nil, false
	}
	var out []s3.Grant
	for _, g := range doc.object("AccessControlList").list("Grant") {
		grantee := g.object("Grantee")
		out = append(out, s3.Grant{ID: grantee.text("ID"), URI: grantee.text("URI"), Permission: g.text("Permission")})
	}
	return out, true
}

// headerGrants reads canned ACLs and x-amz-grant-… headers, at the top or under
// accessControlList.
func headerGrants(request tree) (grants []s3.Grant, ok bool) {
	for _, t := range []tree{request, request.object("accessControlList")} {
		switch canned := t.text("x-amz-acl"); canned {
		case "":
		case "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read",
			"bucket-owner-full-control", "log-delivery-write":
			ok = true
			for _, permission := range map[string][]string{"public-read": {"READ"}, "public-read-write": {"READ", "WRITE"}}[canned] {
				grants = append(grants, s3.Grant{URI: s3.AllUsers, Permission: permission})
			}
			if canned == "authenticated-read" {
				grants = append(grants, s3.Grant{URI: s3.AuthenticatedUsers, Permission: "READ"})
			}
		default:
			return nil, false
		}
		for _, permission := range []string{"READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"} {
			header := t.text("x-amz-grant-" + strings.ToLower(strings.ReplaceAll(permission, "_", "-")))
			for who := range strings.SplitSeq(header, ",") {
				kind, value, named := strings.Cut(strings.TrimSpace(who), "=")
				if !named {
					continue
				}
				ok = true
				g := s3.Grant{Permission: permission}
				if value = strings.Trim(value, `"`); kind == "uri" {
					g.URI = value
				} else {
					g.ID = value // a canonical user, or an e-mail address that S3 turns into one
				}
				grants = append(grants, g)
			}
		}
	}
	return grants, ok
}
