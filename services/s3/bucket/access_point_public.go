package bucket

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/s3"
)

// AccessPointPublic finds buckets with an access point that allows public access.
func AccessPointPublic() control.Control {
	return control.Define(control.Spec[*Bucket]{
		Meta: control.Meta{
			ID:       "s3-bucket-access-point-public",
			Title:    "Access point allows public access to a bucket",
			Type:     Name,
			Severity: dera.High,
			Why: "A bucket policy that delegates access control to access points is not public on its own, but the bucket is public when " +
				"one of its access points is.",
			Fix:        "Remove the statement of the access point's policy that allows public access, or delete the access point. A person does this.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "the policy of an access point with internet origin allows public access, and the bucket policy delegates access control to it", Disposition: dera.Alert, Because: "access points are made for sharing, one for each use"},
			},
			Refs:     s3.Refs("S3.19", "S3_ACCESS_POINT_PUBLIC_ACCESS_BLOCKS"),
			Reads:    s3.Reads(),
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(b *Bucket, _ control.Settings) control.Result {
			if !b.Read(PartAccessPoints, PartMultiRegion) {
				return judged(nil, "dera lacks permission to read the access points")
			}
			open, unsure := b.PublicAccessPoints(context.Background())
			var failures []control.Failure
			for _, p := range open {
				failures = append(failures, control.Failure{
					Key: "access-point/" + p.Name, Start: dera.Alert, Severity: dera.High,
					Title: "Access point allows public access to the bucket",
					Why:   "The policy of access point " + p.Name + " allows public access, and the bucket policy delegates access control to access points.",
				})
			}
			return judged(failures, unsure)
		},
	})
}
