package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// ledger is a usage ledger that knows some principals.
type ledger struct {
	knows map[string]resource.Use
	err   error
	asked [][]string
}

func (l *ledger) Used(_ context.Context, _ string, principals []string) (map[string]resource.Use, error) {
	l.asked = append(l.asked, slices.Sorted(slices.Values(principals)))
	return l.knows, l.err
}

// TestRole reads the roles of accounts of moto, which has no pages and knows no last
// use; the answers that it does not give come from the proxy.
func TestRole(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	t.Run("walk_and_single_reads_agree", func(t *testing.T) { testWalk(t, server) })
	t.Run("port", func(t *testing.T) { testPort(t, server) })
	t.Run("unread", func(t *testing.T) { testUnread(t, server) })
	t.Run("not_there", func(t *testing.T) { testNotThere(t, server) })
	t.Run("instance_profiles", func(t *testing.T) { testProfiles(t, server) })
	t.Run("pages", func(t *testing.T) { testPages(t, server) })
}

// testWalk: a sweep is one walk and one list, however many roles there are, and says
// of each role what reading it alone says.
func testWalk(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, role.Name, nil)
	const n = 7
	a.populate(t, n)
	all := a.read(t)
	for action, want := range map[string]int{"GetAccountAuthorizationDetails": 1, "ListRoles": 1, "GetRole": 0, "GetPolicy": 0, "GetRolePolicy": 0} {
		if got := a.proxy.count(action); got != want {
			t.Errorf("a sweep of %d roles: got %d calls of %s, want %d", n, got, action, want)
		}
	}
	if len(all) != n {
		t.Fatalf("got %d roles, want %d", len(all), n)
	}
	for id, swept := range all {
		if d := cmp.Diff(swept, a.read(t, id)[id]); d != "" {
			t.Errorf("%s (-swept +alone):\n%s", id, d)
		}
	}
	if got := a.proxy.count("GetAccountAuthorizationDetails"); got != 0 {
		t.Errorf("reading roles alone: got %d walks, want none", got)
	}
	quick, err := a.Read(t.Context(), a.scope(), false)
	if err != nil || a.proxy.count("ListRoles") != 0 {
		t.Fatalf("a quick look: %v, or it lists what only a plan needs", err)
	}
	page, err := a.Complete(t.Context(), a.scope(), quick.Resources)
	if err != nil || a.proxy.count("GetAccountAuthorizationDetails") != 1 {
		t.Fatalf("to complete it: %v, or what it read is read again", err)
	}
	for _, x := range page.Resources {
		x.ReadAt = time.Time{}
		if d := cmp.Diff(all[x.ID], x); d != "" {
			t.Errorf("%s (-at once +completed):\n%s", x.ID, d)
		}
	}
	first := all["app-1"].Config.(*role.Role)
	want := &role.Role{Account: a.id, Trust: trust, MaxSession: 7200, Idle: aws.Int(0), Identity: own.Identity{
		Name: "app-1", Path: "/team/", ID: first.ID, Created: first.Created, Tags: map[string]string{"team": "web"},
		Inline: []own.Inline{{Name: "own", Document: allowOn("own")}}, Attached: first.Attached, Unread: []string{own.PartAccess, own.PartExplained, role.PartClosed, own.PartStaged, role.PartUse, role.PartThreats, own.PartReported},
	}}
	if d := cmp.Diff(want, first); d != "" || len(first.Attached) != 2 {
		t.Errorf("app-1, with %d attached policies (-want +got):\n%s", len(first.Attached), d)
	}
	for _, p := range first.Managed() {
		if name := p.ARN[strings.LastIndex(p.ARN, "/")+1:]; p.Document != allowOn(name) || p.Version != "v1" {
			t.Errorf("policy %s: got version %q of %q", name, p.Version, p.Document)
		}
	}
	if b := all["app-0"].Config.(*role.Role).Boundary; b == nil || b.Document != allowOn("shared") {
		t.Errorf("boundary: got %+v, want the shared policy", b)
	}
	if got := string(all["app-1"].ARN); got != "arn:aws:iam::"+a.id+":role/team/app-1" {
		t.Errorf("ARN: got %s", got)
	}
}

// closings are when dera narrowed trust policies.
type closings struct {
	at  map[dera.ARN]time.Time
	err error
}

func (c *closings) Changed(_ context.Context, _ dera.Scope, operation string) (map[dera.ARN]time.Time, error) {
	if operation != role.UpdateTrust {
		return nil, errors.New("the wrong operation")
	}
	return c.at, c.err
}

// testClosed: that dera narrowed the trust policy is known by the role's name, and not of a
// role that was made after that.
func testClosed(t *testing.T, a *account, c *closings) {
	t.Helper()
	now := time.Now().UTC()
	path := func(name string) dera.ARN { return dera.ARN("arn:aws:iam::" + a.id + ":role/" + name) }
	c.at = map[dera.ARN]time.Time{path("team/app-1"): now, path("app-0"): now.Add(-time.Hour)}
	for _, ids := range [][]string{nil, {"app-0", "app-1"}} {
		all := a.read(t, ids...)
		zero, one := all["app-0"].Config.(*role.Role), all["app-1"].Config.(*role.Role)
		if !zero.Closed.IsZero() || !one.Closed.Equal(now) {
			t.Errorf("%v: narrowed at %s and %s, want none and now", ids, zero.Closed, one.Closed)
		}
	}
	c.err = errors.New("the database is away")
	if r := a.read(t, "app-1")["app-1"].Config.(*role.Role); r.Read(role.PartClosed) {
		t.Errorf("without an answer: got %+v, want the part not read", r)
	}
	c.at, c.err = nil, nil
}

// testPort: the recorded use comes from the port, by the role's whole ARN. Without the
// port, or an answer about the role, it is unknown and not none.
func testPort(t *testing.T, server *moto.Server) {
	l := &ledger{}
	closings := &closings{}
	a := newAccount(t, server, role.Name, map[string]any{resource.PortLedger: l, resource.PortChanges: closings})
	a.populate(t, 2)
	testClosed(t, a, closings)
	used := "arn:aws:iam::" + a.id + ":role/team/app-1"
	l.knows = map[string]resource.Use{used: {Calls: []resource.Call{{Source: "s3.amazonaws.com", Name: "GetObject", Last: time.Unix(1e9, 0).UTC()}}}}
	for _, ids := range [][]string{nil, {"app-0", "app-1"}} {
		l.asked = nil
		all := a.read(t, ids...)
		zero, one := all["app-0"].Config.(*role.Role), all["app-1"].Config.(*role.Role)
		if !slices.Equal(one.Unread, []string{own.PartAccess, own.PartExplained, own.PartStaged, role.PartThreats}) || one.Use == nil || len(one.Use.Calls) != 1 {
			t.Errorf("%v: got %+v, want the use that the ledger knows", ids, one)
		}
		if zero.Use != nil || !slices.Equal(zero.Unread, []string{own.PartAccess, own.PartExplained, own.PartStaged, role.PartUse, role.PartThreats}) || all["app-0"].Unread != "" {
			t.Errorf("%v: got %+v, want a use that is not known", ids, zero)
		}
		if want := [][]string{{"arn:aws:iam::" + a.id + ":role/app-0", used}}; !cmp.Equal(l.asked, want) {
			t.Errorf("%v: the ledger is asked for %v, want %v", ids, l.asked, want)
		}
	}
	testTrusting(t, a, l)
	l.err = errors.New("the database is away")
	if x := a.read(t, "app-1")["app-1"]; x.Config.(*role.Role).Use != nil || !strings.Contains(x.Unread, "the database is away") {
		t.Errorf("a ledger that fails: got %q, want a role to be looked at again", x.Unread)
	}
	if _, err := cloud.New(t.Context(), cloud.Config{Wires: wires(), Ports: map[string]any{resource.PortLedger: "no ledger"}}); err == nil {
		t.Error("a port of another type: got no error at the start")
	}
}

// testTrusting: the ledger is asked for the accounts that a role trusts besides its own.
func testTrusting(t *testing.T, a *account, l *ledger) {
	t.Helper()
	const both = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::444455556666:role/x","555566667777","arn:aws:iam::OWN:root","*"]},"Action":"sts:AssumeRole"}]}`
	must(t, func(ctx context.Context) error {
		_, err := a.api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("trusting"), AssumeRolePolicyDocument: aws.String(strings.Replace(both, "OWN", a.id, 1))})
		return err
	})
	self, first, second := "arn:aws:iam::"+a.id+":role/trusting", "arn:aws:iam::444455556666:root", "arn:aws:iam::555566667777:root"
	l.asked, l.knows = nil, map[string]resource.Use{self: {}, first: {Calls: []resource.Call{{Name: "AssumeRole"}}}, second: {}}
	got := a.read(t, "trusting")["trusting"].Config.(*role.Role)
	if len(got.Trusting) != 2 || len(got.Trusting["444455556666"].Calls) != 1 || !got.Read(role.PartUse) {
		t.Errorf("trusting: got %+v, unread %v", got.Trusting, got.Unread)
	}
	if want := [][]string{{self, first, second}}; !cmp.Equal(l.asked, want) {
		t.Errorf("trusting: the ledger is asked for %v, want %v", l.asked, want)
	}
	delete(l.knows, second)
	if got := a.read(t, "trusting")["trusting"].Config.(*role.Role); got.Read(role.PartUse) {
		t.Error("an account that the ledger does not answer for: got its use known")
	}
}

// testUnread: what may not be read, or cannot be, is unread and never empty.
func testUnread(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, role.Name, nil)
	a.populate(t, 5)
	const brokenRole = `<GetRolePolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRolePolicyResult><PolicyDocument>%ZZ</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>`
	for name, tc := range map[string]struct {
		action string
		answer func() *http.Response
		ids    []string
		part   string
		again  bool // the whole role has to be looked at again
	}{
		"inline_policies_denied":    {"ListRolePolicies", denied, []string{"app-1"}, role.PartInline, false},
		"an_inline_policy_denied":   {"GetRolePolicy", denied, []string{"app-1"}, role.PartInline, false},
		"attachments_denied":        {"ListAttachedRolePolicies", denied, []string{"app-1"}, role.PartAttached, false},
		"policies_denied":           {"GetPolicy", denied, []string{"app-1"}, role.PartDocuments, false},
		"versions_denied":           {"GetPolicyVersion", denied, []string{"app-1"}, role.PartDocuments, false},
		"list_denied":               {"ListRoles", denied, nil, role.PartSession, false},
		"instance_profiles_denied":  {"ListInstanceProfilesForRole", denied, []string{"app-1"}, role.PartProfiles, false},
		"role_denied":               {"GetRole", denied, []string{"app-1"}, role.PartRole, true},
		"listed_policy_not_there":   {"GetRolePolicy", missing, []string{"app-1"}, role.PartInline, true},
		"attached_policy_not_there": {"GetPolicy", missing, []string{"app-1"}, role.PartDocuments, true},
		"document_not_encoded":      {"GetRolePolicy", func() *http.Response { return cloudtest.Answer(200, brokenRole) }, []string{"app-1"}, role.PartInline, true},
		"document_missing":          {"GetRolePolicy", func() *http.Response { return cloudtest.Answer(200, strings.Replace(brokenRole, "%ZZ", "", 1)) }, []string{"app-1"}, role.PartInline, true},
		"answer_of_a_proxy":         {"ListAttachedRolePolicies", func() *http.Response { return cloudtest.Answer(200, "<html>hello</html>") }, []string{"app-1"}, role.PartAttached, true},
	} {
		t.Run(name, func(t *testing.T) {
			a.proxy.answer = func(form url.Values) *http.Response {
				if form.Get("Action") == tc.action {
					return tc.answer()
				}
				return nil
			}
			defer func() { a.proxy.answer = nil }()
			all := a.read(t, tc.ids...)
			if len(all) != len(tc.ids) && tc.ids != nil || len(all) == 0 {
				t.Fatalf("got %d roles, want %v", len(all), tc.ids)
			}
			for id, x := range all {
				if r := x.Config.(*role.Role); r.Read(tc.part) || (x.Unread != "") != tc.again {
					t.Errorf("%s: unread %v, to be looked at again because of %q; want %s unread, %t", id, r.Unread, x.Unread, tc.part, tc.again)
				}
				if name == "role_denied" && !strings.Contains(x.Unread, "lacks the permission iam:GetRole") {
					t.Errorf("got %q, want the permission that is missing", x.Unread)
				}
			}
		})
	}
	t.Run("walk_denied", func(t *testing.T) {
		a.proxy.answer = func(url.Values) *http.Response { return denied() }
		defer func() { a.proxy.answer = nil }()
		if page, err := a.Read(t.Context(), a.scope(), true); !cloud.Is(err, cloud.Denied) {
			t.Errorf("got %d roles, %v; want it denied", len(page.Resources), err)
		}
	})
}

func denied() *http.Response  { return failure(403, "AccessDenied") }
func missing() *http.Response { return failure(404, "NoSuchEntity") }

// testNotThere: only IAM's word on the role itself makes it missing.
func testNotThere(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, role.Name, nil)
	a.populate(t, 1)
	page, err := a.Read(t.Context(), a.scope("app-0", "nobody", "no/name"), true)
	slices.Sort(page.Missing)
	if err != nil || len(page.Resources) != 1 || !slices.Equal(page.Missing, []string{"no/name", "nobody"}) {
		t.Errorf("got %d roles, missing %v, %v; want app-0 alone", len(page.Resources), page.Missing, err)
	}
}

// testPages: roles and their policies stand on different pages of a walk. One that
// does not come to its end is no answer, since a role of it would look whole.
func testPages(t *testing.T, server *moto.Server) {
	a := newAccount(t, server, role.Name, nil)
	a.populate(t, 1) // for what the walk does not say
	attached := "arn:aws:iam::" + a.id + ":policy/shared"
	one := func(name string) string {
		return fmt.Sprintf(`<member><RoleName>%s</RoleName><Path>/</Path><Arn>arn:aws:iam::%s:role/%[1]s</Arn><AssumeRolePolicyDocument>%[3]s</AssumeRolePolicyDocument>
<AttachedManagedPolicies><member><PolicyArn>%[4]s</PolicyArn></member></AttachedManagedPolicies><RolePolicyList/>
<RoleLastUsed><LastUsedDate>2026-11-02T09:00:00Z</LastUsedDate><Region>eu-west-1</Region></RoleLastUsed></member>`, name, a.id, url.PathEscape(trust), attached)
	}
	page := func(roles, policies, marker string) string {
		if marker != "" {
			marker = "<IsTruncated>true</IsTruncated><Marker>" + strings.TrimSpace(marker) + "</Marker>"
		}
		return `<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetAccountAuthorizationDetailsResult>` + marker +
			"<RoleDetailList>" + roles + "</RoleDetailList><Policies>" + policies + "</Policies></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
	}
	last := page("", `<member><Arn>`+attached+`</Arn><DefaultVersionId>v2</DefaultVersionId><PolicyVersionList>
<member><VersionId>v2</VersionId><IsDefaultVersion>true</IsDefaultVersion><Document>`+url.PathEscape(allowOn("shared"))+`</Document></member>
<member><VersionId>v1</VersionId><Document>`+url.PathEscape(trust)+`</Document></member>
</PolicyVersionList></member>`, "")
	for name, tc := range map[string]struct {
		second *http.Response // after a page with the marker "two"
		first  string
		want   error // nil for a walk that comes to its end
		unread string
	}{
		"policy_on_the_next_page": {cloudtest.Answer(200, last), page(one("a")+one("b"), "", "two"), nil, ""},
		"policy_on_no_page":       {cloudtest.Answer(200, page("", "", "")), page(one("a"), "", "two"), nil, ""}, // it is read alone
		"role_twice":              {cloudtest.Answer(200, page(one("a"), "", "")), page(one("a"), "", "two"), nil, "has it twice"},
		"token_expired":           {failure(400, "ValidationError"), page(one("a"), "", "two"), &cloud.Error{}, ""},
		"token_twice":             {nil, page(one("a"), "", "two"), cloud.ErrEndlessPages, ""},
		"no_token":                {nil, page(one("a"), "", " "), cloud.ErrIncomplete, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a.proxy.answer = func(form url.Values) *http.Response {
				switch {
				case form.Get("Action") != "GetAccountAuthorizationDetails":
					return nil
				case form.Get("Marker") == "two" && tc.second != nil:
					return tc.second
				}
				return cloudtest.Answer(200, tc.first)
			}
			defer func() { a.proxy.answer = nil }()
			got, err := a.Read(t.Context(), a.scope(), false)
			if tc.want != nil {
				var own *cloud.Error
				if !errors.As(err, &own) && !errors.Is(err, tc.want) || len(got.Resources) > 0 {
					t.Errorf("got %d roles, %v; want %v", len(got.Resources), err, tc.want)
				}
				return
			}
			if err != nil || len(got.Resources) == 0 {
				t.Fatalf("got %d roles, %v", len(got.Resources), err)
			}
			for _, x := range got.Resources {
				r := x.Config.(*role.Role)
				if tc.unread != "" {
					if !strings.Contains(x.Unread, tc.unread) {
						t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
					}
					continue
				}
				if !slices.Equal(r.Unread, []string{own.PartAccess, own.PartExplained, role.PartClosed, own.PartStaged, role.PartUse, role.PartThreats}) || x.Unread != "" || r.Attached[0].Document != allowOn("shared") || r.LastUsed == nil || r.Trust != trust {
					t.Errorf("got %+v, unread %q", r, x.Unread)
				}
			}
		})
	}
}

// TestSweep_of_another_partition: a role whose ARN is of another partition than the
// scope is no answer.
func TestSweep_of_another_partition(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	a := newAccount(t, server, role.Name, nil)
	must(t, func(ctx context.Context) error {
		_, err := a.api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("x"), AssumeRolePolicyDocument: aws.String(trust)})
		return err
	})
	scope := a.scope()
	scope.Partition = "aws-cn"
	if page, err := a.Read(t.Context(), scope, false); !errors.Is(err, cloud.ErrForeignAnswer) {
		t.Errorf("roles of aws under aws-cn: got %d, %v; want a foreign answer", len(page.Resources), err)
	}
}
