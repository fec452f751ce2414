package role

import (
	"slices"
	"strings"
	"testing"
)

// TestParts: the parts are small enough and allow together just what the whole does, on the same
// resources and conditions; what cannot be made small enough is an error.
func TestParts(t *testing.T) {
	t.Parallel()
	long := func(n int) (out []string) {
		for i := range n {
			out = append(out, "service:Action"+strings.Repeat("x", i%40))
		}
		return out
	}
	whole := Policy{Version: "2012-10-17", Statement: []Statement{
		{Sid: "Look", Effect: "Allow", Action: long(70), Resource: []string{"*"}},
		{Sid: "A", Effect: "Allow", Action: long(3), Resource: []string{"arn:aws:x:::a/*"}, Condition: map[string]map[string]string{"StringEquals": {"aws:ResourceAccount": "111122223333"}}},
		{Sid: "B", Effect: "Allow", Action: long(20), Resource: []string{"arn:aws:x:::b/*"}},
	}}
	grants := func(list ...Policy) (out []string) {
		for _, p := range list {
			for _, s := range p.Statement {
				for _, a := range s.Action {
					out = append(out, a+" on "+strings.Join(s.Resource, ",")+" if "+s.Condition["StringEquals"]["aws:ResourceAccount"])
				}
			}
		}
		slices.Sort(out)
		return out
	}
	for _, limit := range []int{300, 700, 1000, 2000, 100000} {
		parts, err := whole.Parts(limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if n, err := p.Size(); err != nil || n > limit || len(p.Statement) == 0 || p.Version != whole.Version {
				t.Errorf("limit %d: got a part of %d, %v", limit, n, err)
			}
			var ids []string
			for _, s := range p.Statement {
				ids = append(ids, s.Sid)
			}
			if slices.Sort(ids); len(slices.Compact(ids)) != len(p.Statement) {
				t.Errorf("limit %d: the part has statements of the same Sid: %v", limit, ids)
			}
		}
		if !slices.Equal(grants(parts...), grants(whole)) {
			t.Errorf("limit %d: the parts allow something else than the whole", limit)
		}
		if limit == 100000 && len(parts) != 1 {
			t.Errorf("got %d parts of one that fits", len(parts))
		}
	}
	if parts, err := whole.Parts(100); err == nil {
		t.Errorf("got %d parts, want an error", len(parts))
	}
}
