package wire_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/loginprofile"
	"dera.example/dera/services/iam/loginprofile/wire"
)

// fakeUser is a user of the fake IAM; made and used are days ago, less than 0 for never.
type fakeUser struct {
	name, path      string
	made, used, mfa int
}

// fakeIAM is the users of an account. say is what it answers to a call instead: a body,
// or an error code after !.
type fakeIAM struct {
	users []fakeUser
	say   map[string]string
}

func (f *fakeIAM) answer(a cloudtest.Asked) (int, string) {
	result := ""
	u := fakeUser{made: -1}
	for _, x := range f.users {
		if x.name == a.Form.Get("UserName") {
			u = x
		}
	}
	switch a.Operation {
	case "GetAccountAuthorizationDetails":
		result = iamtest.UserPage(a.Form, len(f.users), func(i int) string { return iamtest.UserOf(f.users[i].name, f.users[i].path) })
	case "GetUser":
		used := ""
		if u.used >= 0 {
			used = "<PasswordLastUsed>" + iamtest.Ago(u.used) + "</PasswordLastUsed>"
		}
		if result = "<User>" + iamtest.UserOf(u.name, u.path) + used + "</User>"; u.name == "" {
			result = "!NoSuchEntity"
		}
	case "GetLoginProfile":
		if result = "<LoginProfile><UserName>" + u.name + "</UserName><CreateDate>" + iamtest.Ago(u.made) + "</CreateDate></LoginProfile>"; u.made < 0 {
			result = "!NoSuchEntity"
		}
	case "ListMFADevices":
		for n := range u.mfa {
			result += "<member><UserName>" + u.name + "</UserName><SerialNumber>" + fmt.Sprint(n) + "</SerialNumber></member>"
		}
		result = "<MFADevices>" + result + "</MFADevices>"
	}
	if text, ok := f.say[a.Operation]; ok {
		result = text
	}
	return iamtest.Answer(a.Operation, result)
}

func newIAM(t *testing.T) (*cloudtest.Server, *fakeIAM) {
	f := &fakeIAM{say: map[string]string{}, users: []fakeUser{
		{"ann", "/", 700, 3, 1}, {"bob", "/staff/", 100, -1, 0}, {"ci", "/", -1, -1, 0}, {"dan", "/", 10, 300, 2},
	}}
	return cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, f.answer), f
}

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: loginprofile.Name, IDs: ids}
}

// TestRead: a sweep and the read of one user say the same; who has no password is not
// there; a last use of an earlier password does not count.
func TestRead(t *testing.T) {
	t.Parallel()
	s, _ := newIAM(t)
	tags := map[string]string{"team": "web"}
	n := func(n int) *int { return &n }
	want := map[string]loginprofile.Login{
		"arn:aws:iam::111122223333:user/ann#password":       {User: "ann", Tags: tags, Idle: n(3), Used: true, MFA: n(1)},
		"arn:aws:iam::111122223333:user/staff/bob#password": {User: "bob", Tags: tags, Idle: n(100), MFA: n(0)},
		"arn:aws:iam::111122223333:user/dan#password":       {User: "dan", Tags: tags, Idle: n(10), MFA: n(2)},
	}
	for name, where := range map[string]dera.Scope{"sweep": scope(), "named": scope("ann#password", "bob#password", "dan#password", "ci#password", "eve#password", "ann", "ann#x")} {
		page, err := s.Read(t.Context(), where, true)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]loginprofile.Login{}
		for _, x := range page.Resources {
			if got[string(x.ARN)] = *x.Config.(*loginprofile.Login); x.ID != x.ARN.Name() {
				t.Errorf("%s: ID %s of %s", name, x.ID, x.ARN)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if missing := len(page.Missing); missing != max(0, len(where.IDs)-3) {
			t.Errorf("%s: got %v missing", name, page.Missing)
		}
	}
}

// TestDoubt: what could not be read is not known, whatever the other parts say.
func TestDoubt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		call, say string
		want      []control.Outcome // of no-mfa and unused
	}{
		"profile_denied":      {"GetLoginProfile", "!AccessDenied", []control.Outcome{control.UnknownResult, control.UnknownResult}},
		"profile_of_another":  {"GetLoginProfile", "<LoginProfile><UserName>eve</UserName></LoginProfile>", []control.Outcome{control.UnknownResult, control.UnknownResult}},
		"use_denied":          {"GetUser", "!AccessDenied", []control.Outcome{control.Fail, control.UnknownResult}},
		"devices_denied":      {"ListMFADevices", "!AccessDenied", []control.Outcome{control.UnknownResult, control.Fail}},
		"devices_of_another":  {"ListMFADevices", "<MFADevices><member><UserName>eve</UserName><SerialNumber>1</SerialNumber></member></MFADevices>", []control.Outcome{control.UnknownResult, control.Fail}},
		"no_list_of_devices":  {"ListMFADevices", "", []control.Outcome{control.UnknownResult, control.Fail}},
		"user_is_gone_by_now": {"ListMFADevices", "!NoSuchEntity", []control.Outcome{control.UnknownResult, control.Fail}},
	} {
		s, f := newIAM(t)
		f.users, f.say[tc.call] = f.users[1:2], tc.say
		page, err := s.Read(t.Context(), scope(), true)
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("%s: got %d resources, %v", name, len(page.Resources), err)
		}
		for i, c := range loginprofile.Controls() {
			if res, err := c.Check(page.Resources[0], control.Settings{}); err != nil || res.Outcome != tc.want[i] {
				t.Errorf("%s: %s: got %s, %v, want %s", name, c.ID, res.Outcome, err, tc.want[i])
			}
		}
	}
}

// TestSweepIsBounded: 5,000 users of whom 2,000 have passwords cost 9,100 calls in 100
// pages.
func TestSweepIsBounded(t *testing.T) {
	t.Parallel()
	f := &fakeIAM{}
	for n := range 5000 {
		u := fakeUser{fmt.Sprintf("user-%d", n), "/", -1, -1, 0}
		if n%5 < 2 {
			u.made = 100
		}
		f.users = append(f.users, u)
	}
	calls, page := map[string]bool{}, map[string]bool{} // one that a busy machine sends again is one
	s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, func(a cloudtest.Asked) (int, string) {
		calls[a.Body], page[a.Body] = true, true
		return f.answer(a)
	})
	where, found, pages, most := scope(), 0, 0, 0
	for {
		clear(page)
		got, err := s.Read(t.Context(), where, false)
		if err != nil {
			t.Fatal(err)
		}
		found, pages, most = found+len(got.Resources), pages+1, max(most, len(page))
		if where.Page = got.Next; where.Page == "" {
			break
		}
	}
	if found != 2000 || pages != 100 || len(calls) != 100+5000+2*2000 || most > 151 {
		t.Errorf("got %d passwords by %d calls in %d pages of at most %d", found, len(calls), pages, most)
	}
}
