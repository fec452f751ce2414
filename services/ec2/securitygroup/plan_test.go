package securitygroup

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
)

func rule(id, protocol string, from, to int32, source string) Rule {
	return Rule{ID: id, Protocol: protocol, From: from, To: to, CIDR: netip.MustParsePrefix(source)}
}

func ports(lo, hi uint16, blamed ...Rule) Removal {
	return Removal{Protocol: netset.TCP, Ports: netset.Ports{Lo: lo, Hi: hi}, Blamed: blamed}
}

func TestPlanRemovals(t *testing.T) {
	t.Parallel()
	wide, ssh := rule("a", "tcp", 0, 100, "0.0.0.0/0"), rule("b", "tcp", 22, 22, "0.0.0.0/0")
	all, ping := rule("c", "-1", -1, -1, "0.0.0.0/0"), rule("d", "icmp", 8, -1, "0.0.0.0/0")
	list := Rule{ID: "e", Protocol: "tcp", From: 22, To: 22, PrefixList: &PrefixList{ID: "pl-1", Known: true}}
	group := Rule{ID: "f", Protocol: "tcp", From: 22, To: 22, Group: &GroupRef{ID: "sg-2"}}
	cheap := rule("", "tcp", 22, 22, "0.0.0.0/0")
	keep := control.Settings{KeepInternal: control.Internal{Choice: control.KeepNetworks, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	tests := []struct {
		name     string
		removals []Removal
		settings control.Settings
		want     string // diff, or the code of the refusal
	}{
		{"nothing", nil, control.Settings{}, ""},
		{"whole_rule", []Removal{ports(22, 22, ssh)}, control.Settings{}, "- tcp 22 from 0.0.0.0/0"},
		{"split", []Removal{ports(22, 22, wide)}, control.Settings{}, "+ tcp 0-21 from 0.0.0.0/0, + tcp 23-100 from 0.0.0.0/0, - tcp 0-100 from 0.0.0.0/0"},
		{"blamed_twice_goes_once", []Removal{ports(22, 22, ssh), ports(22, 22, ssh)}, control.Settings{}, "- tcp 22 from 0.0.0.0/0"},
		{"removals_nest", []Removal{ports(10, 50, wide), ports(20, 30, wide)}, control.Settings{}, "+ tcp 0-9 from 0.0.0.0/0, + tcp 51-100 from 0.0.0.0/0, - tcp 0-100 from 0.0.0.0/0"},
		{"removals_overlap_and_keep", []Removal{ports(30, 100, wide), ports(0, 40, wide)}, keep, "+ tcp 0-100 from 10.0.0.0/8, - tcp 0-100 from 0.0.0.0/0"},
		{"beyond_the_rule", []Removal{ports(0, 65535, wide)}, control.Settings{}, "- tcp 0-100 from 0.0.0.0/0"},
		{"without_ports_goes_whole", []Removal{{Protocol: netset.ICMP, Ports: netset.EveryPort(), Blamed: []Rule{ping}}}, keep, "+ icmp type 8 from 10.0.0.0/8, - icmp type 8 from 0.0.0.0/0"},
		{"all_traffic", []Removal{ports(22, 22, ssh, all)}, control.Settings{}, "all-traffic"},
		{"prefix_list", []Removal{ports(22, 22, list)}, control.Settings{}, "prefix-list"},
		{"security_group", []Removal{ports(22, 22, group)}, control.Settings{}, "security-group"},
		{"cheap_look", []Removal{ports(22, 22, cheap)}, control.Settings{}, "cannot-plan"},
		{"quota", []Removal{ports(22, 22, wide)}, control.Settings{RuleQuota: 7}, "rule-quota"},
		{"quota_just_suffices", []Removal{ports(22, 22, wide)}, control.Settings{RuleQuota: 8}, "+ tcp 0-21 from 0.0.0.0/0, + tcp 23-100 from 0.0.0.0/0, - tcp 0-100 from 0.0.0.0/0"},
		{"public_network_kept", []Removal{ports(22, 22, ssh)}, control.Settings{KeepInternal: control.Internal{Choice: control.KeepNetworks, Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}, "keep-internal"},
		{"public_network_kept_elsewhere", []Removal{ports(22, 22, rule("b", "tcp", 22, 22, "8.0.0.0/8"))}, control.Settings{KeepInternal: control.Internal{Choice: control.KeepNetworks, Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}, "- tcp 22 from 8.0.0.0/8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := &Group{ID: "sg-1", Ingress: []Rule{wide, ssh, all, ping, list, group}, Network: &VPC{}}
			if strings.HasSuffix(tt.name, "_keep") || tt.name == "without_ports_goes_whole" {
				g.Ingress = []Rule{wide, ping} // nothing else gives private access
			}
			changes, refusal := PlanRemovals(g, tt.removals, tt.settings)
			got := strings.Join(dera.Plan{Changes: changes}.Diff(), ", ")
			if refusal != nil {
				got = refusal.Code
			}
			if got != tt.want {
				t.Errorf("plan: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestJoined(t *testing.T) {
	t.Parallel()
	p := func(lo, hi uint16) netset.Ports { return netset.Ports{Lo: lo, Hi: hi} }
	tests := []struct {
		name     string
		in, want []netset.Ports
	}{
		{"none", nil, nil},
		{"sorted", []netset.Ports{p(5, 6), p(1, 2)}, []netset.Ports{p(1, 2), p(5, 6)}},
		{"nested", []netset.Ports{p(1, 10), p(2, 3), p(12, 12)}, []netset.Ports{p(1, 10), p(12, 12)}},
		{"overlapping", []netset.Ports{p(5, 10), p(1, 5)}, []netset.Ports{p(1, 10)}},
		{"touching_stay_apart", []netset.Ports{p(1, 2), p(3, 4)}, []netset.Ports{p(1, 2), p(3, 4)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := joined(tt.in); !slices.Equal(got, tt.want) {
				t.Errorf("joined: got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestProveErrors(t *testing.T) {
	t.Parallel()
	good, broken := rule("a", "tcp", 22, 22, "0.0.0.0/0"), rule("b", "tcp", -1, -1, "0.0.0.0/0")
	stale := []dera.Change{{Operation: RevokeIngress, Version: 1, Input: []byte(`{"group_id":"sg-1","rule_id":"gone"}`)}}
	tests := []struct {
		name    string
		rules   []Rule
		changes []dera.Change
		want    string
	}{
		{"rule_is_not_understood", []Rule{good, broken}, nil, "no range of ports"},
		{"change_does_not_fit", []Rule{good}, stale, "apply change 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := &Group{ID: "sg-1", Ingress: tt.rules}
			if ev, err := ProveRemovals(g, []Removal{ports(22, 22, good)}, tt.changes, control.Settings{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("prove removals: got %+v, %v, want an error with %q", ev, err, tt.want)
			}
			if ev, err := ProveEmptied(g, tt.changes, "a choice"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("prove emptied: got %+v, %v, want an error with %q", ev, err, tt.want)
			}
		})
	}
}
