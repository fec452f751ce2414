package bucket

import (
	"strings"

	"dera.example/dera/services/s3"

	"dera.example/dera/cloudtrail"
)

// putACL takes an ACL in every form that events have it in: as a document, as a
// canned one, or as grants in headers.
func (b *bucket) putACL(c cloudtrail.Call) error {
	grants, ok := documentGrants(c.Parameters)
	if !ok {
		grants, ok = headerGrants(c.Parameters)
	}
	b.config.Grants = grants
	b.report(PartACL, ok)
	if !ok {
		return c.Lost("it does not say the ACL")
	}
	return nil
}

func documentGrants(request cloudtrail.Tree) ([]s3.Grant, bool) {
	doc := request.Object("AccessControlPolicy")
	if doc == nil {
		return nil, false
	}
	var out []s3.Grant
	for _, g := range doc.Object("AccessControlList").List("Grant") {
		grantee := g.Object("Grantee")
		out = append(out, s3.Grant{ID: grantee.Value("ID"), URI: grantee.Value("URI"), Permission: g.Value("Permission")})
	}
	return out, true
}

// headerGrants reads canned ACLs and x-amz-grant-… headers, at the top or under
// accessControlList.
func headerGrants(request cloudtrail.Tree) (grants []s3.Grant, ok bool) {
	for _, t := range []cloudtrail.Tree{request, request.Object("accessControlList")} {
		switch canned := t.Value("x-amz-acl"); canned {
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
			header := strings.Join(t.Texts("x-amz-grant-"+strings.ToLower(strings.ReplaceAll(permission, "_", "-")), ""), ",")
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
