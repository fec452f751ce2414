package dera

import "fmt"

// Mode is how far dera may go for a control in an account. Its zero value is
// Observe: nothing is written.
type Mode int

// The modes, from least to most.
const (
	// Observe runs the whole path and writes nothing.
	Observe Mode = iota
	// ReviewOnly acts only on what a person approved.
	ReviewOnly
	// Enforce also acts by itself on findings whose decision is auto.
	Enforce
)

var modeNames = [...]string{Observe: "observe", ReviewOnly: "review", Enforce: "enforce"}

// String returns observe, review or enforce.
func (m Mode) String() string {
	if m < Observe || m > Enforce {
		return fmt.Sprintf("Mode(%d)", int(m))
	}
	return modeNames[m]
}

// ParseMode is the inverse of String.
func ParseMode(s string) (Mode, error) {
	for m := Observe; m <= Enforce; m++ {
		if modeNames[m] == s {
			return m, nil
		}
	}
	return Observe, fmt.Errorf("mode %q is not one of observe, review, enforce", s)
}

// MarshalText implements encoding.TextMarshaler.
func (m Mode) MarshalText() ([]byte, error) {
	if m < Observe || m > Enforce {
		return nil, fmt.Errorf("mode %d is not one of observe, review, enforce", int(m))
	}
	return []byte(m.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Mode) UnmarshalText(b []byte) error {
	v, err := ParseMode(string(b))
	if err != nil {
		return err
	}
	*m = v
	return nil
}
