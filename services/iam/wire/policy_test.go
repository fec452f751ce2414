package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
)

// TestPolicy reads the managed policies of accounts of moto.
func TestPolicy(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	t.Run("walk_and_single_reads_agree", func(t *testing.T) { testPolicyWalk(t, server) })
	t.Run("ledger", func(t *testing.T) { testPolicyLedger(t, server) })
	t.Run("unread", func(t *testing.T) { testPolicyUnread(t, server) })
	t.Run("many_holders", func(t *testing.T) { testManyHolders(t, server) })
	t.Run("not_there", func(t *testing.T) { testPolicyNotThere(t, server) })
}

// testPolicyWalk: a sweep is one walk, but for the tags that a plan needs, and says of
// each policy what reading it alone says.
func testPolicyWalk(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, policy.Name, nil)
	a.furnish(t)
	all := a.agree(t, "team/app", "few", "idle", "none")
	got := all["team/app"].(*policy.Policy)
	var versions []string
	for _, v := range append([]policy.Version{got.Default}, got.Others...) {
		if v.Created.IsZero() {
			t.Errorf("version %s: got no date", v.ID)
		}
		versions = append(versions, v.ID+" "+v.Document)
	}
	if want := []string{"v3 " + allowOn("three"), "v2 " + allowOn("two"), "v1 " + allowOn("app")}; !slices.Equal(versions, want) {
		t.Errorf("versions: got %q, want %q", versions, want)
	}
	tags := map[string]string{"team": "web"}
	beside := func(name, arn, text string) own.Attached {
		if arn == "" {
			return own.Attached{ARN: name, Document: text}
		}
		return own.Attached{ARN: arn, Version: "v1", Document: text}
	}
	want := []own.Holder{
		{ARN: a.arn("role/svc/web"), Kind: own.RoleKind, Name: "web", Path: "/svc/", Tags: tags, Trust: trust, Boundary: a.arn("policy/team/app"),
			Beside: []own.Attached{beside(`inline policy "own"`, "", allowOn("own")), beside("", a.arn("policy/few"), allowOn("few"))}},
		{ARN: a.arn("user/bob"), Kind: own.UserKind, Name: "bob", Path: "/", Via: "staff",
			Beside: []own.Attached{beside(`inline policy "own" of the group staff`, "", allowOn("staff"))}},
		{ARN: a.arn("user/staff/ann"), Kind: own.UserKind, Name: "ann", Path: "/staff/", Tags: tags,
			Beside: []own.Attached{beside(`inline policy "own"`, "", allowOn("ann")), beside(`inline policy "own" of the group staff`, "", allowOn("staff"))}},
	}
	if d := cmp.Diff(want, got.Holders, cmpopts.IgnoreFields(own.Holder{}, "Created"), cmpopts.IgnoreFields(own.Attached{}, "Updated")); d != "" {
		t.Errorf("holders (-want +got):\n%s", d)
	}
	if !slices.Equal(got.BoundaryOf, []string{a.arn("role/svc/web")}) || got.Tags["of"] != "app" || got.Path != "/team/" || got.Created.IsZero() {
		t.Errorf("got %+v", got)
	}
	if idle := all["idle"].(*policy.Policy).Holders; len(idle) != 1 || idle[0].Kind != own.GroupKind || idle[0].ARN != a.arn("group/old/empty") {
		t.Errorf("a group without members: got %+v", idle)
	}
	a.proxy.reset()
	a.read(t, "few") // one holder
	if got := a.proxy.count("GetAccountAuthorizationDetails"); got != 0 {
		t.Errorf("one holder: got %d walks, want none", got)
	}
	a.read(t, "team/app") // more
	if got := a.proxy.count("GetAccountAuthorizationDetails"); got != 1 {
		t.Errorf("many holders: got %d walks, want 1", got)
	}
	a.proxy.reset()
	if page, err := a.Read(t.Context(), a.scope(), false); err != nil || len(page.Resources) != 4 || a.proxy.total() != 1 {
		t.Errorf("a quick sweep: got %d policies by %d calls, %v; want 4 by one", len(page.Resources), a.proxy.total(), err)
	}
}

// testPolicyLedger: the ledger is asked once for everyone who has any of the policies.
func testPolicyLedger(t *testing.T, server *moto.Server) {
	l := &ledger{}
	a := newAccount(t, server, policy.Name, map[string]any{resource.PortLedger: l})
	a.furnish(t)
	l.knows = map[string]resource.Use{a.arn("role/svc/web"): {Calls: []resource.Call{{Source: "s3.amazonaws.com", Name: "GetObject"}}}}
	all := a.read(t)
	if want := [][]string{{a.arn("role/svc/web"), a.arn("user/bob"), a.arn("user/staff/ann")}}; !cmp.Equal(l.asked, want) {
		t.Errorf("asked for %v, want %v", l.asked, want)
	}
	for id, want := range map[string]bool{"few": true, "idle": true, "none": true, "team/app": false} {
		if got := all[id].Config.(*policy.Policy); got.Read(policy.PartUse) != want || all[id].Unread != "" {
			t.Errorf("%s: use known %t, want %t (%s)", id, got.Read(policy.PartUse), want, all[id].Unread)
		}
	}
	if u := all["team/app"].Config.(*policy.Policy).Holders[0].Use; u == nil || len(u.Calls) != 1 {
		t.Errorf("use of the one that is known: got %+v", u)
	}
	l.err = errors.New("the database is away")
	if x := a.read(t, "few")["few"]; !strings.Contains(x.Unread, "the database is away") {
		t.Errorf("a ledger that fails: got %q", x.Unread)
	}
}

// testPolicyUnread: what may not be read, or cannot be, is unread and never empty.
func testPolicyUnread(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, policy.Name, nil)
	a.furnish(t)
	proxied := func() *http.Response { return cloudtest.Answer(200, "<html>hello</html>") }
	for name, tc := range map[string]struct {
		action string
		answer func() *http.Response
		id     string
		parts  []string
		again  bool // the whole policy has to be looked at again
	}{
		"policy_denied":         {"GetPolicy", denied, "none", []string{policy.PartPolicy, policy.PartTags, policy.PartVersions}, false},
		"version_denied":        {"GetPolicyVersion", denied, "team/app", []string{policy.PartPolicy, policy.PartVersions}, false},
		"versions_denied":       {"ListPolicyVersions", denied, "team/app", []string{policy.PartVersions}, false},
		"versions_foreign":      {"ListPolicyVersions", proxied, "team/app", []string{policy.PartVersions}, true},
		"entities_denied":       {"ListEntitiesForPolicy", denied, "few", []string{policy.PartAttached, policy.PartHolders}, false},
		"entities_foreign":      {"ListEntitiesForPolicy", proxied, "few", []string{policy.PartAttached, policy.PartHolders}, true},
		"holder_denied":         {"GetRole", denied, "few", []string{policy.PartHolders}, false},
		"holder_not_there":      {"GetRole", missing, "few", []string{policy.PartHolders}, true},
		"holders_policy_denied": {"GetRolePolicy", denied, "few", []string{policy.PartHolders}, false},
		"holders_list_denied":   {"ListAttachedRolePolicies", denied, "few", []string{policy.PartHolders}, false},
		"group_denied":          {"GetGroup", denied, "idle", []string{policy.PartHolders}, false},
		"walk_denied":           {"GetAccountAuthorizationDetails", denied, "team/app", []string{policy.PartHolders}, false},
		"version_is_not_there":  {"GetPolicyVersion", missing, "none", []string{policy.PartPolicy}, true},
		"tags_failed":           {"GetPolicy", func() *http.Response { return failure(400, "ValidationError") }, "none", []string{policy.PartPolicy, policy.PartTags}, true},
	} {
		t.Run(name, func(t *testing.T) {
			a.answering(t, tc.action, tc.answer)
			x := a.read(t, tc.id)[tc.id]
			p, ok := x.Config.(*policy.Policy)
			if !ok {
				t.Fatalf("got %+v", x)
			}
			for _, part := range append(tc.parts, policy.PartUse) {
				if p.Read(part) {
					t.Errorf("%s is read, want it unread: %v", part, p.Unread)
				}
			}
			if (x.Unread != "") != tc.again {
				t.Errorf("to be looked at again because of %q, want %t", x.Unread, tc.again)
			}
			if slices.Contains(tc.parts, policy.PartHolders) && !slices.Contains(tc.parts, policy.PartAttached) && len(p.Holders) == 0 {
				t.Error("got nobody who has it, want those of the listing")
			}
		})
	}
}

// testManyHolders: of more than are read it says how many, and the part is unread.
func testManyHolders(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, policy.Name, nil)
	arn := a.policy(t, "/", "app")
	for i := range own.MostHolders + 1 {
		name := fmt.Sprintf("u-%d", i)
		must(t, func(ctx context.Context) error {
			_, err := a.api.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
			var again *types.EntityAlreadyExistsException // a busy moto answers the second try
			if errors.As(err, &again) {
				err = nil
			}
			return errors.Join(err, a.attach(ctx, "user", name, arn))
		})
	}
	p := a.agree(t, "app")["app"].(*policy.Policy)
	if p.TooMany != own.MostHolders+1 || len(p.Holders) != p.TooMany || p.Read(policy.PartHolders) || p.Holders[0].Beside != nil || p.Holders[0].ARN == "" {
		t.Errorf("got %d holders, too many %d, unread %v", len(p.Holders), p.TooMany, p.Unread)
	}
}

// testPolicyNotThere: only IAM's word on the policy itself makes it missing.
func testPolicyNotThere(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, policy.Name, nil)
	a.furnish(t)
	page, err := a.Read(t.Context(), a.scope("few", "nobody", "no//name?"), true)
	slices.Sort(page.Missing)
	if err != nil || len(page.Resources) != 1 || !slices.Equal(page.Missing, []string{"no//name?", "nobody"}) {
		t.Errorf("got %d policies, missing %v, %v; want few alone", len(page.Resources), page.Missing, err)
	}
}
