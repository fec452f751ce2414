package wire_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/iam/accesskey"
	"dera.example/dera/services/iam/accesskey/wire"
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

func ago(days int) string {
	return time.Now().UTC().Add(-time.Duration(days)*24*time.Hour - time.Hour).Format(time.RFC3339)
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

func failure(status int, code string) (int, string) {
	return status, "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>"
}

func answer(action, result string) (int, string) {
	return 200, "<" + action + `Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><` + action + "Result>" + result + "</" + action + "Result></" + action + "Response>"
}

func member(u *fakeUser) string {
	return "<UserName>" + u.name + "</UserName><Path>" + u.path + "</Path><UserId>AIDA1</UserId><Arn>arn:aws:iam::" + cloudtest.Hub + ":user" + u.path + u.name +
		"</Arn><CreateDate>" + ago(900) + "</CreateDate><Tags><member><Key>team</Key><Value>web</Value></member></Tags>"
}

// answer is what IAM says to a call.
func (f *fakeIAM) answer(a cloudtest.Asked) (int, string) {
	text, ok := f.say[a.Operation+" "+a.Form.Get("UserName")]
	if !ok {
		text, ok = f.say[a.Operation]
	}
	if ok {
		if code, refused := strings.CutPrefix(text, "!"); refused {
			status := 400
			if code == "AccessDenied" {
				status = 403
			}
			return failure(status, code)
		}
		return answer(a.Operation, text)
	}
	switch a.Operation {
	case "GetAccountAuthorizationDetails":
		return f.page(a)
	case "GetUser":
		u := f.user(a.Form.Get("UserName"))
		if u == nil {
			return failure(404, "NoSuchEntity")
		}
		return answer(a.Operation, "<User>"+member(u)+"</User>")
	case "ListAccessKeys":
		u := f.user(a.Form.Get("UserName"))
		if u == nil {
			return failure(404, "NoSuchEntity")
		}
		list := ""
		for _, k := range u.keys {
			list += "<member><UserName>" + u.name + "</UserName><AccessKeyId>" + k.id + "</AccessKeyId><Status>" + k.status + "</Status><CreateDate>" + ago(k.made) + "</CreateDate></member>"
		}
		return answer(a.Operation, "<AccessKeyMetadata>"+list+"</AccessKeyMetadata><IsTruncated>false</IsTruncated>")
	case "GetAccessKeyLastUsed":
		u, k := f.key(a.Form.Get("AccessKeyId"))
		if k == nil {
			return failure(403, "AccessDenied")
		}
		last := "<ServiceName>N/A</ServiceName><Region>N/A</Region>"
		if k.used >= 0 {
			last = "<LastUsedDate>" + ago(k.used) + "</LastUsedDate><ServiceName>s3</ServiceName><Region>us-east-1</Region>"
		}
		return answer(a.Operation, "<UserName>"+u.name+"</UserName><AccessKeyLastUsed>"+last+"</AccessKeyLastUsed>")
	case "UpdateAccessKey":
		u, k := f.key(a.Form.Get("AccessKeyId"))
		if k == nil || u.name != a.Form.Get("UserName") {
			return failure(404, "NoSuchEntity")
		}
		k.status = a.Form.Get("Status")
		return answer(a.Operation, "")
	}
	return failure(400, "InvalidAction")
}

func (f *fakeIAM) page(a cloudtest.Asked) (int, string) {
	size, _ := strconv.Atoi(a.Form.Get("MaxItems"))
	from, _ := strconv.Atoi(a.Form.Get("Marker"))
	to := min(from+size, len(f.users))
	list := ""
	for _, u := range f.users[from:to] {
		list += "<member>" + member(u) + "</member>"
	}
	more := "<IsTruncated>false</IsTruncated>"
	if to < len(f.users) {
		more = "<IsTruncated>true</IsTruncated><Marker>" + fmt.Sprint(to) + "</Marker>"
	}
	return answer(a.Operation, "<UserDetailList>"+list+"</UserDetailList>"+more)
}

// newIAM is a client of an account whose user ann has a key that is used and one that is
// not, and bob, below a path, one that was never used.
func newIAM(t *testing.T) (*cloudtest.Server, *fakeIAM) {
	f := &fakeIAM{say: map[string]string{}, users: []*fakeUser{
		{"ann", "/", []*fakeKey{{"AKIAANNUSED000000001", "Active", 700, 3}, {"AKIAANNUNUSED0000002", "Active", 700, 60}}},
		{"bob", "/staff/", []*fakeKey{{"AKIABOBNEVER00000001", "Active", 100, -1}, {"AKIABOBINACTIVE00002", "Inactive", 700, 60}}},
		{"eve", "/", nil},
	}}
	return cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, f.answer), f
}

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: accesskey.Name, IDs: ids}
}
