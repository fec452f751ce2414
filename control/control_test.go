package control

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/resource/role"
)

type thing struct{ open bool }

func thingControl(acts bool) Control {
	spec := Spec[*thing]{
		Meta: Meta{ID: "x-thing-open"},
		Check: func(c *thing, _ Settings) Result {
			if c.open {
				return Result{Outcome: Fail, Failures: []Failure{{Key: "a"}, {Key: "b"}}}
			}
			return Result{Outcome: Pass}
		},
	}
	if acts {
		spec.Plan = func(c *thing, f []Failure, _ Settings) ([]dera.Change, *Refusal) {
			if len(f) == 1 {
				return nil, &Refusal{"too-few", "there is one failure"}
			}
			return []dera.Change{{Operation: "x:Close"}}, nil
		}
		spec.Prove = func(*thing, []Failure, []dera.Change, Settings) (dera.Evidence, error) {
			return dera.Evidence{Kind: evidence.NetworkKind, Control: "someone else's"}, nil
		}
	}
	return Define(spec)
}

func TestControl(t *testing.T) {
	t.Parallel()
	r := dera.Resource{Partition: "aws", Account: "1", Region: "r", ARN: "arn", Type: "T", Config: &thing{open: true}}
	c := thingControl(true)
	res, err := c.Check(r, Settings{})
	if err != nil || res.Outcome != Fail {
		t.Fatalf("check: got %+v, %v", res, err)
	}
	p, refusal, err := c.Plan(r, res.Failures, Settings{})
	if refusal != nil || err != nil {
		t.Fatalf("plan: %v, %v", refusal, err)
	}
	if p.Partition != "aws" || p.Account != "1" || p.Region != "r" || p.Resource != "arn" || p.Type != "T" || p.Control != c.ID || !slices.Equal(p.Keys, []string{"a", "b"}) {
		t.Errorf("plan: got %+v, want where the resource is and both keys", p)
	}
	if ev, err := c.Prove(r, res.Failures, p, Settings{}); err != nil || ev.Control != c.ID {
		t.Errorf("prove: got %+v, %v, want the control's ID", ev, err)
	}
	p, refusal, err = c.Plan(r, res.Failures[:1], Settings{})
	if err != nil || refusal == nil || refusal.Error() != "too-few: there is one failure" || p.Changes != nil {
		t.Errorf("refused plan: got %+v, %v, %v", p, refusal, err)
	}
}

func TestControlThatOnlyAlerts(t *testing.T) {
	t.Parallel()
	r, c := dera.Resource{Config: &thing{open: true}}, thingControl(false)
	if _, refusal, err := c.Plan(r, nil, Settings{}); err != nil || refusal == nil || refusal.Code != "alert-only" {
		t.Errorf("plan: got %v, %v, want the refusal alert-only", refusal, err)
	}
	if _, err := c.Prove(r, nil, dera.Plan{}, Settings{}); err == nil {
		t.Errorf("prove: got no error")
	}
}

// TestOtherConfiguration: a configuration of another type is an error, never a
// pass.
func TestOtherConfiguration(t *testing.T) {
	t.Parallel()
	c := thingControl(true)
	for _, config := range []any{nil, "text", thing{}} {
		r := dera.Resource{Config: config}
		if res, err := c.Check(r, Settings{}); err == nil || !strings.Contains(err.Error(), c.ID) || res.Outcome == Pass {
			t.Errorf("check %T: got %+v, %v, want an error that names the control", config, res, err)
		}
		if _, refusal, err := c.Plan(r, nil, Settings{}); err == nil || refusal != nil {
			t.Errorf("plan %T: got %v, %v, want an error", config, refusal, err)
		}
		if _, err := c.Prove(r, nil, dera.Plan{}, Settings{}); err == nil {
			t.Errorf("prove %T: got no error", config)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	a, b := netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("10.0.0.0/8")
	s := Settings{Allow: append(make([]netip.Prefix, 0, 4), a), KeepInternal: Internal{Choice: KeepNetworks, Networks: []netip.Prefix{b}}}
	house := netset.AddrsOf(netip.MustParsePrefix("198.51.100.0/24"))
	for choice, want := range map[string]string{
		"":      "10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16, 198.51.100.0/24, 203.0.113.0/24, fc00::/7",
		KeepVPC: "198.51.100.0/24, 203.0.113.0/24", KeepNone: "203.0.113.0/24", KeepNetworks: "10.0.0.0/8, 203.0.113.0/24",
	} {
		s.KeepInternal.Choice = choice
		if got := s.KeepAddrs(house).String(); got != want {
			t.Errorf("keep %q: got %s, want %s", choice, got, want)
		}
	}
	for quota, want := range map[int]int{0: 60, -1: 60, 1: 1, 200: 200} {
		if got := (Settings{RuleQuota: quota}).Quota(); got != want {
			t.Errorf("quota %d: got %d, want %d", quota, got, want)
		}
	}
}

func TestAudience(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		m    netset.Measure
		want string
	}{
		{"nobody", netset.Measure{}, "no public address"},
		{"one", netset.Measure{IPv4: 1}, "1 public IPv4 address"},
		{"few", netset.Measure{IPv4: 256}, "256 public IPv4 addresses"},
		{"many", netset.Measure{IPv4: 1 << 24}, "16,777,216 public IPv4 addresses"},
		{"world", netset.Measure{IPv4: 3_700_000_000}, "the entire IPv4 internet"},
		{"one_ipv6", netset.Measure{IPv6: netset.Count{Lo: 1}}, "public IPv6 networks"},
		{"slash_32", netset.Measure{IPv6: netset.Count{Hi: 1 << 32}}, "public IPv6 networks"},
		{"slash_31", netset.Measure{IPv6: netset.Count{Hi: 1 << 33}}, "the IPv6 internet"},
		{"both", netset.Measure{IPv4: 1 << 31, IPv6: netset.Count{Hi: 1 << 61}}, "the entire IPv4 internet and the IPv6 internet"},
		{"one_and_ipv6", netset.Measure{IPv4: 1, IPv6: netset.Count{Lo: 5}}, "1 public IPv4 address and public IPv6 networks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Audience(tt.m); got != tt.want {
				t.Errorf("audience: got %q, want %q", got, tt.want)
			}
		})
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("digits of %d: got %q, want %q", n, got, want)
		}
	}
}

// TestPolicies: the reader has the reads of all controls and what dera itself asks,
// the remediator those of the controls that act, with their writes.
func TestPolicies(t *testing.T) {
	t.Parallel()
	look := Control{Meta: Meta{ID: "a", Reads: []string{"ec2:DescribeVpcs", "ec2:DescribeInstances"}}}
	act := Control{Meta: Meta{ID: "b", Reads: []string{"ec2:DescribeInstances", "ec2:DescribeAddresses"}, Writes: []string{"ec2:RevokeSecurityGroupIngress"}}}
	odd := Control{Meta: Meta{ID: "c", Reads: []string{"ec2:DescribeNothing"}, Writes: []string{"ec2:RevokeSecurityGroupIngress"}}}
	tests := []struct {
		name     string
		policy   func([]Control, string, string) (role.Policy, error)
		controls []Control
		want     string
	}{
		{"reader", ReaderPolicy, []Control{act, look}, "config:DescribeConfigRules config:DescribeRemediationConfigurations ec2:DescribeAddresses ec2:DescribeInstances ec2:DescribeRegions ec2:DescribeVpcs events:ListRules events:ListTargetsByRule securityhub:GetAdministratorAccount"},
		{"reader_of_nothing", ReaderPolicy, nil, "config:DescribeConfigRules config:DescribeRemediationConfigurations ec2:DescribeRegions events:ListRules events:ListTargetsByRule securityhub:GetAdministratorAccount"},
		{"remediator", RemediatorPolicy, []Control{look, act}, "ec2:DescribeAddresses ec2:DescribeInstances ec2:RevokeSecurityGroupIngress"},
		{"remediator_of_alerts", RemediatorPolicy, []Control{look}, ""},
		{"reader_of_an_unknown_action", ReaderPolicy, []Control{odd}, "error"},
		{"remediator_of_an_unknown_action", RemediatorPolicy, []Control{odd}, "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := tt.policy(tt.controls, "aws", "111122223333")
			var list []string
			for _, s := range p.Statement {
				list = append(list, s.Action...)
			}
			slices.Sort(list)
			got := strings.Join(list, " ")
			if err != nil {
				got = "error"
			}
			if got != tt.want {
				t.Errorf("got %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}
