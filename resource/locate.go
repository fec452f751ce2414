package resource

import (
	"slices"
	"strings"

	"dera.example/dera"
)

// IDOf returns the ID of the resource of the type that an ARN names, as far as an ID makes that
// very ARN; false for the ARN of anything else.
func (t Type) IDOf(arn dera.ARN) (string, bool) {
	whole := arn.Resource()
	if whole == "" || len(whole) > 1024 || strings.ContainsFunc(whole, func(c rune) bool { return c <= ' ' || c > '~' || c == '#' || c == '*' }) {
		return "", false
	}
	ids := []string{arn.Name()}
	if strings.HasPrefix(string(arn), "arn:") && arn.Service() == "iam" && slices.ContainsFunc(t.SampleIDs, func(id string) bool { return strings.Contains(id, "/") }) {
		ids = []string{whole[strings.Index(whole, "/")+1:]} // the path is of the ID
	}
	for _, id := range append(ids, whole, whole[strings.LastIndexAny(whole, "/:")+1:]) {
		if id != "" && t.makes(arn, id) {
			return id, true
		}
	}
	return "", false
}

// makes reports whether an ID makes the ARN. The account of it may be left out, and in an ARN of
// IAM stands a path that the ID does not say.
func (t Type) makes(arn dera.ARN, id string) bool {
	made := t.ARN(arn.Partition(), arn.Account(), arn.Region(), id)
	if made.Partition() != arn.Partition() || made.Service() != arn.Service() || made.Region() != arn.Region() ||
		made.Account() != arn.Account() && made.Account() != "" && arn.Account() != "" {
		return false
	}
	if arn.Service() == "iam" && !strings.Contains(id, "/") {
		if slices.ContainsFunc(t.SampleIDs, func(id string) bool { return strings.Contains(id, "/") }) {
			return made.Resource() == arn.Resource()
		}
		kind, _, _ := strings.Cut(arn.Resource(), "/")
		return made.Resource() == kind+"/"+arn.Name()
	}
	return made.Resource() == arn.Resource()
}
