package netset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go4.org/netipx"
)

// entry is one line of a set in text and JSON: traffic, and who may send it.
type entry struct {
	Traffic Traffic  `json:"traffic"`
	From    []string `json:"from"`
}

func (a Set) entries() []entry {
	out := []entry{}
	for f, slabs := range [...][]slab{ipv4: a.v4, ipv6: a.v6} {
		for _, s := range slabs {
			addrs := Addrs{v4: s.addrs}
			if family(f) == ipv6 {
				addrs = Addrs{v6: s.addrs}
			}
			from := addrs.texts()
			for _, t := range s.traffic() {
				out = append(out, entry{t, from})
			}
		}
	}
	return out
}

// String lists the boxes of a, those of the same traffic together:
// "tcp/22 from 10.0.0.0/8, 192.0.2.1/32; all from ::/0". The empty set is
// "nothing". The text is for people; JSON is the form to read back.
func (a Set) String() string {
	entries := a.entries()
	if len(entries) == 0 {
		return "nothing"
	}
	lines := make([]string, len(entries))
	for i, e := range entries {
		lines[i] = e.Traffic.String() + " from " + strings.Join(e.From, ", ")
	}
	return strings.Join(lines, "; ")
}

// MarshalJSON writes a as an array of {"traffic", "from"} in canonical order:
// equal sets give equal bytes, which evidence may be hashed by.
//
//	[{"traffic":"tcp/0-21","from":["0.0.0.0/0"]},{"traffic":"tcp/22","from":["10.0.0.0/8"]}]
func (a Set) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for f, slabs := range [...][]slab{ipv4: a.v4, ipv6: a.v6} {
		for _, s := range slabs {
			from := appendFrom(nil, family(f), s.addrs)
			for _, t := range s.traffic() {
				if len(b) > 1 {
					b = append(b, ',')
				}
				// No text of traffic or addresses has anything to escape.
				b = append(append(append(b, `{"traffic":"`...), t.String()...), `","from":[`...)
				b = append(append(b, from...), "]}"...)
			}
		}
	}
	return append(b, ']'), nil
}

// appendFrom appends the texts of the addresses, quoted.
func appendFrom(b []byte, f family, addrs []span) []byte {
	for i, s := range addrs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendRange(append(b, '"'), s.ipRange(f)), '"')
	}
	return b
}

// UnmarshalJSON reads what MarshalJSON writes, and any other array of that
// form: order and overlap do not matter. Unknown keys, null and texts that are
// not exactly understood are errors, and leave a as it was.
func (a *Set) UnmarshalJSON(data []byte) error {
	var entries []entry
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&entries); err != nil {
		return fmt.Errorf("read network set: %w", err)
	}
	if entries == nil {
		return fmt.Errorf("read network set: null is no set")
	}
	var boxes []Box
	for _, e := range entries {
		for _, s := range e.From {
			r, err := rangeFromText(s)
			if err != nil {
				return fmt.Errorf("read network set: %w", err)
			}
			boxes = append(boxes, Box{e.Traffic, r})
		}
	}
	*a = Of(boxes...)
	return nil
}

// rangeFromText is the inverse of rangeText.
func rangeFromText(s string) (netipx.IPRange, error) {
	if strings.Contains(s, "-") {
		return netipx.ParseIPRange(s)
	}
	p, err := Prefix(s)
	return netipx.RangeOfPrefix(p), err
}
