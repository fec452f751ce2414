package evidence

import (
	"net/netip"
	"testing"

	"dera.example/dera/netset"
	"dera.example/dera/resource"
)

// TestConnectionsLost: of what protocol and from where a connection is decides, exactly.
func TestConnectionsLost(t *testing.T) {
	t.Parallel()
	from := netip.MustParsePrefix("203.0.113.7/32")
	echo := netset.Product(netset.Over(netset.ICMP, 8<<8, 8<<8), netset.AddrsOf(netip.MustParsePrefix("0.0.0.0/0")))
	ssh := netset.Product(netset.Over(netset.TCP, 22, 22), netset.AddrsOf(netip.MustParsePrefix("0.0.0.0/0")))
	blob := func(old, now netset.Set, others ...string) []byte {
		ev, err := Network{Old: old, New: now, Forbidden: old.Subtract(now), OldOthers: others, NewOthers: others}.Evidence()
		if err != nil {
			t.Fatal(err)
		}
		text, _, err := ev.Blob()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	tests := []struct {
		name   string
		ask    Connection
		writes []resource.Taken
		blob   []byte
		want   ConnectionLoss
	}{
		{"port_closed", Connection{from, "tcp", 22}, []resource.Taken{{Gone: ssh}}, blob(ssh, netset.Set{}), ConnectionLost},
		{"another_port", Connection{from, "tcp", 23}, []resource.Taken{{Gone: ssh}}, nil, ConnectionKept},
		{"port_not_given", Connection{from, "tcp", 0}, []resource.Taken{{Gone: ssh}}, blob(ssh, netset.Set{}), ConnectionUnknown},
		{"ping_is_among_all_types", Connection{from, "icmp", 0}, []resource.Taken{{Gone: echo}}, blob(echo, netset.Set{}), ConnectionUnknown},
		{"another_protocol", Connection{from, "47", 0}, []resource.Taken{{Gone: echo}}, nil, ConnectionKept},
		{"no_evidence", Connection{from, "tcp", 22}, []resource.Taken{{Gone: ssh}}, nil, ConnectionUnknown},
		{"still_allowed", Connection{from, "tcp", 22}, []resource.Taken{{Gone: ssh}}, blob(ssh, ssh), ConnectionKept},
		{"a_group_may_still_allow_it", Connection{from, "tcp", 22}, []resource.Taken{{Gone: ssh}}, blob(ssh, netset.Set{}, "tcp 22 from sg-9"), ConnectionUnknown},
		{"a_rule_of_a_group_went", Connection{from, "tcp", 22}, []resource.Taken{{Symbolic: ssh}}, blob(netset.Set{}, netset.Set{}), ConnectionUnknown},
		{"source_without_addresses", Connection{netip.Prefix{}, "tcp", 22}, []resource.Taken{{Gone: ssh}}, blob(ssh, netset.Set{}), ConnectionUnknown},
		{"ipv6_was_never_open", Connection{netip.MustParsePrefix("2001:db8::/32"), "tcp", 22}, []resource.Taken{{Gone: ssh}}, nil, ConnectionKept},
		{"evidence_of_something_else", Connection{from, "tcp", 22}, []resource.Taken{{Gone: ssh}}, []byte(`{"kind":"settings/1"}`), ConnectionUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, why := ConnectionsLost(tt.ask, tt.writes, tt.blob)
			if got != tt.want || (why != "") != (got == ConnectionUnknown) {
				t.Errorf("got %d, %q; want %d", got, why, tt.want)
			}
		})
	}
}
