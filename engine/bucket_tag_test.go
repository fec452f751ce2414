package engine_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/services/s3/bucket"
)

// TestChangedResourcesAreTagged: the tags come with the fix and go with it; a tag
// that cannot be written does not undo the fix; foreign tags stay.
func TestChangedResourcesAreTagged(t *testing.T) {
	t.Parallel()
	tags := func(c *engine.Config) {
		c.Tags = func(_ dera.Account, _ dera.Resource, list []dera.Finding) map[string]string {
			return map[string]string{"dera:finding": list[0].ID, "dera:owner": "data"}
		}
	}
	read := func(t *testing.T, w *world) map[string]string {
		t.Helper()
		page, err := w.client().Read(t.Context(), bucketScope(), true)
		if err != nil {
			t.Fatal(err)
		}
		return page.Resources[0].Tags
	}
	tests := []struct {
		name   string
		fault  *awssim.Fault
		policy string
		want   []string
	}{
		{name: "tagged", want: []string{"dera:finding", "dera:owner", "team"}},
		{name: "tag_denied", fault: &awssim.Fault{Match: byEngineS3("PutBucketTagging"), Kind: awssim.Denied}, want: []string{"team"}},
		{name: "policy_goes_by_tags", policy: bucketPolicy(publicRead, strings.Replace(partner, `"Resource"`, `"Condition":{"StringEquals":{"aws:ResourceTag/team":"data"}},"Resource"`, 1)), want: []string{"team"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name)[:1]; tags(c) })
			if err := w.region.TagBucket(t.Context(), "reports", map[string]string{"team": "data"}); err != nil {
				t.Fatal(err)
			}
			if tt.policy != "" {
				if err := w.region.PutBucketPolicy(t.Context(), "reports", tt.policy); err != nil {
					t.Fatal(err)
				}
			}
			if tt.fault != nil {
				w.cloud.Inject(*tt.fault)
			}
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			w.quiet()
			r := w.bucketFixes(t)[0]
			wantState(t, r, dera.Resolved)
			got := read(t, w)
			var keys []string
			for k := range got {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			if !slices.Equal(keys, tt.want) {
				t.Errorf("tags after the fix: got %q, want %q", keys, tt.want)
			}
			if _, err := w.engine.Rollback(t.Context(), r.ID, remediate.Request{By: person(), Reason: "test"}); err != nil {
				t.Fatal(err)
			}
			if got := read(t, w); len(got) != 1 || got["team"] != "data" {
				t.Errorf("tags after the rollback: got %v, want the foreign one alone", got)
			}
		})
	}
}
