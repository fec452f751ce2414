package wire_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
	"dera.example/dera/services/lambda/function"
	"dera.example/dera/services/lambda/function/wire"
)

// fakeLambda answers GETs by their path, and keeps the writes; a body that begins with !
// is an error code.
type fakeLambda struct {
	next http.RoundTripper
	say  map[string]string
	sent []string
}

// RoundTrip implements http.RoundTripper.
func (f *fakeLambda) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Host+r.URL.Path, "/20") {
		status, header := 200, http.Header{"Content-Type": {"application/json"}}
		path := r.URL.EscapedPath()
		if r.URL.RawQuery != "" {
			path += "?" + r.URL.RawQuery
		}
		body, known := f.say[path]
		if r.Method != http.MethodGet {
			in := []byte{}
			if r.Body != nil {
				in, _ = io.ReadAll(r.Body)
			}
			f.sent = append(f.sent, r.Method+" "+path+" "+string(in))
			body, known = "{}", true
		}
		if !known {
			body = "!ResourceNotFoundException"
		}
		if code, bad := strings.CutPrefix(body, "!"); bad {
			status, body = 404, `{"Message":"no"}`
			header.Set("X-Amzn-Errortype", code)
		}
		return &http.Response{StatusCode: status, Request: r, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
	return f.next.RoundTrip(r)
}

const (
	arn  = "arn:aws:lambda:us-east-1:111122223333:function:resize"
	open = `{"Sid":"all","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + arn + `"}`
	hook = `{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + arn +
		`","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::in"}}}`
)

func policyOf(statements ...string) string {
	text, _ := json.Marshal(`{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(statements, ",") + `]}`) // a text always marshals
	return `{"Policy":` + string(text) + `}`
}

func newLambda(t *testing.T) (*cloudtest.Fixture, *fakeLambda) {
	t.Helper()
	fake := &fakeLambda{say: map[string]string{
		"/2015-03-31/functions":                                                              `{"Functions":[{"FunctionName":"resize"}],"NextMarker":"m2"}`,
		"/2015-03-31/functions?Marker=m2":                                                    `{"Functions":[{"FunctionName":"plain"}]}`,
		"/2015-03-31/functions/resize/aliases":                                               `{"Aliases":[{"Name":"live"}],"NextMarker":"a2"}`,
		"/2015-03-31/functions/resize/aliases?Marker=a2":                                     `{"Aliases":[{"Name":"test"}]}`,
		"/2015-03-31/functions/plain/aliases":                                                `{"Aliases":[]}`,
		"/2015-03-31/functions/resize/policy":                                                policyOf(hook, open),
		"/2015-03-31/functions/resize/policy?Qualifier=live":                                 policyOf(hook),
		"/2015-03-31/functions/resize/configuration":                                         `{"FunctionName":"resize"}`,
		"/2015-03-31/functions/plain/configuration":                                          `{"FunctionName":"plain"}`,
		"/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Aresize": `{"Tags":{"team":"a"}}`,
		"/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Aplain":  `{"Tags":{}}`,
	}}
	f := cloudtest.New(t, []cloud.Wire{wire.Wire()}, func(c *cloud.Config) {
		fake.next = c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: fake}
	})
	return f, fake
}

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: function.Name, IDs: ids}
}

// TestSweep: functions and aliases, page by page; without a policy there is none.
func TestSweep(t *testing.T) {
	t.Parallel()
	f, _ := newLambda(t)
	got := map[string]string{}
	for at := scope(); ; {
		page, err := f.Read(t.Context(), at, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Resources {
			c := x.Config.(*resourcepolicy.Config)
			got[x.ID] = fmt.Sprint(strings.Count(c.Policy, "Sid"), c.Tags["team"], x.Unread, c.Unread)
		}
		if at.Page = page.Next; at.Page == "" {
			break
		}
	}
	want := map[string]string{"resize": "2a[]", "resize:live": "1a[]", "resize:test": "0a[]", "plain": "0[]"}
	for id, w := range want {
		if g := strings.ReplaceAll(got[id], " ", ""); g != w {
			t.Errorf("%s: got %q, want %q", id, g, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestRead: what does not exist is missing, and what could not be read unread.
func TestRead(t *testing.T) {
	t.Parallel()
	f, _ := newLambda(t)
	page, err := f.Read(t.Context(), scope("plain", "absent", "resize:absent"), true)
	if err != nil || len(page.Resources) != 1 || page.Resources[0].ID != "plain" || !slices.Equal(page.Missing, []string{"absent", "resize:absent"}) {
		t.Errorf("got %+v, %v, want one without a policy and two missing", page, err)
	}
	for path, says := range map[string]string{
		"/2015-03-31/functions/resize/policy": "!AccessDeniedException", "/2015-03-31/functions/plain/policy": "{}", "/2015-03-31/functions/plain/configuration": "!AccessDeniedException",
	} {
		f, fake := newLambda(t)
		fake.say[path] = says
		page, err := f.Read(t.Context(), scope(strings.Split(path, "/")[3]), true)
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("%s: got %+v, %v", path, page, err)
		}
		if c := page.Resources[0].Config.(*resourcepolicy.Config); c.Read(resourcepolicy.PartPolicy) || c.Policy != "" {
			t.Errorf("%s is %s: got %+v, want its policy unread", path, says, c)
		}
	}
}

// TestWrite: one statement goes and comes again; one that is not the same any more stays.
func TestWrite(t *testing.T) {
	t.Parallel()
	f, fake := newLambda(t)
	do := func(op string, in function.Input) error {
		change, err := resource.NewChange(op, in, nil, nil, op, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: arn, Type: function.Name, Changes: []dera.Change{change}}
		_, err = f.Do(t.Context(), p, resource.Of(change), cloudtest.Allow)
		return err
	}
	other := strings.Replace(open, "InvokeFunction", "GetFunction", 1)
	if err := do(function.RemovePermission, function.Input{Resource: "resize", Sid: "all", Statement: other}); err == nil || len(fake.sent) > 0 {
		t.Errorf("a statement that is another one: got %v, sent %v", err, fake.sent)
	}
	if err := do(function.RemovePermission, function.Input{Resource: "resize", Sid: "all", Statement: open}); err != nil {
		t.Error(err)
	}
	if err := do(function.RemovePermission, function.Input{Resource: "resize:live", Sid: "s3", Statement: hook}); err != nil {
		t.Error(err)
	}
	if err := do(function.AddPermission, function.Input{Resource: "resize:live", Sid: "s3", Statement: hook}); err != nil {
		t.Error(err)
	}
	if err := do(function.AddPermission, function.Input{Resource: "resize", Sid: "x", Statement: strings.Replace(open, "Allow", "Deny", 1)}); err == nil {
		t.Error("a statement that cannot be made again was sent")
	}
	want := []string{
		`DELETE /2015-03-31/functions/resize/policy/all`, `DELETE /2015-03-31/functions/resize/policy/s3?Qualifier=live`,
		`POST /2015-03-31/functions/resize/policy?Qualifier=live {"Action":"lambda:InvokeFunction","Principal":"s3.amazonaws.com","SourceAccount":"111122223333","SourceArn":"arn:aws:s3:::in","StatementId":"s3"}`,
	}
	for i := range fake.sent {
		fake.sent[i] = strings.TrimSpace(fake.sent[i])
	}
	if !slices.Equal(fake.sent, want) {
		t.Errorf("sent %q, want %q", fake.sent, want)
	}
}
