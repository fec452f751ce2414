package policytest

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Suite is what the suite has to know of a wire: the names of its calls and how the
// service answers them. A body that begins with ! is an error code.
type Suite struct {
	Wire cloud.Wire
	Type resource.Type
	// ID is one resource, and Policy the part of its configuration.
	ID     string
	Policy func(config any) *resourcepolicy.Config
	// The calls, by the API's names; Delete is empty where Put does both or nothing does.
	List, Read, Tags, Put, Delete string
	// Routes are patterns of METHOD PATH by the names of the calls, of a service that tells
	// no name otherwise.
	Routes map[string]string
	// How the service lists IDs, where there is a next page with its token; and tells a
	// policy, "" for none.
	Listed func(ids []string, next string) string
	Tell   func(policy string) string
	Tagged string // an answer to Tags with the tag team=a
	// Written is the policy in a request of Put.
	Written func(body string, query url.Values) string
	// Extra are answers to further calls.
	Extra map[string]string
	// Gone is the error code for a resource that does not exist, and GoneBy the call that
	// answers it; empty for Read.
	Gone, GoneBy string
	// Foreign are answers to Read that are about something else, or nothing.
	Foreign []string
	XML     bool
	// Unlisted is an answer to List without the resource, where its absence is told by that
	// alone; Done one to a write, where it is not empty.
	Unlisted, Done string
	// Named is an answer to List for the one resource by its name, where the same call
	// describes it.
	Named string
	// Always says that every resource has a policy.
	Always bool
}

// fake is a service with one resource.
type fake struct {
	Suite
	next   http.RoundTripper
	mu     sync.Mutex
	policy string
	say    map[string]string
	sent   []string
	bodies []string // calls with their bodies
}

// RoundTrip implements http.RoundTripper.
func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	call := f.call(r, string(body))
	f.mu.Lock()
	defer f.mu.Unlock()
	answer, known := f.answer(call, string(body), r.URL.Query())
	if !known {
		return f.next.RoundTrip(r)
	}
	f.sent, f.bodies = append(f.sent, call), append(f.bodies, call+" "+string(body))
	status, kind := 200, "application/json"
	header := http.Header{}
	if f.XML {
		kind = "text/xml"
	}
	if code, bad := strings.CutPrefix(answer, "!"); bad {
		status, answer = 400, fmt.Sprintf(`{"__type":%q,"code":%q,"message":"no"}`, code, code)
		if f.XML {
			answer = "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>"
		}
		header.Set("X-Amzn-Errortype", code)
	}
	header.Set("Content-Type", kind)
	return &http.Response{StatusCode: status, Request: r, Header: header, Body: io.NopCloser(strings.NewReader(answer))}, nil
}

func (f *fake) call(r *http.Request, body string) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndex(target, ".")+1:]
	}
	if form, err := url.ParseQuery(body); err == nil && form.Get("Action") != "" {
		return form.Get("Action")
	}
	for name, pattern := range f.Routes {
		if regexp.MustCompile("^" + pattern + "$").MatchString(r.Method + " " + r.URL.Path) {
			return name
		}
	}
	return ""
}

func (f *fake) answer(call, body string, query url.Values) (string, bool) {
	if says, ok := f.say[call]; ok {
		return says, true
	}
	switch call {
	case "":
		return "", false
	case f.List:
		if f.Named != "" && strings.Contains(body, `"`+f.ID+`"`) {
			return f.Named, true
		}
		if strings.Contains(body+query.Encode(), "token-2") {
			return f.Listed([]string{"second"}, ""), true
		}
		return f.Listed([]string{f.ID}, "token-2"), true
	case f.Read:
		return f.Tell(f.policy), true
	case f.Tags:
		return f.Tagged, true
	case f.Put:
		f.policy = f.Written(body, query)
		return f.done(), true
	case f.Delete:
		f.policy = ""
		return f.done(), true
	}
	says, ok := f.Extra[call]
	return says, ok
}

func (f *fake) done() string { return cmp.Or(f.Done, "{}") }

// Run holds a wire to the suite: what could not be read is not known and never none, and
// nothing is written over a policy that is another one than the plan replaces.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	arn := s.Type.ARN("aws", cloudtest.Hub, cloudtest.East, s.ID)
	open := `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"*","Resource":"` + string(arn) + `"}]}`
	held := strings.Replace(open, `"Principal":"*"`, `"Principal":{"AWS":"arn:aws:iam::111122223333:role/app"}`, 1)
	if s.Gone != "" && s.GoneBy == "" {
		s.GoneBy = s.Read
	}
	t.Run("sweep", func(t *testing.T) {
		t.Parallel()
		f, _ := s.start(t, open)
		at, ids := s.scope(), []string{}
		for range 5 {
			page, err := f.Read(t.Context(), at, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range page.Resources {
				ids = append(ids, x.ID)
				if c := s.Policy(x.Config); x.ID == s.ID && (c.Policy != open || c.Tags["team"] != "a" || c.Account != cloudtest.Hub || c.ARN != arn || x.ARN != arn || x.Tags["team"] != "a") {
					t.Errorf("got %+v of %s, want its policy, tags, account and ARN %s", c, x.ARN, arn)
				}
			}
			if at.Page = page.Next; at.Page == "" {
				break
			}
		}
		if want := []string{s.ID, "second"}; !slices.Equal(want, ids) {
			t.Errorf("got %v, want %v", ids, want)
		}
	})
	t.Run("unread", func(t *testing.T) {
		t.Parallel()
		for name, tc := range map[string]struct{ call, says, part string }{
			"policy_denied": {s.Read, "!AccessDeniedException", resourcepolicy.PartPolicy}, "policy_failed": {s.Read, "!InternalFailure", resourcepolicy.PartPolicy},
			"tags_denied": {s.Tags, "!AccessDeniedException", resourcepolicy.PartTags}, "tags_failed": {s.Tags, "!InternalFailure", resourcepolicy.PartTags},
		} {
			f, fake := s.start(t, open)
			fake.say[tc.call] = tc.says
			s.unread(t, f, name, tc.part, strings.HasSuffix(name, "failed"))
		}
		for _, foreign := range s.Foreign {
			f, fake := s.start(t, open)
			fake.say[s.Read] = foreign
			s.unread(t, f, foreign, resourcepolicy.PartPolicy, true)
		}
		f, fake := s.start(t, open)
		fake.say[s.List] = "!AccessDeniedException"
		if page, err := f.Read(t.Context(), s.scope(), true); err == nil {
			t.Errorf("a list that is denied: got %+v, want an error", page)
		}
	})
	t.Run("none_and_gone", func(t *testing.T) {
		t.Parallel()
		f, fake := s.start(t, "")
		if s.Always {
			fake.policy = held
		} else if x, ok := s.one(t, f); !ok || s.Policy(x.Config).Policy != "" || len(s.Policy(x.Config).Unread) > 0 {
			t.Errorf("no policy: got %+v, want that it is read and none", x)
		}
		fake.say[s.GoneBy] = "!" + s.Gone
		if s.Unlisted != "" {
			fake.say[s.List] = s.Unlisted
		}
		if page, err := f.ReadAgain(t.Context(), s.scope(s.ID)); err != nil || len(page.Missing) != 1 {
			t.Errorf("a resource that does not exist: got %+v, %v, want it missing", page, err)
		}
	})
	t.Run("write", func(t *testing.T) {
		t.Parallel()
		f, fake := s.start(t, open)
		p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: arn, Type: s.Type.Name}
		do := func(op string, in resourcepolicy.Input) error {
			change, err := resource.NewChange(op, in, nil, nil, op, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			p.Changes = []dera.Change{change}
			_, err = f.Do(t.Context(), p, resource.Of(change), cloudtest.Allow)
			return err
		}
		put := s.Type.Operations[0].Name
		if err := do(put, resourcepolicy.Input{Resource: s.ID, Policy: held, Expect: held}); err == nil || fake.policy != open || slices.Contains(fake.sent, s.Put) {
			t.Errorf("a policy that is not the one that the plan replaces: got %v and %s, want it refused", err, fake.policy)
		}
		if err := do(put, resourcepolicy.Input{Resource: s.ID, Policy: held, Expect: open}); err != nil || fake.policy != held {
			t.Errorf("put: got %v and %s, want %s", err, fake.policy, held)
		}
		if err := do(put, resourcepolicy.Input{Resource: s.ID, Policy: open, Expect: held}); err != nil || fake.policy != open {
			t.Errorf("undo: got %v and %s, want %s", err, fake.policy, open)
		}
		if len(s.Type.Operations) > 1 && s.Delete != "" {
			if err := do(s.Type.Operations[1].Name, resourcepolicy.Input{Resource: s.ID, Expect: open}); err != nil || fake.policy != "" {
				t.Errorf("delete: got %v and %s, want none", err, fake.policy)
			}
			if err := do(put, resourcepolicy.Input{Resource: s.ID, Policy: open}); err != nil || fake.policy != open {
				t.Errorf("undo of delete: got %v and %s, want %s", err, fake.policy, open)
			}
		}
		fake.say[s.Put] = "!AccessDeniedException"
		if err := do(put, resourcepolicy.Input{Resource: s.ID, Policy: held, Expect: open}); !cloud.Is(err, cloud.Denied) || fake.policy != open {
			t.Errorf("a put that is denied: got %v and %s", err, fake.policy)
		}
	})
}

func (s Suite) start(t *testing.T, policy string) (*cloudtest.Fixture, *fake) {
	t.Helper()
	x := &fake{Suite: s, policy: policy, say: map[string]string{}}
	f := cloudtest.New(t, []cloud.Wire{s.Wire}, func(c *cloud.Config) {
		x.next = c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: x}
	})
	return f, x
}

func (s Suite) scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: s.Type.Name, IDs: ids}
}

func (s Suite) one(t *testing.T, f *cloudtest.Fixture) (dera.Resource, bool) {
	t.Helper()
	page, err := f.Read(t.Context(), s.scope(s.ID), true)
	if err != nil || len(page.Resources) != 1 {
		t.Errorf("got %d resources, %v, want one", len(page.Resources), err)
		return dera.Resource{}, false
	}
	return page.Resources[0], true
}

// unread: the part is not known and holds nothing; where that was not for a missing
// permission the resource is looked at again.
func (s Suite) unread(t *testing.T, f *cloudtest.Fixture, name, part string, again bool) {
	t.Helper()
	x, ok := s.one(t, f)
	if !ok {
		return
	}
	c := s.Policy(x.Config)
	if c.Read(part) || part == resourcepolicy.PartPolicy && c.Policy != "" || part == resourcepolicy.PartTags && len(c.Tags) > 0 {
		t.Errorf("%s: got %+v, want its %s unread", name, c, part)
	}
	if (x.Unread != "") != again {
		t.Errorf("%s: unread: got %q", name, x.Unread)
	}
}

// JSON is a text as a JSON string.
func JSON(text string) string { return fmt.Sprintf("%q", text) }

// Set writes a setting of the resource and takes it back, and returns what was sent: the
// call, and its body.
func (s Suite) Set(t *testing.T, config any, path string, value any) (set, undo string) {
	t.Helper()
	f, x := s.start(t, "")
	change, err := s.Type.Set(config, path, value)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: s.Type.ARN("aws", cloudtest.Hub, cloudtest.East, s.ID), Type: s.Type.Name, Changes: []dera.Change{change}}
	for _, op := range []resource.Operation{resource.Of(change), {Name: change.Undo.Operation, Version: change.Undo.Version, Input: change.Undo.Input}} {
		if _, err := f.Do(t.Context(), p, op, cloudtest.Allow); err != nil {
			t.Fatal(err)
		}
	}
	n := len(x.bodies)
	return x.bodies[n-2], x.bodies[n-1]
}
