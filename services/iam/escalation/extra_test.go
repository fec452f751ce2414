package escalation

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/services/iam"
)

const account = "111122223333"

func arn(resource string) string { return "arn:aws:iam::" + account + ":" + resource }

// listed are actions as a policy that allows them on everything.
func listed(t *testing.T, actions ...string) []iam.Text {
	t.Helper()
	list, err := json.Marshal(actions)
	if err != nil {
		t.Fatal(err)
	}
	return []iam.Text{{Name: "own", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + string(list) + `,"Resource":"*"}]}`}}
}

// trusting is a trust policy for services of AWS and for principals of the account.
func trusting(services, principals string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":[` + services + `],"AWS":[` + principals + `]},"Action":"sts:AssumeRole"}]}`
}

// TestExtra_paths: each way that the research lists is found of a principal that may do what
// it needs and nothing else, where somebody is stronger; of what it needs without any one of
// the actions it is not, but where that is a way of its own.
func TestExtra_paths(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA names no folder of real data")
	}
	text, err := os.ReadFile(filepath.Join(dir, "iam", "pathfinding_paths.json"))
	if err != nil {
		t.Fatal(err)
	}
	type path struct {
		ID, Category string
		Permissions  struct{ Required []struct{ Permission string } }
	}
	var known struct{ Paths []path }
	if err := json.Unmarshal(text, &known); err != nil {
		t.Fatal(err)
	}
	if len(known.Paths) < 60 {
		t.Fatalf("got %d paths, want all", len(known.Paths))
	}
	var services []string
	for _, w := range slices.Concat(passed(), running()) {
		services = append(services, `"`+w[0]+`.amazonaws.com"`)
	}
	me := `"` + arn("role/me") + `","` + arn("user/me") + `"`
	policy := arn("policy/app")
	peers := []Peer{
		{Kind: iam.RoleKind, ARN: arn("role/boss"), Trust: trusting(strings.Join(services, ","), ""), Strong: "which may do everything"},
		{Kind: iam.UserKind, ARN: arn("user/boss"), Strong: "which may do everything"},
		{Kind: iam.GroupKind, ARN: arn("group/bosses"), Strong: "which may do everything"},
		{Kind: iam.RoleKind, ARN: arn("role/some"), Trust: trusting("", me), Own: []string{policy}},
		{Kind: iam.UserKind, ARN: arn("user/some")},
	}
	keys := map[string][]string{
		"self-escalation": {SelfKey}, "principal-access": {OtherKey, AssumeKey}, "new-passrole": {PassKey}, "existing-passrole": {ComputeKey},
	}
	open := func(id string, actions []string) map[string]bool {
		ways := map[string]bool{}
		for _, kind := range []iam.Kind{iam.RoleKind, iam.UserKind} {
			c, err := newClimb(Principal{Kind: kind, ARN: dera.ARN(arn(string(kind) + "/me")), Texts: listed(t, actions...), Own: []string{policy}, Groups: []string{arn("group/staff")}})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range c.find(peers) {
				if f.limited {
					t.Errorf("%s: got conditions on %s, want none", id, f.says)
				}
				ways[f.key] = true
			}
		}
		return ways
	}
	needs := map[string][]string{}
	for _, p := range known.Paths {
		for _, r := range p.Permissions.Required {
			needs[p.ID] = append(needs[p.ID], r.Permission)
		}
	}
	less := 0
	for _, p := range known.Paths {
		want := keys[p.Category]
		if !slices.Contains(needs[p.ID], "iam:PassRole") && p.Category == "new-passrole" {
			want = []string{ComputeKey} // cloudformation-005: of a stack that has its role already
		}
		if p.ID == "sts-001" {
			peers = append(peers, Peer{Kind: iam.RoleKind, ARN: arn("role/next"), Trust: trusting("", me), Strong: "which may do everything"})
		}
		if ways := open(p.ID, needs[p.ID]); !slices.ContainsFunc(want, func(k string) bool { return ways[k] }) {
			t.Errorf("%s (%s): got ways %v, want one of %v", p.ID, strings.Join(needs[p.ID], " "), ways, want)
		}
		for i, action := range needs[p.ID] {
			rest := slices.Delete(slices.Clone(needs[p.ID]), i, i+1)
			shorter := slices.ContainsFunc(known.Paths, func(o path) bool {
				return o.ID != p.ID && !slices.ContainsFunc(needs[o.ID], func(a string) bool { return !slices.Contains(rest, a) })
			})
			if _, name, _ := strings.Cut(action, ":"); p.ID == "sts-001" || shorter || strings.HasPrefix(name, "Describe") {
				continue
			}
			less++
			if ways := open(p.ID, rest); len(ways) > 0 {
				t.Errorf("%s without %s: got ways %v, want none", p.ID, action, ways)
			}
		}
	}
	if less < 60 {
		t.Errorf("got %d ways that lack an action, want more", less)
	}
}
