package group_test

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
)

const (
	wide   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}`
	narrow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
)

func sample() *group.Group {
	return &group.Group{
		Identity: iam.Identity{Name: "staff", Path: "/", Inline: []iam.Inline{{Name: "own", Document: wide}}, Attached: []iam.Attached{{ARN: "arn:aws:iam::111122223333:policy/team/app", Document: wide}}},
		Members:  []iam.Holder{{ARN: "arn:aws:iam::111122223333:user/staff/ann", Kind: iam.UserKind, Name: "ann", Tags: map[string]string{"team": "web"}}},
	}
}

func canon(t *testing.T, config any) string {
	t.Helper()
	text, err := group.Type().Canon(config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOperations: each shows after it is applied and not before, and its undo brings the
// same group back.
func TestOperations(t *testing.T) {
	t.Parallel()
	typ := group.Type()
	for name, change := range map[string]func(*group.Group) (dera.Change, error){
		"inline":   func(g *group.Group) (dera.Change, error) { return g.SetInline(iam.GroupKind, "own", narrow) },
		"detached": func(g *group.Group) (dera.Change, error) { return g.DetachManaged(iam.GroupKind, g.Attached[0].ARN) },
	} {
		c, err := change(sample())
		if err != nil {
			t.Fatal(err)
		}
		if done, _, err := typ.Effect(sample(), resource.Of(c)); err != nil || done {
			t.Errorf("%s before: got %t, %v", name, done, err)
		}
		after, err := typ.Apply(sample(), resource.Of(c))
		if err != nil {
			t.Fatal(err)
		}
		if done, _, err := typ.Effect(after, resource.Of(c)); err != nil || !done {
			t.Errorf("%s after: got %t, %v", name, done, err)
		}
		undo, err := resource.OfUndo(*c.Undo, nil)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := typ.Apply(after, undo); err != nil || canon(t, back) != canon(t, sample()) {
			t.Errorf("%s undone: got %v\n%s", name, err, canon(t, back))
		}
	}
}

// TestMembers: the members are whom a group is attached to, whose permissions it
// decides, and its neighbours; they are no part of the canonical form.
func TestMembers(t *testing.T) {
	t.Parallel()
	typ, none := group.Type(), sample()
	none.Members = nil
	none.NotRead(group.PartMembers)
	if canon(t, none) != canon(t, sample()) {
		t.Error("the members are in the canonical form")
	}
	none.NotRead(group.PartGroup)
	if canon(t, none) == canon(t, sample()) {
		t.Error("a group that is not read is as one that is")
	}
	if got := typ.Attachments(sample()); len(got) != 1 || got[0].ID != "user/staff/ann" || got[0].Tags["team"] != "web" {
		t.Errorf("attachments: got %+v", got)
	}
	if got := typ.Principals(sample()); len(got) != 1 || !got[0].Human || got[0].ARN != sample().Members[0].ARN {
		t.Errorf("principals: got %+v", got)
	}
	want := []resource.Neighbour{{Type: iam.ManagedPolicy, ID: "team/app"}, {Type: "AWS::IAM::User", ID: "ann"}}
	if got := typ.Neighbours(sample()); !slices.Equal(got, want) {
		t.Errorf("neighbours: got %v, want %v", got, want)
	}
	if got := typ.Attached(sample()); !slices.Equal(got, []string{"user ann"}) {
		t.Errorf("attached: got %v", got)
	}
}

// TestHints: a call names the group; one that does not is a sweep.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(group.Events())
	for _, c := range watch.Calls() {
		for request, want := range map[string][]string{`{"groupName":"staff"}`: {"staff"}, `null`: nil} {
			r := cloudtrail.Record{Source: c.Source, Name: c.Name, Account: "111122223333", Region: "us-east-1", Partition: "aws", Request: []byte(request), Response: []byte("null")}
			got := watch.Hints(r)
			if len(got) != 1 || got[0].Region != dera.GlobalRegion || got[0].Type != group.Name || !slices.Equal(got[0].IDs, want) {
				t.Errorf("%s %s: got %+v, want %v", c.Name, request, got, want)
			}
		}
	}
}
