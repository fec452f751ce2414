package netset

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseProtocols(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want Protocols
		out  string // the canonical text, "" for an error
	}{
		{"tcp", Protocols{6, 6}, "tcp"},
		{"TCP", Protocols{6, 6}, "tcp"},
		{"6", Protocols{6, 6}, "tcp"},
		{"udp", Protocols{17, 17}, "udp"},
		{"17", Protocols{17, 17}, "udp"},
		{"icmp", Protocols{1, 1}, "icmp"},
		{"icmpv6", Protocols{58, 58}, "icmpv6"},
		{"58", Protocols{58, 58}, "icmpv6"},
		{"47", Protocols{47, 47}, "47"},
		{"0", Protocols{0, 0}, "0"},
		{"255", Protocols{255, 255}, "255"},
		{"-1", Protocols{0, 255}, "all"},
		{"all", Protocols{0, 255}, "all"},
		{"256", Protocols{}, ""},
		{"-2", Protocols{}, ""},
		{"+6", Protocols{}, ""},
		{"0x6", Protocols{}, ""},
		{" tcp", Protocols{}, ""},
		{"gre", Protocols{}, ""},
		{"", Protocols{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			got, err := ParseProtocols(tt.text)
			if (err != nil) != (tt.out == "") || got != tt.want {
				t.Fatalf("parse: got %v, %v, want %v", got, err, tt.want)
			}
			if err == nil && got.String() != tt.out {
				t.Errorf("text: got %q, want %q", got.String(), tt.out)
			}
		})
	}
}

func TestProtocolDimensions(t *testing.T) {
	t.Parallel()
	for p := range Protocol(255) {
		ports := p == 6 || p == 17 || p == 33 || p == 132 || p == 136
		types := p == 1 || p == 58
		if p.HasPorts() != ports || p.HasTypes() != types {
			t.Errorf("protocol %d has ports, types: got %t, %t, want %t, %t", uint8(p), p.HasPorts(), p.HasTypes(), ports, types)
		}
	}
}

func TestParseTraffic(t *testing.T) {
	t.Parallel()
	n := func(n int32) *int32 { return &n }
	tests := []struct {
		name     string
		protocol string
		from, to *int32
		want     string // "" for an error
	}{
		{"tcp_port", "tcp", n(22), n(22), "tcp/22"},
		{"tcp_range", "6", n(0), n(1024), "tcp/0-1024"},
		{"tcp_all", "tcp", n(0), n(65535), "tcp"},
		{"port_zero", "tcp", n(0), n(0), "tcp/0"},
		{"last_port", "udp", n(65535), n(65535), "udp/65535"},
		{"all_ignores_ports", "-1", n(22), n(22), "all"},
		{"all_without_ports", "-1", nil, nil, "all"},
		{"gre_ignores_ports", "47", n(22), n(22), "47"},
		{"sctp_ignores_ports", "132", n(22), n(22), "132"},
		{"icmp_all", "icmp", n(-1), n(-1), "icmp"},
		{"icmpv6_without_ports", "icmpv6", nil, nil, "icmpv6"},
		{"icmp_type", "icmp", n(8), n(-1), "icmp/8:0-8:255"},
		{"icmp_type_22", "icmp", n(22), nil, "icmp/22:0-22:255"},
		{"icmp_type_code", "58", n(255), n(255), "icmpv6/255:255"},
		{"icmp_type_too_large", "icmp", n(256), n(0), ""},
		{"icmp_code_too_large", "icmp", n(3), n(256), ""},
		{"icmp_code_too_small", "icmp", n(3), n(-2), ""},
		{"icmp_code_of_all_types", "icmp", n(-1), n(3), ""},
		{"tcp_without_ports", "tcp", nil, nil, ""},
		{"tcp_without_end", "tcp", n(1), nil, ""},
		{"tcp_without_start", "tcp", nil, n(1), ""},
		{"tcp_negative", "tcp", n(-1), n(-1), ""},
		{"tcp_too_large", "tcp", n(0), n(65536), ""},
		{"tcp_reversed", "tcp", n(23), n(22), ""},
		{"unknown_protocol", "http", n(80), n(80), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseTraffic(tt.protocol, tt.from, tt.to)
			if (err != nil) != (tt.want == "") {
				t.Fatalf("parse: got %v, %v, want %q", got, err, tt.want)
			}
			if err == nil && got.String() != tt.want {
				t.Errorf("parse: got %q, want %q", got.String(), tt.want)
			}
		})
	}
}

func TestTrafficText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, want string // want "" for an error
	}{
		{"all", "all"},
		{"-1", "all"},
		{"tcp/22", "tcp/22"},
		{"6/22-22", "tcp/22"},
		{"tcp/0-65535", "tcp"},
		{"7-255", "7-255"},
		{"6-6", "tcp"},
		{"0-255", "all"},
		{"icmp/8:0-9:255", "icmp/8:0-9:255"},
		{"47/5", "47/5"},
		{"7-5", ""},
		{"7-x", ""},
		{"x-7", ""},
		{"0-256", ""},
		{"all/22", ""},
		{"6-7/22", ""},
		{"tcp/", ""},
		{"tcp/23-22", ""},
		{"tcp/1-2-3", ""},
		{"tcp/65536", ""},
		{"tcp/1-x", ""},
		{"icmp/8", ""},
		{"icmp/256:0", ""},
		{"icmp/8:256", ""},
		{"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			var got Traffic
			if err := got.UnmarshalText([]byte(tt.text)); (err != nil) != (tt.want == "") {
				t.Fatalf("parse: got %v, %v, want %q", got, err, tt.want)
			}
			if text, err := got.MarshalText(); tt.want != "" && (err != nil || string(text) != tt.want) {
				t.Errorf("text: got %q, %v, want %q", text, err, tt.want)
			}
		})
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, want string // want "" for an error
	}{
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"10.1.2.3/8", "10.0.0.0/8"},
		{"208.236.235.254/0", "0.0.0.0/0"},
		{"192.0.2.1", "192.0.2.1/32"},
		{"2001:db8::1/32", "2001:db8::/32"},
		{"2001:DB8::1", "2001:db8::1/128"},
		{"::1/0", "::/0"},
		{"::ffff:10.1.2.3/104", "10.0.0.0/8"},
		{"::ffff:10.1.2.3", "10.1.2.3/32"},
		{"::ffff:0:0/96", "0.0.0.0/0"},
		{"::ffff:0:0/95", "::fffe:0:0/95"},
		{"fe80::1%eth0/64", ""},
		{"fe80::1%eth0", ""},
		{"010.0.0.0/8", ""},
		{"10.0.0.0/08", ""},
		{"10.0.0.0/+8", ""},
		{"10.0.0.0/33", ""},
		{"10.0.0.0/0008", ""},
		{"::/129", ""},
		{"10.0.0.0/", ""},
		{"10.0.0.0/8/8", ""},
		{"/8", ""},
		{"10.0.0/8", ""},
		{"", ""},
		{"pl-12345678", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			got, err := Prefix(tt.text)
			if (err != nil) != (tt.want == "") {
				t.Fatalf("parse: got %v, %v, want %q", got, err, tt.want)
			}
			if err == nil && got.String() != tt.want {
				t.Errorf("parse: got %v, want %s", got, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), "parse CIDR") {
				t.Errorf("error does not say what was parsed: %v", err)
			}
		})
	}
}

func TestPrefixesNamesTheFirstWrong(t *testing.T) {
	t.Parallel()
	_, err := Prefixes("10.0.0.0/8", "10.0.0.0/99", "nonsense")
	if err == nil || !strings.Contains(err.Error(), "10.0.0.0/99") {
		t.Errorf("parse: got %v, want an error about 10.0.0.0/99", err)
	}
}

func FuzzPrefix(f *testing.F) {
	for _, s := range []string{"10.1.2.3/8", "::ffff:10.0.0.0/104", "2000::/3", "1.2.3.4", "fe80::1%x/10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Prefix(s)
		if err != nil {
			return
		}
		if !got.IsValid() || got != got.Masked() {
			t.Fatalf("prefix %q: got the unmasked %v", s, got)
		}
		if again, err := Prefix(got.String()); err != nil || again != got {
			t.Fatalf("prefix %q: %v reads back as %v, %v", s, got, again, err)
		}
		// What the standard library reads, it means as we do.
		if std, err := netip.ParsePrefix(s); err == nil && !std.Addr().Is4In6() && std.Masked() != got {
			t.Fatalf("prefix %q: got %v, want %v", s, got, std.Masked())
		}
	})
}

func FuzzTraffic(f *testing.F) {
	for _, s := range []string{"tcp/22", "all", "7-255", "icmp/8:0-8:255", "6/0-65535", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got, again Traffic
		if got.UnmarshalText([]byte(s)) != nil {
			return
		}
		if got.Ports.Lo > got.Ports.Hi || got.Protocols.Lo > got.Protocols.Hi {
			t.Fatalf("traffic %q: got the reversed %+v", s, got)
		}
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Fatalf("traffic %q: %v reads back as %v, %v", s, got, again, err)
		}
	})
}
