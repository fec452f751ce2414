package securitygroup_test

import (
	"net/netip"
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/services"
	"dera.example/dera/services/ec2/securitygroup"
	"pgregory.net/rapid"
)

// TestLawsOnRandomGroups: whatever the group, each plan holds every law, or
// there is a typed refusal.
func TestLawsOnRandomGroups(t *testing.T) {
	t.Parallel()
	for _, c := range groupControls() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				laws().Hold(t, c, resourceOf(drawGroup(t, 12)), drawSettings(t))
			})
		})
	}
}

// TestLawsOnFullGroups is the same with up to 60 rules.
func TestLawsOnFullGroups(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("random groups of 60 rules take a while")
	}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		if n++; n > 12 {
			return
		}
		g, s := drawGroup(t, 60), drawSettings(t)
		for _, c := range groupControls() {
			laws().Hold(t, c, resourceOf(g), s)
		}
	})
}

// TestPlanTouchesOnlyItsPorts asks packet by packet, without set algebra: what a
// plan takes away are public or forbidden packets to the ports of its control,
// what it keeps it keeps, and nothing comes.
func TestPlanTouchesOnlyItsPorts(t *testing.T) {
	t.Parallel()
	own := map[string]func(netset.Point) bool{
		"ec2-securitygroup-admin-ports-open": func(p netset.Point) bool {
			return p.Protocol == netset.TCP && (p.Port == 22 || p.Port == 3389)
		},
		"ec2-securitygroup-other-ports-open": func(p netset.Point) bool {
			return p.Protocol != netset.TCP || !slices.Contains([]uint16{22, 80, 443, 3389}, p.Port)
		},
	}
	for id, mine := range own {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			c := find(t, id)
			rapid.Check(t, func(t *rapid.T) {
				g, s := drawGroup(t, 12), drawSettings(t)
				after := fixed(t, c, g, s)
				if after == nil {
					return
				}
				for _, p := range drawPackets(t, g) {
					was, is := admits(g, p), admits(after, p)
					switch {
					case is && !was:
						t.Errorf("%v comes in after the plan", p)
					case was && !is && !mine(p):
						t.Errorf("%v is lost, and is not the control's", p)
					case was && !is && s.KeepAddrs(g.House()).Contains(p.Addr):
						t.Errorf("%v is lost, although its network is kept", p)
					}
				}
			})
		})
	}
}

// fixed is the group after the plan for everything that the control finds, or
// nil if there is none.
func fixed(t *rapid.T, c control.Control, g *securitygroup.Group, s control.Settings) *securitygroup.Group {
	r := resourceOf(g)
	res, err := c.Check(r, s)
	if err != nil {
		t.Fatal(err)
	}
	failures := slices.DeleteFunc(res.Failures, func(f control.Failure) bool { return f.Start > dera.Review })
	if len(failures) == 0 {
		return nil
	}
	p, refusal, err := c.Plan(r, failures, s)
	if err != nil {
		t.Fatal(err)
	}
	if refusal != nil {
		return nil
	}
	after, err := securitygroup.Type().ApplyPlan(g, p)
	if err != nil {
		t.Fatal(err)
	}
	return after.(*securitygroup.Group)
}

// drawPackets takes the corners of every rule, and packets beside them.
func drawPackets(t *rapid.T, g *securitygroup.Group) []netset.Point {
	addrs := []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("9.9.9.9"), netip.MustParseAddr("2001:db8::9"), netip.MustParseAddr("fd00::1")}
	ports := []uint16{0, 21, 22, 23, 80, 443, 3389, 65535, 8 << 8}
	for _, r := range g.Ingress {
		if r.CIDR.IsValid() {
			addrs = append(addrs, r.CIDR.Addr())
		}
		if r.Ported() {
			ports = append(ports, uint16(r.From), uint16(r.To), uint16(r.From)-1, uint16(r.To)+1)
		}
	}
	var out []netset.Point
	for range 60 {
		out = append(out, netset.Point{
			Addr:     rapid.SampledFrom(addrs).Draw(t, "address"),
			Protocol: rapid.SampledFrom([]netset.Protocol{6, 6, 6, 17, 1, 47}).Draw(t, "protocol"),
			Port:     rapid.SampledFrom(ports).Draw(t, "port"),
		})
	}
	return out
}

// groupControls are the controls on security groups.
func groupControls() []control.Control {
	var out []control.Control
	for _, c := range services.Controls() {
		if c.Type == securitygroup.Name {
			out = append(out, c)
		}
	}
	return out
}
