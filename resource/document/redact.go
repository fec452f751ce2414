package document

import (
	"fmt"
	"strings"

	"dera.example/dera/iam/policy"
)

// Redactor hides the values in policies that can be secrets, for example the
// shared text that a bucket policy compares aws:Referer with. The same value
// gets the same stand-in in every document that one Redactor sees, so that
// documents can still be compared. The zero value is ready; it is for one
// goroutine.
type Redactor struct {
	known map[string]string
}

// NotSecret are the condition keys whose values are places, identities and settings
// that are no secret. Every other key with a text value is taken for one.
func NotSecret(key string) bool {
	key = strings.ToLower(key)
	for _, prefix := range []string{
		"aws:source", "aws:vpcsource", "aws:vpce", "aws:principal", "aws:resource", "aws:requestedregion", "aws:securetransport", "aws:multifactorauth",
		"aws:currenttime", "aws:epochtime", "aws:tokenissuetime", "aws:called", "aws:via", "aws:userid", "aws:federatedprovider",
		"s3:x-amz-acl", "s3:x-amz-server-side", "s3:dataaccesspoint", "s3:accesspoint", "s3:resourceaccount", "s3:authtype", "s3:signatureversion", "s3:signatureage",
		"kms:calleraccount", "kms:viaservice", "lambda:sourcefunctionarn", "lambda:functionurlauthtype", "sns:protocol",
		"s3:tlsversion", "s3:max-keys", "s3:prefix", "s3:delimiter", "s3:object-lock", "s3:locationconstraint", "s3:versionid",
	} {
		if strings.HasPrefix(key, prefix) {
			// Tags of principals and resources are free text.
			return !strings.HasPrefix(key, "aws:principaltag/") && !strings.HasPrefix(key, "aws:resourcetag/")
		}
	}
	return false
}

// Document returns the policy with a stand-in for every value that can be secret.
func (r *Redactor) Document(doc *policy.Document) *policy.Document {
	if r.known == nil {
		r.known = map[string]string{}
	}
	out := &policy.Document{Version: doc.Version, ID: doc.ID}
	for _, st := range doc.Statements {
		fresh := policy.Statement{
			Sid: st.Sid, Effect: st.Effect, Principals: st.Principals, NotPrincipals: st.NotPrincipals,
			Actions: st.Actions, NotActions: st.NotActions, Resources: st.Resources, NotResources: st.NotResources,
		}
		for _, c := range st.Conditions {
			if !NotSecret(c.Key) && textual(c.Operator) {
				values := make([]string, len(c.Values))
				for i, v := range c.Values {
					values[i] = r.standIn(v)
				}
				c.Values = values
			}
			fresh.Conditions = append(fresh.Conditions, c)
		}
		out.Statements = append(out.Statements, fresh)
	}
	return out
}

// Text is Document for a text. A text that is no policy is hidden whole.
func (r *Redactor) Text(text string) string {
	if text == "" {
		return ""
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return "(not shown: it is not a policy that can be read)"
	}
	return r.Document(doc).Text()
}

func (r *Redactor) standIn(value string) string {
	s, ok := r.known[value]
	if !ok {
		s = fmt.Sprintf("redacted-%d", len(r.known)+1)
		r.known[value] = s
	}
	return s
}

// textual reports whether an operator compares with free text or an ARN.
func textual(operator string) bool {
	op, ok := policy.ParseOperator(operator)
	return !ok || strings.HasPrefix(op.Test, "String") || strings.HasPrefix(op.Test, "Binary") || strings.HasPrefix(op.Test, "Arn")
}
