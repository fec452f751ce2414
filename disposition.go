package dera

import "fmt"

// Disposition is what is to be done about a finding. The order is the order of
// action: the gate may only move to the right, auto → review → alert → exempt
// (invariant I5).
type Disposition int

// The dispositions, from most to least action.
const (
	Auto Disposition = iota + 1
	Review
	Alert
	Exempt
)

var dispositionNames = [...]string{Auto: "auto", Review: "review", Alert: "alert", Exempt: "exempt"}

// String returns auto, review, alert or exempt.
func (d Disposition) String() string {
	if d < Auto || d > Exempt {
		return fmt.Sprintf("Disposition(%d)", int(d))
	}
	return dispositionNames[d]
}

// Lower returns the one of d and e that acts less.
func (d Disposition) Lower(e Disposition) Disposition { return max(d, e) }

// MarshalText implements encoding.TextMarshaler.
func (d Disposition) MarshalText() ([]byte, error) {
	if d < Auto || d > Exempt {
		return nil, fmt.Errorf("disposition %d is not one of auto, review, alert, exempt", int(d))
	}
	return []byte(d.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Disposition) UnmarshalText(b []byte) error {
	for v := Auto; v <= Exempt; v++ {
		if dispositionNames[v] == string(b) {
			*d = v
			return nil
		}
	}
	return fmt.Errorf("disposition %q is not one of auto, review, alert, exempt", b)
}
