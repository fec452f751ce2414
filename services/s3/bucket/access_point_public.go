package bucket

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/s3"
)

// AccessPointPublic finds buckets with an access point that lets strangers in.
func AccessPointPublic() control.Control {
	return control.Define(control.Spec[*Bucket]{
		Meta: control.Meta{
			ID:       "s3-bucket-access-point-public",
			Title:    "An access point lets strangers in to a bucket",
			Type:     Name,
			Severity: dera.High,
			Why: "A bucket policy that leaves the decision to access points is not public by itself, and the bucket is all the same when " +
				"one of its access points is.",
			Fix:        "Drop the statement of the access point's policy that lets strangers in, or delete the access point. A person does that.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "the policy of an access point on the internet lets strangers in, and the bucket policy leaves the decision to it", Disposition: dera.Alert, Because: "access points are made for sharing, one for each use"},
			},
			Refs:     s3.Refs("S3.19", "S3_ACCESS_POINT_PUBLIC_ACCESS_BLOCKS"),
			Reads:    s3.Reads(),
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(b *Bucket, _ control.Settings) control.Result {
			if !b.Read(PartAccessPoints, PartMultiRegion) {
				return judged(nil, "dera was not let read the access points")
			}
			open, unsure := b.PublicAccessPoints(context.Background())
			var failures []control.Failure
			for _, p := range open {
				failures = append(failures, control.Failure{
					Key: "access-point/" + p.Name, Start: dera.Alert, Severity: dera.High,
					Title: "An access point lets strangers in to the bucket",
					Why:   "The policy of access point " + p.Name + " lets anybody in, and the bucket policy leaves the decision to access points.",
				})
			}
			return judged(failures, unsure)
		},
	})
}
