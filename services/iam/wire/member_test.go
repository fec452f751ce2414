package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
	"dera.example/dera/services/iam/user"
)

// TestMembers reads the users and groups of accounts of moto.
func TestMembers(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	t.Run("users", func(t *testing.T) { testUsers(t, server) })
	t.Run("groups", func(t *testing.T) { testGroups(t, server) })
	t.Run("many_members", func(t *testing.T) { testManyMembers(t, server) })
	t.Run("unread", func(t *testing.T) { testMembersUnread(t, server) })
	t.Run("ledger", func(t *testing.T) { testMembersLedger(t, server) })
}

func testUsers(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, user.Name, nil)
	a.furnish(t)
	ann := a.agree(t, "ann", "bob")["ann"].(*user.User)
	app := own.Attached{ARN: a.arn("policy/team/app"), Version: "v3", Document: allowOn("three")}
	want := &user.User{
		Identity: own.Identity{
			Name: "ann", Path: "/staff/", ID: ann.ID, Tags: map[string]string{"team": "web"}, Inline: []own.Inline{{Name: "own", Document: allowOn("ann")}},
			Attached: []own.Attached{app}, Unread: []string{own.PartAccess, own.PartExplained, own.PartStaged, user.PartUse, own.PartReported},
		},
		Account: a.id,
		Groups:  []user.Group{{Name: "staff", Inline: []own.Inline{{Name: "own", Document: allowOn("staff")}}, Attached: []own.Attached{app}}},
	}
	if d := cmp.Diff(want, ann, cmpopts.IgnoreFields(own.Identity{}, "Created"), cmpopts.IgnoreFields(own.Attached{}, "Updated")); d != "" || ann.Created.IsZero() || ann.Attached[0].Updated.IsZero() {
		t.Errorf("(-want +got):\n%s", d)
	}
	page, err := a.Read(t.Context(), a.scope("ann", "nobody", "no/name"), true)
	slices.Sort(page.Missing)
	if err != nil || len(page.Resources) != 1 || !slices.Equal(page.Missing, []string{"no/name", "nobody"}) {
		t.Errorf("got %d users, missing %v, %v; want ann alone", len(page.Resources), page.Missing, err)
	}
}

func testGroups(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, group.Name, nil)
	a.furnish(t)
	all := a.agree(t, "staff", "empty")
	if got := a.proxy.count("GetAccountAuthorizationDetails"); got != 0 {
		t.Errorf("a few members: got %d walks, want none", got)
	}
	var members []string
	for _, m := range all["staff"].(*group.Group).Members {
		line := m.ARN
		for _, p := range m.Beside {
			line += ", " + p.ARN
		}
		members = append(members, line)
	}
	want := []string{a.arn("user/bob"), a.arn("user/staff/ann") + `, inline policy "own", ` + a.arn("policy/team/app")}
	if d := cmp.Diff(want, members); d != "" {
		t.Errorf("members and what else they have (-want +got):\n%s", d)
	}
	if g := all["empty"].(*group.Group); len(g.Members) != 0 || len(g.Attached) != 1 || g.Attached[0].Document != allowOn("idle") || g.Path != "/old/" {
		t.Errorf("got %+v", g)
	}
	page, err := a.Read(t.Context(), a.scope("nobody"), true)
	if err != nil || !slices.Equal(page.Missing, []string{"nobody"}) {
		t.Errorf("got %d groups, missing %v, %v; want none", len(page.Resources), page.Missing, err)
	}
}

// testManyMembers: more than a few members are read by one walk, and of more than are
// read it says how many.
func testManyMembers(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, group.Name, nil)
	a.furnish(t)
	for i := range own.MostHolders + 1 {
		name := fmt.Sprintf("u-%d", i)
		must(t, func(ctx context.Context) error {
			if _, err := a.api.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
				return err
			}
			if i < 4 {
				if err := a.join(ctx, name, "staff"); err != nil {
					return err
				}
			}
			return a.join(ctx, name, "empty")
		})
	}
	all := a.agree(t, "staff", "empty")
	if g := all["staff"].(*group.Group); len(g.Members) != 6 || !g.Read(group.PartMembers) {
		t.Errorf("got %d members, unread %v", len(g.Members), g.Unread)
	}
	if g := all["empty"].(*group.Group); g.TooMany != own.MostHolders+1 || g.Read(group.PartMembers) || g.Read(group.PartUse) {
		t.Errorf("got %d members of too many, unread %v", g.TooMany, g.Unread)
	}
}

// testMembersUnread: what may not be read, or cannot be, is unread and never empty.
func testMembersUnread(t *testing.T, server *moto.Server) {
	foreign := func() *http.Response { return cloudtest.Answer(200, "<html>hello</html>") }
	for name, tc := range map[string]struct {
		typ, id string
		action  string
		answer  func() *http.Response
		part    string
		again   bool
	}{
		"user_denied":             {user.Name, "ann", "GetUser", denied, user.PartUser, true},
		"user_inline_denied":      {user.Name, "ann", "ListUserPolicies", denied, user.PartInline, false},
		"user_inline_foreign":     {user.Name, "ann", "GetUserPolicy", foreign, user.PartInline, true},
		"user_attached_denied":    {user.Name, "ann", "ListAttachedUserPolicies", denied, user.PartAttached, false},
		"user_documents_denied":   {user.Name, "ann", "GetPolicy", denied, user.PartDocuments, false},
		"user_groups_denied":      {user.Name, "ann", "ListGroupsForUser", denied, user.PartGroups, false},
		"group_of_user_not_there": {user.Name, "ann", "GetGroup", missing, user.PartGroups, true},
		"group_of_user_denied":    {user.Name, "ann", "ListGroupPolicies", denied, user.PartGroups, false},
		"group_denied":            {group.Name, "staff", "GetGroup", denied, group.PartGroup, true},
		"group_inline_denied":     {group.Name, "staff", "GetGroupPolicy", denied, group.PartInline, false},
		"group_attached_foreign":  {group.Name, "staff", "ListAttachedGroupPolicies", foreign, group.PartAttached, true},
		"member_not_there":        {group.Name, "staff", "GetUser", missing, group.PartMembers, true},
		"member_denied":           {group.Name, "staff", "ListUserPolicies", denied, group.PartMembers, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, server, tc.typ, nil)
			a.furnish(t)
			a.answering(t, tc.action, tc.answer)
			x := a.read(t, tc.id)[tc.id]
			read, ok := x.Config.(interface{ Read(...string) bool })
			if !ok || read.Read(tc.part) || (x.Unread != "") != tc.again {
				t.Errorf("%s read, or to be looked at again because of %q; want it unread, %t", tc.part, x.Unread, tc.again)
			}
		})
	}
}

// testMembersLedger: what users used, and the members of groups, comes from the port.
func testMembersLedger(t *testing.T, server *moto.Server) {
	l := &ledger{}
	a := newAccount(t, server, user.Name, map[string]any{resource.PortLedger: l})
	a.furnish(t)
	l.knows = map[string]resource.Use{a.arn("user/staff/ann"): {}}
	if all := a.read(t); all["ann"].Config.(*user.User).Use == nil || all["bob"].Config.(*user.User).Read(user.PartUse) {
		t.Errorf("got %+v", all)
	}
	a.typ = group.Name
	if all := a.read(t); all["staff"].Config.(*group.Group).Read(group.PartUse) || !all["empty"].Config.(*group.Group).Read(group.PartUse) {
		t.Errorf("got %+v", all)
	}
	if want := []string{a.arn("user/bob"), a.arn("user/staff/ann")}; !slices.Equal(l.asked[len(l.asked)-1], want) {
		t.Errorf("asked for %v, want %v", strings.Join(l.asked[len(l.asked)-1], ", "), want)
	}
}
