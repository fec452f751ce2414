package securitygroup_test

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/securitygroup"
)

// TestDatabasesAreFound: whatever rules let public addresses reach a database, one of the two
// controls finds it, as open to the internet where it is.
func TestDatabasesAreFound(t *testing.T) {
	t.Parallel()
	ports := []int32{1433, 1434, 1521, 2483, 3306, 5432, 5439, 5601, 6379, 9042, 9092, 9160, 9200, 11211, 27017, 27018, 27019}
	sources := []string{"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "203.0.113.0/24", "198.51.100.7/32", "10.0.0.0/8", "10.1.0.0/16", "::/0", "2001:db8::/32", "2600::/12", "fd00::/8", "8.0.0.0/7", "4.0.0.0/8"}
	widths := []int32{0, 0, 0, 1, 2, 7, 126, 127, 128, 200, 1000, 60000}
	database, other := find(t, "ec2-securitygroup-database-open"), find(t, "ec2-securitygroup-other-ports-open")
	keys := func(c control.Control, g *securitygroup.Group) (out []string) {
		r, err := c.Check(resourceOf(g), control.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Failures {
			out = append(out, f.Key)
		}
		return out
	}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		g := &securitygroup.Group{ID: "sg-0a1", Name: "db", VPC: "vpc-1", Owner: "111122223333"}
		for i := range 1 + r.IntN(4) {
			port := ports[r.IntN(len(ports))]
			from := max(0, port-r.Int32N(3)*r.Int32N(80))
			rule := securitygroup.Rule{ID: "sgr-" + strconv.Itoa(i), Protocol: "tcp", From: from, To: min(65535, from+widths[r.IntN(len(widths))]), CIDR: netip.MustParsePrefix(sources[r.IntN(len(sources))])}
			switch r.IntN(12) {
			case 0:
				rule.Protocol, rule.From, rule.To = "-1", -1, -1
			case 1:
				rule.Protocol = "udp"
			}
			g.Ingress = append(g.Ingress, rule)
		}
		mine, others := keys(database, g), keys(other, g)
		for _, port := range ports {
			e, err := securitygroup.Expose(g.Ingress, netset.TCP, uint16(port), g.House())
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]int{}
			for _, key := range mine {
				if strings.TrimSuffix(key, "/bounded") == "tcp/"+strconv.Itoa(int(port)) {
					found[strings.TrimPrefix(key, "tcp/"+strconv.Itoa(int(port)))]++
				}
			}
			for _, key := range others {
				if key == "all" || key == "all/bounded" {
					found[strings.TrimPrefix(key, "all")]++
				}
				if text, ok := strings.CutPrefix(key, "tcp/"); ok {
					span, bounded, _ := strings.Cut(text, "/")
					lo, hi, ranged := strings.Cut(span, "-")
					if !ranged {
						hi = lo
					}
					a, errA := strconv.Atoi(lo)
					b, errB := strconv.Atoi(hi)
					if errA != nil || errB != nil {
						t.Fatalf("key %q", key)
					}
					suffix := ""
					if bounded != "" {
						suffix = "/bounded"
					}
					if a <= int(port) && int(port) <= b {
						found[suffix]++
					}
				}
			}
			if e.Measure.External() != (len(found) > 0) || e.Measure.Internet() && found[""] == 0 {
				t.Fatalf("seed %d: port %d is open %t (to the internet %t), found by %v of %v and %v of\n%+v", seed, port, e.Measure.External(), e.Measure.Internet(), found, mine, others, g.Ingress)
			}
		}
	}
}
