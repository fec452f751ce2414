package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/services/s3/bucket"

	"github.com/aws/smithy-go"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
)

// thing is the configuration of a type that only this test has.
type thing struct{ a, b, unread []string }

// things is the wire of a type with a cheap part "a" and a part "b" that a quick
// look leaves out; answers are the errors of their calls by part and ID, and asked
// are the calls. tells says that its configuration notes what is unread.
func things(asked *[]string, answers map[string]error, tells bool) cloud.Wire {
	one := func(part string, put func(*thing)) cloud.Reader {
		return cloud.Reader{Parts: []string{part}, Call: "x:Get" + part, One: func(_ context.Context, _ *cloud.Reading, x *cloud.Item) error {
			*asked = append(*asked, part+" "+x.ID)
			put(x.Config.(*thing))
			return answers[part+" "+x.ID]
		}}
	}
	w := cloud.Wire{
		Type:  "X::Y::Thing",
		Parts: []resource.Part{{Name: "a", Action: "x:Geta", Absent: []string{"NoSuchA"}, Cheap: true}, {Name: "b", Action: "x:Getb"}},
		Find: func(_ context.Context, r *cloud.Reading) (found cloud.Found, err error) {
			for _, id := range r.Scope.IDs {
				found.Items = append(found.Items, cloud.NewItem(r, id, id, dera.ARN("arn:aws:x:::"+id), &thing{}))
			}
			return found, nil
		},
		Gone: func(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
			return cloud.Is(err, cloud.NotFound) && strings.Contains(err.Error(), "NoSuchThing")
		},
		Readers: []cloud.Reader{
			one("a", func(x *thing) { x.a = append(x.a, "read") }), one("b", func(x *thing) { x.b = append(x.b, "read") }),
		},
	}
	if tells {
		w.Unread = func(config any, part string) { config.(*thing).unread = append(config.(*thing).unread, part) }
	}
	return w
}

func code(code string) error { return &smithy.GenericAPIError{Code: code, Message: "no"} }

// TestParts: what an answer about a part means is the same for every type.
func TestParts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer error // to part a of x
		tells  bool
		ids    []string
		want   string // each resource with its unread parts and whether it is unknown
		err    cloud.Problem
	}{
		{"read", nil, true, []string{"x"}, "x", ""},
		{"absent", code("NoSuchA"), true, []string{"x"}, "x", ""},
		{"denied", code("AccessDenied"), true, []string{"x"}, "x a", ""},
		{"another_error", code("InternalError"), true, []string{"x"}, "x a unknown", ""},
		{"absent_of_another_part", code("NoSuchB"), true, []string{"x"}, "x a unknown", ""},
		{"not_there", code("NoSuchThing"), true, []string{"x", "y"}, "y missing x", ""},
		{"credentials", code("ExpiredToken"), true, []string{"x", "y"}, "", cloud.Expired},
		{"denied_in_a_type_that_does_not_tell", code("AccessDenied"), false, []string{"x"}, "", cloud.Denied},
		{"denied_among_others_of_such_a_type", code("AccessDenied"), false, []string{"x", "y"}, "x unknown; y", ""},
		{"absent_in_such_a_type", code("NoSuchA"), false, []string{"x"}, "x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			f := cloudtest.New(t, []cloud.Wire{things(&asked, map[string]error{"a x": tt.answer}, tt.tells)}, nil)
			page, err := f.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: "X::Y::Thing", IDs: tt.ids}, true)
			if tt.err != "" {
				if !cloud.Is(err, tt.err) || len(page.Resources) != 0 {
					t.Errorf("got %+v, %v, want the read to fail: %s", page, err, tt.err)
				}
				return
			}
			var got []string
			for _, r := range page.Resources {
				text := r.ID
				if c, ok := r.Config.(*thing); ok {
					text = strings.Join(append([]string{text}, c.unread...), " ")
				} else if r.Unread == "" {
					t.Errorf("%s: got no configuration, and no reason", r.ID)
				}
				if r.Unread != "" {
					text += " unknown"
				}
				got = append(got, text)
			}
			text := strings.Join(got, "; ")
			for _, m := range page.Missing {
				text += " missing " + m
			}
			if err != nil || text != tt.want {
				t.Errorf("got %q, %v, want %q", text, err, tt.want)
			}
		})
	}
}

// TestComplete: after a quick look only the rest is read, and again what the look
// could not read.
func TestComplete(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer error // to part a of x, in the quick look alone
		want   []string
	}{
		"all_was_read":         {nil, []string{"a x", "a y", "b x", "b y"}},
		"something_was_denied": {code("AccessDenied"), []string{"a x", "a y", "b x", "b y"}},
		"something_failed":     {code("InternalError"), []string{"a x", "a y", "b y", "a x", "b x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			answers := map[string]error{"a x": tc.answer}
			f := cloudtest.New(t, []cloud.Wire{things(&asked, answers, true)}, nil)
			scope := dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: "X::Y::Thing", IDs: []string{"x", "y"}}
			quick, err := f.Read(t.Context(), scope, false)
			if err != nil || len(quick.Resources) != 2 || quick.Resources[0].Full {
				t.Fatalf("quick look: got %+v, %v", quick, err)
			}
			delete(answers, "a x")
			page, err := f.Complete(t.Context(), scope, quick.Resources)
			if err != nil || len(page.Resources) != 2 {
				t.Fatalf("got %+v, %v, want both", page, err)
			}
			for _, r := range page.Resources {
				if c := r.Config.(*thing); !r.Full || r.Unread != "" || len(c.a) != 1 || len(c.b) != 1 {
					t.Errorf("%s: got %+v, full %t, unread %q, want both parts read once", r.ID, c, r.Full, r.Unread)
				}
			}
			if !slices.Equal(asked, tc.want) {
				t.Errorf("calls: got %q, want %q", asked, tc.want)
			}
		})
	}
}

// TestWireThatDoesNotHold: a program does not start with it.
func TestWireThatDoesNotHold(t *testing.T) {
	t.Parallel()
	var asked []string
	for name, change := range map[string]func(w *cloud.Wire){
		"no_type":              func(w *cloud.Wire) { w.Type = "" },
		"nothing_finds":        func(w *cloud.Wire) { w.Find = nil },
		"reader_of_no_part":    func(w *cloud.Wire) { w.Readers[0].Parts = nil },
		"reader_of_other_part": func(w *cloud.Wire) { w.Readers[0].Parts = []string{"c"} },
		"reader_that_is_none":  func(w *cloud.Wire) { w.Readers[0].One = nil },
		"nothing_sends":        func(w *cloud.Wire) { w.Operations = []resource.OperationType{{Name: "x:Put", Version: 1}} },
	} {
		w := things(&asked, nil, true)
		change(&w)
		if _, err := cloud.New(t.Context(), cloud.Config{Region: cloudtest.East, Wires: []cloud.Wire{w}}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestOperationsBelongToTheirType: an operation is sent by the wire of the plan's
// type alone, in the version that it knows.
func TestOperationsBelongToTheirType(t *testing.T) {
	t.Parallel()
	var asked []string
	sent := 0
	w := things(&asked, nil, true)
	w.Operations = []resource.OperationType{{Name: "x:Put", Version: 2}}
	w.Do = map[string]func(context.Context, *cloud.Writing) error{"x:Put": func(context.Context, *cloud.Writing) error { sent++; return fmt.Errorf("sent") }}
	f := cloudtest.New(t, append(wires(), w), nil)
	for _, tt := range []struct {
		typ, operation string
		version, want  int
	}{
		{"X::Y::Thing", "x:Put", 2, 1}, {"X::Y::Thing", "x:Put", 1, 0}, {"X::Y::Thing", "x:Delete", 2, 0},
		{bucket.Name, "x:Put", 2, 0}, {"X::Y::Other", "x:Put", 2, 0},
	} {
		sent = 0
		p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: tt.typ}
		op := resource.Operation{Name: tt.operation, Version: tt.version, Input: []byte("{}")}
		if _, err := f.Do(t.Context(), p, op, cloudtest.Allow); err == nil || sent != tt.want {
			t.Errorf("%s version %d of %s: got %v after %d sendings, want %d", tt.operation, tt.version, tt.typ, err, sent, tt.want)
		}
		var carried interface{ CarriedOut() bool }
		if err := f.DryRun(t.Context(), p, op); errors.As(err, &carried) || sent != tt.want {
			t.Errorf("dry run of %s, which has none: got %v", tt.operation, err)
		}
	}
}
