package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// onData is a data event on a bucket.
func onData(id, caller, at, more string) []byte {
	return fmt.Appendf(nil, `{"eventID":%q,"eventCategory":"Data","eventSource":"s3.amazonaws.com","eventName":"GetObject","eventTime":"2026-11-30T%sZ","awsRegion":"eu-west-1","recipientAccountId":"111122223333","userIdentity":%s%s,`+
		`"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::files/a"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::files"}]}`, id, at, caller, more)
}

// TestLaterCalls: which recorded calls came after dera would have closed something; that there are no others
// is said of nothing.
func TestLaterCalls(t *testing.T) {
	t.Parallel()
	const (
		anybody = `{"type":"AWSAccount","principalId":"","accountId":"anonymous"}`
		other   = `{"type":"AssumedRole","arn":"arn:aws:sts::444455556666:assumed-role/reader/x","accountId":"444455556666"}`
		own     = `{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333"}`
	)
	start := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	closed := start.Add(time.Hour)
	soon := start.Add(time.Minute)
	for name, tc := range map[string]struct {
		data    [][]byte
		set     func(v *ReplayedFinding)
		want    []string // parts of the lines, in order
		nothing bool
	}{
		"no_data_events": {want: []string{"not known from these records: they have no calls on its data"}},
		"anybody_and_another": {data: [][]byte{onData("1", anybody, "09:10:00", ""), onData("1", anybody, "09:10:00", ""), onData("2", anybody, "09:20:00", ""), onData("3", other, "09:15:00", "")},
			want: []string{"GetObject of anybody, without credentials, 2 times", "GetObject of arn:aws:sts::444455556666:assumed-role/reader/x at", "may not have every call"}},
		"of_its_own_account": {data: [][]byte{onData("1", own, "09:10:00", "")}, want: []string{"may not have every call"}},
		"before_and_after":   {data: [][]byte{onData("1", other, "09:01:00", ""), onData("2", other, "10:30:00", "")}, want: []string{"may not have every call"}},
		"refused":            {data: [][]byte{onData("1", other, "09:10:00", `,"errorCode":"AccessDenied"`)}, want: []string{"they have no calls on its data"}},
		"closed_sooner":      {set: func(v *ReplayedFinding) { v.ResolvedAt = &soon }, nothing: true},
		"asked_about":        {set: func(v *ReplayedFinding) { v.Disposition = dera.Review }, nothing: true},
		"open_to_the_end":    {set: func(v *ReplayedFinding) { v.ResolvedAt = nil }, data: [][]byte{onData("2", other, "10:30:00", "")}, want: []string{"assumed-role/reader/x at 2026-11-30 10:30:00Z used its data", "may not have every call"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r Recording
			for _, raw := range tc.data {
				r.use(raw)
			}
			v := ReplayedFinding{Account: "111122223333", ResourceType: "AWS::S3::Bucket", Resource: "arn:aws:s3:::files", Disposition: dera.Auto, AppearedAt: start, ResolvedAt: &closed}
			if tc.set != nil {
				tc.set(&v)
			}
			l := r.later(v, start.Add(2*time.Hour))
			lines := l.Lines()
			if (l == nil) != tc.nothing || len(lines) != len(tc.want) {
				t.Fatalf("got %q, want %q", lines, tc.want)
			}
			for i, want := range tc.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("got %q, want %q in it", lines[i], want)
				}
			}
			if slices.ContainsFunc(lines, func(s string) bool { return strings.Contains(s, "none") }) {
				t.Errorf("got %q, which says more than the record", lines)
			}
		})
	}
}
