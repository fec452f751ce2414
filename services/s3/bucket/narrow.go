package bucket

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// CutPublic finds what has to go out of a public statement. doubts say why a
// person has to decide; with impossible nothing narrower can be written that cuts
// off nobody who is named.
func (b *Bucket) CutPublic(ctx context.Context, doc *policy.Document, index int, h document.House) (cut document.PublicCut, doubts []string, impossible string) {
	cut, impossible = document.Question{On: s3.Target(b.ARN())}.Cut(ctx, doc, index, h)
	return cut, b.dependents(doc, &doc.Statements[index]), impossible
}

// dependents says who may depend on a public statement in a way that its text does
// not tell: a site by a header that the caller sends, and access points.
func (b *Bucket) dependents(doc *policy.Document, st *policy.Statement) []string {
	var out []string
	delegates := false
	conditions := slices.Clone(st.Conditions)
	for _, d := range doc.Statements {
		if d.Effect == policy.Deny { // all but some are denied
			conditions = append(conditions, d.Conditions...)
		}
	}
	for _, c := range conditions {
		switch key := strings.ToLower(c.Key); {
		case key == "aws:referer", key == "aws:useragent":
			out = append(out, "It goes by "+c.Key+", which the caller sends: whoever writes such a condition often means a site or a client by it.")
		case strings.HasPrefix(key, "s3:dataaccesspoint"), strings.HasPrefix(key, "s3:accesspoint"):
			delegates = true
		}
	}
	if deliversLogs(st) {
		out = append(out, "It has the form by which services of AWS deliver logs: these come as everyone too, and would lose access.")
	}
	var points []string
	for _, p := range b.pointsInOrder() {
		if p.Policy != "" || delegates {
			points = append(points, p.String())
		}
	}
	switch {
	case len(points) > 0:
		out = append(out, "Who comes through access points depends on it: "+strings.Join(points, ", ")+".")
	case delegates:
		out = append(out, "It leaves the decision to access points, which other accounts can have too.")
	}
	return slices.Compact(out)
}

// deliversLogs reports whether a statement for everyone lets objects be written in
// the way in which services of AWS deliver logs: below AWSLogs, or with full control
// for the owner.
//
// Source: CloudWatch Logs user guide, "Logs sent to Amazon S3"; ELB and CloudTrail
// guides, "Bucket policy".
func deliversLogs(st *policy.Statement) bool {
	if !slices.ContainsFunc(document.PrincipalsOf(st), document.Principal.Everyone) || !document.Writes(st) {
		return false
	}
	return slices.ContainsFunc(st.Resources, func(r string) bool { return strings.Contains(r, "/AWSLogs/") }) ||
		slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
			return strings.EqualFold(c.Key, "s3:x-amz-acl") && slices.Contains(c.Values, "bucket-owner-full-control")
		})
}

// Narrow returns the change that makes the cuts; see Narrowed.
func (b *Bucket) Narrow(cuts []document.PublicCut, h document.House) (dera.Change, error) {
	doc, err := b.Parsed()
	if err != nil {
		return dera.Change{}, err
	}
	if doc == nil {
		return dera.Change{}, fmt.Errorf("bucket %s has no policy", b.Name)
	}
	e, err := document.Narrowed(doc, cuts, h)
	if err != nil {
		return dera.Change{}, fmt.Errorf("bucket %s: %w", b.Name, err)
	}
	return b.EditPolicy(e)
}
