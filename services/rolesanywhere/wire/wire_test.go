package wire_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/rolesanywhere"
	"dera.example/dera/services/rolesanywhere/profile"
	profilewire "dera.example/dera/services/rolesanywhere/profile/wire"
	"dera.example/dera/services/rolesanywhere/trustanchor"
	anchorwire "dera.example/dera/services/rolesanywhere/trustanchor/wire"
)

type m = map[string]any

const (
	one   = "0b9b8cf9-1c21-4b45-93c0-1f9c9e0e7f5d"
	other = "7c1a4f0e-6a38-4f1c-8a40-0d7c1b2f3e4a"
	// far is an ID of nothing.
	far = "ffffffff-0000-4000-8000-123456789abc"
)

// tried is one of the two kinds on a stub of botocore's model.
type tried struct {
	kind rolesanywhere.Kind
	wire cloud.Wire
	more m // what else AWS says of an entry
	want rolesanywhere.Entry
}

func kinds() map[string]tried {
	on := true
	const ca, role = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/1", "arn:aws:iam::111122223333:role/"
	return map[string]tried{
		"trust_anchor": {
			trustanchor.Kind(), anchorwire.Wire(), m{"source": m{"sourceType": "AWS_ACM_PCA", "sourceData": m{"acmPcaArn": ca}}},
			rolesanywhere.Entry{ID: one, Name: "door", Enabled: &on, Source: "AWS_ACM_PCA " + ca},
		},
		"profile": {
			profile.Kind(), profilewire.Wire(), m{"roleArns": []string{role + "b", role + "a"}},
			rolesanywhere.Entry{ID: one, Name: "door", Enabled: &on, Roles: []string{role + "a", role + "b"}},
		},
	}
}

// entry is what AWS says of one.
func (x tried) entry(id, account string, enabled any) m {
	out := m{"name": "door", x.kind.Member + "Id": id, x.kind.Member + "Arn": "arn:aws:rolesanywhere:us-east-1:" + account + ":" + x.kind.Slug + "/" + id}
	if enabled != nil {
		out["enabled"] = enabled
	}
	maps.Copy(out, x.more)
	return out
}

func (x tried) is(id string, enabled any) m {
	return m{x.kind.Member: x.entry(id, cloudtest.Hub, enabled)}
}

func (x tried) scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: x.kind.Type, IDs: ids}
}

func (x tried) client(t *testing.T, w *moto.StubWorld) *cloud.Client {
	return cloudtest.At(t, []cloud.Wire{x.wire}, w.URL(), w.AccessKeyID, nil)
}

// TestRead: an answer that does not say whether it is enabled, or that is about something
// else, is none; tags that may not be read are in the way of nothing.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, x := range kinds() {
		tagged := x.want
		tagged.Tags = map[string]string{"a": "b"}
		for what, tc := range map[string]struct {
			get, tags moto.Answer
			want      *rolesanywhere.Entry
			missing   bool
			problem   string
			unread    string
		}{
			"whole":             {moto.Answer{Output: x.is(one, true)}, moto.Answer{Output: m{"tags": []m{{"key": "a", "value": "b"}}}}, &tagged, false, "", ""},
			"without_tags":      {moto.Answer{Output: x.is(one, true)}, moto.Answer{Output: m{"tags": []m{}}}, &x.want, false, "", ""},
			"tags_denied":       {moto.Answer{Output: x.is(one, true)}, moto.Answer{Error: "AccessDeniedException"}, &x.want, false, "", ""},
			"tags_failed":       {moto.Answer{Output: x.is(one, true)}, moto.Answer{Error: "ValidationException"}, &x.want, false, "", "tags"},
			"not_there":         {moto.Answer{Error: "ResourceNotFoundException", Status: 404}, moto.Answer{}, nil, true, "", ""},
			"denied":            {moto.Answer{Error: "AccessDeniedException"}, moto.Answer{}, nil, false, "AccessDenied", ""},
			"enabled_not_said":  {moto.Answer{Output: x.is(one, nil)}, moto.Answer{}, nil, false, "is enabled", ""},
			"another_entry":     {moto.Answer{Output: x.is(other, true)}, moto.Answer{}, nil, false, "it is about", ""},
			"of_another_owner":  {moto.Answer{Output: m{x.kind.Member: x.entry(one, "444455556666", true)}}, moto.Answer{}, nil, false, "it is about", ""},
			"answer_of_nothing": {moto.Answer{Output: m{}}, moto.Answer{}, nil, false, x.kind.Member, ""},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				if what == "answer_of_nothing" && name == "trust_anchor" {
					t.Skip("the model has no such answer")
				}
				w := stub.World(t)
				w.On("rolesanywhere", "Get"+x.kind.Noun, tc.get)
				w.On("rolesanywhere", "ListTagsForResource", tc.tags)
				page, err := x.client(t, w).Read(t.Context(), x.scope(one), true)
				if tc.problem != "" {
					if err == nil || !strings.Contains(err.Error(), tc.problem) {
						t.Fatalf("got %+v, %v, want an error of %s", page, err, tc.problem)
					}
					return
				}
				if tc.missing {
					if err != nil || len(page.Resources) != 0 || !slices.Equal(page.Missing, []string{one}) {
						t.Errorf("got %+v, %v, want it missing", page, err)
					}
					return
				}
				if err != nil || len(page.Resources) != 1 {
					t.Fatalf("got %+v, %v", page, err)
				}
				r := page.Resources[0]
				if d := cmp.Diff(tc.want, r.Config); d != "" || r.ID != one || (r.Unread == "") != (tc.unread == "") || !strings.Contains(r.Unread, tc.unread) {
					t.Errorf("unread %q (-want +got):\n%s", r.Unread, d)
				}
			})
		}
	}
}

// TestSweep: all pages are read, at a call each, and what is no ID is asked for nowhere.
func TestSweep(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, x := range kinds() {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			list, member := "List"+x.kind.Noun+"s", x.kind.Member+"s"
			w.On("rolesanywhere", "ListTagsForResource", moto.Answer{Output: m{"tags": []m{}}})
			w.On("rolesanywhere", list,
				moto.Answer{When: m{"nextToken": "2"}, Output: m{member: []m{x.entry(other, cloudtest.Hub, false)}}},
				moto.Answer{Output: m{member: []m{x.entry(one, cloudtest.Hub, true)}, "nextToken": "2"}})
			api := x.client(t, w)
			var got []string
			for s := x.scope(); ; {
				page, err := api.Read(t.Context(), s, false)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Resources {
					got = append(got, r.ID)
				}
				if s.Page = page.Next; s.Page == "" {
					break
				}
			}
			if !slices.Equal(got, []string{one, other}) || len(w.Calls(list)) != 2 || len(w.Calls("Get"+x.kind.Noun)) != 0 {
				t.Errorf("got %v with %d lists", got, len(w.Calls(list)))
			}
			if page, err := api.Read(t.Context(), x.scope("../profiles"), true); err != nil || !slices.Equal(page.Missing, []string{"../profiles"}) {
				t.Errorf("what is no ID: got %+v, %v", page, err)
			}
			w.On("rolesanywhere", list, moto.Answer{Output: m{}})
			if page, err := api.Read(t.Context(), x.scope(), true); err == nil {
				t.Errorf("an answer without a list: got %+v, want an error", page)
			}
			w.On("rolesanywhere", list, moto.Answer{Output: m{member: []m{}, "nextToken": "9"}})
			again := x.scope()
			again.Page = "9"
			if page, err := api.Read(t.Context(), again, true); err == nil {
				t.Errorf("the same page again: got %+v, want an error", page)
			}
		})
	}
}

// TestWrite: the change switches it off and its undo on again, each by one call that says
// nothing but the ID; one that fails and one that fails after it took effect are told apart by
// what is read afterwards.
func TestWrite(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, x := range kinds() {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			get, enable, disable := "Get"+x.kind.Noun, "Enable"+x.kind.Noun, "Disable"+x.kind.Noun
			off, on := x.is(one, false), x.is(one, true)
			w.On("rolesanywhere", get, moto.Answer{Output: on})
			w.On("rolesanywhere", "ListTagsForResource", moto.Answer{Output: m{"tags": []m{}}})
			w.On("rolesanywhere", disable, moto.Answer{Error: "AccessDeniedException"}, moto.Answer{Error: "ValidationException", Sets: m2{get: off}}, moto.Answer{Output: off, Sets: m2{get: off}})
			w.On("rolesanywhere", enable, moto.Answer{Output: on, Sets: m2{get: on}})
			api := x.client(t, w)
			enabled := func() bool {
				t.Helper()
				page, err := api.ReadAgain(t.Context(), x.scope(one))
				if err != nil || len(page.Resources) != 1 {
					t.Fatalf("got %+v, %v", page, err)
				}
				return *page.Resources[0].Config.(*rolesanywhere.Entry).Enabled
			}
			typ := x.kind.Define()
			change, err := typ.Set(&x.want, "enabled", false)
			if err != nil || change.Operation != x.kind.Disable() || change.Undo == nil || change.Undo.Operation != x.kind.Enable() {
				t.Fatalf("got %+v, %v", change, err)
			}
			p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: typ.ARN("aws", cloudtest.Hub, cloudtest.East, one), Type: x.kind.Type, Changes: []dera.Change{change}}
			if _, err := api.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); !cloud.Is(err, cloud.Denied) || !enabled() {
				t.Errorf("denied: got %v, enabled %t", err, enabled())
			}
			if _, err := api.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err == nil || enabled() {
				t.Errorf("failed after it took effect: got %v, enabled %t", err, enabled())
			}
			if _, err := api.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil || enabled() {
				t.Errorf("change: got %v, enabled %t", err, enabled())
			}
			undo, err := resource.OfUndo(*change.Undo, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := api.Do(t.Context(), p, undo, cloudtest.Allow); err != nil || !enabled() {
				t.Errorf("undo: got %v, enabled %t", err, enabled())
			}
			for _, operation := range []string{enable, disable} {
				for _, c := range w.Calls(operation) {
					if d := cmp.Diff(m{x.kind.Member + "Id": one}, c.Input); d != "" {
						t.Errorf("%s (-want +got):\n%s", operation, d)
					}
				}
			}
		})
	}
}

type m2 = map[string]map[string]any

// TestHints: a create tells the ID in its answer, and what tags something else is no hint.
func TestHints(t *testing.T) {
	t.Parallel()
	for name, x := range kinds() {
		arn := func(slug string) string {
			return `{"resourceArn":"arn:aws:rolesanywhere:us-east-1:` + cloudtest.Hub + `:` + slug + `/` + one + `"}`
		}
		for call, tc := range map[string]struct {
			request, answer string
			want            []string
		}{
			"Create" + x.kind.Noun:  {`{"name":"door"}`, `{"` + x.kind.Member + `":{"` + x.kind.Member + `Id":"` + one + `"}}`, []string{one}},
			"Update" + x.kind.Noun:  {`{"` + x.kind.Member + `Id":"` + one + `"}`, "null", []string{one}},
			"Enable" + x.kind.Noun:  {`{"` + x.kind.Member + `Id":"` + other + `"}`, "null", []string{other}},
			"Disable" + x.kind.Noun: {`{"` + x.kind.Member + `Id":"..."}`, "null", []string{"*"}},
			"TagResource":           {arn(x.kind.Slug), "null", []string{one}},
			"UntagResource":         {arn("subject"), "null", nil},
			"CreateSession":         {`{}`, "null", nil},
		} {
			r := cloudtrail.Record{Source: "rolesanywhere.amazonaws.com", Name: call, Account: cloudtest.Hub, Region: cloudtest.East, Partition: "aws", Request: []byte(tc.request), Response: []byte(tc.answer)}
			var got []string
			for _, s := range cloudtrail.NewWatch(x.kind.Events()).Hints(r) {
				got = append(got, strings.Join(append(s.IDs, "*")[:1], ""))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s, %s: got %v, want %v", name, call, got, tc.want)
			}
		}
	}
	if rolesanywhere.ValidID(strings.ToUpper(far)) || !rolesanywhere.ValidID(far) {
		t.Error("an ID is a UUID in small letters")
	}
}
