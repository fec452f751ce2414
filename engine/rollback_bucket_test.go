package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	"dera.example/dera/services"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/bucket"
)

// A rollback puts the statement back beside what others wrote since, and
// overwrites nothing of theirs.
func TestRollbackOfPartsOfABucketPolicy(t *testing.T) {
	t.Parallel()
	homes := `{"Sid":"Homes","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports/${aws:username}/*"}`
	byHand := strings.Replace(publicRead, `"Sid":"Public"`, `"Sid":"ByHand"`, 1)
	older := strings.Replace(bucketPolicy(other), "2012-10-17", "2008-10-17", 1)
	tests := []struct {
		name    string
		before  string // "" for one whose public statement goes, since others give the house the same
		now     string // the policy that someone else puts after the fix; "" for none
		gone    bool   // someone else deletes it
		refused string
		want    string
	}{
		{name: "untouched", want: bucketPolicy(partner, ownRead, publicRead)},
		{name: "narrowed_and_untouched", before: bucketPolicy(partner, publicRead), want: bucketPolicy(partner, publicRead)},
		{name: "narrowed_and_a_statement_was_added", before: bucketPolicy(publicRead, partner), now: bucketPolicy(narrowRead, other), want: bucketPolicy(publicRead, other)},
		{name: "narrowed_and_changed_since", before: bucketPolicy(publicRead, partner), now: bucketPolicy(strings.Replace(narrowRead, account, "444455556666", 1), other),
			refused: "changed everything that dera changed", want: bucketPolicy(strings.Replace(narrowRead, account, "444455556666", 1), other)},
		{name: "narrowed_and_removed_since", before: bucketPolicy(publicRead, partner), now: bucketPolicy(other), refused: "changed everything that dera changed", want: bucketPolicy(other)},
		{name: "narrowed_and_the_policy_was_deleted", before: bucketPolicy(publicRead, partner), gone: true, refused: "changed everything that dera changed", want: ""},
		{name: "an_element_went_and_a_statement_was_added", before: bucketPolicy(mixedRead), now: bucketPolicy(other, strings.Replace(mixedRead, `,"*"`, "", 1), partOfMixed),
			want: bucketPolicy(other, mixedRead)},
		{name: "a_statement_was_added", now: bucketPolicy(partner, other), want: bucketPolicy(partner, other, publicRead)},
		{name: "the_others_were_removed", now: bucketPolicy(other), want: bucketPolicy(other, publicRead)},
		{name: "one_statement_instead_of_a_list", now: `{"Version":"2012-10-17","Statement":` + other + `}`, want: bucketPolicy(other, publicRead)},
		{name: "the_policy_was_deleted", gone: true, want: bucketPolicy(publicRead)},
		{name: "it_is_back_already", now: bucketPolicy(publicRead, other), want: bucketPolicy(publicRead, other)},
		{name: "it_is_back_by_another_name", now: bucketPolicy(other, byHand), want: bucketPolicy(other, byHand)},
		{name: "it_alone_is_back_by_another_name", now: bucketPolicy(partner, ownRead, byHand), want: bucketPolicy(partner, ownRead, byHand)},
		{name: "narrowed_and_back_by_another_name", before: bucketPolicy(publicRead, partner), now: bucketPolicy(narrowRead, byHand), want: bucketPolicy(byHand)},
		{name: "another_statement_took_its_name", now: bucketPolicy(partner, strings.Replace(other, "Other", "Public", 1)),
			refused: `two statements with the Sid "Public"`, want: bucketPolicy(partner, strings.Replace(other, "Other", "Public", 1))},
		{name: "its_variables_would_mean_something_else", before: bucketPolicy(partner, strings.Replace(strings.Replace(homes, "Homes", "Own", 1), `/*"}`, `/*","Condition":{"StringEquals":{"aws:PrincipalAccount":"`+account+`"}}}`, 1), homes), now: older, refused: "another Version since", want: older},
		{name: "another_version_without_variables", now: older, want: strings.Replace(bucketPolicy(other, publicRead), "2012-10-17", "2008-10-17", 1)},
		{name: "too_long", now: bucketPolicy(partner, strings.Replace(other, `"arn:aws:s3:::reports/*"`, `"arn:aws:s3:::reports/`+strings.Repeat("x", 20100)+`*"`, 1)),
			refused: "longer than the 20 KB", want: bucketPolicy(partner, strings.Replace(other, `"arn:aws:s3:::reports/*"`, `"arn:aws:s3:::reports/`+strings.Repeat("x", 20100)+`*"`, 1))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, func(c *engine.Config) {
				c.Controls = slices.DeleteFunc(c.Controls, func(x control.Control) bool { return x.ID != "s3-bucket-public-policy" })
			})
			if tt.before == "" {
				tt.before = bucketPolicy(partner, ownRead, publicRead)
			}
			if err := w.region.PutBucketPolicy(t.Context(), "reports", tt.before); err != nil {
				t.Fatal(err)
			}
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			w.quiet()
			fixes := w.bucketFixes(t)
			if len(fixes) != 1 {
				t.Fatalf("got %d fixes, want one", len(fixes))
			}
			wantState(t, fixes[0], dera.Resolved)
			if tt.now != "" || tt.gone {
				if err := w.region.PutBucketPolicy(t.Context(), "reports", tt.now); err != nil {
					t.Fatal(err)
				}
			}
			r, err := w.engine.Rollback(t.Context(), fixes[0].ID, remediate.Request{By: person(), Reason: "test"})
			var refused *remediate.RefusedError
			switch {
			case tt.refused == "" && err != nil:
				t.Fatal(err)
			case tt.refused != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Why, tt.refused)):
				t.Fatalf("got %v, want a refusal with %q", err, tt.refused)
			case tt.refused == "":
				wantState(t, r, dera.RolledBack)
			}
			if got := w.policyOf(t); got != tt.want {
				t.Errorf("policy: got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Someone writes the policy between the last look of a rollback and its write:
// the rollback looks again and takes its own part back all the same.
func TestRollbackBesideAnotherWriter(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, func(c *engine.Config) {
		c.Controls = slices.DeleteFunc(c.Controls, func(x control.Control) bool { return x.ID != "s3-bucket-public-policy" })
	})
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	w.quiet()
	fixes := w.bucketFixes(t)
	wantState(t, fixes[0], dera.Resolved)
	// The fourth read is the one that the write itself makes.
	hook := w.cloud.Inject(awssim.Fault{Match: byEngineS3("GetBucketPolicy"), Kind: awssim.Hook, Times: 1, After: 3, Func: func() {
		if err := w.region.PutBucketPolicy(t.Context(), "reports", bucketPolicy(partner, other, narrowRead)); err != nil {
			t.Error(err)
		}
	}})
	r, err := w.engine.Rollback(t.Context(), fixes[0].ID, remediate.Request{By: person(), Reason: "test"})
	if err != nil || hook.Fired() != 1 {
		t.Fatalf("got %v, the other writer came %d times, want once", err, hook.Fired())
	}
	wantState(t, r, dera.RolledBack)
	if got, want := w.policyOf(t), bucketPolicy(partner, other, publicRead); got != want {
		t.Errorf("policy: got %s\nwant %s", got, want)
	}
}

// The same for grants of an ACL.
func TestRebaseOfAnACL(t *testing.T) {
	t.Parallel()
	kind, err := services.Types().Lookup(bucket.Name)
	if err != nil {
		t.Fatal(err)
	}
	all := s3.Grant{URI: "http://acs.amazonaws.com/groups/global/AllUsers", Permission: "READ"}
	own := s3.Grant{ID: "me", Permission: "FULL_CONTROL"}
	theirs := s3.Grant{ID: "them", Permission: "READ"}
	b := &bucket.Bucket{Name: "reports", Owner: account, OwnerID: "me", Ownership: "ObjectWriter", Grants: []s3.Grant{own, all}}
	change, err := b.DropGrants(s3.Grant.Public)
	if err != nil {
		t.Fatal(err)
	}
	now := *b
	now.Grants = []s3.Grant{own, theirs}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	op, rebased, err := kind.Rebase(&now, undo, resource.Of(change))
	if err != nil || !rebased {
		t.Fatalf("got rebased %t, %v, want it", rebased, err)
	}
	after, err := kind.Apply(&now, op)
	if err != nil {
		t.Fatal(err)
	}
	got := after.(*bucket.Bucket).Grants
	for _, g := range []s3.Grant{own, all, theirs} {
		if !slices.Contains(got, g) {
			t.Errorf("grants: got %v, want %v in it", got, g)
		}
	}
}
