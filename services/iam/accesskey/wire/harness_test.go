package wire_test

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/iam/accesskey"
	"dera.example/dera/services/iam/accesskey/wire"
	"dera.example/dera/services/iam/iamtest"
)

// fakeUser is a user of the fake IAM. Dates are days ago; used is less than 0 for never.
type fakeUser struct {
	name, path string
	keys       []*fakeKey
}

type fakeKey struct {
	id, status string
	made, used int
}

// fakeIAM is the users of an account. say is what it answers to a call instead: a body,
// or an error code after !. It is by the call, or by the call and the user.
type fakeIAM struct {
	users []*fakeUser
	say   map[string]string
}

func (f *fakeIAM) user(name string) *fakeUser {
	i := slices.IndexFunc(f.users, func(u *fakeUser) bool { return u.name == name })
	if i < 0 {
		return nil
	}
	return f.users[i]
}

func (f *fakeIAM) key(id string) (*fakeUser, *fakeKey) {
	for _, u := range f.users {
		for _, k := range u.keys {
			if k.id == id {
				return u, k
			}
		}
	}
	return nil, nil
}

// answer is what IAM says to a call.
func (f *fakeIAM) answer(a cloudtest.Asked) (int, string) {
	text, ok := f.say[a.Operation+" "+a.Form.Get("UserName")]
	if !ok {
		text, ok = f.say[a.Operation]
	}
	if !ok {
		text = f.says(a)
	}
	return iamtest.Answer(a.Operation, text)
}

func (f *fakeIAM) says(a cloudtest.Asked) string {
	switch a.Operation {
	case "GetAccountAuthorizationDetails":
		return iamtest.UserPage(a.Form, len(f.users), func(i int) string { return iamtest.UserOf(f.users[i].name, f.users[i].path) })
	case "GetUser":
		u := f.user(a.Form.Get("UserName"))
		if u == nil {
			return "!NoSuchEntity"
		}
		return "<User>" + iamtest.UserOf(u.name, u.path) + "</User>"
	case "ListAccessKeys":
		u := f.user(a.Form.Get("UserName"))
		if u == nil {
			return "!NoSuchEntity"
		}
		list := ""
		for _, k := range u.keys {
			list += "<member><UserName>" + u.name + "</UserName><AccessKeyId>" + k.id + "</AccessKeyId><Status>" + k.status + "</Status><CreateDate>" + iamtest.Ago(k.made) + "</CreateDate></member>"
		}
		return "<AccessKeyMetadata>" + list + "</AccessKeyMetadata><IsTruncated>false</IsTruncated>"
	case "GetAccessKeyLastUsed":
		u, k := f.key(a.Form.Get("AccessKeyId"))
		if k == nil {
			return "!AccessDenied"
		}
		last := "<ServiceName>N/A</ServiceName><Region>N/A</Region>"
		if k.used >= 0 {
			last = "<LastUsedDate>" + iamtest.Ago(k.used) + "</LastUsedDate><ServiceName>s3</ServiceName><Region>us-east-1</Region>"
		}
		return "<UserName>" + u.name + "</UserName><AccessKeyLastUsed>" + last + "</AccessKeyLastUsed>"
	case "UpdateAccessKey":
		u, k := f.key(a.Form.Get("AccessKeyId"))
		if k == nil || u.name != a.Form.Get("UserName") {
			return "!NoSuchEntity"
		}
		k.status = a.Form.Get("Status")
		return ""
	}
	return "!InvalidAction"
}

// newIAM is a client of an account whose user ann has a key that is used and one that is
// not, and bob, below a path, one that was never used.
func newIAM(t *testing.T) (*cloudtest.Server, *fakeIAM) {
	f := &fakeIAM{say: map[string]string{}, users: []*fakeUser{
		{"ann", "/", []*fakeKey{{"AKIAANNUSED000000001", "Active", 700, 3}, {"AKIAANNUNUSED0000002", "Active", 600, 60}}},
		{"bob", "/staff/", []*fakeKey{{"AKIABOBNEVER00000001", "Active", 100, -1}, {"AKIABOBINACTIVE00002", "Inactive", 700, 60}}},
		{"eve", "/", nil},
	}}
	return cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, f.answer), f
}

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: accesskey.Name, IDs: ids}
}
