package dera

import "fmt"

// Severity is how bad a finding is, from Low to Critical. Its text forms are
// low, medium, high and critical.
type Severity int

// The severities, in rising order.
const (
	Low Severity = iota + 1
	Medium
	High
	Critical
)

var severityNames = [...]string{Low: "low", Medium: "medium", High: "high", Critical: "critical"}

// String returns the text form.
func (s Severity) String() string {
	if s < Low || s > Critical {
		return fmt.Sprintf("Severity(%d)", int(s))
	}
	return severityNames[s]
}

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) {
	if s < Low || s > Critical {
		return nil, fmt.Errorf("severity %d is not one of low, medium, high, critical", int(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(b []byte) error {
	for v := Low; v <= Critical; v++ {
		if severityNames[v] == string(b) {
			*s = v
			return nil
		}
	}
	return fmt.Errorf("severity %q is not one of low, medium, high, critical", b)
}
