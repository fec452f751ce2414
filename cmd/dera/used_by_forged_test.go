package main

import (
	"fmt"
	"testing"
	"time"

	"dera.example/dera/store/storetest"
	ledger "dera.example/dera/usage"
)

// TestUsedBy_forged: a denied call that anyone could have written explains nothing of what AWS
// itself says of the use; of a verified one it is known when it was.
func TestUsedBy_forged(t *testing.T) {
	t.Parallel()
	const app = "arn:aws:iam::111122223333:role/app"
	now := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	at := now.Add(-time.Hour)
	for name, trusted := range map[string]bool{"verified": true, "forged": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ledger.New(storetest.Open(t, storetest.SQLite(t), storetest.NewClock()), func() time.Time { return now })
			event := fmt.Sprintf(`{"eventID":"1","eventTime":%q,"eventSource":"s3.amazonaws.com","eventName":"GetBucketAcl","awsRegion":"us-east-1","recipientAccountId":"111122223333",`+
				`"errorCode":"AccessDenied","userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":%q}}}}`, at.Format(time.RFC3339), app)
			m := ledger.Message{Authenticated: trusted, Body: fmt.Appendf(nil, `{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":"111122223333","region":"us-east-1","detail":%s}`, event)}
			o := l.Observer(ledger.ObserverConfig{})
			if _, err := o.Observe(t.Context(), []ledger.Message{m}); err != nil {
				t.Fatal(err)
			}
			uses, err := usedBy{l, func() time.Time { return now }, 90 * 24 * time.Hour}.Used(t.Context(), "111122223333", []string{app})
			if err != nil {
				t.Fatal(err)
			}
			calls := uses[app].Calls
			if known := len(calls) == 1 && calls[0].Denied == 1 && calls[0].LastDenied.Equal(at); known != trusted || !trusted && len(calls) > 0 {
				t.Errorf("got %+v, want it known %t", calls, trusted)
			}
		})
	}
}
