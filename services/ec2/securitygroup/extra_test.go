package securitygroup_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/securitygroup"
)

// The tests of this file run over recorded accounts and over cases of another
// scanner, which are not part of the tree: DERA_EXTRA_DATA names their folder.

func extra(t *testing.T, parts ...string) string {
	t.Helper()
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA is not set")
	}
	return filepath.Join(append([]string{dir}, parts...)...)
}

func lines(t *testing.T, file string, each func([]byte)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		each(s.Bytes())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// account is what the recorded describe calls say of security groups.
type account struct {
	Groups []struct {
		GroupId, GroupName, VpcId, OwnerId string
	} `json:"ec2.SecurityGroups"`
	Rules []struct {
		GroupId, SecurityGroupRuleId, IpProtocol string
		CidrIpv4, CidrIpv6, PrefixListId         string
		FromPort, ToPort                         int32
		IsEgress                                 bool
		ReferencedGroupInfo                      struct{ GroupId, UserId string }
	} `json:"ec2.SecurityGroupRules"`
}

func (a account) groups(t *testing.T) []*securitygroup.Group {
	t.Helper()
	var out []*securitygroup.Group
	for _, s := range a.Groups {
		g := &securitygroup.Group{ID: s.GroupId, Name: s.GroupName, VPC: s.VpcId, Owner: s.OwnerId}
		for _, d := range a.Rules {
			if d.GroupId != g.ID {
				continue
			}
			r := securitygroup.Rule{ID: d.SecurityGroupRuleId, Protocol: securitygroup.Protocol(d.IpProtocol), From: d.FromPort, To: d.ToPort}
			switch {
			case d.CidrIpv4+d.CidrIpv6 != "":
				p, err := netset.Prefix(d.CidrIpv4 + d.CidrIpv6)
				if err != nil {
					t.Fatal(err)
				}
				r.CIDR = p
			case d.PrefixListId != "":
				r.PrefixList = &securitygroup.PrefixList{ID: d.PrefixListId}
			default:
				r.Group = &securitygroup.GroupRef{ID: d.ReferencedGroupInfo.GroupId}
			}
			if d.IsEgress {
				g.Egress = append(g.Egress, r)
			} else {
				g.Ingress = append(g.Ingress, r)
			}
		}
		out = append(out, g)
	}
	return out
}

// keysOf is every finding of the rulebook on the group, CONTROL KEY.
func keysOf(t *testing.T, g *securitygroup.Group) []string {
	t.Helper()
	var out []string
	for _, c := range groupControls() {
		res, err := c.Check(resourceOf(g), control.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range res.Failures {
			out = append(out, c.ID+" "+f.Key)
		}
	}
	return out
}

// answers reports whether the keys answer the label: its kind, and for other
// ports what it says, for example tcp 5432-5432 ['0.0.0.0/0'].
func answers(keys []string, kind, why string) bool {
	has := func(list ...string) bool {
		return slices.ContainsFunc(list, func(k string) bool { return slices.Contains(keys, k) })
	}
	switch kind {
	case "sg-world-22":
		return has(adminID + " tcp/22")
	case "sg-world-3389":
		return has(adminID + " tcp/3389")
	case "sg-world-web":
		return has("ec2-securitygroup-web-ports-open tcp/80", "ec2-securitygroup-web-ports-open tcp/443")
	case "sg-world-all":
		return has("ec2-securitygroup-other-ports-open all")
	case "sg-world-icmp":
		return has("ec2-securitygroup-other-ports-open icmp")
	}
	var protocol string
	var lo, hi, a, b int
	if _, err := fmt.Sscanf(why, "%s %d-%d", &protocol, &lo, &hi); err != nil {
		return false
	}
	return slices.ContainsFunc(keys, func(k string) bool {
		text, ok := strings.CutPrefix(k, "ec2-securitygroup-other-ports-open "+protocol+"/")
		if !ok { // databases have a control of their own
			text, ok = strings.CutPrefix(k, "ec2-securitygroup-database-open "+protocol+"/")
		}
		if n, _ := fmt.Sscanf(text, "%d-%d", &a, &b); n == 1 {
			b = a
		}
		return ok && a <= lo && hi <= b && !strings.HasSuffix(text, "/bounded")
	})
}

// TestExtra_recorded_accounts compares the findings with labels made by hand.
func TestExtra_recorded_accounts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(extra(t, "envs", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]struct {
		Findings []struct{ Kind, Resource, Why string }
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	type row struct{ labels, found int }
	table := map[string]row{}
	groups, alarms, wrong, bounded, inbound := 0, 0, 0, 0, 0
	for name, want := range expected {
		var a account
		lines(t, extra(t, "envs", name+".state.json.gz"), func(b []byte) {
			if err := json.Unmarshal(b, &a); err != nil {
				t.Fatal(err)
			}
		})
		for _, g := range a.groups(t) {
			groups++
			keys := keysOf(t, g)
			labelled := false
			for _, f := range want.Findings {
				id, _, _ := strings.Cut(f.Resource, "/")
				if !strings.HasPrefix(f.Kind, "sg-world") || id != g.ID {
					continue
				}
				labelled = true
				r := table[f.Kind]
				r.labels++
				if answers(keys, f.Kind, f.Why) {
					r.found++
				} else {
					t.Errorf("%s: %s of %s (%s) is missed; found %q", name, f.Kind, f.Resource, f.Why, keys)
				}
				table[f.Kind] = r
			}
			for _, k := range keys {
				switch {
				case strings.HasSuffix(k, "/bounded"):
					bounded++
				case strings.HasSuffix(k, " inbound"), strings.HasSuffix(k, " outbound"):
					inbound++
				case !labelled:
					wrong++
					t.Errorf("%s: %s on %s (%s), which no label calls open", name, k, g.ID, g.Name)
				default:
					alarms++
				}
			}
		}
	}
	t.Logf("%d accounts, %d groups; %d findings on labelled groups, %d wrong alarms; beside the labels %d on bounded networks, %d on default groups",
		len(expected), groups, alarms, wrong, bounded, inbound)
	for _, kind := range []string{"sg-world-22", "sg-world-3389", "sg-world-web", "sg-world-other", "sg-world-all", "sg-world-icmp"} {
		t.Logf("%-16s %2d of %2d found", kind, table[kind].found, table[kind].labels)
	}
}

// TestExtra_scanner_cases runs the security-group cases of another scanner that
// need no account: one group, its inbound rules, and the verdict on it.
func TestExtra_scanner_cases(t *testing.T) {
	t.Parallel()
	type permission struct {
		IpProtocol       string
		FromPort, ToPort *int32
		IpRanges         []struct{ CidrIp string }
		Ipv6Ranges       []struct{ CidrIpv6 string }
		PrefixListIds    []any
		UserIdGroupPairs []struct{ GroupId string }
	}
	type verdict struct {
		Status     string
		ResourceID string `json:"resource_id"`
	}
	type scannerCase struct {
		ID, Check string
		Calls     []struct {
			Op     string
			Params struct {
				GroupId       string
				IpPermissions []permission
			}
		}
		Findings []verdict
	}
	all, used, agree := 0, 0, 0
	lines(t, extra(t, "prowler_cases.jsonl.gz"), func(b []byte) {
		if !strings.Contains(string(b), "ec2_securitygroup_") {
			return
		}
		var k scannerCase
		if err := json.Unmarshal(b, &k); err != nil {
			t.Fatal(err)
		}
		all++
		g := &securitygroup.Group{Name: "default", VPC: "vpc-1", Owner: "123456789012"}
		for _, c := range k.Calls {
			if c.Op != "AuthorizeSecurityGroupIngress" || g.ID != "" && g.ID != c.Params.GroupId {
				continue
			}
			g.ID = c.Params.GroupId
			for _, p := range c.Params.IpPermissions {
				base := securitygroup.Rule{Protocol: securitygroup.Protocol(p.IpProtocol), From: -1, To: -1}
				if p.FromPort != nil && p.ToPort != nil {
					base.From, base.To = *p.FromPort, *p.ToPort
				}
				var sources []string
				for _, x := range p.IpRanges {
					sources = append(sources, x.CidrIp)
				}
				for _, x := range p.Ipv6Ranges {
					sources = append(sources, x.CidrIpv6)
				}
				for _, s := range sources {
					r := base
					var err error
					if r.CIDR, err = netset.Prefix(s); err != nil {
						t.Fatal(err)
					}
					g.Ingress = append(g.Ingress, r)
				}
				for _, x := range p.UserIdGroupPairs {
					r := base
					r.Group = &securitygroup.GroupRef{ID: x.GroupId}
					g.Ingress = append(g.Ingress, r)
				}
			}
		}
		i := slices.IndexFunc(k.Findings, func(f verdict) bool { return f.ResourceID == g.ID && f.Status == "FAIL" })
		judged := slices.ContainsFunc(k.Findings, func(f verdict) bool { return f.ResourceID == g.ID })
		keys := keysOf(t, g)
		var got bool
		switch {
		case !judged || g.ID == "":
			return
		case strings.HasSuffix(k.Check, "internet_to_all_ports"):
			got = answers(keys, "sg-world-all", "")
		case strings.HasSuffix(k.Check, "default_restrict_traffic"):
			got = slices.Contains(keys, "ec2-securitygroup-default-group-rules inbound")
		case strings.HasSuffix(k.Check, "tcp_port_22"):
			got = answers(keys, "sg-world-22", "")
		case strings.Contains(k.Check, "any_port"):
			got = slices.ContainsFunc(keys, func(key string) bool {
				return !strings.HasSuffix(key, "inbound") && !strings.HasSuffix(key, "/bounded")
			})
		default:
			return
		}
		if used++; got == (i >= 0) {
			agree++
		} else {
			t.Logf("%s: the scanner fails it: %t; found %q", k.ID, i >= 0, keys)
		}
	})
	t.Logf("%d cases, %d usable without an account, %d agree", all, used, agree)
}
