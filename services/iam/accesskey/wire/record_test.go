package wire_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/accesskey"
	"dera.example/dera/services/iam/accesskey/wire"
	"github.com/google/go-cmp/cmp"
)

// record is a usage ledger: the users that it knows, and what it was asked.
type record struct {
	uses  map[string]resource.Use
	err   error
	asked []string
}

func (r *record) Used(_ context.Context, _ string, principals []string) (map[string]resource.Use, error) {
	r.asked = append(r.asked, principals...)
	return r.uses, r.err
}

// TestRecord: the ledger is asked about the users of active keys, whatever their paths. One
// that it does not know, and no ledger at all, stand against nothing; a ledger that fails
// makes the key one to be read again.
func TestRecord(t *testing.T) {
	t.Parallel()
	const bob = "arn:aws:iam::" + cloudtest.Hub + ":user/staff/bob"
	now := time.Now().UTC()
	for name, tc := range map[string]struct {
		ledger *record
		used   int // days ago; less than 0 for never
		start  string
		unread bool
	}{
		"no_ledger":     {nil, -1, "auto", false},
		"not_known":     {&record{}, -1, "auto", false},
		"never_seen":    {&record{uses: map[string]resource.Use{bob: {To: now}}}, -1, "auto", false},
		"seen":          {&record{uses: map[string]resource.Use{bob: {To: now, Seen: now.Add(-73 * time.Hour), Calls: []resource.Call{{Source: "s3.amazonaws.com"}}}}}, -1, "review", false},
		"seen_long_ago": {&record{uses: map[string]resource.Use{bob: {To: now, Seen: now.AddDate(0, 0, -46)}}}, -1, "auto", false},
		"fails":         {&record{err: errors.New("away")}, -1, "", true},
	} {
		_, f := newIAM(t)
		var ports []map[string]any
		if tc.ledger != nil {
			ports = append(ports, map[string]any{resource.PortLedger: tc.ledger})
		}
		s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, f.answer, ports...)
		page, err := s.Read(t.Context(), scope("bob#AKIABOBNEVER00000001"), true)
		if tc.unread {
			if err != nil || len(page.Resources) != 1 || page.Resources[0].Unread == "" {
				t.Errorf("%s: got %+v, %v, want a key to be read again", name, page.Resources, err)
			}
			continue
		}
		if err != nil || len(page.Resources) != 1 {
			t.Errorf("%s: got %+v, %v", name, page, err)
			continue
		}
		k := page.Resources[0].Config.(*accesskey.Key)
		res, err := accesskey.Unused().Check(page.Resources[0], control.Settings{})
		if err != nil || len(res.Failures) != 1 || res.Failures[0].Start.String() != tc.start {
			t.Errorf("%s: got %+v, %v, want %s", name, res, err, tc.start)
		}
		if k.Record != nil && len(k.Record.Calls) > 0 {
			t.Errorf("%s: got %+v, want no calls", name, k.Record)
		}
		if tc.ledger != nil && !slices.Equal(tc.ledger.asked, []string{bob}) {
			t.Errorf("%s: asked about %v, want %s", name, tc.ledger.asked, bob)
		}
	}
	ledger := &record{}
	_, f := newIAM(t)
	s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, f.answer, map[string]any{resource.PortLedger: ledger})
	if _, err := s.Read(t.Context(), scope(), false); err != nil {
		t.Fatal(err)
	}
	if want := []string{"arn:aws:iam::" + cloudtest.Hub + ":user/ann", bob}; !slices.Equal(ledger.asked, want) {
		t.Errorf("sweep: asked about %v, want %v once", ledger.asked, want)
	}
}

// TestOneUserIsDenied: a user whose keys may not be listed hides nobody else's; that they
// are not known is a resource of its own, until they are.
func TestOneUserIsDenied(t *testing.T) {
	t.Parallel()
	s, f := newIAM(t)
	f.say["ListAccessKeys ann"] = "!AccessDenied"
	for _, where := range []dera.Scope{scope(), scope("ann#keys", "bob#AKIABOBNEVER00000001")} {
		page, err := s.Read(t.Context(), where, false)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, x := range page.Resources {
			if x.ID != "bob#AKIABOBINACTIVE00002" {
				ids = append(ids, x.ID)
			}
			if res, err := accesskey.Unused().Check(x, control.Settings{}); x.Name == "ann" && (err != nil || res.Outcome != control.UnknownResult || x.Unread != "") {
				t.Errorf("ann: got %+v, %v, %q, want unknown", res, err, x.Unread)
			}
		}
		if want := []string{"ann#keys", "bob#AKIABOBNEVER00000001"}; !slices.Equal(ids, want) || len(page.Missing) > 0 {
			t.Errorf("got %v, missing %v, want %v", ids, page.Missing, want)
		}
	}
	delete(f.say, "ListAccessKeys ann")
	if got, page := read(t, s, scope("ann#keys")); len(got) > 0 || len(page.Missing) != 1 {
		t.Errorf("may be listed again: got %v, missing %v", got, page.Missing)
	}
	f.say["ListAccessKeys"] = "!AccessDenied"
	if page, err := s.Read(t.Context(), scope(), false); err == nil {
		t.Errorf("nobody's may be listed: got %+v, want an error", page)
	}
}

// TestNameOfDots: "..." is a name that IAM takes, and hides nobody else's keys, although in
// an event it stands for one that was left out.
func TestNameOfDots(t *testing.T) {
	t.Parallel()
	s, f := newIAM(t)
	f.users = append(f.users, &fakeUser{"...", "/", []*fakeKey{{"AKIADOTS000000000001", "Active", 100, 60}}})
	for _, where := range []dera.Scope{scope(), scope("...#AKIADOTS000000000001")} {
		if got, page := read(t, s, where); got["...#AKIADOTS000000000001"].Idle != 60 || len(page.Missing) > 0 {
			t.Errorf("got %v, missing %v", got, page.Missing)
		}
	}
}

// TestNames: every character that IAM takes in a name, and a path of others, is read by a
// sweep and alone as the same key.
func TestNames(t *testing.T) {
	t.Parallel()
	s, f := newIAM(t)
	const name, key = "a_Z9+=,.@-", "AKIAEVERYLETTER00001"
	f.users = append(f.users, &fakeUser{name, "/!$%()*;~/", []*fakeKey{{key, "Active", 100, -1}}})
	id := accesskey.IDOf(name, key)
	swept, _ := read(t, s, scope())
	alone, page := read(t, s, scope(id))
	if d := cmp.Diff(swept[id], alone[id]); d != "" || alone[id].User != name || len(page.Resources) != 1 {
		t.Errorf("got %+v alone (-swept +alone):\n%s", alone, d)
	}
}
