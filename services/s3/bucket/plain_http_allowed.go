package bucket

import (
	"encoding/json"
	"fmt"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// tlsSid is the Sid of the statement that a fix adds.
const tlsSid = "DeraDenyPlainHTTP"

// BucketPlainHTTP finds buckets that may be reached without TLS, where the configuration
// asks for that.
func BucketPlainHTTP() control.Control {
	return control.Define(control.Spec[*Bucket]{
		Meta: control.Meta{
			ID: "s3-bucket-plain-http-allowed", Title: "Bucket can be reached without TLS", Type: Name, Severity: dera.Medium,
			Why: "Who is on the way between a client that uses plain HTTP and S3 reads and changes what goes over it.",
			Fix: "One more statement of the bucket policy denies requests without TLS (aws:SecureTransport); every other byte stays. AWS makes buckets without it, " +
				"so that the control is asked for with s3.require_tls in the configuration.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "s3.require_tls is set, and no statement denies all requests without TLS", Disposition: dera.Review, Because: "clients that use plain HTTP would fail, and which do, dera does not know"},
				{When: "the bucket serves a static website", Disposition: dera.Review, Because: "the website endpoint of S3 has no TLS; no plan is made"},
			},
			Refs:  s3.Refs("S3.5", "S3_BUCKET_SSL_REQUESTS_ONLY"),
			Reads: s3.Reads(), Writes: []string{PutBucketPolicy, DeleteBucketPolicy}, Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(b *Bucket, s control.Settings) control.Result {
			if !s.RequireTLS {
				return control.Result{Outcome: control.NotApplicable}
			}
			if !b.Read(PartPolicy) {
				return judged(nil, "dera lacks permission to read the bucket policy")
			}
			doc, err := b.Parsed()
			if err != nil {
				return judged(nil, err.Error())
			}
			if s3.DeniesPlainHTTP(b.ARN(), doc) {
				return judged(nil, "")
			}
			why := "No statement of the bucket policy denies all requests without TLS. Clients that use plain HTTP would fail after the fix."
			return judged([]control.Failure{{Key: "policy/plain-http", Start: dera.Review, Severity: dera.Medium, Title: "Bucket can be reached without TLS", Why: why}}, "")
		},
		Plan: func(b *Bucket, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			if b.Website || !b.Read(PartWebsite) {
				return nil, &control.Refusal{Code: "website", Why: "the bucket serves a static website, or whether it does is not known: the website endpoint has no TLS"}
			}
			c, err := b.denyPlainHTTP()
			if err != nil {
				return nil, s3.CannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(b *Bucket, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			after, err := Type().ApplyPlan(b, dera.Plan{Changes: changes})
			if err != nil {
				return dera.Evidence{}, err
			}
			var hide document.Redactor
			return s3.Transport{Bucket: b.ARN(), Old: hide.Text(b.Policy), New: hide.Text(after.(*Bucket).Policy)}.Evidence()
		},
	})
}

// denyPlainHTTP returns the change that adds the statement, to a policy or as one.
func (b *Bucket) denyPlainHTTP() (dera.Change, error) {
	at := []string{string(b.ARN()), string(b.ARN()) + "/*"}
	on, err := json.Marshal(at)
	if err != nil {
		return dera.Change{}, err
	}
	text := fmt.Sprintf(`{"Sid":%q,"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":%s,"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, tlsSid, on)
	diff := []string{"+ statement at the end: deny anybody (*) s3:* on " + at[0] + " and its objects without TLS"}
	if b.Policy != "" {
		return b.EditPolicy(document.PolicyEdit{Append: []string{text}, Diff: diff})
	}
	put := `{"Version":"` + policy.Version2012 + `","Statement":[` + text + `]}`
	return resource.NewChange(PutBucketPolicy, BucketPolicyInput{Bucket: b.Name, Policy: put}, nil, put, DeleteBucketPolicy, BucketPolicyInput{Bucket: b.Name, Expect: put}, diff)
}
