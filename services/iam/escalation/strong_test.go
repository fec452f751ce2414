package escalation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/services/iam"
)

func principal(t *testing.T, kind iam.Kind, path string, trust string, actions ...string) Principal {
	t.Helper()
	p := Principal{Kind: kind, ARN: dera.ARN(arn(string(kind) + path)), Trust: trust}
	if len(actions) > 0 {
		p.Texts = listed(t, actions...)
	}
	return p
}

// TestPeers: who gets everything by somebody who gets it is strong, in whatever order IAM
// lists them; a cycle of those who do not gets nothing; what cannot be read counts as strong.
func TestPeers(t *testing.T) {
	t.Parallel()
	named := func(who string) string { return trusting("", `"`+arn(who)+`"`) }
	all := []Principal{
		principal(t, iam.RoleKind, "/admin", named("role/third"), "*"),
		principal(t, iam.RoleKind, "/third", named("role/second")),
		principal(t, iam.RoleKind, "/second", named("user/team/first")),
		principal(t, iam.UserKind, "/team/first", ""),
		principal(t, iam.UserKind, "/first", ""), // another user of that name
		principal(t, iam.RoleKind, "/a", named("role/b")),
		principal(t, iam.RoleKind, "/b", named("role/a")),
		principal(t, iam.UserKind, "/keys", "", "iam:CreateAccessKey"),
		principal(t, iam.UserKind, "/own", "", "iam:PutUserPolicy"),
		principal(t, iam.GroupKind, "/identities", "", "iam:*"),
		principal(t, iam.RoleKind, "/aws-service-role/x.amazonaws.com/linked", trusting(`"x.amazonaws.com"`, ""), "*"),
		{Kind: iam.UserKind, ARN: dera.ARN(arn("user/garbled")), Texts: []iam.Text{{Name: "own", Document: "{"}}},
	}
	want := map[string]string{
		"role/admin":      "which may do everything",
		"role/third":      "which gets all permissions by sts:AssumeRole → role/admin, which may do everything",
		"role/second":     "which gets all permissions by sts:AssumeRole → role/third, which gets all permissions by sts:AssumeRole → role/admin, which may do everything",
		"user/team/first": "which gets all permissions by sts:AssumeRole → role/second, which gets all permissions by sts:AssumeRole → role/third, which gets all permissions by sts:AssumeRole → role/admin, which may do everything",
		"user/first":      "", "role/a": "", "role/b": "",
		"user/keys":        "which gets all permissions by iam:CreateAccessKey → user/garbled, which may do everything, as far as dera can read",
		"user/own":         "which gets all permissions by iam:PutUserPolicy on user/own",
		"group/identities": "which may do everything with identities",
		"user/garbled":     Unreadable,
	}
	for seed := range uint64(20) {
		list := slices.Clone(all)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		got := map[string]string{}
		for _, p := range Peers(list, nil) {
			got[dera.ARN(p.ARN).Resource()] = p.Strong
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

// TestOf: of the peers those are kept that decide, and with these the control says the same.
func TestOf(t *testing.T) {
	t.Parallel()
	var all []Principal
	for _, n := range []string{"a", "b", "c", "d"} {
		all = append(all, principal(t, iam.RoleKind, "/"+n, trusting(`"lambda.amazonaws.com"`, ""), "*"), principal(t, iam.UserKind, "/"+n, "", "s3:GetObject"))
	}
	me := principal(t, iam.RoleKind, "/me", "", "iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction", "iam:CreateAccessKey")
	peers := Peers(append(all, me), nil)
	few, err := Of(me, peers)
	if err != nil || len(few) != most || few[0].ARN != arn("role/a") || few[1].ARN != arn("role/b") {
		t.Fatalf("got %+v, %v, want roles a and b", few, err)
	}
	want := Check(me, peers, true, "")
	if diff := cmp.Diff(want, Check(me, few, true, "")); diff != "" || want.Outcome != control.Fail || len(want.Failures) != 1 {
		t.Errorf("got %+v (-all +few):\n%s", want, diff)
	}
}

// TestWaysHaveActions: an action that IAM does not have, or a service without a row, is a slip
// of the table.
func TestWaysHaveActions(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		if len(w.needs) == 0 && !w.comes {
			t.Errorf("%+v needs nothing", w)
		}
		for _, n := range w.needs {
			if err := catalog.Embedded().KnownAction(n.action); err != nil {
				t.Errorf("%s: %v", n.action, err)
			}
		}
	}
}

// TestPeers_costs: what an account with many principals asks of the reasoner grows with what
// their policies name, and not with the pairs of them; a long chain is told by its first steps.
func TestPeers_costs(t *testing.T) {
	t.Parallel()
	numbered := func(kind iam.Kind, n int) string { return fmt.Sprintf("%s/p%05d", kind, n) }
	text := func(own string) []iam.Text {
		return []iam.Text{{Name: "own", Document: `{"Version":"2012-10-17","Statement":[` + own + `]}`}}
	}
	chain, users, bounded := []Principal(nil), []Principal(nil), []Principal(nil)
	for n := range 300 {
		chain = append(chain, Principal{Kind: iam.RoleKind, ARN: dera.ARN(arn(numbered(iam.RoleKind, n))), Trust: trusting("", `"`+arn(numbered(iam.RoleKind, n+1))+`"`)})
		users = append(users, Principal{
			Kind: iam.UserKind, ARN: dera.ARN(arn(numbered(iam.UserKind, n))),
			Texts: text(`{"Effect":"Allow","Action":["iam:*AccessKey*","iam:*LoginProfile"],"Resource":"arn:aws:iam::*:user/${aws:username}"}`),
		})
		bounded = append(bounded, Principal{
			Kind: iam.RoleKind, ARN: dera.ARN(arn(numbered(iam.RoleKind, n))), Within: arn("policy/b"), Trust: trusting(`"lambda.amazonaws.com"`, ""),
			Texts:    text(`{"Effect":"Allow","Action":["s3:*","iam:*"],"Resource":"*"}`),
			Boundary: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*Boundary","iam:*User*","iam:*Profile","iam:Create*"],"Resource":"*"}]}`,
		})
	}
	chain[0].Texts = listed(t, "*")
	for n := range 100 {
		users = append(users, principal(t, iam.UserKind, fmt.Sprintf("/boss%d", n), "", "*"))
	}
	for name, tc := range map[string]struct {
		all  []Principal
		want int
	}{"chain": {chain, 300}, "own_keys": {users, 100}, "bounded": {bounded, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, strong := time.Now(), 0
			for _, p := range Peers(tc.all, nil) {
				if p.Strong != "" {
					strong++
				}
				if len(p.Strong) > 1000 {
					t.Fatalf("got %d characters on %s, want a few steps", len(p.Strong), p.ARN)
				}
			}
			if took := time.Since(from); strong != tc.want || took > 30*time.Second {
				t.Errorf("got %d of %d strong after %s, want %d within seconds", strong, len(tc.all), took, tc.want)
			}
		})
	}
}

// TestCheck_peersNotRead: of whoever is an administrator under conditions alone it is not known
// either to whom it gets without them.
func TestCheck_peersNotRead(t *testing.T) {
	t.Parallel()
	me := principal(t, iam.RoleKind, "/me", "")
	me.Texts = []iam.Text{{Name: "own", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"},` +
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`}}
	if got := Check(me, nil, false, ""); got.Outcome != control.UnknownResult {
		t.Errorf("got %+v, want that it is not known", got)
	}
	if got := Check(me, nil, true, ""); got.Outcome != control.NotApplicable {
		t.Errorf("nobody to get to: got %+v, want what another control says", got)
	}
}

// TestPeers_trustNotRead: a role whose trust policy cannot be read may trust whoever may assume
// roles, and whatever service it is passed to.
func TestPeers_trustNotRead(t *testing.T) {
	t.Parallel()
	for _, trust := range []string{"", "{", `{"Statement":[{}]}`} {
		for key, actions := range map[string][]string{AssumeKey: {"sts:AssumeRole"}, PassKey: {"iam:PassRole", "ec2:RunInstances"}, "": {"s3:GetObject"}} {
			me := principal(t, iam.UserKind, "/me", "", actions...)
			known := []Peer{{Kind: iam.RoleKind, ARN: arn("role/known"), Trust: trust, Strong: Unreadable}}
			for how, all := range map[string][]Peer{"known": Peers([]Principal{me}, known), "told": Peers([]Principal{me, principal(t, iam.RoleKind, "/boss", trust, "*")}, nil)} {
				few, err := Of(me, all)
				got := Check(me, few, true, "")
				if key == "" && got.Outcome == control.Pass && err == nil {
					continue
				}
				if err != nil || len(got.Failures) != 1 || got.Failures[0].Key != key {
					t.Errorf("%s, %q, %v: got %+v, %v, want %s", how, trust, actions, got, err, key)
				}
			}
		}
	}
}

// TestCheck_manyPatterns: among more patterns of names than are tried one may fit; none does
// where nothing may be made or changed without a permissions boundary.
func TestCheck_manyPatterns(t *testing.T) {
	t.Parallel()
	var made []string
	for n := range 30 {
		made = append(made, `"`+arn(fmt.Sprintf("role/a%02d-*", n))+`"`)
	}
	made = append(made, `"`+arn("role/z-*")+`"`)
	for condition, want := range map[string]control.Outcome{
		"": control.Fail,
		`,"Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111122223333:policy/b"}}`: control.Pass,
	} {
		me := principal(t, iam.RoleKind, "/me", "")
		me.Texts = []iam.Text{{Name: "own", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:CreateRole","Resource":[` + strings.Join(made, ",") + `]` + condition + `},` +
			`{"Effect":"Allow","Action":"iam:AttachRolePolicy","Resource":"` + arn("role/z-jobs") + `"` + condition + `}]}`}}
		if got := Check(me, nil, true, ""); got.Outcome != want {
			t.Errorf("%q: got %+v, want %s", condition, got, want)
		}
	}
}

// TestPeers_freed: who may take away what alone binds an administrator gets to that one.
func TestPeers_freed(t *testing.T) {
	t.Parallel()
	boss := principal(t, iam.RoleKind, "/boss", trusting("", `"`+arn("user/me")+`"`), "*")
	boss.Within, boss.Boundary = arn("policy/b"), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	for action, want := range map[string]string{
		"iam:DeleteRolePermissionsBoundary": OtherKey, "iam:PutRolePermissionsBoundary": OtherKey, "iam:CreatePolicyVersion": OtherKey, "iam:DeleteUserPermissionsBoundary": "",
	} {
		me := principal(t, iam.UserKind, "/me", "", action)
		few, err := Of(me, Peers([]Principal{boss, me}, nil))
		got := Check(me, few, true, "")
		if want == "" && err == nil && got.Outcome == control.Pass {
			continue
		}
		if err != nil || len(got.Failures) != 1 || got.Failures[0].Key != want {
			t.Errorf("%s: got %+v, %v, want %s", action, got, err, want)
		}
	}
}
