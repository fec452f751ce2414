package evaluate

import (
	"strings"
	"testing"

	"dera.example/dera"
)

// An exemption and a rejection cover what they were given for, and anything
// narrower; wider is a question again.
func TestWithin(t *testing.T) {
	t.Parallel()
	world := []string{"0.0.0.0/0"}
	tests := []struct {
		name  string
		given dera.Extent
		now   dera.Extent
		want  bool
	}{
		{name: "the_same", given: dera.Extent{Key: "tcp/27017", Sources: world}, now: dera.Extent{Key: "tcp/27017", Sources: world}, want: true},
		{name: "one_port_more", given: dera.Extent{Key: "tcp/27017"}, now: dera.Extent{Key: "tcp/27017-27018"}},
		{name: "one_port_less", given: dera.Extent{Key: "tcp/27017-27018"}, now: dera.Extent{Key: "tcp/27018"}, want: true},
		{name: "range_within_a_range", given: dera.Extent{Key: "udp/1000-2000"}, now: dera.Extent{Key: "udp/1500-1600"}, want: true},
		{name: "range_over_the_edge", given: dera.Extent{Key: "udp/1000-2000"}, now: dera.Extent{Key: "udp/1500-2001"}},
		{name: "another_protocol", given: dera.Extent{Key: "tcp/53"}, now: dera.Extent{Key: "udp/53"}},
		{name: "bounded_after_the_internet", given: dera.Extent{Key: "tcp/22"}, now: dera.Extent{Key: "tcp/22/bounded"}, want: true},
		{name: "the_internet_after_bounded", given: dera.Extent{Key: "tcp/22/bounded"}, now: dera.Extent{Key: "tcp/22"}},
		{name: "a_part_of_all_traffic", given: dera.Extent{Key: "all"}, now: dera.Extent{Key: "tcp/0-65535"}, want: true},
		{name: "all_traffic_after_a_part", given: dera.Extent{Key: "tcp/0-65535"}, now: dera.Extent{Key: "all"}},
		{name: "another_source", given: dera.Extent{Key: "tcp/22/bounded", Sources: []string{"203.0.113.0/24"}},
			now: dera.Extent{Key: "tcp/22/bounded", Sources: []string{"198.51.100.0/24", "203.0.113.0/24"}}},
		{name: "a_part_of_the_source", given: dera.Extent{Key: "tcp/22/bounded", Sources: []string{"203.0.113.0/24"}},
			now: dera.Extent{Key: "tcp/22/bounded", Sources: []string{"203.0.113.128/25"}}, want: true},
		{name: "halves_of_the_source", given: dera.Extent{Key: "tcp/22", Sources: []string{"0.0.0.0/1", "128.0.0.0/1"}},
			now: dera.Extent{Key: "tcp/22", Sources: world}, want: true},
		{name: "a_second_family", given: dera.Extent{Key: "tcp/22", Sources: world}, now: dera.Extent{Key: "tcp/22", Sources: []string{"0.0.0.0/0", "::/0"}}},
		{name: "a_prefix_list_that_was_not_read", given: dera.Extent{Key: "tcp/22", Sources: world}, now: dera.Extent{Key: "tcp/22", Sources: []string{"pl-1"}}},
		{name: "unknown_sources", given: dera.Extent{Key: "tcp/22", Sources: world}, now: dera.Extent{Key: "tcp/22"}},
		{name: "an_action_more", given: dera.Extent{Key: "read", Permissions: []string{"s3:GetObject"}}, now: dera.Extent{Key: "read", Permissions: []string{"s3:GetObject", "s3:ListBucket"}}},
		{name: "an_action_less", given: dera.Extent{Key: "read", Permissions: []string{"s3:Get*", "s3:ListBucket"}}, now: dera.Extent{Key: "read", Permissions: []string{"S3:GetObject"}}, want: true},
		{name: "a_wider_pattern", given: dera.Extent{Key: "read", Permissions: []string{"s3:GetObject*"}}, now: dera.Extent{Key: "read", Permissions: []string{"s3:Get*"}}},
		{name: "a_pattern_that_a_question_mark_does_not_hold", given: dera.Extent{Key: "read", Permissions: []string{"s3:Get?"}}, now: dera.Extent{Key: "read", Permissions: []string{"s3:Get*"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Within(tt.now, []dera.Extent{tt.given}); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

// Keys of an exemption are patterns; a range is covered when each port is.
func TestExemptionKeysCoverEachPort(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		keys []string
		key  string
		want bool
	}{
		{name: "exact", keys: []string{"tcp/22"}, key: "tcp/22", want: true},
		{name: "two_keys_for_a_range", keys: []string{"tcp/27017", "tcp/27018"}, key: "tcp/27017-27018", want: true},
		{name: "one_of_two", keys: []string{"tcp/27017"}, key: "tcp/27017-27018"},
		{name: "glob_over_ports", keys: []string{"tcp/808?"}, key: "tcp/8080-8089", want: true},
		{name: "glob_over_too_few_ports", keys: []string{"tcp/808?"}, key: "tcp/8080-8090"},
		{name: "glob_does_not_cross_into_a_range", keys: []string{"tcp/2701*"}, key: "tcp/27017-28000"},
		{name: "everything_of_a_protocol", keys: []string{"tcp/*"}, key: "tcp/1-65535", want: true},
		{name: "policy_read", keys: []string{"policy-*"}, key: "policy-read", want: true},
		{name: "internet_covers_bounded", keys: []string{"tcp/22"}, key: "tcp/22/bounded", want: true},
		{name: "bounded_is_not_the_internet", keys: []string{"tcp/22/bounded"}, key: "tcp/22"},
		{name: "bounded_range_in_a_range", keys: []string{"tcp/20-30"}, key: "tcp/22-25/bounded", want: true},
		{name: "icmp", keys: []string{"icmp"}, key: "icmp/bounded", want: true},
		{name: "all_bounded", keys: []string{"all/bounded"}, key: "tcp/1-9/bounded", want: true},
		{name: "all_traffic_covers_a_port", keys: []string{"all"}, key: "tcp/22", want: true},
		{name: "all_traffic_covers_icmp", keys: []string{"all"}, key: "icmp/bounded", want: true},
		{name: "all_traffic_is_no_bucket_policy", keys: []string{"all"}, key: "policy-read"},
		{name: "all_traffic_is_no_block", keys: []string{"all"}, key: "public-access-block"},
		{name: "all_traffic_does_not_cover_what_was_not_judged", keys: []string{"all"}, key: "unknown"},
		{name: "all_bounded_is_not_the_internet", keys: []string{"all/bounded"}, key: "tcp/1-9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := dera.ExemptionMatch{Keys: tt.keys, Controls: []string{"c"}}
			if got := exemptionCovers(m, dera.Finding{Control: "c", Key: tt.key}, dera.Account{}, nil); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

// An exemption that names sources or permissions ends where these end.
func TestExemptionOfSourcesAndPermissions(t *testing.T) {
	t.Parallel()
	m := dera.ExemptionMatch{Controls: []string{"c"}, Sources: []string{"203.0.113.0/24"}}
	f := dera.Finding{Control: "c", Key: "tcp/22/bounded", Sources: []string{"203.0.113.7/32"}}
	if !exemptionCovers(m, f, dera.Account{}, nil) {
		t.Error("a source within: got not covered")
	}
	f.Sources = append(f.Sources, "198.51.100.0/24")
	if exemptionCovers(m, f, dera.Account{}, nil) {
		t.Error("a source more: got covered")
	}
	m = dera.ExemptionMatch{Controls: []string{"c"}, Permissions: []string{"s3:GetObject"}}
	f = dera.Finding{Control: "c", Key: "policy-read", Permissions: []string{"s3:GetObject"}}
	if !exemptionCovers(m, f, dera.Account{}, nil) {
		t.Error("the permission: got not covered")
	}
	f.Permissions = []string{"s3:GetObject", "s3:GetBucketAcl"}
	if exemptionCovers(m, f, dera.Account{}, nil) {
		t.Error("a permission more: got covered")
	}
	if wide := (dera.ExemptionMatch{Sources: []string{"0.0.0.0/0", "::/0"}}); !coversEverything(wide) {
		t.Error("sources of everything: got a match that narrows")
	}
}

// A declared need of a range, a pattern or a part counts for whatever it touches.
func TestKeyTouches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, key string
		want         bool
	}{
		{"tcp/22", "tcp/22", true},
		{"tcp/27017", "tcp/27017-27018", true},
		{"tcp/20-25", "tcp/22", true},
		{"tcp/20-25", "tcp/25-30/bounded", true},
		{"tcp/20-25", "tcp/26-30", false},
		{"tcp/20-25", "udp/22", false},
		{"tcp/270?7", "tcp/27000-27100", true},
		{"tcp/99*", "tcp/1-98", false},
		{"tcp/22", "all", true},
		{"all/bounded", "tcp/22", true},
		{"all", "policy-read", false},
		{"policy-*", "policy-read", true},
		{"policy-*", "all", false},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.pattern+" "+tt.key, "/", "_"), func(t *testing.T) {
			t.Parallel()
			if got := keyTouches(tt.pattern, tt.key); got != tt.want {
				t.Errorf("%s and %s: got %t, want %t", tt.pattern, tt.key, got, tt.want)
			}
		})
	}
}
