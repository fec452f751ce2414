package engine_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// groupChaos is what people do to security groups: they authorize rules, each with
// a description of its own, by which they find what became of it.
type groupChaos struct{}

func newGroup(i int) dera.Resource { return newGroupIn(account, i) }

func newGroupIn(account string, i int) dera.Resource {
	id := fmt.Sprintf("sg-%017x", 0xabc0+i)
	name := fmt.Sprintf("app-%d", i)
	return dera.Resource{
		ARN: dera.NewARN("aws", "ec2", region, account, "security-group/"+id), Partition: "aws", Account: account, Region: region,
		Type: securitygroup.Name, ID: id, Name: name,
		Config: &securitygroup.Group{ID: id, Name: name, VPC: "vpc-1", Owner: account, Network: &securitygroup.VPC{CIDRs: []netip.Prefix{netip.MustParsePrefix("172.20.0.0/16")}}},
	}
}

// The packets that are tried: from a private address, one of the VPC, one of a
// partner and two of the internet.
func chaosSources() []string {
	return []string{"10.9.9.9", "172.20.1.1", "203.0.113.9", "8.8.8.8", "200.1.1.1"}
}
func chaosPorts() []int32 { return []int32{21, 22, 23, 25, 443, 3389, 5432, 60000} }

func (groupChaos) facts(config any) map[string]bool {
	out := map[string]bool{}
	g, ok := config.(*securitygroup.Group)
	if !ok {
		return out
	}
	for _, r := range g.Ingress {
		for _, f := range factsOf(r, nil) {
			out[f] = true
		}
	}
	return out
}

func factsOf(r securitygroup.Rule, keep func(source netip.Addr, port int32) bool) []string {
	var out []string
	for _, src := range chaosSources() {
		addr := netip.MustParseAddr(src)
		for _, port := range chaosPorts() {
			if r.Protocol == "tcp" && r.CIDR.Contains(addr) && r.From <= port && port <= r.To && (keep == nil || keep(addr, port)) {
				out = append(out, fmt.Sprintf("%s to %d", src, port))
			}
		}
	}
	return out
}

func (c groupChaos) exposed(config any) bool {
	for f := range c.facts(config) {
		if f == "8.8.8.8 to 22" || f == "8.8.8.8 to 3389" {
			return true
		}
	}
	return false
}

func (groupChaos) create(p *people, _ dera.Resource, config any, name string) (resource.Operation, made, error) {
	choices := []struct {
		from, to int32
		cidr     string
	}{
		{22, 22, "0.0.0.0/0"}, {22, 22, "0.0.0.0/0"}, {3389, 3389, "0.0.0.0/0"}, {0, 65535, "0.0.0.0/0"}, {20, 30, "0.0.0.0/0"}, {22, 443, "0.0.0.0/1"},
		{443, 443, "0.0.0.0/0"}, {22, 22, "10.0.0.0/8"}, {22, 22, "203.0.113.0/24"}, {5432, 5432, "172.20.0.0/16"}, {23, 65535, "0.0.0.0/0"},
	}
	ch := choices[p.rand.IntN(len(choices))]
	r := securitygroup.Rule{Protocol: "tcp", From: ch.from, To: ch.to, CIDR: netip.MustParsePrefix(ch.cidr), Description: name}
	change, err := config.(*securitygroup.Group).Authorize(r)
	// Of a rule for the internet dera may take SSH and RDP from public addresses,
	// and from all where nothing private is kept.
	wide := r.CIDR.Bits() < 8
	need := factsOf(r, func(src netip.Addr, port int32) bool {
		admin := port == 22 || port == 3389
		return !wide || !admin || src.IsPrivate() && p.settings.KeepInternal.Choice != control.KeepNone
	})
	return resource.Of(change), made{need: need, may: factsOf(r, nil)}, err
}

// authorizeOf is a rule that someone authorizes.
func authorizeOf(r dera.Resource, from, to int32, cidr, name string) resource.Operation {
	c, err := r.Config.(*securitygroup.Group).Authorize(securitygroup.Rule{Protocol: "tcp", From: from, To: to, CIDR: netip.MustParsePrefix(cidr), Description: name})
	if err != nil {
		panic(err) // it can be written
	}
	return resource.Of(c)
}

func (groupChaos) remove(config any, name string) ([]resource.Operation, error) {
	g := config.(*securitygroup.Group)
	var out []resource.Operation
	for _, r := range g.Ingress {
		if r.Description != name && !strings.HasPrefix(r.Description, name+" ") {
			continue
		}
		change, err := g.Revoke(r)
		if err != nil {
			return nil, err
		}
		out = append(out, resource.Of(change))
	}
	return out, nil
}

func (groupChaos) gone(before, after any) []string {
	var out []string
	for _, r := range before.(*securitygroup.Group).Ingress {
		if !slices.ContainsFunc(after.(*securitygroup.Group).Ingress, r.SamePermission) {
			out = append(out, factsOf(r, nil)...)
		}
	}
	return out
}

// assign is what AWS assigns: the IDs of rules.
func assign(config any, id func() string) {
	if g, ok := config.(*securitygroup.Group); ok {
		for i := range g.Ingress {
			if g.Ingress[i].ID == "" {
				g.Ingress[i].ID = "sgr-" + id()
			}
		}
	}
}
