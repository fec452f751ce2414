package cloudtest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
)

// Sharing is the wire of a kind of what is shared by lists, for tests on a stub of botocore's
// model: its calls, by the model's names.
type Sharing struct {
	Kind    sharing.Kind
	Wire    cloud.Wire
	Service string // by botocore's name
	// List finds resources, Attribute reads the list of one, Modify writes it.
	List, Attribute, Modify string
	IDs                     [2]string
	// Page is the output of List with those that an account owns; next is "" on the last one.
	Page func(owner, next string, ids ...string) map[string]any
	// Own are the members of List's input by which it tells of what the account owns, and of
	// what can be shared, alone.
	Own map[string]any
	// Get is the operation that reads one by its ID, and Named its output; List and Page where
	// there is none.
	Get   string
	Named func(owner, id string) map[string]any
	// Token is the member of List's input with the token, and One what asks for one ID.
	Token string
	One   func(id string) map[string]any
	// Members is the output of Attribute.
	Members func(id string, members ...string) map[string]any
	// Absent is the code with which List says that there is none, and Status its HTTP status.
	Absent string
	Status int
	// Change is the whole input of Modify.
	Change func(id string, add, remove []string) map[string]any
}

const outsider = "222222222222"

// Run tests the wire: what could not be read is unknown and never private, what another
// account owns is not ours, calls are counted, and a write names those who go and no other.
func (s Sharing) Run(t *testing.T) {
	if s.Get == "" {
		s.Get, s.Named = s.List, func(owner, id string) map[string]any { return s.Page(owner, "", id) }
	}
	stub := moto.StartStub(t)
	t.Run("pages", func(t *testing.T) { s.pages(t, stub.World(t)) })
	t.Run("named", func(t *testing.T) { s.named(t, stub.World(t)) })
	t.Run("writes", func(t *testing.T) { s.writes(t, stub.World(t)) })
	for name, answer := range map[string]moto.Answer{
		"denied":  {Error: "AccessDenied", Message: "you are not authorized"},
		"failed":  {Error: "InternalFailure", Status: 500},
		"foreign": {Output: s.Members(s.IDs[1], sharing.All)},
		"empty":   {},
	} {
		if name == "foreign" && cmp.Equal(answer.Output, s.Members(s.IDs[0], sharing.All)) {
			continue // the answer does not say of what it is
		}
		t.Run("list_"+name, func(t *testing.T) {
			w := stub.World(t)
			w.On(s.Service, s.List, moto.Answer{Output: s.Page(Hub, "", s.IDs[:]...)})
			w.On(s.Service, s.Attribute, answer)
			if got, why := s.sweep(t, w); len(got) != 2 || got[s.IDs[0]] != "unknown" || why == "" {
				t.Errorf("got %v, %q, want that nothing is known of it", got, why)
			}
		})
	}
}

func (s Sharing) client(t *testing.T, w *moto.StubWorld) *cloud.Client {
	t.Helper()
	return At(t, []cloud.Wire{s.Wire}, w.URL(), w.AccessKeyID, nil)
}

func (s Sharing) scope(page string, ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: Hub, Region: East, Type: s.Kind.Name, Page: page, IDs: ids}
}

// sweep reads all pages: with whom each resource is shared, or "unknown", and why something is
// unknown.
func (s Sharing) sweep(t *testing.T, w *moto.StubWorld) (got map[string]string, why string) {
	t.Helper()
	c, next := s.client(t, w), ""
	got = map[string]string{}
	for range 9 {
		page, err := c.Read(t.Context(), s.scope(next), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Resources {
			c, ok := x.Config.(*sharing.Shared)
			if !ok || x.Unread != "" || c.With == nil {
				got[x.ID], why = "unknown", why+x.Unread
				continue
			}
			got[x.ID] = strings.Join(c.With, " ")
		}
		if next = page.Next; next == "" {
			return got, why
		}
	}
	t.Fatal("the pages do not end")
	return nil, ""
}

func (s Sharing) pages(t *testing.T, w *moto.StubWorld) {
	t.Helper()
	second := s.Page(Hub, "", s.IDs[1])
	w.On(s.Service, s.List, moto.Answer{When: map[string]any{s.Token: "page-2"}, Output: second}, moto.Answer{Output: s.Page(Hub, "page-2", s.IDs[0])})
	defer func() {
		for _, c := range w.Calls(s.List) {
			for name, want := range s.Own {
				if d := cmp.Diff(want, c.Input[name]); d != "" {
					t.Errorf("%s (-want +got):\n%s", name, d)
				}
			}
		}
	}()
	w.On(s.Service, s.Attribute, moto.Answer{Output: s.Members(s.IDs[0], sharing.All, outsider)}, moto.Answer{Output: s.Members(s.IDs[1])})
	got, why := s.sweep(t, w)
	if want := map[string]string{s.IDs[0]: outsider + " " + sharing.All, s.IDs[1]: ""}; !maps.Equal(got, want) {
		t.Errorf("got %v (%s), want %v", got, why, want)
	}
	if lists, attributes := len(w.Calls(s.List)), len(w.Calls(s.Attribute)); lists != 2 || attributes != 2 {
		t.Errorf("calls: got %d of %s and %d of %s, want one for each page and one for each resource", lists, s.List, attributes, s.Attribute)
	}
	w.On(s.Service, s.List, moto.Answer{Output: s.Page("999999999999", "", s.IDs[1])})
	if got, _ := s.sweep(t, w); len(got) != 0 {
		t.Errorf("of another account: got %v", got)
	}
	w.On(s.Service, s.List, moto.Answer{})
	if page, err := s.client(t, w).Read(t.Context(), s.scope(""), false); err == nil {
		t.Errorf("an answer without a list: got %+v", page)
	}
}

func (s Sharing) named(t *testing.T, w *moto.StubWorld) {
	t.Helper()
	w.On(s.Service, s.Get, moto.Answer{When: s.One(s.IDs[0]), Output: s.Named(Hub, s.IDs[0])}, moto.Answer{Error: s.Absent, Status: s.Status})
	w.On(s.Service, s.Attribute, moto.Answer{Output: s.Members(s.IDs[0])})
	page, err := s.client(t, w).Read(t.Context(), s.scope("", s.IDs[:]...), false)
	if err != nil || len(page.Resources) != 1 || !slices.Equal(page.Missing, s.IDs[1:]) {
		t.Fatalf("got %+v, %v, want one that is there and one that is missing", page, err)
	}
	x := page.Resources[0]
	if with := x.Config.(*sharing.Shared).With; x.ARN != s.Kind.ARN("aws", Hub, East, s.IDs[0]) || with == nil || len(with) > 0 || x.Unread != "" {
		t.Errorf("got %s with %+v, unread %q", x.ARN, x.Config, x.Unread)
	}
	w.On(s.Service, s.Get, moto.Answer{Output: s.Named(Hub, s.IDs[1])})
	if page, err := s.client(t, w).Read(t.Context(), s.scope("", s.IDs[0]), false); err == nil {
		t.Errorf("an answer about another one: got %+v", page)
	}
	w.On(s.Service, s.Get, moto.Answer{Output: s.Named("999999999999", s.IDs[0])})
	if page, err := s.client(t, w).Read(t.Context(), s.scope("", s.IDs[0]), false); err == nil && len(page.Resources) > 0 {
		t.Errorf("of another account: got %+v", page.Resources)
	}
}

// remove is the one change that takes members out.
func (s Sharing) remove(t *testing.T, now *sharing.Shared, members []string) dera.Change {
	t.Helper()
	changes, err := s.Kind.Remove(now, members)
	if err != nil || len(changes) != 1 {
		t.Fatalf("got %d changes, %v, want one", len(changes), err)
	}
	return changes[0]
}

func (s Sharing) writes(t *testing.T, w *moto.StubWorld) {
	t.Helper()
	id, all := s.IDs[0], []string{sharing.All}
	now := &sharing.Shared{ID: id, With: []string{outsider, sharing.All}}
	if s.Kind.Alone {
		now.With = all
	}
	change := s.remove(t, now, all)
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	others := s.remove(t, &sharing.Shared{ID: id, With: []string{outsider}}, []string{outsider})
	p := dera.Plan{Partition: "aws", Account: Hub, Region: East, Resource: s.Kind.ARN("aws", Hub, East, id), Type: s.Kind.Name, Changes: []dera.Change{change}}
	w.On(s.Service, s.List, moto.Answer{Output: s.Page(Hub, "", id)})
	w.On(s.Service, s.Get, moto.Answer{Output: s.Named(Hub, id)})
	w.On(s.Service, s.Attribute, moto.Answer{Output: s.Members(id, sharing.All)})
	after := map[string]map[string]any{s.Attribute: s.Members(id)}
	w.On(s.Service, s.Modify, moto.Answer{}, moto.Answer{}, moto.Answer{}, moto.Answer{Error: "Throttling"}, moto.Answer{Error: "InternalFailure", Status: 500, Sets: after})
	c := s.client(t, w)
	for i, step := range []struct {
		op          resource.Operation
		add, remove []string
	}{{op: resource.Of(change), remove: all}, {op: undo, add: all}, {op: resource.Of(others), remove: []string{outsider}}} {
		if _, err := c.Do(t.Context(), p, step.op, Allow); err != nil {
			t.Fatal(err)
		}
		calls := w.Calls(s.Modify)
		if d := cmp.Diff(s.Change(id, step.add, step.remove), calls[len(calls)-1].Input); d != "" || len(calls) != i+1 {
			t.Errorf("write %d, of %d (-want +got):\n%s", i, len(calls), d)
		}
	}
	for _, want := range []string{sharing.All, ""} { // it fails, and it fails after it took effect
		if _, err := c.Do(t.Context(), p, resource.Of(change), Allow); err == nil {
			t.Error("a write that fails: got no error")
		}
		page, err := c.ReadAgain(t.Context(), s.scope("", id))
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("got %+v, %v", page, err)
		}
		done, _, err := s.Kind.Type().Effect(page.Resources[0].Config, resource.Of(change))
		if got := strings.Join(page.Resources[0].Config.(*sharing.Shared).With, " "); got != want || err != nil || done != (want == "") {
			t.Errorf("after a failed write: got %q, shows %t, %v, want %q", got, done, err, want)
		}
	}
	if n := len(w.Calls(s.Modify)); n != 5 {
		t.Errorf("got %d writes, want 5: each has one attempt", n)
	}
	if s.Kind.DryRun {
		if err := c.DryRun(t.Context(), p, resource.Of(change)); err == nil || len(w.Calls(s.Modify)) != 6 || w.Calls(s.Modify)[5].Input["DryRun"] != true {
			t.Errorf("dry run after a failure: got %v, %v", err, w.Calls(s.Modify))
		}
		w.On(s.Service, s.Modify, moto.Answer{})
		if err := c.DryRun(t.Context(), p, resource.Of(change)); err != nil {
			t.Errorf("dry run: got %v", err)
		}
	}
	if s.Wire.Try != nil {
		for _, x := range c.TryWrites(t.Context(), Hub, East, "", []string{s.Kind.Modify}) {
			if x.Tried != cloud.Allowed {
				t.Errorf("try %+v, want it allowed", x)
			}
		}
	}
}
