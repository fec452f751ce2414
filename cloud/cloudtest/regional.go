package cloudtest

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
)

// Regional is the wire of a kind of settings of regions, for tests on a stub of botocore's
// model: its calls, by the model's names.
type Regional struct {
	Kind    regional.Kind
	Wire    cloud.Wire
	Service string // by botocore's name
	// Read is the operation that reads the state, and Answer its output with a state and who
	// manages it.
	Read   string
	Answer func(state, manager string) map[string]any
	// Set and Unset are the operations that write, the same where AWS has one, with their
	// whole inputs: of the most secure state, and of the least secure one.
	Set, Unset           string
	SetInput, UnsetInput map[string]any
	// Uses is the operation that lists what depends on the state, and Used its output;
	// empty for a kind without it.
	Uses string
	Used map[string]any
	// Want is the configuration of the least secure state, as it is read.
	Want regional.Setting
}

// Run tests the wire: what could not be read is unknown and never insecure, and a write sets
// the state and nothing else.
func (x Regional) Run(t *testing.T) {
	stub := moto.StartStub(t)
	t.Run("reads", func(t *testing.T) { x.reads(t, stub) })
	if x.Kind.Set != "" {
		t.Run("writes", func(t *testing.T) { x.writes(t, stub.World(t)) })
	}
}

func (x Regional) scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: Hub, Region: East, Type: x.Kind.Name, IDs: ids}
}

func (x Regional) world(w *moto.StubWorld, answers ...moto.Answer) {
	w.On(x.Service, x.Read, answers...)
	if x.Uses != "" {
		w.On(x.Service, x.Uses, moto.Answer{Output: x.Used})
	}
}

func (x Regional) reads(t *testing.T, stub *moto.Stub) {
	t.Helper()
	first, last := x.Kind.Order[0], x.Kind.Order[len(x.Kind.Order)-1]
	for name, tc := range map[string]struct {
		answer moto.Answer
		state  string // "" for what is unknown
	}{
		"least_secure": {moto.Answer{Output: x.Answer(first, regional.Account)}, first},
		"most_secure":  {moto.Answer{Output: x.Answer(last, regional.Account)}, last},
		"managed":      {moto.Answer{Output: x.Answer(first, "declarative-policy")}, first},
		"denied":       {moto.Answer{Error: "AccessDenied"}, ""},
		"failed":       {moto.Answer{Error: "InternalFailure", Status: 500}, ""},
		"off_region":   {moto.Answer{Error: "AuthFailure"}, ""},
		"empty":        {moto.Answer{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			x.world(w, tc.answer)
			c := At(t, []cloud.Wire{x.Wire}, w.URL(), w.AccessKeyID, nil)
			page, err := c.Read(t.Context(), x.scope(), true)
			if tc.state == "" {
				if err == nil {
					t.Errorf("got %+v, want that it is not known", page.Resources)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 || page.Resources[0].Unread != "" {
				t.Fatalf("got %+v, %v", page, err)
			}
			want := x.Want
			if want.State = tc.state; name == "managed" && x.Want.ManagedBy != "" {
				want.ManagedBy = "declarative-policy"
			}
			if d := cmp.Diff(&want, page.Resources[0].Config); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if n := len(w.Calls(x.Read)); n != 1 {
				t.Errorf("got %d reads, want 1", n)
			}
		})
	}
	w := stub.World(t)
	x.world(w, moto.Answer{Output: x.Answer(first, regional.Account)})
	c := At(t, []cloud.Wire{x.Wire}, w.URL(), w.AccessKeyID, nil)
	if page, err := c.Read(t.Context(), x.scope("eu-west-9", x.Kind.ID(East)), false); err != nil || len(page.Resources) != 1 || strings.Join(page.Missing, " ") != "eu-west-9" {
		t.Errorf("got %+v, %v, want the region, and that the other is missing", page, err)
	}
	if x.Uses == "" {
		return
	}
	w.On(x.Service, x.Uses, moto.Answer{Error: "AccessDenied"})
	page, err := c.Read(t.Context(), x.scope(), true)
	if err != nil || len(page.Resources) != 1 || page.Resources[0].Config.(*regional.Setting).UsesRead || page.Resources[0].Config.(*regional.Setting).State != first {
		t.Errorf("what depends on it is not known: got %+v, %v", page, err)
	}
}

func (x Regional) writes(t *testing.T, w *moto.StubWorld) {
	t.Helper()
	first, last := x.Kind.Order[0], x.Kind.Order[len(x.Kind.Order)-1]
	typ := x.Kind.Type()
	now := x.Want
	now.Region, now.State = East, first
	change, err := typ.Set(&now, regional.State, last)
	if err != nil {
		t.Fatal(err)
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	sets := func(state string) map[string]map[string]any {
		return map[string]map[string]any{x.Read: x.Answer(state, regional.Account)}
	}
	when := func(input map[string]any) map[string]any { // also of a dry run
		out := maps.Clone(input)
		delete(out, "DryRun")
		return out
	}
	secure, insecure := moto.Answer{When: when(x.SetInput), Sets: sets(last)}, moto.Answer{When: when(x.UnsetInput), Sets: sets(first)}
	x.world(w, moto.Answer{Output: x.Answer(first, regional.Account)})
	c := At(t, []cloud.Wire{x.Wire}, w.URL(), w.AccessKeyID, nil)
	p := dera.Plan{Partition: "aws", Account: Hub, Region: East, Resource: typ.ARN("aws", Hub, East, East), Type: typ.Name, Changes: []dera.Change{change}}
	look := func(op resource.Operation) (string, bool) {
		t.Helper()
		page, err := c.ReadAgain(t.Context(), x.scope(x.Kind.ID(East)))
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("got %+v, %v", page, err)
		}
		done, _, err := typ.Effect(page.Resources[0].Config, op)
		if err != nil {
			t.Fatal(err)
		}
		return page.Resources[0].Config.(*regional.Setting).State, done
	}
	set := resource.Of(change)
	w.On(x.Service, x.Set, secure, insecure)
	if x.Unset != x.Set {
		w.On(x.Service, x.Set, secure)
		w.On(x.Service, x.Unset, insecure)
	}
	dry := 0
	if x.Kind.DryRun {
		if err := c.DryRun(t.Context(), p, set); err != nil {
			t.Errorf("dry run: got %v", err)
		}
		if got, done := look(set); got != first || done {
			t.Errorf("a dry run changes it: got %s", got)
		}
		dry++
	}
	if _, err := c.Do(t.Context(), p, set, Allow); err != nil {
		t.Fatal(err)
	}
	if got, done := look(set); got != last || !done {
		t.Errorf("after the write: got %s, shows %t, want %s", got, done, last)
	}
	if _, err := c.Do(t.Context(), p, undo, Allow); err != nil {
		t.Fatal(err)
	}
	if got, done := look(undo); got != first || !done {
		t.Errorf("after the undo: got %s, shows %t, want %s", got, done, first)
	}
	calls := w.Calls(x.Set)
	if d := cmp.Diff(x.SetInput, calls[dry].Input); d != "" {
		t.Errorf("the write sets more or less (-want +got):\n%s", d)
	}
	calls = w.Calls(x.Unset)
	if d := cmp.Diff(x.UnsetInput, calls[len(calls)-1].Input); d != "" {
		t.Errorf("the undo sets more or less (-want +got):\n%s", d)
	}
	// It fails, and it fails after it took effect.
	w.On(x.Service, x.Set, moto.Answer{Error: "InternalFailure", Status: 500}, moto.Answer{Error: "InternalFailure", Status: 500, Sets: sets(last)})
	for _, want := range []string{first, last} {
		if _, err := c.Do(t.Context(), p, set, Allow); err == nil {
			t.Error("a write that fails: got no error")
		}
		if got, done := look(set); got != want || done != (want == last) {
			t.Errorf("after a failed write: got %s, shows %t, want %s", got, done, want)
		}
	}
	if x.Wire.Try == nil {
		return
	}
	w.On(x.Service, x.Set, moto.Answer{})
	w.On(x.Service, x.Unset, moto.Answer{})
	for _, r := range c.TryWrites(t.Context(), Hub, East, "", []string{x.Kind.Set}) {
		if r.Tried != cloud.Allowed {
			t.Errorf("try %+v, want it allowed", r)
		}
	}
}
