package wire

import (
	"slices"
	"strings"

	"dera.example/dera"
)

// originOf returns the bucket that the domain name and the path of an origin stand
// for, or "": BUCKET.s3.REGION.amazonaws.com and its older forms, or a service
// endpoint with the bucket first in the path (S3 user guide, "Methods for accessing
// a general purpose bucket"). Domain names have no case (RFC 4343).
func originOf(domain, path string) string {
	domain = strings.TrimSuffix(strings.ToLower(domain), ".")
	ofS3 := func(rest string) bool {
		return slices.ContainsFunc(dera.Partitions(), func(p dera.Partition) bool { return strings.HasSuffix(rest, "."+p.DNSSuffix) })
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if i := strings.LastIndex(domain, mark); i > 0 && ofS3(domain[i:]) {
			return domain[:i]
		}
	}
	if (strings.HasPrefix(domain, "s3.") || strings.HasPrefix(domain, "s3-")) && ofS3(domain) {
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		return first
	}
	return ""
}
