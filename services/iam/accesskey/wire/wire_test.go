package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/resource/role"
	"dera.example/dera/services/iam/accesskey"
	"dera.example/dera/services/iam/accesskey/wire"
)

// read is the keys of a scope by their ID, and what is missing.
func read(t *testing.T, s *cloudtest.Server, where dera.Scope) (map[string]accesskey.Key, cloud.Page) {
	t.Helper()
	page, err := s.Read(t.Context(), where, true)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]accesskey.Key{}
	for _, x := range page.Resources {
		out[x.ID] = *x.Config.(*accesskey.Key)
	}
	return out, page
}

// TestRead: a sweep and the read of one key say the same, the ARN has the path of the
// user, and an inactive key is not asked for its use.
func TestRead(t *testing.T) {
	t.Parallel()
	s, _ := newIAM(t)
	tags := map[string]string{"team": "web"}
	want := map[string]accesskey.Key{
		"ann#AKIAANNUSED000000001": {User: "ann", ID: "AKIAANNUSED000000001", Tags: tags, Status: "Active", Age: 700, Idle: 3, Service: "s3", Others: 1},
		"ann#AKIAANNUNUSED0000002": {User: "ann", ID: "AKIAANNUNUSED0000002", Tags: tags, Status: "Active", Age: 600, Idle: 60, Service: "s3", Others: 1, Newest: true},
		"bob#AKIABOBNEVER00000001": {User: "bob", ID: "AKIABOBNEVER00000001", Tags: tags, Status: "Active", Age: 100, Idle: 100},
		"bob#AKIABOBINACTIVE00002": {User: "bob", ID: "AKIABOBINACTIVE00002", Tags: tags, Status: "Inactive", Age: 700},
	}
	swept, page := read(t, s, scope())
	if d := cmp.Diff(want, swept); d != "" {
		t.Errorf("sweep (-want +got):\n%s", d)
	}
	if n := len(s.Sent("GetAccessKeyLastUsed")); n != 3 {
		t.Errorf("got %d calls for the last use, want one for each active key", n)
	}
	arns := map[string]dera.ARN{}
	for _, x := range page.Resources {
		arns[x.ID] = x.ARN
	}
	for id, key := range want {
		got, page := read(t, s, scope(id))
		if d := cmp.Diff(map[string]accesskey.Key{id: key}, got); d != "" || page.Resources[0].ARN != arns[id] || page.Resources[0].Name != key.User {
			t.Errorf("%s alone: %s %s (-want +got):\n%s", id, page.Resources[0].ARN, page.Resources[0].Name, d)
		}
	}
	if got := arns["bob#AKIABOBNEVER00000001"]; got != "arn:aws:iam::111122223333:user/staff/bob#AKIABOBNEVER00000001" || got.Whole() != "arn:aws:iam::111122223333:user/staff/bob" {
		t.Errorf("ARN: got %s of %s", got, got.Whole())
	}
}

// TestMissing: a key, and a user, that was deleted meanwhile does not exist; what is no
// ID does not either.
func TestMissing(t *testing.T) {
	t.Parallel()
	s, f := newIAM(t)
	ids := []string{"ann#AKIAANNGONE000000001", "nobody#AKIAANNUSED000000001", "bob#AKIAANNUSED000000001", "ann", "a b#AKIAANNUSED000000001"}
	for _, id := range ids {
		if got, page := read(t, s, scope(id)); len(got) > 0 || len(page.Missing) != 1 || page.Missing[0] != id {
			t.Errorf("%s: got %v, missing %v", id, got, page.Missing)
		}
	}
	f.say["ListAccessKeys"] = "!NoSuchEntity" // after it was listed
	if got, page := read(t, s, scope()); len(got) > 0 || len(page.Missing) > 0 {
		t.Errorf("users deleted in a sweep: got %v, missing %v", got, page.Missing)
	}
}

// TestDoubt: a read that fails, or that answers something else, is never an unused key.
func TestDoubt(t *testing.T) {
	t.Parallel()
	const never = "<AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>"
	for name, tc := range map[string]struct {
		call, say string
		err       string // of the read; "" for a key whose status counts as unknown
	}{
		"users_denied":           {"GetUser", "!AccessDenied", "AccessDenied"},
		"user_of_another_name":   {"GetUser", "<User><UserName>bob</UserName></User>", "not about the user"},
		"keys_denied":            {"ListAccessKeys", "!AccessDenied", "AccessDenied"},
		"keys_failed":            {"ListAccessKeys", "!InternalFailure", "InternalFailure"},
		"keys_of_another_user":   {"ListAccessKeys", "<AccessKeyMetadata><member><UserName>bob</UserName><AccessKeyId>AKIAANNUNUSED0000002</AccessKeyId><Status>Active</Status><CreateDate>2020-01-01T00:00:00Z</CreateDate></member></AccessKeyMetadata>", "of the user"},
		"keys_without_a_date":    {"ListAccessKeys", "<AccessKeyMetadata><member><UserName>ann</UserName><AccessKeyId>AKIAANNUNUSED0000002</AccessKeyId><Status>Active</Status></member></AccessKeyMetadata>", "status and date"},
		"no_list_of_keys":        {"ListAccessKeys", "", "no list of access keys"},
		"use_denied":             {"GetAccessKeyLastUsed", "!AccessDenied", ""},
		"use_failed":             {"GetAccessKeyLastUsed", "!InternalFailure", ""},
		"use_of_another_user":    {"GetAccessKeyLastUsed", "<UserName>bob</UserName>" + never, ""},
		"use_of_nobody":          {"GetAccessKeyLastUsed", never, ""},
		"no_use_at_all":          {"GetAccessKeyLastUsed", "<UserName>ann</UserName>", ""},
		"service_without_a_date": {"GetAccessKeyLastUsed", "<UserName>ann</UserName><AccessKeyLastUsed><ServiceName>s3</ServiceName></AccessKeyLastUsed>", ""},
		"used_before_it_was":     {"GetAccessKeyLastUsed", "<UserName>ann</UserName><AccessKeyLastUsed><LastUsedDate>2016-01-01T00:00:00Z</LastUsedDate><ServiceName>s3</ServiceName></AccessKeyLastUsed>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := newIAM(t)
			f.say[tc.call] = tc.say
			page, err := s.Read(t.Context(), scope("ann#AKIAANNUNUSED0000002"), true)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got %v, %v, want an error of %s", page, err, tc.err)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 || page.Resources[0].Config.(*accesskey.Key).Status != "" {
				t.Fatalf("got %+v, %v, want a key of unknown status", page, err)
			}
			for _, c := range accesskey.Controls() {
				if res, err := c.Check(page.Resources[0], control.Settings{}); err != nil || res.Outcome != "unknown" {
					t.Errorf("%s: got %+v, %v, want unknown", c.ID, res, err)
				}
			}
		})
	}
}

// TestSweepIsBounded: a page of a sweep asks for 50 users, and each user and each active
// key is asked for once: 5,000 users with 4,000 active keys cost 9,100 calls in 100
// pages, none of more than 151 calls.
func TestSweepIsBounded(t *testing.T) {
	t.Parallel()
	const users, active = 5000, 4000
	f := &fakeIAM{}
	for n := range users {
		u := &fakeUser{name: fmt.Sprintf("user-%d", n), path: "/"}
		if n < active {
			u.keys = append(u.keys, &fakeKey{fmt.Sprintf("AKIA%016d", n), "Active", 100, 60})
		}
		u.keys = append(u.keys, &fakeKey{fmt.Sprintf("AKIB%016d", n), "Inactive", 100, 60})
		f.users = append(f.users, u)
	}
	asked, page := map[string]map[string]bool{}, map[string]bool{} // one that a busy machine sends again is one
	s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, func(a cloudtest.Asked) (int, string) {
		if asked[a.Operation] == nil {
			asked[a.Operation] = map[string]bool{}
		}
		asked[a.Operation][a.Body], page[a.Body] = true, true
		return f.answer(a)
	})
	where, keys, pages, most := scope(), 0, 0, 0
	for {
		clear(page)
		got, err := s.Read(t.Context(), where, false)
		if err != nil {
			t.Fatal(err)
		}
		keys, pages, most = keys+len(got.Resources), pages+1, max(most, len(page))
		if where.Page = got.Next; where.Page == "" {
			break
		}
	}
	calls := map[string]int{}
	for _, c := range []string{"GetAccountAuthorizationDetails", "ListAccessKeys", "GetAccessKeyLastUsed", "GetUser"} {
		calls[c] = len(asked[c])
	}
	want := map[string]int{"GetAccountAuthorizationDetails": 100, "ListAccessKeys": users, "GetAccessKeyLastUsed": active, "GetUser": 0}
	if d := cmp.Diff(want, calls); d != "" || keys != users+active || pages != 100 || most > 151 {
		t.Errorf("%d keys in %d pages of at most %d calls; calls (-want +got):\n%s", keys, pages, most, d)
	}
}

// TestWrite: the key of the user becomes inactive, and active again by the undo; the
// session of the writer may do that on the user alone.
func TestWrite(t *testing.T) {
	t.Parallel()
	s, _ := newIAM(t)
	const id = "bob#AKIABOBNEVER00000001"
	_, page := read(t, s, scope(id))
	change, err := accesskey.Type().Set(page.Resources[0].Config, "status", accesskey.Inactive)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Resource: page.Resources[0].ARN, Type: accesskey.Name, Changes: []dera.Change{change}}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		op   resource.Operation
		want string
	}{{resource.Of(change), accesskey.Inactive}, {undo, accesskey.Active}} {
		if _, err := s.Do(t.Context(), p, step.op, cloudtest.Allow); err != nil {
			t.Fatal(err)
		}
		got, _ := read(t, s, scope())
		if got[id].Status != step.want || got["ann#AKIAANNUSED000000001"].Status != accesskey.Active {
			t.Errorf("got %+v, want %s, and no other key to change", got, step.want)
		}
	}
	if policy, err := role.Session(p); err != nil || len(policy.Statement) != 1 || policy.Statement[0].Resource[0] != "arn:aws:iam::111122223333:user/staff/bob" {
		t.Errorf("session: got %+v, %v", policy, err)
	}
}
