package bucket

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// intentionallyPublic says why a person has to look although external principals are allowed: the bucket
// may be public on purpose, or what would tell could not be read. Tags tell too:
// guardrails find by them who else changes it, and in which scope it lies.
func intentionallyPublic(b *Bucket) string {
	var out []string
	if b.Website {
		out = append(out, "It serves a static website.")
	}
	if len(b.Origins) > 0 {
		out = append(out, "It is the origin of CloudFront "+strings.Join(b.Origins, ", ")+".")
	}
	for _, part := range b.Unread {
		if part != PartACL && part != PartPolicy { // without these it is unknown
			out = append(out, "Its "+part+" could not be read.")
		}
	}
	return strings.Join(out, " ")
}

// judged turns failures into a result; why says what is not known.
func judged(failures []control.Failure, why string) control.Result {
	switch {
	case why != "":
		return control.Result{Outcome: control.UnknownResult, Failures: failures, Why: why}
	case len(failures) > 0:
		return control.Result{Outcome: control.Fail, Failures: failures}
	}
	return control.Result{Outcome: control.Pass}
}

// lowered starts a failure at review where the bucket may be public on purpose,
// and where S3 would not take back what the plan takes away.
func lowered(b *Bucket, f control.Failure, final bool) control.Failure {
	f.Start = dera.Auto
	if why := intentionallyPublic(b); why != "" {
		f.Start = dera.Review
		f.Why += " " + why
	}
	if final {
		f.Start = dera.Review
		f.Why += " A block that was put later would not let it be brought back."
	}
	return f
}

func hasKey(failures []control.Failure, key string) bool {
	return slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Key == key })
}

// Controls are the controls on buckets.
func Controls() []control.Control {
	return []control.Control{BucketPublicPolicy(), BucketPublicACL(), BucketAccessBlock(), AccessPointPublic(), BucketExternalAccess(), BucketPlainHTTP()}
}
