package usage

import (
	"testing"

	"dera.example/dera/cloudtrail"
)

// TestWatchingCostsNothing: a denied call of someone who is not watched, or from before the
// change, allocates nothing; nor does one that is not verified.
func TestWatchingCostsNothing(t *testing.T) {
	a := newAggregate()
	a.watching = &watching{map[string]Second{"arn:aws:iam::111122223333:role/other": 1, "arn:aws:iam::111122223333:role/late": 1 << 40}}
	for _, tt := range []struct {
		role  string
		trust Trust
	}{{"app", Verified}, {"late", Verified}, {"other", Unverified}} {
		record := `{"eventID":"e","eventTime":"2026-03-01T00:00:00Z","eventSource":"s3.amazonaws.com","eventName":"ListObjects","awsRegion":"us-east-1","recipientAccountId":"111122223333",` +
			`"errorCode":"AccessDenied","errorMessage":"Access Denied","userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/path/` + tt.role + `"}}}}`
		var f cloudtrail.Fields
		if err := f.Skim([]byte(record)); err != nil {
			t.Fatal(err)
		}
		a.add(&f, tt.trust)
		if n := testing.AllocsPerRun(100, func() { a.add(&f, tt.trust) }); n > 0 || len(a.denied) > 0 {
			t.Errorf("%s: got %v allocations and %d denials, want none", tt.role, n, len(a.denied))
		}
	}
	a.watching.since["arn:aws:iam::111122223333:role/app"] = 1
	var f cloudtrail.Fields
	if err := f.Skim([]byte(`{"eventID":"\u001b[31m","eventTime":"2026-03-01T00:00:00Z","eventSource":"s3.amazonaws.com","eventName":"ListObjects","awsRegion":"us-east-1","recipientAccountId":"111122223333",` +
		`"errorCode":"AccessDenied","userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/app"}}}}`)); err != nil {
		t.Fatal(err)
	}
	a.add(&f, Verified)
	if len(a.denied) != 1 || a.denied[0].id != "2026-03-01T00:00:00Z" {
		t.Errorf("an ID that cannot be printed: got %+v, want it to count by its time", a.denied)
	}
}
