package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/macie2/session"
	"dera.example/dera/services/macie2/session/wire"
)

type m = map[string]any

func scope() dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: session.Name}
}

// TestRead: only Macie's own word makes it off; a denial of another kind is not known.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		says   moto.Answer
		want   *string
		unread string
	}{
		"on":        {moto.Answer{Output: m{"status": "ENABLED"}}, new("ENABLED"), ""},
		"suspended": {moto.Answer{Output: m{"status": "PAUSED"}}, new("PAUSED"), ""},
		"off":       {moto.Answer{Error: "AccessDeniedException", Message: "Macie is not enabled.", Status: 403}, new(session.Off), ""},
		"denied":    {moto.Answer{Error: "AccessDeniedException", Message: "User is not authorized to perform: macie2:GetMacieSession", Status: 403}, nil, ""},
		"failed":    {moto.Answer{Error: "InternalServerException", Status: 500}, nil, "InternalServerException"},
		"empty":     {moto.Answer{Output: m{}}, nil, "status"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("macie2", "GetMacieSession", tc.says)
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).Read(t.Context(), scope(), true)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			x := page.Resources[0]
			if d := cmp.Diff(&session.Session{Region: cloudtest.East, Status: tc.want}, x.Config); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
			w.On("config", "DescribeConfigRules", moto.Answer{Error: "AccessDeniedException"})
			if want, ok := map[string]cloud.Tried{"off": cloud.Allowed, "denied": cloud.Refused}[name]; ok {
				tried := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).TryReads(t.Context(), cloudtest.Hub, cloudtest.East, []string{"macie2:GetMacieSession"})
				if len(tried) != 1 || tried[0].Tried != want {
					t.Errorf("tried: got %+v, want %s", tried, want)
				}
			}
		})
	}
}

// TestWrite: the status alone is sent, and so is its undo.
func TestWrite(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	w.On("macie2", "GetMacieSession", moto.Answer{Output: m{"status": "PAUSED"}})
	w.On("macie2", "UpdateMacieSession", moto.Answer{When: m{"status": "ENABLED"}, Sets: map[string]map[string]any{"GetMacieSession": {"status": "ENABLED"}}},
		moto.Answer{When: m{"status": "PAUSED"}, Sets: map[string]map[string]any{"GetMacieSession": {"status": "PAUSED"}}})
	c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
	look := func() *session.Session {
		t.Helper()
		page, err := c.ReadAgain(t.Context(), scope())
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("got %+v, %v", page, err)
		}
		return page.Resources[0].Config.(*session.Session)
	}
	change, err := session.Type().Set(look(), "status", "ENABLED")
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: session.ARNOf("aws", cloudtest.Hub, cloudtest.East, ""), Type: session.Name, Changes: []dera.Change{change}}
	if _, err := c.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil || *look().Status != "ENABLED" {
		t.Fatalf("change: got %v, %+v", err, look())
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), p, undo, cloudtest.Allow); err != nil || *look().Status != "PAUSED" {
		t.Errorf("undo: got %v, %+v", err, look())
	}
	if d := cmp.Diff(m{"status": "ENABLED"}, w.Calls("UpdateMacieSession")[0].Input); d != "" {
		t.Errorf("sent (-want +got):\n%s", d)
	}
}
