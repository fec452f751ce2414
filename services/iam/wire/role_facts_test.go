package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/role"
)

// testProfiles: the walk tells the instance profiles of all roles. Of one role they cost a
// call, on as many pages as there are, and a quick look asks for none.
func testProfiles(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, role.Name, nil)
	a.populate(t, 2)
	for _, name := range []string{"web", "batch"} {
		must(t, func(ctx context.Context) error {
			_, err := a.api.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String(name)})
			return err
		})
		must(t, func(ctx context.Context) error {
			_, err := a.api.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String(name), RoleName: aws.String("app-1")})
			return err
		})
	}
	const call = "ListInstanceProfilesForRole"
	want := map[string][]string{"app-0": nil, "app-1": {"batch", "web"}}
	swept := a.read(t)
	if got := a.proxy.count(call); got != 0 {
		t.Errorf("a sweep: got %d calls of %s, want none", got, call)
	}
	for id, list := range want {
		for how, x := range map[string]any{"swept": swept[id].Config, "alone": a.read(t, id)[id].Config} {
			if r := x.(*role.Role); !slices.Equal(r.Profiles, list) || !r.Read(role.PartProfiles) {
				t.Errorf("%s, %s: got %q, unread %v, want %q", id, how, r.Profiles, r.Unread, list)
			}
		}
		if got := a.proxy.count(call); got != 1 {
			t.Errorf("%s alone: got %d calls of %s, want 1", id, got, call)
		}
	}
	quick, err := a.Read(t.Context(), a.scope("app-1"), false)
	if err != nil || len(quick.Resources) != 1 || a.proxy.count(call) != 0 {
		t.Errorf("a quick look: got %+v, %v, want no call", quick.Resources, err)
	}
	pages := map[string]string{"": "<IsTruncated>true</IsTruncated><Marker>2</Marker>", "2": ""}
	before := a.proxy.answer
	a.proxy.answer = func(form url.Values) *http.Response {
		if form.Get("Action") != call {
			return before(form)
		}
		return cloudtest.Answer(200, `<ListInstanceProfilesForRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListInstanceProfilesForRoleResult>`+pages[form.Get("Marker")]+
			`<InstanceProfiles><member><InstanceProfileName>p`+form.Get("Marker")+`</InstanceProfileName></member></InstanceProfiles></ListInstanceProfilesForRoleResult></ListInstanceProfilesForRoleResponse>`)
	}
	if got := a.read(t, "app-1")["app-1"].Config.(*role.Role).Profiles; !slices.Equal(got, []string{"p", "p2"}) || a.proxy.count(call) != 2 {
		t.Errorf("two pages: got %q", got)
	}
}

// TestLastUse: how long a role was not used is what IAM says, and what it does not say is
// not known. A role that the ledger knows a call of has the day of that.
func TestLastUse(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days).Add(-time.Hour) }
	l := &ledger{knows: map[string]resource.Use{}}
	a := newAccount(t, moto.Start(t, moto.Config{}), role.Name, map[string]any{resource.PortLedger: l})
	a.populate(t, 1)
	for name, tc := range map[string]struct {
		made         int // days ago; 0 is not told
		last         string
		seen         int // days ago; 0 is never
		age          int
		idle, called *int
	}{
		"never":           {700, "<RoleLastUsed/>", 0, 700, aws.Int(400), nil},
		"never_and_young": {30, "<RoleLastUsed></RoleLastUsed>", 0, 30, aws.Int(30), nil},
		"nothing_is_told": {700, "", 0, 700, nil, nil},
		"made_unknown":    {0, "<RoleLastUsed/>", 0, 0, nil, nil},
		"used":            {700, "<RoleLastUsed><LastUsedDate>" + ago(120).Format(time.RFC3339) + "</LastUsedDate><Region>eu-west-1</Region></RoleLastUsed>", 3, 700, aws.Int(120), aws.Int(3)},
	} {
		l.knows = map[string]resource.Use{}
		use := resource.Use{From: ago(90), To: now}
		if tc.seen > 0 {
			use.Seen = ago(tc.seen)
		}
		l.knows["arn:aws:iam::"+a.id+":role/app-0"] = use
		made := ""
		if tc.made > 0 {
			made = "<CreateDate>" + ago(tc.made).Format(time.RFC3339) + "</CreateDate>"
		}
		a.proxy.answer = func(form url.Values) *http.Response {
			if form.Get("Action") != "GetRole" {
				return nil
			}
			return cloudtest.Answer(200, fmt.Sprintf(`<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/</Path><RoleName>app-0</RoleName><Arn>arn:aws:iam::%s:role/app-0</Arn>%s
<AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument>%s</Role></GetRoleResult></GetRoleResponse>`, a.id, made, url.PathEscape(trust), tc.last))
		}
		r := a.read(t, "app-0")["app-0"].Config.(*role.Role)
		if d := cmp.Diff([]any{tc.age, tc.idle, tc.called}, []any{r.Age, r.Idle, r.Called}); d != "" {
			t.Errorf("%s: age, idle and last call in days (-want +got):\n%s", name, d)
		}
	}
}
