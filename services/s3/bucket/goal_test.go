package bucket_test

import (
	"testing"

	"dera.example/dera/control"
	"dera.example/dera/services/s3/bucket"
)

// TestNoPlanTakesWhatAnotherFindingIsAbout: a plan for public write access that also
// takes public read access away is not proved: that may be exempt, or for a person.
func TestNoPlanTakesWhatAnotherFindingIsAbout(t *testing.T) {
	t.Parallel()
	const (
		write = `{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::shop/*"}`
		read  = `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"}`
		house = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*","Resource":["arn:aws:s3:::shop","arn:aws:s3:::shop/*"]}`
	)
	doc := func(statements string) string { return `{"Version":"2012-10-17","Statement":[` + statements + `]}` }
	b := &bucket.Bucket{Name: "shop", Owner: "111122223333", OwnerID: "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be", Policy: doc(write + "," + read + "," + house)}
	c := find(t, "s3-bucket-public-policy")
	r := laws().Resource(b)
	res, err := c.Check(r, control.Settings{})
	if err != nil || len(res.Failures) != 2 {
		t.Fatalf("got %+v, %v, want public read and write access", res, err)
	}
	both, refusal, err := c.Plan(r, res.Failures, control.Settings{})
	if err != nil || refusal != nil {
		t.Fatal(err, refusal)
	}
	for _, f := range res.Failures {
		if ev, err := c.Prove(r, []control.Failure{f}, both, control.Settings{}); err == nil && ev.Proved() {
			t.Errorf("a plan for both findings is proved for %s alone", f.Key)
		}
	}
	if ev, err := c.Prove(r, res.Failures, both, control.Settings{}); err != nil || !ev.Proved() {
		t.Errorf("the plan for both: %v, got claims %v", err, ev.Claims)
	}
}
