package securitygroup_test

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
	"dera.example/dera/services"
	"dera.example/dera/services/ec2/securitygroup"
	"github.com/google/go-cmp/cmp"
)

// The tests of this file are failures of other tools (docs of each in its issue
// tracker) that planning must not repeat.

func rule(protocol string, from, to int32, source string) securitygroup.Rule {
	return securitygroup.Rule{Protocol: protocol, From: from, To: to, CIDR: netip.MustParsePrefix(source)}
}

func groupOf(rules ...securitygroup.Rule) *securitygroup.Group {
	g := &securitygroup.Group{ID: "sg-0a1", Name: "web", VPC: "vpc-1", Owner: "111122223333", Ingress: rules}
	for i := range rules {
		g.Ingress[i].ID = "sgr-" + string(rune('a'+i))
	}
	return g
}

func found(t *testing.T, id string, g *securitygroup.Group, s control.Settings) control.Result {
	t.Helper()
	res, err := find(t, id).Check(resourceOf(g), s)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func planned(t *testing.T, id string, g *securitygroup.Group, s control.Settings) (dera.Plan, *securitygroup.Group) {
	t.Helper()
	c := find(t, id)
	p, refusal, err := c.Plan(resourceOf(g), found(t, id, g, s).Failures, s)
	if refusal != nil || err != nil {
		t.Fatalf("plan: %v, %v", refusal, err)
	}
	after, err := securitygroup.Type().ApplyPlan(g, p)
	if err != nil {
		t.Fatal(err)
	}
	return p, after.(*securitygroup.Group)
}

// alone keeps no private access beside a rule's own, so that a plan is about the
// rule alone.
func alone() control.Settings {
	return control.Settings{KeepInternal: control.Internal{Choice: control.KeepNone}}
}

const adminID = "ec2-securitygroup-admin-ports-open"

// A fixer revoked the whole permission: with 22 from the world and a bastion,
// and all ports from the world, all three went.
func TestPeerFailure_whole_permission_revoked(t *testing.T) {
	t.Parallel()
	g := groupOf(rule("tcp", 22, 22, "0.0.0.0/0"), rule("tcp", 22, 22, "10.0.0.0/24"), rule("tcp", 0, 65535, "0.0.0.0/0"))
	p, after := planned(t, adminID, g, alone())
	want := []string{
		"+ tcp 0-21 from 0.0.0.0/0", "+ tcp 23-3388 from 0.0.0.0/0", "+ tcp 3390-65535 from 0.0.0.0/0",
		"- tcp 0-65535 from 0.0.0.0/0", "- tcp 22 from 0.0.0.0/0",
	}
	if diff := cmp.Diff(want, p.Diff()); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	for addr, open := range map[string]bool{"10.0.0.5": true, "9.9.9.9": false, "10.1.0.5": false} {
		if got := admits(after, netset.Point{Addr: netip.MustParseAddr(addr), Protocol: netset.TCP, Port: 22}); got != open {
			t.Errorf("SSH from %s after the fix: got %t, want %t", addr, got, open)
		}
	}
	if !admits(after, netset.Point{Addr: netip.MustParseAddr("9.9.9.9"), Protocol: netset.TCP, Port: 8080}) {
		t.Errorf("port 8080 went with port 22")
	}
}

// Checks that compare with the text 0.0.0.0/0 and ::/0 missed half of the ways
// to write the world, and took an ICMP type for a port.
func TestPeerFailure_world_compared_as_text(t *testing.T) {
	t.Parallel()
	list := securitygroup.Rule{Protocol: "tcp", From: 22, To: 22, PrefixList: &securitygroup.PrefixList{
		ID: "pl-1", Known: true, Entries: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}}
	tests := []struct {
		name  string
		rules []securitygroup.Rule
		open  bool
	}{
		{"ssh", []securitygroup.Rule{rule("tcp", 22, 22, "0.0.0.0/0")}, true},
		{"all_ports", []securitygroup.Rule{rule("tcp", 0, 65535, "0.0.0.0/0")}, true},
		{"range", []securitygroup.Rule{rule("tcp", 20, 25, "0.0.0.0/0")}, true},
		{"all_traffic", []securitygroup.Rule{rule("-1", -1, -1, "0.0.0.0/0")}, true},
		{"ipv6", []securitygroup.Rule{rule("tcp", 22, 22, "::/0")}, true},
		{"halves", []securitygroup.Rule{rule("tcp", 22, 22, "0.0.0.0/1"), rule("tcp", 22, 22, "128.0.0.0/1")}, true},
		{"halves_in_ranges", []securitygroup.Rule{rule("tcp", 20, 22, "0.0.0.0/1"), rule("tcp", 22, 30, "128.0.0.0/1")}, true},
		{"quarters", []securitygroup.Rule{rule("tcp", 22, 22, "0.0.0.0/2"), rule("tcp", 22, 22, "64.0.0.0/2"), rule("tcp", 22, 22, "128.0.0.0/2"), rule("tcp", 22, 22, "192.0.0.0/2")}, true},
		{"ipv6_halves", []securitygroup.Rule{rule("tcp", 22, 22, "::/1"), rule("tcp", 22, 22, "8000::/1")}, true},
		{"ipv6_global_unicast", []securitygroup.Rule{rule("tcp", 22, 22, "2000::/3")}, true},
		{"slash_6", []securitygroup.Rule{rule("tcp", 22, 22, "8.0.0.0/6")}, true},
		{"prefix_list", []securitygroup.Rule{list}, true},
		{"protocol_by_number", []securitygroup.Rule{rule(securitygroup.Protocol("6"), 22, 22, "0.0.0.0/0")}, true},
		{"icmp_type_22", []securitygroup.Rule{rule("icmp", 22, -1, "0.0.0.0/0")}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := found(t, adminID, groupOf(tt.rules...), control.Settings{})
			got := slices.ContainsFunc(res.Failures, func(f control.Failure) bool { return f.Key == "tcp/22" && f.Severity == dera.Critical })
			if got != tt.open {
				t.Errorf("SSH is open: got %t, want %t", got, tt.open)
			}
		})
	}
}

// A rule for protocol -1 was not seen at all.
func TestPeerFailure_all_traffic_ignored(t *testing.T) {
	t.Parallel()
	g := groupOf(rule("-1", -1, -1, "0.0.0.0/0"))
	want := map[string][]string{
		adminID: {"tcp/22", "tcp/3389"}, "ec2-securitygroup-other-ports-open": {"all"}, "ec2-securitygroup-web-ports-open": {"tcp/80", "tcp/443"},
	}
	for id, keys := range want {
		var got []string
		for _, f := range found(t, id, g, control.Settings{}).Failures {
			got = append(got, f.Key)
			if f.Start == dera.Auto {
				t.Errorf("%s: %s starts at auto, although the rule cannot be split", id, f.Key)
			}
		}
		if !slices.Equal(got, keys) {
			t.Errorf("%s: got %q, want %q", id, got, keys)
		}
	}
}

// A rule for all traffic from another group was deleted as if it were public.
func TestPeerFailure_rule_from_a_group_deleted(t *testing.T) {
	t.Parallel()
	own := securitygroup.Rule{Protocol: "-1", From: -1, To: -1, Group: &securitygroup.GroupRef{ID: "sg-0a1"}}
	foreign := securitygroup.Rule{Protocol: "tcp", From: 22, To: 22, Group: &securitygroup.GroupRef{ID: "sg-0c3", Owner: "444455556666"}}
	g := groupOf(own, foreign, rule("tcp", 22, 22, "0.0.0.0/0"), rule("tcp", 8080, 8080, "0.0.0.0/0"))
	for _, id := range []string{adminID, "ec2-securitygroup-other-ports-open"} {
		_, after := planned(t, id, g, control.Settings{})
		for _, r := range g.Ingress[:2] {
			if !slices.ContainsFunc(after.Ingress, func(a securitygroup.Rule) bool { return a.ID == r.ID }) {
				t.Errorf("%s: the rule %s went", id, r.Line())
			}
		}
	}
}

// A roll-back swallowed its error and then deleted what it had restored: here an
// undo that was done, or that lacks what it needs, is an error.
func TestPeerFailure_undo_deletes_what_it_restored(t *testing.T) {
	t.Parallel()
	g := groupOf(rule("tcp", 20, 25, "0.0.0.0/0"))
	p, after := planned(t, adminID, g, control.Settings{})
	kind, err := services.Types().Lookup(p.Type)
	if err != nil {
		t.Fatal(err)
	}
	last := p.Changes[len(p.Changes)-1]
	op, err := resource.OfUndo(*last.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := kind.Apply(after, op)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := kind.Apply(back, op); err == nil {
		t.Errorf("the same undo twice: got %v, want an error", got)
	}
	if _, err := resource.OfUndo(*p.Changes[0].Undo, nil); err == nil {
		t.Errorf("an undo without the ID of its rule: got no error")
	}
}

// A fix was reported as successful while the finding stayed: here a plan that
// leaves it is refuted, with the packet that still comes in.
func TestPeerFailure_fix_that_leaves_the_finding(t *testing.T) {
	t.Parallel()
	g := groupOf(rule("tcp", 22, 22, "0.0.0.0/0"), rule("tcp", 20, 25, "0.0.0.0/0"))
	c := find(t, adminID)
	failures := found(t, adminID, g, control.Settings{}).Failures
	p, _ := planned(t, adminID, g, control.Settings{})
	p.Changes = p.Changes[:len(p.Changes)-1]
	ev, err := c.Prove(resourceOf(g), failures, p, control.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(ev.Claims, func(c dera.Claim) bool { return c.Name == "finding_gone" })
	if ev.Proved() || i < 0 || ev.Claims[i].Verdict != dera.Refuted || !strings.HasPrefix(ev.Claims[i].Witness, "tcp/22 from ") {
		t.Errorf("claims: got %+v, want finding_gone refuted with a packet to TCP 22", ev.Claims)
	}
}

// A runbook knew four literal patterns and failed outside the default VPC: here
// each rule goes by its own ID.
func TestPeerFailure_only_literal_patterns_revoked(t *testing.T) {
	t.Parallel()
	g := groupOf(rule("tcp", 22, 22, "8.0.0.0/6"), rule("tcp", 3389, 3389, "2000::/3"))
	p, after := planned(t, adminID, g, alone())
	if len(after.Ingress) != 0 {
		t.Errorf("after the plan: got %v, want no rule", after.Ingress)
	}
	for i, id := range []string{"sgr-b", "sgr-a"} { // in the order of the lines: 2000::/3 comes with tcp 3389
		if p.Changes[1-i].Operation != securitygroup.RevokeIngress || !strings.Contains(string(p.Changes[1-i].Input), id) {
			t.Errorf("change %d: got %s %s, want the revoke of %s", 1-i, p.Changes[1-i].Operation, p.Changes[1-i].Input, id)
		}
	}
}

// What could not be read counted as fine.
func TestPeerFailure_unreadable_taken_for_safe(t *testing.T) {
	t.Parallel()
	g := groupOf(securitygroup.Rule{Protocol: "tcp", From: 0, To: 65535, PrefixList: &securitygroup.PrefixList{ID: "pl-1"}})
	for _, id := range []string{adminID, "ec2-securitygroup-other-ports-open", "ec2-securitygroup-web-ports-open"} {
		if res := found(t, id, g, control.Settings{}); res.Outcome != control.UnknownResult || !strings.Contains(res.Why, "pl-1") {
			t.Errorf("%s: got %s (%s), want unknown with the list that could not be read", id, res.Outcome, res.Why)
		}
	}
	broken := groupOf(rule("tcp", -1, -1, "0.0.0.0/0"))
	for _, id := range []string{adminID, "ec2-securitygroup-other-ports-open", "ec2-securitygroup-web-ports-open"} {
		if res := found(t, id, broken, control.Settings{}); res.Outcome != control.UnknownResult {
			t.Errorf("%s on a rule without ports: got %s, want unknown", id, res.Outcome)
		}
	}
}

// Evaluation changed the configuration that was then recorded: here looking,
// planning and proving leave it alone, also all at once.
func TestPeerFailure_evaluation_changes_the_record(t *testing.T) {
	t.Parallel()
	g := groupOf(rule("tcp", 3000, 4000, "0.0.0.0/0"), rule("tcp", 20, 25, "::/0"), rule("tcp", 22, 22, "203.0.113.0/24"), rule("icmp", 8, -1, "0.0.0.0/0"))
	before := g.Canon()
	var wait sync.WaitGroup
	for _, c := range groupControls() {
		for range 4 {
			wait.Go(func() { laws().Hold(t, c, resourceOf(g), control.Settings{}) })
		}
	}
	wait.Wait()
	if got := g.Canon(); got != before {
		t.Errorf("configuration: got %s, want %s", got, before)
	}
}

// Declared permissions did not match the calls that were made: here a plan holds
// no operation that the generated role does not allow.
func TestPeerFailure_permissions_differ_from_calls(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{}
	role, err := control.RemediatorPolicy(services.Controls(), "aws", "111122223333")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range role.Statement {
		for _, a := range s.Action {
			allowed[a] = true
		}
	}
	g := groupOf(rule("tcp", 0, 65535, "0.0.0.0/0"), rule("udp", 53, 53, "::/0"))
	for _, id := range []string{adminID, "ec2-securitygroup-other-ports-open"} {
		p, _ := planned(t, id, g, control.Settings{})
		for _, ch := range p.Changes {
			if !allowed[ch.Operation] || !allowed[ch.Undo.Operation] {
				t.Errorf("%s: the role does not allow %s or its undo %s", id, ch.Operation, ch.Undo.Operation)
			}
		}
	}
}

// The remainder lost what people had written on the rule.
func TestPeerFailure_remainder_loses_description_and_tags(t *testing.T) {
	t.Parallel()
	wide := rule("tcp", 20, 25, "0.0.0.0/0")
	wide.Description, wide.Tags = "ftp for the press", map[string]string{"team": "media"}
	_, after := planned(t, adminID, groupOf(wide), control.Settings{})
	if len(after.Ingress) != 6 {
		t.Fatalf("after the plan: got %d rules, want 6", len(after.Ingress))
	}
	for _, r := range after.Ingress {
		if r.Description != wide.Description || !cmp.Equal(r.Tags, wide.Tags) {
			t.Errorf("rule %s: got %q and %v, want %q and %v", r.Line(), r.Description, r.Tags, wide.Description, wide.Tags)
		}
	}
}
