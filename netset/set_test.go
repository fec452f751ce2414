package netset

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"strings"
	"testing"

	"go4.org/netipx"
	"pgregory.net/rapid"
)

func TestSetText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		set  Set
		want string
	}{
		{"empty", Set{}, "nothing"},
		{"touching_ports_join", setOf(t,
			rule{"tcp", 20, 21, []string{"10.0.0.0/8"}}, rule{"tcp", 22, 30, []string{"10.0.0.0/8"}},
		), "tcp/20-30 from 10.0.0.0/8"},
		{"halves_join", setOf(t, rule{"-1", 0, 0, []string{"0.0.0.0/1", "128.0.0.0/1"}}), "all from 0.0.0.0/0"},
		{"not_a_prefix", setOf(t, rule{"udp", 53, 53, []string{"10.0.0.0/31", "10.0.0.2/32"}}),
			"udp/53 from 10.0.0.0-10.0.0.2"},
		{"ports_cut_from_all", setOf(t, rule{"-1", 0, 0, []string{"0.0.0.0/0"}}).Subtract(Product(Over(TCP, 22, 22), Everywhere())),
			"0-5 from 0.0.0.0/0; tcp/0-21 from 0.0.0.0/0; tcp/23-65535 from 0.0.0.0/0; 7-255 from 0.0.0.0/0"},
		{"first_and_last_cut", setOf(t, rule{"-1", 0, 0, []string{"::/0"}}).
			Subtract(Product(Over(0, 0, 5), Everywhere())).Subtract(Product(Over(255, 9, 65535), Everywhere())),
			"0/6-65535 from ::/0; 1-254 from ::/0; 255/0-8 from ::/0"},
		{"families_and_icmp", setOf(t, rule{"icmpv6", 128, 0, []string{"::/0"}}, rule{"icmp", 8, -1, []string{"10.0.0.0/8"}}),
			"icmp/8:0-8:255 from 10.0.0.0/8; icmpv6/128:0 from ::/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.set.String(); got != tt.want {
				t.Errorf("text:\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestBoxesWithoutPoints(t *testing.T) {
	t.Parallel()
	any4 := netipx.RangeOfPrefix(netip.MustParsePrefix("0.0.0.0/0"))
	tests := []struct {
		name string
		box  Box
	}{
		{"zero", Box{}},
		{"no_addresses", Box{Traffic: EveryTraffic()}},
		{"reversed_addresses", Box{EveryTraffic(), netipx.IPRangeFrom(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.0"))}},
		{"mixed_families", Box{EveryTraffic(), netipx.IPRangeFrom(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::"))}},
		{"reversed_ports", Box{Over(TCP, 2, 1), any4}},
		{"reversed_protocols", Box{Traffic{Protocols{7, 6}, EveryPort()}, any4}},
		{"invalid_prefix", EveryTraffic().From(netip.Prefix{})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Of(tt.box); !got.IsEmpty() || !got.Equal(Set{}) {
				t.Errorf("set of %v: got %v, want nothing", tt.box.Traffic, got)
			}
		})
	}
}

func TestContainsOddAddresses(t *testing.T) {
	t.Parallel()
	all4, all := setOf(t, rule{"-1", 0, 0, []string{"0.0.0.0/0"}}), Product(EveryTraffic(), Everywhere())
	tests := []struct {
		name      string
		addr      netip.Addr
		all4, all bool
	}{
		{"invalid", netip.Addr{}, false, false},
		{"ipv4", netip.MustParseAddr("10.0.0.1"), true, true},
		{"mapped_is_ipv6", netip.MustParseAddr("::ffff:10.0.0.1"), false, true},
		{"zone_is_ignored", netip.MustParseAddr("fe80::1%eth0"), false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := Point{tt.addr, TCP, 22}
			if got4, got := all4.Contains(p), all.Contains(p); got4 != tt.all4 || got != tt.all {
				t.Errorf("IPv4 and all contain %v: got %t, %t, want %t, %t", tt.addr, got4, got, tt.all4, tt.all)
			}
			if got := Everywhere().Contains(tt.addr); got != tt.all {
				t.Errorf("everywhere contains %v: got %t, want %t", tt.addr, got, tt.all)
			}
		})
	}
}

func TestWitness(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		a, b []rule
		want string // "" when a is a subset of b
	}{
		{"public_first", []rule{{"tcp", 0, 65535, []string{"0.0.0.0/0"}}},
			[]rule{{"tcp", 0, 21, []string{"0.0.0.0/0"}}, {"tcp", 23, 65535, []string{"0.0.0.0/0"}}}, "tcp/22 from 1.0.0.0"},
		{"private_if_need_be", []rule{{"tcp", 22, 22, []string{"10.0.0.0/8"}}},
			[]rule{{"tcp", 22, 22, []string{"10.0.0.0/9"}}}, "tcp/22 from 10.128.0.0"},
		{"ipv6", []rule{{"icmpv6", 128, 0, []string{"::/0"}}}, []rule{{"-1", 0, 0, []string{"0.0.0.0/0"}}}, "icmpv6/128:0 from ::2"},
		{"no_ports", []rule{{"47", 0, 0, []string{"9.9.9.9"}}}, nil, "47 from 9.9.9.9"},
		{"subset", []rule{{"tcp", 22, 22, []string{"10.0.0.0/9", "10.128.0.0/9"}}}, []rule{{"-1", 0, 0, []string{"10.0.0.0/8"}}}, ""},
		{"empty", nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ok, p := Subset(setOf(t, tt.a...), setOf(t, tt.b...))
			if ok != (tt.want == "") || !ok && p.String() != tt.want {
				t.Errorf("subset: got %t, %v, want %q", ok, p, tt.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	s := setOf(t, rule{"tcp", 0, 21, []string{"0.0.0.0/0"}}, rule{"icmp", 8, -1, []string{"10.0.0.0/31", "10.0.0.2"}}, rule{"-1", 0, 0, []string{"::/0"}})
	const want = `[{"traffic":"icmp/8:0-8:255","from":["10.0.0.0-10.0.0.2"]},` +
		`{"traffic":"tcp/0-21","from":["0.0.0.0/0"]},{"traffic":"all","from":["::/0"]}]`
	got, err := json.Marshal(s)
	if err != nil || string(got) != want {
		t.Errorf("JSON: got %s, %v, want %s", got, err, want)
	}
	if got, err := json.Marshal(Set{}); err != nil || string(got) != "[]" {
		t.Errorf("JSON of the empty set: got %s, %v, want []", got, err)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Of(drawBoxes(t, "x")...)
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Set
		if err := json.Unmarshal(data, &got); err != nil || !got.Equal(want) {
			t.Fatalf("%s reads back as %v, %v", data, got, err)
		}
	})
}

func TestJSONErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, want string }{
		{"null", `null`, "null"},
		{"object", `{}`, "cannot unmarshal"},
		{"unknown_key", `[{"traffic":"all","from":[],"to":[]}]`, "unknown field"},
		{"bad_traffic", `[{"traffic":"http","from":["0.0.0.0/0"]}]`, "parse protocol"},
		{"bad_cidr", `[{"traffic":"all","from":["0.0.0.0/99"]}]`, "parse CIDR"},
		{"bad_range", `[{"traffic":"all","from":["10.0.0.1-10.0.0.0"]}]`, "10.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := setOf(t, rule{"tcp", 22, 22, []string{"10.0.0.0/8"}})
			got := before
			err := got.UnmarshalJSON([]byte(tt.data))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("read %s: got %v, want an error about %q", tt.data, err, tt.want)
			}
			if !got.Equal(before) {
				t.Errorf("read %s: the set changed to %v", tt.data, got)
			}
		})
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`[{"traffic":"tcp/22","from":["10.0.0.0/8","::1-::5"]}]`))
	f.Add([]byte(`[{"traffic":"7-255","from":[]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s, again Set
		if json.Unmarshal(data, &s) != nil {
			return
		}
		checkCanonical(t, s)
		out, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &again); err != nil || !again.Equal(s) {
			t.Fatalf("%s reads back as %v, %v", out, again, err)
		}
	})
}

func TestCount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		count Count
		want  string
	}{
		{Count{}, "0"},
		{Count{0, 1<<64 - 1}, "18446744073709551615"},
		{Count{1, 0}, "18446744073709551616"},
		{Count{1<<64 - 1, 1<<64 - 1}, "340282366920938463463374607431768211455"},
	}
	for i, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			text, err := tt.count.MarshalText()
			if err != nil || string(text) != tt.want {
				t.Errorf("text: got %s, %v, want %s", text, err, tt.want)
			}
			var got Count
			if err := got.UnmarshalText(text); err != nil || got != tt.count {
				t.Errorf("%s reads back as %v, %v", text, got, err)
			}
			for j, other := range tests {
				if got, want := tt.count.Compare(other.count), big.NewInt(int64(i)).Cmp(big.NewInt(int64(j))); got != want {
					t.Errorf("compare %s with %s: got %d, want %d", tt.want, other.want, got, want)
				}
			}
		})
	}
}

func TestCountErrors(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "-1", "x", "0x1", "340282366920938463463374607431768211456"} {
		var c Count
		if err := c.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("read %q: got %v, want an error", text, c)
		}
	}
}

func TestProduct(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		traffic Traffic
		from    Addrs
		want    string
	}{
		{"all_of_a_protocol", Over(47, 0, 65535), Everywhere(), "47 from 0.0.0.0/0; 47 from ::/0"},
		{"protocols_by_ports", Traffic{Protocols{TCP, 7}, Ports{22, 23}}, Everywhere().IPv4(),
			"tcp/22-23 from 0.0.0.0/0; 7/22-23 from 0.0.0.0/0"},
		{"nobody", EveryTraffic(), Addrs{}, "nothing"},
		{"no_ports", Over(TCP, 2, 1), Everywhere(), "nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Product(tt.traffic, tt.from)
			checkCanonical(t, got)
			if got.String() != tt.want {
				t.Errorf("product: got %v, want %s", got, tt.want)
			}
		})
	}
}

func TestBoxString(t *testing.T) {
	t.Parallel()
	if got, want := Over(TCP, 22, 23).From(netip.MustParsePrefix("10.1.2.3/8")).String(), "tcp/22-23 from 10.0.0.0/8"; got != want {
		t.Errorf("text: got %q, want %q", got, want)
	}
}
