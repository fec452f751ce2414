package securitygroup_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/securitygroup"
)

// fullGroup has 60 rules: two that are to be split, one to be revoked, bounded
// public networks on ten ports, and private ones.
func fullGroup() *securitygroup.Group {
	rules := []securitygroup.Rule{rule("tcp", 0, 65535, "0.0.0.0/0"), rule("tcp", 20, 25, "::/0"), rule("tcp", 3389, 3389, "8.0.0.0/8")}
	for i := range 57 {
		source := fmt.Sprintf("10.%d.0.0/16", i)
		if i%6 == 0 {
			source = fmt.Sprintf("203.0.%d.0/24", i)
		}
		rules = append(rules, rule("tcp", int32(1000+10*i), int32(1004+10*i), source))
	}
	g := &securitygroup.Group{ID: "sg-0a1", Name: "web", VPC: "vpc-1", Owner: "111122223333", Ingress: rules, Network: &securitygroup.VPC{CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	for i := range g.Ingress {
		g.Ingress[i].ID = fmt.Sprintf("sgr-%02d", i)
	}
	return g
}

// BenchmarkPlanAndProve60Rules is the plan of a group of 60 rules and the proofs
// of it, for each control that plans: the median without and with writing the
// evidence as JSON, whose time is taken from writing it once more. What runs
// before it, the check, is measured beside.
func BenchmarkPlanAndProve60Rules(b *testing.B) {
	s := control.Settings{Allow: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, RuleQuota: 200}
	for _, id := range []string{adminID, "ec2-securitygroup-other-ports-open"} {
		b.Run(id, func(b *testing.B) {
			c, r := find(b, id), resourceOf(fullGroup())
			var checks, proofs, wholes []time.Duration
			var network evidence.Network
			changes := 0
			b.ReportAllocs()
			for b.Loop() {
				began := time.Now()
				res, err := c.Check(r, s)
				if err != nil || len(res.Failures) == 0 {
					b.Fatalf("check: got %d failures, %v", len(res.Failures), err)
				}
				checked := time.Now()
				p, refusal, err := c.Plan(r, res.Failures, s)
				if refusal != nil || err != nil {
					b.Fatalf("plan: %v, %v", refusal, err)
				}
				ev, err := c.Prove(r, res.Failures, p, s)
				if err != nil || !ev.Proved() {
					b.Fatalf("prove: %v, %v", ev.Claims, err)
				}
				whole := time.Since(checked)
				changes = len(p.Changes)
				if network.Old.IsEmpty() {
					if err := json.Unmarshal(ev.Body, &network); err != nil {
						b.Fatal(err)
					}
				}
				encoding := time.Now()
				if again, err := dera.CanonicalJSON(network); err != nil || !bytes.Equal(again, ev.Body) {
					b.Fatalf("evidence again: got %s, %v, want %s", again, err, ev.Body)
				}
				proofs = append(proofs, whole-time.Since(encoding))
				checks, wholes = append(checks, checked.Sub(began)), append(wholes, whole)
			}
			b.ReportMetric(float64(changes), "changes")
			for unit, list := range map[string][]time.Duration{"p50-µs-check": checks, "p50-µs-plan+proofs": proofs, "p50-µs-plan+proofs+json": wholes} {
				slices.Sort(list)
				b.ReportMetric(float64(list[len(list)/2].Nanoseconds())/1000, unit)
			}
		})
	}
}

// BenchmarkSweep60Rules is what a sweep costs for each group that is fine.
func BenchmarkSweep60Rules(b *testing.B) {
	g := fullGroup()
	g.Ingress = g.Ingress[3:]
	for i := range g.Ingress {
		g.Ingress[i].CIDR = netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", i))
	}
	r := resourceOf(g)
	b.ReportAllocs()
	for b.Loop() {
		for _, id := range []string{adminID, "ec2-securitygroup-other-ports-open", "ec2-securitygroup-web-ports-open"} {
			if res, err := find(b, id).Check(r, control.Settings{}); err != nil || res.Outcome != control.Pass {
				b.Fatalf("check: %s, %v", res.Outcome, err)
			}
		}
	}
}
