package netset

import (
	"testing"
)

// rule is a security group rule as the EC2 API writes it.
type rule struct {
	protocol string
	from, to int32
	cidrs    []string
}

func setOf(t testing.TB, rules ...rule) Set {
	t.Helper()
	var boxes []Box
	for _, r := range rules {
		traffic, err := ParseTraffic(r.protocol, &r.from, &r.to)
		if err != nil {
			t.Fatal(err)
		}
		prefixes, err := Prefixes(r.cidrs...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range prefixes {
			boxes = append(boxes, traffic.From(p))
		}
	}
	return Of(boxes...)
}

func allow(t testing.TB, cidrs ...string) Addrs {
	t.Helper()
	prefixes, err := Prefixes(cidrs...)
	if err != nil {
		t.Fatal(err)
	}
	return AddrsOf(prefixes...)
}

// The number of public IPv4 addresses: 2^32 less 0/8, 10/8, 127/8, 224/3,
// 100.64/10, 172.16/12, 192.168/16 and 169.254/16.
const public4 = 1<<32 - 3<<24 - 1<<29 - 1<<22 - 1<<20 - 2<<16

// Fourteen ways to write "SSH is open to the world" (the last is not one). A
// literal comparison with 0.0.0.0/0 and ::/0 gets half of them wrong.
func TestSSHOpenToTheWorld(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rules []rule
		want  Reach
		ipv4  uint64
	}{
		{"anywhere", []rule{{"tcp", 22, 22, []string{"0.0.0.0/0"}}}, Internet, public4},
		{"all_ports", []rule{{"tcp", 0, 65535, []string{"0.0.0.0/0"}}}, Internet, public4},
		{"ports_around", []rule{{"tcp", 20, 25, []string{"0.0.0.0/0"}}}, Internet, public4},
		{"all_traffic", []rule{{"-1", -1, -1, []string{"0.0.0.0/0"}}}, Internet, public4},
		{"anywhere_ipv6", []rule{{"tcp", 22, 22, []string{"::/0"}}}, Internet, 0},
		{"two_halves_in_one_rule", []rule{{"tcp", 22, 22, []string{"0.0.0.0/1", "128.0.0.0/1"}}}, Internet, public4},
		{"two_halves_in_two_rules", []rule{
			{"tcp", 22, 22, []string{"0.0.0.0/1"}}, {"tcp", 22, 22, []string{"128.0.0.0/1"}},
		}, Internet, public4},
		{"four_quarters", []rule{
			{"tcp", 22, 22, []string{"0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"}},
		}, Internet, public4},
		{"two_halves_ipv6", []rule{{"tcp", 22, 22, []string{"::/1", "8000::/1"}}}, Internet, 0},
		{"global_unicast_ipv6", []rule{{"tcp", 22, 22, []string{"2000::/3"}}}, Internet, 0},
		{"four_eighths", []rule{{"tcp", 22, 22, []string{"8.0.0.0/6"}}}, Internet, 3 << 24},
		{"prefix_list_with_anywhere", []rule{{"tcp", 22, 22, []string{"10.0.0.0/8", "0.0.0.0/0"}}}, Internet, public4},
		{"protocol_by_number", []rule{{"6", 22, 22, []string{"0.0.0.0/0"}}}, Internet, public4},
		{"icmp_type_22", []rule{{"icmp", 22, -1, []string{"0.0.0.0/0"}}}, Internal, 0},
		// Beyond the fourteen.
		{"host_bits", []rule{{"tcp", 22, 22, []string{"208.236.235.254/0"}}}, Internet, public4},
		{"mapped", []rule{{"tcp", 22, 22, []string{"::ffff:0.0.0.0/96"}}}, Internet, public4},
		{"udp", []rule{{"udp", 22, 22, []string{"0.0.0.0/0"}}}, Internal, 0},
		{"next_port", []rule{{"tcp", 23, 22 + 100, []string{"0.0.0.0/0"}}}, Internal, 0},
		{"private", []rule{{"tcp", 22, 22, []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"}}}, Internal, 0},
		{"office", []rule{{"tcp", 22, 22, []string{"198.51.100.0/24"}}}, External, 256},
		{"one_eighth", []rule{{"tcp", 22, 22, []string{"8.0.0.0/8"}}}, External, 1 << 24},
		{"one_eighth_and_one", []rule{{"tcp", 22, 22, []string{"8.0.0.0/8", "9.9.9.9/32"}}}, Internet, 1<<24 + 1},
		{"one_eighth_less_one", []rule{{"tcp", 22, 22, []string{
			"8.0.0.0/9", "8.128.0.0/10", "8.192.0.0/11", "8.224.0.0/12", "8.240.0.0/13", "8.248.0.0/14", "8.252.0.0/15",
		}}}, External, 1<<24 - 1<<17},
		{"ipv6_32", []rule{{"tcp", 22, 22, []string{"2001:db8::/32"}}}, External, 0},
		{"ipv6_32_and_one", []rule{{"tcp", 22, 22, []string{"2001:db8::/32", "2001:db9::1/128"}}}, Internet, 0},
		{"ipv6_link_local", []rule{{"tcp", 22, 22, []string{"fe80::/10", "ff00::/8", "::/127"}}}, Internal, 0},
		{"nothing", nil, Internal, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Exposure(setOf(t, tt.rules...), TCP, 22, Addrs{})
			if got.Reach() != tt.want || got.IPv4 != tt.ipv4 {
				t.Errorf("exposure of SSH: got %v %+v, want %v with %d IPv4 addresses", got.Reach(), got, tt.want, tt.ipv4)
			}
			if got.Internet() != (tt.want == Internet) || got.External() != (tt.want != Internal) {
				t.Errorf("internet and external: got %t, %t, want the class %v", got.Internet(), got.External(), tt.want)
			}
		})
	}
}

func TestExposureLessAllowlist(t *testing.T) {
	t.Parallel()
	open := setOf(t, rule{"tcp", 22, 22, []string{"8.0.0.0/8", "10.0.0.0/8", "2001:db8::/31"}})
	tests := []struct {
		name  string
		allow []string
		want  Measure
	}{
		{"none", nil, Measure{1 << 24, Count{Hi: 1 << 33}}},
		{"half", []string{"8.0.0.0/9"}, Measure{1 << 23, Count{Hi: 1 << 33}}},
		{"overlapping", []string{"8.0.0.0/9", "8.0.0.0/10", "8.3.0.0/16"}, Measure{1 << 23, Count{Hi: 1 << 33}}},
		{"all_ipv4", []string{"0.0.0.0/0"}, Measure{0, Count{Hi: 1 << 33}}},
		{"ipv6_but_one", []string{"8.0.0.0/8", "2001:db8::/32", "2001:db9::/33", "2001:db9:8000::/34",
			"2001:db9:c000::/35", "2001:db9:e000::/36"}, Measure{0, Count{Hi: 1 << 28}}},
		{"everything", []string{"0.0.0.0/0", "::/0"}, Measure{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Exposure(open, TCP, 22, allow(t, tt.allow...)); got != tt.want {
				t.Errorf("exposure: got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// Public is written in numbers; this is the same in the words of the registries.
func TestPublic(t *testing.T) {
	t.Parallel()
	special := allow(t,
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
		"172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
		"::/127", "fc00::/7", "fe80::/10", "ff00::/8")
	if got, want := Public(), Everywhere().Subtract(special); !got.Equal(want) {
		t.Errorf("public addresses: got %v, want %v", got, want)
	}
}

func TestExposures(t *testing.T) {
	t.Parallel()
	s := setOf(t,
		rule{"tcp", 20, 30, []string{"0.0.0.0/0"}},
		rule{"tcp", 25, 40, []string{"8.0.0.0/8"}},
		rule{"tcp", 41, 41, []string{"9.9.9.9/32"}},
		rule{"tcp", 50, 60, []string{"10.0.0.0/8"}},
		rule{"tcp", 80, 80, []string{"::/0"}},
		rule{"tcp", 81, 81, []string{"0.0.0.0/0"}},
		rule{"tcp", 65535, 65535, []string{"9.9.9.0/31", "2001:db8::1"}},
		rule{"7", 0, 0, []string{"9.9.9.9/32"}},
		rule{"icmp", 8, -1, []string{"0.0.0.0/0"}},
	)
	all6 := Exposure(setOf(t, rule{"-1", 0, 0, []string{"::/0"}}), TCP, 80, Addrs{}).IPv6
	tests := []struct {
		name     string
		protocol Protocol
		allow    []string
		want     []PortExposure
	}{
		{"classes_join", TCP, nil, []PortExposure{
			{Ports{20, 30}, Measure{IPv4: public4}},
			{Ports{31, 41}, Measure{IPv4: 1 << 24}},
			{Ports{80, 81}, Measure{public4, all6}},
			{Ports{65535, 65535}, Measure{2, Count{Lo: 1}}},
		}},
		{"allowlist_splits", TCP, []string{"8.0.0.0/8", "9.9.9.9/32", "::/0"}, []PortExposure{
			{Ports{20, 30}, Measure{IPv4: public4 - 1<<24 - 1}},
			{Ports{81, 81}, Measure{IPv4: public4 - 1<<24 - 1}},
			{Ports{65535, 65535}, Measure{IPv4: 2}},
		}},
		{"icmp_in_types", ICMP, nil, []PortExposure{{Ports{8 << 8, 8<<8 | 255}, Measure{IPv4: public4}}}},
		{"whole_protocol", 7, nil, []PortExposure{{EveryPort(), Measure{IPv4: 1}}}},
		{"none", UDP, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			except := allow(t, tt.allow...)
			got := Exposures(s, tt.protocol, except)
			if len(got) != len(tt.want) {
				t.Fatalf("exposures: got %+v, want %+v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("exposure %d: got %+v, want %+v", i, got[i], tt.want[i])
				}
			}
			checkPortByPort(t, s, tt.protocol, except, got)
		})
	}
}

// checkPortByPort holds Exposures against Exposure, port by port where the
// bounds of the rules are.
func checkPortByPort(t *testing.T, s Set, p Protocol, except Addrs, got []PortExposure) {
	t.Helper()
	for i := range 400 {
		port := (65536 - 200 + i) % 65536
		want := Exposure(s, p, uint16(port), except).Reach()
		reach := Internal
		for _, e := range got {
			if int(e.Ports.Lo) <= port && port <= int(e.Ports.Hi) {
				reach = e.Measure.Reach()
			}
		}
		if reach != want {
			t.Fatalf("port %d: got %v, want %v", port, reach, want)
		}
	}
}

func TestReachString(t *testing.T) {
	t.Parallel()
	for r, want := range map[Reach]string{Internal: "internal", External: "external", Internet: "internet", 9: "Reach(9)"} {
		if got := r.String(); got != want {
			t.Errorf("text of %d: got %q, want %q", uint8(r), got, want)
		}
	}
}
