package securitygroup

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func group(rules ...Rule) *Group {
	g := &Group{ID: "sg-1", Name: "web", Owner: "111122223333", Ingress: rules}
	for i := range g.Ingress {
		g.Ingress[i].ID = "sgr-" + string(rune('1'+i))
	}
	return g
}

func kind(*testing.T) resource.Type { return Type() }

// TestRevokeAndUndo: the undo of a revoke brings the rule back with description
// and tags, whatever text they hold; AWS gives it another ID.
func TestRevokeAndUndo(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, description string }{
		{"none", ""},
		{"plain", "office & partners <edge>"},
		{"like_an_output", "${out.SecurityGroupRuleId}"},
		{"holds_an_unknown_output", "see ${out.Nothing}, \"quoted\" \\"},
		{"other_script", "Büro 東京 \u2028"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rule := cidr("tcp", 22, 22, "0.0.0.0/0")
			rule.Description, rule.Tags = tt.description, map[string]string{"k": tt.description}
			g := group(rule)
			c, err := g.Revoke(g.Ingress[0])
			if err != nil {
				t.Fatal(err)
			}
			after, err := resource.NewRegistry(Type()).ApplyPlan(g, dera.Plan{Type: Name, Changes: []dera.Change{c}})
			if err != nil {
				t.Fatal(err)
			}
			if got := after.(*Group).Ingress; len(got) != 0 {
				t.Errorf("after the revoke: got %v, want no rule", got)
			}
			op, err := resource.OfUndo(*c.Undo, nil)
			if err != nil {
				t.Fatal(err)
			}
			back, err := kind(t).Apply(after, op)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := back.(*Group).Canon(), g.Canon(); got != want {
				t.Errorf("after the undo: got\n%swant\n%s", got, want)
			}
			if len(g.Ingress) != 1 {
				t.Errorf("the configuration that was read changed: %v", g.Ingress)
			}
			if strings.Contains(strings.Join(c.Diff, ""), "office") {
				t.Errorf("diff %q carries free text of the customer", c.Diff)
			}
		})
	}
}

func TestAuthorizeAndUndo(t *testing.T) {
	t.Parallel()
	g := group(cidr("tcp", 443, 443, "0.0.0.0/0"))
	c, err := g.Authorize(cidr("tcp", 23, 23, "0.0.0.0/0"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := kind(t).Apply(g, resource.Of(c))
	if err != nil {
		t.Fatal(err)
	}
	if done, _, err := kind(t).Effect(g, resource.Of(c)); done || err != nil {
		t.Errorf("effect before: got %t, %v, want false", done, err)
	}
	now := after.(*Group)
	now.Ingress[1].ID = "sgr-9"
	done, out, err := kind(t).Effect(now, resource.Of(c))
	if want := map[string]string{RuleIDOutput: "sgr-9"}; !done || err != nil || !cmp.Equal(out, want) {
		t.Errorf("effect after: got %t, %v, %v, want %v", done, out, err, want)
	}
	op, err := resource.OfUndo(*c.Undo, out)
	if err != nil {
		t.Fatal(err)
	}
	var in RevokeIngressInput
	if err := json.Unmarshal(op.Input, &in); err != nil || in.GroupID != "sg-1" || in.RuleID != "sgr-9" || in.Rule == nil {
		t.Errorf("undo: got %+v, %v, want the revoke of sgr-9", in, err)
	}
	back, err := kind(t).Apply(now, op)
	if err != nil || back.(*Group).Canon() != g.Canon() {
		t.Errorf("after the undo: got %v, %v", back, err)
	}
}

// TestRetarget: a rule that went and came back has another ID; a revoke that
// knows its permission finds it, one that knows only the ID finds nothing.
func TestRetarget(t *testing.T) {
	t.Parallel()
	rule := cidr("tcp", 22, 22, "10.0.0.0/8")
	g := group(cidr("tcp", 443, 443, "0.0.0.0/0"), rule)
	tests := []struct {
		name string
		in   RevokeIngressInput
		want string
	}{
		{"same_id", RevokeIngressInput{GroupID: "sg-1", RuleID: "sgr-2", Rule: &rule}, "sgr-2"},
		{"other_id", RevokeIngressInput{GroupID: "sg-1", RuleID: "sgr-9", Rule: &rule}, "sgr-2"},
		{"other_id_and_no_permission", RevokeIngressInput{GroupID: "sg-1", RuleID: "sgr-9"}, "sgr-9"},
		{"gone", RevokeIngressInput{GroupID: "sg-1", RuleID: "sgr-9", Rule: &Rule{Protocol: "udp"}}, "sgr-9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			input, err := json.Marshal(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			op, err := kind(t).Retarget(g, resource.Operation{Name: RevokeIngress, Version: 1, Input: input})
			if err != nil {
				t.Fatal(err)
			}
			var got RevokeIngressInput
			if err := json.Unmarshal(op.Input, &got); err != nil || got.RuleID != tt.want {
				t.Errorf("retarget: got %s, %v, want %s", got.RuleID, err, tt.want)
			}
			if done, _, err := kind(t).Effect(g, op); err != nil || done != (tt.want == "sgr-9") {
				t.Errorf("effect: got %t, %v", done, err)
			}
		})
	}
	other := resource.Operation{Name: AuthorizeIngress, Version: 1, Input: []byte(`{}`)}
	if op, err := kind(t).Retarget(g, other); err != nil || string(op.Input) != "{}" {
		t.Errorf("retarget an authorize: got %s, %v, want it as it is", op.Input, err)
	}
	if _, err := kind(t).Retarget("text", resource.Operation{Name: RevokeIngress, Version: 1, Input: []byte(`{}`)}); err == nil {
		t.Errorf("retarget in another configuration: got no error")
	}
}

// TestUndoIsNeverHalfFilled: without the recorded output there is no undo.
func TestUndoIsNeverHalfFilled(t *testing.T) {
	t.Parallel()
	c, err := group().Authorize(cidr("tcp", 22, 22, "10.0.0.0/8"))
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]map[string]string{
		"none": nil, "other": {"VersionId": "v2"}, "empty": {RuleIDOutput: ""},
	} {
		if op, err := resource.OfUndo(*c.Undo, out); err == nil {
			t.Errorf("undo with outputs %s: got %s, want an error", name, op.Input)
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	out := map[string]string{"ID": `a"b\`, "V": "v2"}
	tests := []struct{ name, input, want string }{
		{"whole_member", `{"a":"${out.V}","b":1}`, `{"a":"v2","b":1}`},
		{"quoted", `{"a":"${out.ID}"}`, `{"a":"a\"b\\"}`},
		{"part_of_a_member", `{"a":"x ${out.V}"}`, `{"a":"x ${out.V}"}`},
		{"deeper", `{"a":{"b":"${out.V}"},"c":["${out.V}"]}`, `{"a":{"b":"${out.V}"},"c":["${out.V}"]}`},
		{"key", `{"${out.V}":"x"}`, `{"${out.V}":"x"}`},
		{"unknown_name_deeper", `{"a":{"b":"${out.X}"}}`, `{"a":{"b":"${out.X}"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, err := resource.Fill([]byte(tt.input), out); err != nil || string(got) != tt.want {
				t.Errorf("fill %s: got %s, %v, want %s", tt.input, got, err, tt.want)
			}
		})
	}
	for _, bad := range []string{`{"a":"${out.X}"}`, `[]`, `"${out.V}"`, `{`} {
		if got, err := resource.Fill([]byte(bad), out); err == nil {
			t.Errorf("fill %s: got %s, want an error", bad, got)
		}
	}
}

func TestOperationErrors(t *testing.T) {
	t.Parallel()
	g := group(cidr("tcp", 22, 22, "10.0.0.0/8"))
	same, err := json.Marshal(AuthorizeIngressInput{GroupID: "sg-1", Rule: cidr("tcp", 22, 22, "10.0.0.0/8")})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		config  any
		op      resource.Operation
		apply   string // what the error says
		effects bool   // whether Effect knows an answer
	}{
		{"rule_is_there_already", g, resource.Operation{Name: AuthorizeIngress, Version: 1, Input: same}, "has that rule already", true},
		{"rule_is_gone", g, resource.Operation{Name: RevokeIngress, Version: 1, Input: []byte(`{"group_id":"sg-1","rule_id":"sgr-9"}`)}, "no such rule", true},
		{"no_rule_named", g, resource.Operation{Name: RevokeIngress, Version: 1, Input: []byte(`{"group_id":"sg-1","rule_id":""}`)}, "names no rule", false},
		{"revoke_in_another_group", g, resource.Operation{Name: RevokeIngress, Version: 1, Input: []byte(`{"group_id":"sg-2","rule_id":"sgr-1"}`)}, `of "sg-2"`, false},
		{"authorize_in_another_group", g, resource.Operation{Name: AuthorizeIngress, Version: 1, Input: []byte(`{"group_id":"sg-2","rule":{"protocol":"tcp"}}`)}, `of "sg-2"`, false},
		{"unknown_field", g, resource.Operation{Name: RevokeIngress, Version: 1, Input: []byte(`{"group_id":"sg-1","rule_id":"sgr-1","force":true}`)}, "unknown field", false},
		{"other_version", g, resource.Operation{Name: RevokeIngress, Version: 2, Input: []byte(`{}`)}, "version 2", false},
		{"other_operation", g, resource.Operation{Name: "ec2:DeleteSecurityGroup", Version: 1, Input: []byte(`{}`)}, "ec2:DeleteSecurityGroup", false},
		{"other_configuration", "text", resource.Operation{Name: RevokeIngress, Version: 1, Input: []byte(`{}`)}, "string", false},
		{"no_configuration", (*Group)(nil), resource.Operation{Name: RevokeIngress, Version: 1, Input: []byte(`{}`)}, "no *securitygroup.Group", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, err := kind(t).Apply(tt.config, tt.op); err == nil || !strings.Contains(err.Error(), tt.apply) {
				t.Errorf("apply: got %v, %v, want an error with %q", got, err, tt.apply)
			}
			if _, _, err := kind(t).Effect(tt.config, tt.op); (err == nil) != tt.effects {
				t.Errorf("effect: got error %v, want an answer %t", err, tt.effects)
			}
		})
	}
	if _, err := g.Revoke(cidr("tcp", 22, 22, "10.0.0.0/8")); err == nil {
		t.Errorf("revoke a rule of a cheap look, without ID: got no error")
	}
}

func TestAttached(t *testing.T) {
	t.Parallel()
	if _, err := resource.NewRegistry(Type()).ApplyPlan(group(), dera.Plan{Type: "x"}); err == nil {
		t.Errorf("apply a plan of an unknown type: got no error")
	}
	g := group()
	g.Interfaces = []Interface{{ID: "eni-1"}, {ID: "eni-2", PublicIP: "203.0.113.7"}}
	if got, want := kind(t).Attached(g), []string{"eni-1", "eni-2 (203.0.113.7)"}; !cmp.Equal(got, want) {
		t.Errorf("attached: got %q, want %q", got, want)
	}
	if got := kind(t).Attached("text"); got != nil {
		t.Errorf("attached to something else: got %q, want none", got)
	}
}

// FuzzApply: no input makes Apply panic, change the configuration that it was
// given, or touch anything but inbound rules.
func FuzzApply(f *testing.F) {
	f.Add(AuthorizeIngress, []byte(`{"group_id":"sg-1","rule":{"protocol":"tcp","from":22,"to":22,"cidr":"0.0.0.0/0"}}`))
	f.Add(RevokeIngress, []byte(`{"group_id":"sg-1","rule_id":"sgr-1"}`))
	f.Fuzz(func(t *testing.T, name string, input []byte) {
		g := group(cidr("tcp", 22, 22, "10.0.0.0/8"))
		before := g.Canon()
		next, err := kind(t).Apply(g, resource.Operation{Name: name, Version: 1, Input: input})
		if g.Canon() != before {
			t.Errorf("the configuration changed: %s", g.Canon())
		}
		if err != nil {
			return
		}
		a, b := *g, *next.(*Group)
		a.Ingress, b.Ingress = nil, nil
		if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("something beside the inbound rules changed:\n%s", diff)
		}
	})
}

// A later remediation may have taken the new rule away, and its rollback may have
// brought it back under another ID: the undo then means the rule, not the ID.
func TestUndoFindsItsRuleUnderAnotherID(t *testing.T) {
	t.Parallel()
	rule := Rule{Protocol: "tcp", From: 80, To: 80, CIDR: netip.MustParsePrefix("0.0.0.0/0")}
	g := &Group{ID: "sg-1"}
	c, err := g.Authorize(rule)
	if err != nil {
		t.Fatal(err)
	}
	op, err := resource.OfUndo(*c.Undo, map[string]string{RuleIDOutput: "sgr-old"})
	if err != nil {
		t.Fatal(err)
	}
	rule.ID = "sgr-new"
	now := &Group{ID: "sg-1", Ingress: []Rule{rule}}
	if done, _, err := kind(t).Effect(now, op); done || err != nil {
		t.Errorf("effect while the rule stands under another ID: got %t, %v, want false", done, err)
	}
	op, err = kind(t).Retarget(now, op)
	if err != nil {
		t.Fatal(err)
	}
	var in RevokeIngressInput
	if err := json.Unmarshal(op.Input, &in); err != nil || in.RuleID != "sgr-new" {
		t.Errorf("retargeted: got rule %q, %v, want sgr-new", in.RuleID, err)
	}
	if done, _, err := kind(t).Effect(&Group{ID: "sg-1"}, op); !done || err != nil {
		t.Errorf("effect after: got %t, %v, want true", done, err)
	}
}
