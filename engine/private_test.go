package engine_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
)

// A rule for the internet is also the rule for whoever is inside: what the VPC is
// and reaches privately keeps its access, and where that is not known, or cannot be
// kept, a person decides.
func TestPrivateAccessStays(t *testing.T) {
	t.Parallel()
	open, open6 := tcp(22, 22, "0.0.0.0/0"), tcp(22, 22, "::/0")
	private := []string{"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"}
	many := []awssim.Rule{open}
	for i := range 58 {
		many = append(many, tcp(8000+i, 8000+i, "10.0.0.0/8"))
	}
	tests := []struct {
		name   string
		rules  []awssim.Rule
		keep   control.Internal
		ranges []string // further ranges of the VPC
		routes []awssim.Route
		fault  string // an operation that dera may not call
		after  []string
		want   dera.Disposition
		says   string // a reason of the decision, or a claim
	}{
		{name: "private_ranges", rules: []awssim.Rule{open}, after: private, want: dera.Auto},
		{name: "private_ranges_of_ipv6", rules: []awssim.Rule{open6}, after: []string{"fc00::/7"}, want: dera.Auto},
		{name: "public_range_of_the_vpc", rules: []awssim.Rule{open}, ranges: []string{"203.0.113.0/24"}, after: append(private[:4:4], "203.0.113.0/24"), want: dera.Auto},
		{name: "ipv6_range_of_the_vpc", rules: []awssim.Rule{open6}, ranges: []string{"2600:1f18:1::/56"}, after: []string{"2600:1f18:1::/56", "fc00::/7"}, want: dera.Auto},
		{name: "route_to_a_peer", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "198.51.100.0/25", Target: "pcx-1"}}, after: append(private[:4:4], "198.51.100.0/25"), want: dera.Auto},
		{name: "route_to_a_transit_gateway", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "9.0.0.0/8", Target: "tgw-1"}}, after: append(private[:4:4], "9.0.0.0/8"), want: dera.Auto},
		{name: "route_to_a_virtual_private_gateway", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "203.0.113.0/24", Target: "vgw-1"}}, after: append(private[:4:4], "203.0.113.0/24"), want: dera.Auto},
		{name: "route_to_a_core_network", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "203.0.113.0/24", Target: "arn:aws:networkmanager::111122223333:core-network/core-network-1"}}, after: append(private[:4:4], "203.0.113.0/24"), want: dera.Auto},
		{name: "routes_to_the_internet_are_no_house", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "0.0.0.0/0", Target: "igw-1"}, {Destination: "203.0.113.0/24", Target: "nat-1"}}, after: private, want: dera.Auto},
		{name: "default_route_to_a_transit_gateway_is_no_house", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "0.0.0.0/0", Target: "tgw-1"}}, after: private, want: dera.Auto},
		{name: "the_internet_in_halves_by_a_transit_gateway", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "0.0.0.0/1", Target: "tgw-1"}, {Destination: "128.0.0.0/1", Target: "tgw-1"}}, after: []string{"0.0.0.0/0"}, want: dera.Review, says: "as wide as the internet"},
		{name: "route_to_an_appliance", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "203.0.113.0/24", Target: "vpce-1"}}, after: []string{"0.0.0.0/0"}, want: dera.Review, says: "whether a private network is behind it is not known"},
		{name: "private_route_to_an_appliance", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "10.9.0.0/16", Target: "vpce-1"}, {Destination: "0.0.0.0/0", Target: "vpce-1"}}, after: private, want: dera.Auto},
		{name: "default_route_of_ipv6_to_a_transit_gateway", rules: []awssim.Rule{open6}, routes: []awssim.Route{{Destination: "::/0", Target: "tgw-1"}}, after: []string{"::/0"}, want: dera.Review, says: "all of IPv6"},
		{name: "default_route_of_ipv6_and_a_rule_of_ipv4", rules: []awssim.Rule{open}, routes: []awssim.Route{{Destination: "::/0", Target: "tgw-1"}}, after: private, want: dera.Auto},
		{name: "private_access_has_its_own_rule", rules: []awssim.Rule{open, tcp(0, 65535, "10.0.0.0/8"), tcp(20, 25, "172.16.0.0/12")}, after: private, want: dera.Auto},
		{name: "vpc_alone", rules: []awssim.Rule{open}, keep: control.Internal{Choice: control.KeepVPC}, routes: []awssim.Route{{Destination: "10.9.0.0/16", Target: "pcx-1"}}, after: []string{"10.9.0.0/16", "172.31.0.0/16"}, want: dera.Auto, says: "network.keep_internal: vpc says: tcp/22 from 10.0.0.0"},
		{name: "nothing", rules: []awssim.Rule{open}, keep: control.Internal{Choice: control.KeepNone}, want: dera.Auto, says: "network.keep_internal: none says: tcp/22 from 10.0.0.0/8, 100.64.0.0/10"},
		{name: "named_networks", rules: []awssim.Rule{open}, keep: control.Internal{Choice: control.KeepNetworks, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, after: []string{"10.0.0.0/8"}, want: dera.Auto, says: "network.keep_internal: networks says: tcp/22 from 100.64.0.0/10"},
		{name: "route_tables_may_not_be_read", rules: []awssim.Rule{open}, fault: "DescribeRouteTables", after: []string{"0.0.0.0/0"}, want: dera.Review, says: "ec2:DescribeRouteTables"},
		{name: "vpcs_may_not_be_read", rules: []awssim.Rule{open}, fault: "DescribeVpcs", after: []string{"0.0.0.0/0"}, want: dera.Review, says: "ec2:DescribeVpcs"},
		{name: "no_room_in_the_rule_quota", rules: many, after: []string{"0.0.0.0/0"}, want: dera.Review, says: "rule-quota"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) {
				w.config = func(c *engine.Config) { c.Settings = control.Settings{KeepInternal: tt.keep} }
			})
			id := w.group("web", tt.rules...)
			vpc := w.region.DefaultVPC()
			for _, r := range tt.ranges {
				w.must(w.region.AddRange(vpc, r))
			}
			for _, r := range tt.routes {
				w.must(w.region.AddRoute(vpc, r))
			}
			if tt.fault != "" {
				w.cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: tt.fault}, Kind: awssim.Denied, Times: 1000})
			}
			w.sweep()
			w.quiet()
			var got []string
			g, _ := w.cloud.Snapshot().Group(id)
			for _, r := range g.Rules {
				if !r.Egress && r.FromPort <= 22 && r.ToPort >= 22 && (r.FromPort == r.ToPort || tt.name != "private_access_has_its_own_rule") {
					got = append(got, r.CIDR)
				}
			}
			if tt.name == "private_access_has_its_own_rule" { // two of the ranges have one
				tt.after = []string{"100.64.0.0/10", "192.168.0.0/16"}
			}
			slices.Sort(got)
			slices.Sort(tt.after)
			if !slices.Equal(got, tt.after) {
				t.Errorf("SSH is open to %v, want %v", got, tt.after)
			}
			f := w.findings(id)["ec2-securitygroup-admin-ports-open tcp/22"]
			var said []string
			for _, r := range f.Reasons {
				said = append(said, r.Why)
			}
			for _, r := range w.remediations(id) {
				if r.Control != "ec2-securitygroup-admin-ports-open" {
					continue
				}
				ev, err := w.store.Evidence(t.Context(), r.Evidence)
				w.must(err)
				said = append(said, string(ev))
				if lost := strings.Contains(strings.Join(r.Notes, " "), "private access is lost"); lost != (tt.keep.Choice != "") {
					t.Errorf("the notes name private access that is lost: got %t in %q", lost, r.Notes)
				}
				if tt.want == dera.Auto && r.Decision.Disposition != dera.Auto {
					t.Errorf("decision: got %s, want auto", r.Decision.Disposition)
				}
			}
			if lost := strings.Contains(strings.Join(said, " "), "private_access_lost"); lost != (tt.keep.Choice != "") {
				t.Errorf("private_access_lost is a claim: got %t", lost)
			}
			if !strings.Contains(strings.Join(said, "\n"), tt.says) {
				t.Errorf("nothing says %q:\n%s", tt.says, strings.Join(said, "\n"))
			}
		})
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Own public addresses come by the internet: they lose access, and are named.
func TestOwnAddressesThatLoseAccessAreNamed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, rule, fault string
		want              string // in the notes; empty: nothing is said of addresses
	}{
		{"loses", "0.0.0.0/0", "", "lose this access: 198.51.100.7 (eipalloc-1 of i-1 in " + account + ")"},
		{"keeps", "10.0.0.0/1", "", ""},
		{"not_known", "0.0.0.0/0", "DescribeAddresses", "is not known: ec2:DescribeAddresses of " + account + " failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("web", tcp(22, 22, tt.rule))
			w.region.AddAddress(awssim.Address{PublicIP: "198.51.100.7", AllocationID: "eipalloc-1", Instance: "i-1"})
			if tt.fault != "" {
				w.cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: tt.fault}, Kind: awssim.Denied, Times: 100})
			}
			w.sweep()
			w.quiet()
			list := w.remediations(id)
			if len(list) == 0 {
				t.Fatal("nothing was planned")
			}
			notes := strings.Join(list[0].Notes, "\n")
			if !strings.Contains(notes, tt.want) || tt.want == "" && strings.Contains(notes, "own accounts") {
				t.Errorf("notes: got %q, want %q", notes, tt.want)
			}
		})
	}
}

// A route that is added between the decision and the write is another house: the
// plan is decided again, also after an approval.
func TestRouteAddedAfterTheDecision(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.mode = dera.ReviewOnly
		w.config = func(c *engine.Config) { c.Settings = control.Settings{} }
	})
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.sweep()
	w.quiet()
	list := w.remediations(id)
	if len(list) != 1 || list[0].State != dera.Waiting {
		t.Fatalf("remediations: got %+v, want one that waits", list)
	}
	w.must(w.region.AddRoute(w.region.DefaultVPC(), awssim.Route{Destination: "203.0.113.0/24", Target: "pcx-1"}))
	w.approve(list[0])
	w.quiet()
	if n := w.count(revoke); n != 0 {
		t.Errorf("revokes: got %d, want none by a plan that was made without the route", n)
	}
	list = w.remediations(id)
	last := list[len(list)-1]
	for _, r := range list {
		if r.State == dera.Waiting {
			last = r
		}
	}
	if last.State != dera.Waiting || !slices.Contains(last.Plan.Diff(), "+ tcp 22 from 203.0.113.0/24") {
		t.Errorf("the next plan: got %s %q, want one that waits and keeps 203.0.113.0/24", last.State, last.Plan.Diff())
	}
}
