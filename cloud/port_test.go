package cloud_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
)

// asker is a port that tells of an ID.
type asker func(id string) error

// TestPorts: a part that a port fills is unread without the port, for every type
// alike, and a port that fails is no answer. It is asked last, of what is there.
func TestPorts(t *testing.T) {
	t.Parallel()
	away := func(string) error { return errors.New("away") }
	for name, tc := range map[string]struct {
		port   any  // nil for none
		tells  bool // the configuration notes what is unread
		around bool
		filled bool
		unread string
		why    string // the resource is not known
	}{
		"given":                         {asker(func(string) error { return nil }), true, true, true, "", ""},
		"missing":                       {nil, true, true, false, "c", ""},
		"fails":                         {asker(away), true, true, false, "c", "away"},
		"missing_in_a_type_without_it":  {nil, false, true, false, "", ""},
		"needed_in_a_type_without_it":   {nil, false, false, false, "", "no such port"},
		"fails_for_a_type_without_note": {asker(away), false, false, false, "", "away"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			w := things(&asked, map[string]error{"a y": code("NoSuchThing")}, tc.tells)
			w.Parts = append(w.Parts, resource.Part{Name: "c", Port: "p", Around: tc.around})
			w.Readers = slices.Insert(w.Readers, 0, cloud.Ported("p", []string{"c"}, func(_ context.Context, _ *cloud.Reading, from asker, items []*cloud.Item) error {
				for _, x := range items {
					asked = append(asked, "c "+x.ID)
					if err := from(x.ID); err != nil {
						return err
					}
					x.Config.(*thing).a = []string{"port"}
				}
				return nil
			}))
			cfg := cloud.Config{Wires: []cloud.Wire{w}, Region: cloudtest.East, Ports: map[string]any{}}
			if tc.port != nil {
				cfg.Ports["p"] = tc.port
			}
			c, err := cloud.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			page, err := c.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: "X::Y::Thing", IDs: []string{"x", "y"}}, true)
			if err != nil || len(page.Resources) != 1 || !slices.Equal(page.Missing, []string{"y"}) {
				t.Fatalf("got %d resources, missing %v, %v", len(page.Resources), page.Missing, err)
			}
			x := page.Resources[0]
			got := x.Config.(*thing)
			if filled, unread := slices.Equal(got.a, []string{"port"}), strings.Join(got.unread, " "); filled != tc.filled || unread != tc.unread {
				t.Errorf("got filled %t, unread %q, want %t, %q", filled, unread, tc.filled, tc.unread)
			}
			if (x.Unread == "") != (tc.why == "") || !strings.Contains(x.Unread, tc.why) {
				t.Errorf("not known because of %q, want %q", x.Unread, tc.why)
			}
			if i := slices.Index(asked, "c x"); slices.Contains(asked, "c y") || i >= 0 && i != len(asked)-1 {
				t.Errorf("asked %v: want the port last, and not of what is not there", asked)
			}
		})
	}
}

// TestPorts_are_checked: a wire that a port does not fit, or whose reader takes
// another port than the part says, does not start.
func TestPorts_are_checked(t *testing.T) {
	t.Parallel()
	fill := func(context.Context, *cloud.Reading, asker, []*cloud.Item) error { return nil }
	for name, tc := range map[string]struct {
		part  string // its port
		given any
		want  string
	}{
		"right":        {"p", asker(nil), ""},
		"of_another":   {"p", "a text", "it is a string"},
		"from_aws":     {"", asker(nil), "is filled from the port"},
		"another_port": {"q", asker(nil), "is filled from the port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := things(new([]string), nil, true)
			w.Parts = append(w.Parts, resource.Part{Name: "c", Port: tc.part})
			w.Readers = append(w.Readers, cloud.Ported("p", []string{"c"}, fill))
			_, err := cloud.New(t.Context(), cloud.Config{Wires: []cloud.Wire{w}, Region: cloudtest.East, Ports: map[string]any{"p": tc.given}})
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestHas: what the call that found a resource returned is not read again, and a reader that has more
// to read runs.
func TestHas(t *testing.T) {
	t.Parallel()
	var asked []string
	w := things(&asked, nil, true)
	find := w.Find
	w.Find = func(ctx context.Context, r *cloud.Reading) (cloud.Found, error) {
		found, err := find(ctx, r)
		found.Items[0].Has("a")
		return found, err
	}
	var many [][]string
	w.Parts = append(w.Parts, resource.Part{Name: "c"})
	w.Readers = append(w.Readers, cloud.Reader{Parts: []string{"a", "c"}, Many: func(_ context.Context, _ *cloud.Reading, items []*cloud.Item) error {
		var ids []string
		for _, x := range items {
			x.Has("a", "c")
			ids = append(ids, x.ID)
		}
		many = append(many, ids)
		return nil
	}}, cloud.Reader{Parts: []string{"c"}, Many: func(context.Context, *cloud.Reading, []*cloud.Item) error {
		t.Error("a reader without anything to read runs")
		return nil
	}})
	c, err := cloud.New(t.Context(), cloud.Config{Wires: []cloud.Wire{w}, Region: cloudtest.East})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: "X::Y::Thing", IDs: []string{"x", "y"}}, true); err != nil {
		t.Fatal(err)
	}
	slices.Sort(asked)
	if !slices.Equal(asked, []string{"b x", "b y"}) || len(many) != 1 || !slices.Equal(many[0], []string{"x", "y"}) {
		t.Errorf("got %v one by one and %v together", asked, many)
	}
}

// TestTryReads_of_what_is_asked: a type that none of the actions reads is left alone.
func TestTryReads_of_what_is_asked(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]int{"x:Geta": 1, "x:Getb": 1, "y:Geta": 0} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			n := 0
			w := things(new([]string), nil, true)
			w.Find = func(context.Context, *cloud.Reading) (cloud.Found, error) { n++; return cloud.Found{}, nil }
			f := cloudtest.New(t, []cloud.Wire{w}, nil)
			if got := f.TryReads(t.Context(), cloudtest.Hub, cloudtest.East, []string{action}); len(got) != 1 || n != want {
				t.Errorf("got %v with %d looks for a resource, want %d", got, n, want)
			}
		})
	}
}
