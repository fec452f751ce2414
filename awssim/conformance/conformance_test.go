// Package conformance_test holds awssim against moto, an independent emulator: one table of requests runs on both, through
// the AWS SDK, and the answers must agree. Where they do not, AWS's documentation decides, and the difference is written
// down beside the row; a difference that is gone fails the test too, so that the list stays true.
package conformance_test

import (
	"slices"
	"testing"

	"dera.example/dera/awssim/moto"

	"github.com/google/go-cmp/cmp"
)

// row is one short story that both worlds must tell alike.
type row struct {
	name   string
	run    func(*world)
	differ []difference // labels at which the worlds are known to differ
}

// difference is a known difference, and why awssim is right.
type difference struct{ what, why string }

// unsupported are fields that moto never answers. They are left out of comparisons.
var unsupported = []difference{
	{"SecurityGroupRuleArn", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html"},
	{"GroupOwnerId", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html"},
	{"RevokedSecurityGroupRules", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html"},
}

func TestConformance(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	var rows []row
	rows = append(rows, groupRows()...)
	rows = append(rows, authorizeRows()...)
	rows = append(rows, revokeRows()...)
	rows = append(rows, modifyRows()...)
	rows = append(rows, tagRows()...)
	rows = append(rows, prefixListRows()...)
	rows = append(rows, stsRows()...)
	rows = append(rows, sqsRows()...)
	if len(rows) < 60 {
		t.Fatalf("got %d rows, want at least 60: a family is missing", len(rows))
	}
	var ours, theirs fieldLog
	t.Run("rows", func(t *testing.T) {
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				compare(t, r, onAwssim(t, &ours), onMoto(t, server, &theirs))
			})
		}
	})
	for _, u := range unsupported {
		if !ours.has(u.what) || theirs.has(u.what) {
			t.Errorf("field %s: awssim answers it: %t, moto: %t; want true and false, else the difference is no more", u.what, ours.has(u.what), theirs.has(u.what))
		}
	}
}

// TestConformanceUnderEnforcement runs what needs the policies of roles evaluated, which moto does for all or none.
func TestConformanceUnderEnforcement(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	var ours, theirs fieldLog
	for _, r := range roleRows() {
		t.Run(r.name, func(t *testing.T) {
			if err := server.Enforce(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			theirWorld := onMoto(t, server, &theirs)
			theirWorld.enforce = func() {
				if err := server.Enforce(t.Context(), true); err != nil {
					t.Fatal(err)
				}
			}
			compare(t, r, onAwssim(t, &ours), theirWorld)
		})
	}
}

// compare runs a row on both worlds, which must agree but for the differences that the row knows.
func compare(t *testing.T, r row, ours, theirs *world) {
	t.Helper()
	r.run(ours)
	r.run(theirs)
	if !slices.Equal(ours.labels, theirs.labels) || len(ours.labels) == 0 {
		t.Fatalf("labels: got %q on awssim, %q on moto", ours.labels, theirs.labels)
	}
	for _, label := range ours.labels {
		diff := cmp.Diff(theirs.seen[label], ours.seen[label])
		known := slices.IndexFunc(r.differ, func(d difference) bool { return d.what == label })
		switch {
		case known < 0 && diff != "":
			t.Errorf("%s: awssim (+) and moto (-) differ:\n%s", label, diff)
		case known >= 0 && diff == "":
			t.Errorf("%s: no longer differs (%s): remove the difference", label, r.differ[known].why)
		}
	}
	for _, d := range r.differ {
		if !slices.Contains(ours.labels, d.what) {
			t.Errorf("difference at %q: there is no such label", d.what)
		}
	}
}
