package replay

import (
	"encoding/json"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/detect"
	"dera.example/dera/services"
)

// FuzzApply: whatever stands in a request or an answer, the state follows it or
// says that it does not, and what it holds can be judged.
func FuzzApply(f *testing.F) {
	f.Add("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", []byte(world22), []byte(world22Set))
	f.Add("s3.amazonaws.com", "PutBucketPolicy", []byte(`{"bucketName":"files","bucketPolicy":`+publicPolicy+`}`), []byte(`null`))
	f.Add("s3.amazonaws.com", "PutBucketAcl", []byte(`{"bucketName":"files","x-amz-acl":["public-read"]}`), []byte(`null`))
	f.Fuzz(func(t *testing.T, source, name string, request, response []byte) {
		if len(request)+len(response) > 1<<12 {
			return
		}
		s := New(func() time.Time { return begin }, services.Types().Types()...)
		r := cloudtrail.Record{Source: source, Name: name, Account: account, Region: "eu-west-1", Partition: "aws", Time: begin,
			Request: json.RawMessage(request), Response: json.RawMessage(response)}
		for range 2 {
			_ = s.Apply(r) // that it was not followed is a good answer
		}
		d := detect.Detector{Reader: s, Controls: s.Careful(services.Controls())}
		for _, typ := range []string{securitygroup.Name, bucket.Name} {
			look, err := d.Look(t.Context(), dera.Scope{Partition: "aws", Account: account, Region: "eu-west-1", Type: typ}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range look.Assessments {
				for _, j := range a.Results {
					if j.Result.Why == "the control broke on it" {
						t.Errorf("%s broke on what %s %s left", j.Control.ID, name, request)
					}
				}
			}
		}
	})
}
