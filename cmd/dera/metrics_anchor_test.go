package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/store"
)

// TestMetricsOfAnchors: an anchor that never kept anything lacks all records, and one that is not used any more says nothing.
func TestMetricsOfAnchors(t *testing.T) {
	a := &cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: time.Now}
	a.flags.data = t.TempDir()
	s, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	s.config.Anchor.S3 = []anchorBucketConfig{{Bucket: "never"}, {Bucket: "used"}}
	now := store.Moment(time.Now())
	if err := s.store.Remember(t.Context(), map[string]string{store.AnchoredPrefix + "s3://used/": "0 " + now, store.AnchoredPrefix + "s3://before/": "0 " + now}); err != nil {
		t.Fatal(err)
	}
	list, err := s.figures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range list {
		if strings.Contains(x.family, "anchor") {
			got = append(got, x.family+" "+x.values[0])
		}
	}
	slices.Sort(got)
	if want := []string{"dera_audit_anchor_age_seconds s3://used/", "dera_audit_unanchored_records s3://never/", "dera_audit_unanchored_records s3://used/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
