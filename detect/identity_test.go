package detect

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
)

// A finding about a range of ports stays the same finding when the range changes.
func TestIdentityOfARange(t *testing.T) {
	t.Parallel()
	old := func(id, key string, s dera.FindingState) dera.Finding {
		return dera.Finding{ID: id, Control: "c", Key: key, State: s}
	}
	fresh := func(key string) string { return dera.FindingID(resourceOf("a", nil, morning).Key(), "c", key) }
	tests := []struct {
		name   string
		before []dera.Finding
		now    []string
		want   []string
	}{
		{name: "new", now: []string{"tcp/22"}, want: []string{fresh("tcp/22")}},
		{name: "wider", before: []dera.Finding{old("f-1", "tcp/27017", dera.FindingOpen)}, now: []string{"tcp/27017-27018"}, want: []string{"f-1"}},
		{name: "narrower", before: []dera.Finding{old("f-1", "tcp/0-65535", dera.FindingOpen)}, now: []string{"tcp/9000"}, want: []string{"f-1"}},
		{name: "split", before: []dera.Finding{old("f-1", "tcp/1-100", dera.FindingOpen)}, now: []string{"tcp/1-50", "tcp/60-100"}, want: []string{"f-1", fresh("tcp/60-100")}},
		{name: "joined", before: []dera.Finding{old("f-1", "tcp/1-40", dera.FindingOpen), old("f-2", "tcp/60-100", dera.FindingOpen)}, now: []string{"tcp/1-100"}, want: []string{"f-2"}},
		{name: "an_open_one_goes_before_a_resolved_one_of_that_key", before: []dera.Finding{old("f-1", "tcp/1-100", dera.FindingOpen), old("f-2", "tcp/5", dera.FindingResolved)}, now: []string{"tcp/5"}, want: []string{"f-1"}},
		{name: "the_same_key_goes_first", before: []dera.Finding{old("f-1", "tcp/1-100", dera.FindingOpen), old("f-2", "tcp/5", dera.FindingOpen)}, now: []string{"tcp/5"}, want: []string{"f-2"}},
		{name: "the_larger_part_of_a_split", before: []dera.Finding{old("f-1", "tcp/1-100", dera.FindingOpen)}, now: []string{"tcp/1-10", "tcp/20-100"}, want: []string{fresh("tcp/1-10"), "f-1"}},
		{name: "open_ones_go_first", before: []dera.Finding{old("f-1", "tcp/1-100", dera.FindingResolved), old("f-2", "tcp/5", dera.FindingOpen)}, now: []string{"tcp/5-60"}, want: []string{"f-2"}},
		{name: "it_comes_back_wider", before: []dera.Finding{old("f-1", "tcp/27017", dera.FindingResolved)}, now: []string{"tcp/27017-27020"}, want: []string{"f-1"}},
		{name: "no_port_in_common", before: []dera.Finding{old("f-1", "tcp/27017", dera.FindingOpen)}, now: []string{"tcp/27018"}, want: []string{fresh("tcp/27018")}},
		{name: "another_protocol", before: []dera.Finding{old("f-1", "tcp/53", dera.FindingOpen)}, now: []string{"udp/53"}, want: []string{fresh("udp/53")}},
		{name: "bounded_is_another_one", before: []dera.Finding{old("f-1", "tcp/53", dera.FindingOpen)}, now: []string{"tcp/53/bounded"}, want: []string{fresh("tcp/53/bounded")}},
		{name: "an_id_that_another_one_kept", before: []dera.Finding{old(fresh("tcp/5"), "tcp/90", dera.FindingOpen)}, now: []string{"tcp/90", "tcp/5"}, want: []string{fresh("tcp/5"), fresh("tcp/5+")}},
		{name: "found_again_by_its_key", before: []dera.Finding{old(fresh("tcp/5"), "tcp/90", dera.FindingOpen), old(fresh("tcp/5+"), "tcp/5", dera.FindingOpen)},
			now: []string{"tcp/5", "tcp/90"}, want: []string{fresh("tcp/5+"), fresh("tcp/5")}},
		{name: "no_range", before: []dera.Finding{old("f-1", "policy-read", dera.FindingOpen)}, now: []string{"policy-write", "policy-read"}, want: []string{fresh("policy-write"), "f-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := Assessment{Resource: resourceOf("a", nil, morning)}
			var failures []control.Failure
			for _, k := range tt.now {
				failures = append(failures, control.Failure{Key: k})
			}
			got := a.identify("c", failures, tt.before)
			seen := map[string]bool{}
			for i, id := range got {
				if id != tt.want[i] {
					t.Errorf("%s: got %s, want %s", tt.now[i], id, tt.want[i])
				}
				if seen[id] {
					t.Errorf("%s stands twice", id)
				}
				seen[id] = true
			}
		})
	}
}

// That a fix was rolled back counts for every range that overlaps it.
func TestRolledBackCountsForTheRange(t *testing.T) {
	t.Parallel()
	before := []dera.Finding{{ID: "f-1", Control: "c", Key: "tcp/1-100", State: dera.FindingOpen}, {ID: "f-2", Control: "c", Key: "tcp/5", State: dera.FindingResolved, RolledBack: 2}}
	if got := rolledBack("c", "tcp/4-6", before); got != 2 {
		t.Errorf("got %d, want 2", got)
	}
	if got := rolledBack("c", "tcp/6", before); got != 0 {
		t.Errorf("got %d, want 0", got)
	}
}
