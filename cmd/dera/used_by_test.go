package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/resource"
	"dera.example/dera/store/storetest"
	ledger "dera.example/dera/usage"
)

// TestUsedBy: the port gives what was imported of a role, also under its ARN with a
// path, and gaps for what nobody declared as recorded. A principal that was never seen
// has these gaps too, so that nothing of it counts as unused.
func TestUsedBy(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	record := func(id, call string, at time.Time) string {
		return fmt.Sprintf(`{"eventID":%q,"eventTime":%q,"eventSource":"s3.amazonaws.com","eventName":%q,"awsRegion":"us-east-1","recipientAccountId":"111122223333",`+
			`"userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/team/app"}}}}`, id, at.Format(time.RFC3339), call)
	}
	const shared = "arn:aws:iam::111122223333:policy/x/shared"
	file := filepath.Join(t.TempDir(), "111122223333_CloudTrail_us-east-1_20260309T0000Z_x.json")
	put := strings.Replace(record("4", "PutRolePolicy", now.Add(-time.Hour)), `"eventSource":"s3.amazonaws.com"`, `"eventSource":"iam.amazonaws.com","requestParameters":{"roleName":"APP"}`, 1)
	version := strings.Replace(record("5", "CreatePolicyVersion", now.Add(-2*time.Hour)), `"eventSource":"s3.amazonaws.com"`,
		`"eventSource":"iam.amazonaws.com","requestParameters":{"policyArn":"`+shared+`"}`, 1)
	early, late := now.Add(-48*time.Hour), now.Add(-24*time.Hour)
	text := `{"Records":[` + strings.Join([]string{record("1", "GetBucketAcl", early), record("2", "GetBucketAcl", late), record("3", "ListBuckets", early), put, version}, ",") + `]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const usedWindow = 90 * 24 * time.Hour
	clock := func() time.Time { return now }
	s := storetest.Open(t, storetest.SQLite(t), storetest.NewClock())
	l := ledger.New(s, clock)
	if _, err := l.Import(t.Context(), ledger.ImportConfig{}, file); err != nil {
		t.Fatal(err)
	}
	const app, other = "arn:aws:iam::111122223333:role/team/app", "arn:aws:iam::111122223333:role/other"
	uses, err := usedBy{l, clock, usedWindow}.Used(t.Context(), "111122223333", []string{app, other, shared})
	if err != nil || len(uses) != 3 {
		t.Fatalf("got %d principals, %v", len(uses), err)
	}
	last := now.Add(-time.Hour)
	calls := []resource.Call{
		{Source: "iam.amazonaws.com", Name: "CreatePolicyVersion", First: now.Add(-2 * time.Hour), Last: now.Add(-2 * time.Hour), Count: 1, Resources: []string{shared}},
		{Source: "iam.amazonaws.com", Name: "PutRolePolicy", First: last, Last: last, Count: 1, More: true},
		{Source: "s3.amazonaws.com", Name: "GetBucketAcl", First: early, Last: late, Count: 2, More: true},
		{Source: "s3.amazonaws.com", Name: "ListBuckets", First: early, Last: early, Count: 1, More: true},
	}
	if d := cmp.Diff(calls, uses[app].Calls); d != "" || !uses[app].Seen.Equal(last) {
		t.Errorf("calls, last seen %s (-want +got):\n%s", uses[app].Seen, d)
	}
	if got := []time.Time{uses[app].Granted, uses[shared].Granted, uses[other].Granted}; !got[0].Equal(last) || !got[1].Equal(now.Add(-2*time.Hour)) || !got[2].IsZero() {
		t.Errorf("role, policy and another role were granted something: got %s", got)
	}
	if len(uses[other].Calls) > 0 || !uses[other].Seen.IsZero() {
		t.Errorf("a principal that was never seen: got %v", uses[other])
	}
	if uses, err := (usedBy{l, clock, usedWindow}).Used(t.Context(), "999999999999", []string{app}); err != nil || len(uses) > 0 {
		t.Errorf("an account of which nothing is recorded: got %v, %v, want no answer", uses, err)
	}
	for arn, u := range uses {
		if len(u.Gaps) == 0 || !u.To.Equal(last.Add(time.Hour)) || !u.From.Equal(u.To.Add(-usedWindow)) {
			t.Errorf("%s: got %d gaps from %s to %s", arn, len(u.Gaps), u.From, u.To)
		}
	}
	ended := func(u resource.Use) bool {
		return slices.ContainsFunc(u.Gaps, func(g resource.Gap) bool { return strings.HasPrefix(g.Why, "the record ends at ") })
	}
	later := func() time.Time { return now.AddDate(0, 0, 200) }
	stale, err := usedBy{l, later, usedWindow}.Used(t.Context(), "111122223333", []string{app})
	if err != nil || !ended(stale[app]) || ended(uses[app]) {
		t.Errorf("200 days after the record ended: got gaps %v, %v; want one more than within a day", stale[app].Gaps, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := (usedBy{l, clock, usedWindow}).Used(t.Context(), "111122223333", []string{app}); err == nil || errors.Is(err, ledger.ErrUnknown) {
		t.Errorf("a ledger that cannot be read: got %v, want an error", err)
	}
}

// TestGapOfDataEvents: the ledger and the resource types call the gap that is always
// there by one name.
func TestGapOfDataEvents(t *testing.T) {
	t.Parallel()
	if got := string(ledger.GapData); got != resource.GapOfDataEvents {
		t.Errorf("the ledger calls it %q, resource types %q", got, resource.GapOfDataEvents)
	}
	if passing := (resource.Use{Gaps: []resource.Gap{{Kind: string(ledger.GapData)}}}).Missing(); len(passing) > 0 {
		t.Errorf("it counts as missing: %v", passing)
	}
}
