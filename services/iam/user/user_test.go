package user_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/user"
)

const (
	wide   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}`
	narrow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	app    = "arn:aws:iam::111122223333:policy/app"
	aws    = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

func sample() *user.User {
	return &user.User{
		Identity: iam.Identity{
			Name: "ann", Path: "/staff/", Tags: map[string]string{"team": "web"}, Inline: []iam.Inline{{Name: "own", Document: wide}},
			Attached: []iam.Attached{{ARN: app, Document: wide}, {ARN: aws, Document: narrow}},
		},
		Groups: []user.Group{{Name: "staff", Inline: []iam.Inline{{Name: "own", Document: narrow}}}},
	}
}

func canon(t *testing.T, config any) string {
	t.Helper()
	text, err := user.Type().Canon(config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOperations: each shows after it is applied and not before, and its undo brings the
// same user back.
func TestOperations(t *testing.T) {
	t.Parallel()
	typ := user.Type()
	for name, change := range map[string]func(*user.User) (dera.Change, error){
		"inline":         func(u *user.User) (dera.Change, error) { return u.SetInline(iam.UserKind, "own", narrow) },
		"inline_new":     func(u *user.User) (dera.Change, error) { return u.SetInline(iam.UserKind, "new", narrow) },
		"inline_removed": func(u *user.User) (dera.Change, error) { return u.SetInline(iam.UserKind, "own", "") },
		"detached":       func(u *user.User) (dera.Change, error) { return u.DetachManaged(iam.UserKind, app) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := change(sample())
			if err != nil {
				t.Fatal(err)
			}
			before, _, err := typ.Effect(sample(), resource.Of(c))
			if err != nil || before {
				t.Errorf("before: got %t, %v", before, err)
			}
			after, err := typ.Apply(sample(), resource.Of(c))
			if err != nil {
				t.Fatal(err)
			}
			if done, _, err := typ.Effect(after, resource.Of(c)); err != nil || !done {
				t.Errorf("after: got %t, %v", done, err)
			}
			undo, err := resource.OfUndo(*c.Undo, nil)
			if err != nil {
				t.Fatal(err)
			}
			back, err := typ.Apply(after, undo)
			if err != nil || canon(t, back) != canon(t, sample()) {
				t.Errorf("undone: got %v\n%s", err, canon(t, back))
			}
		})
	}
}

// TestCanon: what belongs to other resources is no part of it.
func TestCanon(t *testing.T) {
	t.Parallel()
	want := canon(t, sample())
	for name, tc := range map[string]struct {
		edit func(*user.User)
		same bool
	}{
		"groups":            {func(u *user.User) { u.Groups = nil }, true},
		"groups_not_read":   {func(u *user.User) { u.NotRead(user.PartGroups) }, true},
		"attached_document": {func(u *user.User) { u.Attached[0].Document = narrow }, true},
		"attached_not_read": {func(u *user.User) { u.NotRead(user.PartAttached) }, false},
		"detached":          {func(u *user.User) { u.Attached = u.Attached[1:] }, false},
		"inline":            {func(u *user.User) { u.Inline[0].Document = narrow }, false},
	} {
		u := sample()
		tc.edit(u)
		if got := canon(t, u); (got == want) != tc.same {
			t.Errorf("%s: same %t, want %t:\n%s", name, got == want, tc.same, got)
		}
	}
}

// TestAround: a user is its own principal, and depends on its policies and groups.
func TestAround(t *testing.T) {
	t.Parallel()
	typ := user.Type()
	want := []resource.Neighbour{{Type: iam.ManagedPolicy, ID: "app"}, {Type: iam.ManagedPolicy, ID: aws}, {Type: "AWS::IAM::Group", ID: "staff"}}
	if got := typ.Neighbours(sample()); !slices.Equal(got, want) {
		t.Errorf("neighbours: got %v, want %v", got, want)
	}
	if got := typ.Principals(sample()); len(got) != 1 || got[0].ARN != "" || !got[0].Human || got[0].Tags["team"] != "web" {
		t.Errorf("principals: got %+v", got)
	}
}

// TestHints: a call names the user, by its new name too.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(user.Events())
	for name, tc := range map[string]struct {
		call, request string
		want          []string // nil for a sweep
	}{
		"inline":        {"PutUserPolicy", `{"userName":"ann","policyName":"own"}`, []string{"ann"}},
		"renamed":       {"UpdateUser", `{"userName":"ann","newUserName":"anna"}`, []string{"ann", "anna"}},
		"joined":        {"AddUserToGroup", `{"groupName":"staff","userName":"ann"}`, []string{"ann"}},
		"name_elided":   {"TagUser", `{"userName":"..."}`, nil},
		"no_parameters": {"DetachUserPolicy", `null`, nil},
	} {
		r := cloudtrail.Record{Source: iam.Source, Name: tc.call, Account: "111122223333", Region: "us-east-1", Partition: "aws", Request: []byte(tc.request), Response: []byte("null")}
		sweep := dera.Scope{Partition: "aws", Account: "111122223333", Region: dera.GlobalRegion, Type: user.Name}
		want := []dera.Scope{sweep}
		if tc.want != nil {
			want = nil
		}
		for _, id := range tc.want {
			one := sweep
			one.IDs = []string{id}
			want = append(want, one)
		}
		if d := cmp.Diff(want, watch.Hints(r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
