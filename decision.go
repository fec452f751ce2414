package dera

import (
	"fmt"
	"time"
)

// Reason is the result of one guardrail (or of the control itself, under the
// name control): the disposition up to which it lets the finding through, and
// why in words that the owner of the resource understands.
type Reason struct {
	Guardrail   string      `json:"guardrail"`
	Disposition Disposition `json:"disposition"`
	Why         string      `json:"why"`
	Error       bool        `json:"error,omitempty"` // the guardrail itself failed
	Ref         string      `json:"ref,omitempty"`   // what it rests on: an exemption's ID and commit, a stop's ID …
}

// Decision is what the gate decided and the result of every guardrail, also of
// those that let the finding pass.
type Decision struct {
	Disposition Disposition `json:"disposition"`
	Mode        Mode        `json:"mode"`
	Reasons     []Reason    `json:"reasons"`
}

// Lowered returns the reasons that stand below auto: the ones that an approval
// must name to waive them.
func (d Decision) Lowered() []Reason {
	var out []Reason
	for _, r := range d.Reasons {
		if r.Disposition > Auto {
			out = append(out, r)
		}
	}
	return out
}

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

// Mode is how far dera may go for a control in an account. Its zero value is
// Observe: nothing is written.
type Mode int

// The modes, from least to most.
const (
	// Observe runs the whole path and writes nothing.
	Observe Mode = iota
	// ReviewOnly acts only on what a person approved.
	ReviewOnly
	// Enforce also acts automatically on findings whose decision is auto.
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

// Exemption is one reviewed entry of the exemption list: findings that it
// matches are left alone until it expires. Owner, reason and expiry are
// mandatory (requirement E1).
type Exemption struct {
	ID       string           `json:"id" yaml:"id"`
	Match    ExemptionMatch   `json:"match" yaml:"match"`
	Owner    string           `json:"owner" yaml:"owner"`
	Reason   string           `json:"reason" yaml:"reason"`
	Expires  time.Time        `json:"expires" yaml:"expires"`
	Position ExemptionFilePos `json:"-" yaml:"-"`
}

// ExemptionMatch says which findings an exemption covers: those that fit every
// field that is set. A match on a tag can only lower to review, since whoever
// changes a resource can tag it.
type ExemptionMatch struct {
	Controls  []string `json:"controls,omitempty" yaml:"controls,omitempty"`
	Accounts  []string `json:"accounts,omitempty" yaml:"accounts,omitempty"`
	OUs       []string `json:"ous,omitempty" yaml:"ous,omitempty"`
	Resources []string `json:"resources,omitempty" yaml:"resources,omitempty"` // ARN globs
	// Keys are finding keys or globs: each port of the finding must be covered. What
	// covers the internet covers bounded networks too.
	Keys        []string          `json:"keys,omitempty" yaml:"keys,omitempty"`
	Sources     []string          `json:"sources,omitempty" yaml:"sources,omitempty"`         // CIDRs that hold every source of the finding
	Permissions []string          `json:"permissions,omitempty" yaml:"permissions,omitempty"` // globs that hold every permission of it
	Tags        map[string]string `json:"tags,omitempty" yaml:"tags,omitempty"`
}

// ExemptionFilePos is where in which version of the file an exemption stands.
type ExemptionFilePos struct {
	File   string
	Line   int
	Commit string // git commit of the file, or the SHA-256 of its text
}

// Stop is a durable order to write nothing: everywhere, or in one account, or
// under one control. It is re-read before every AWS write.
type Stop struct {
	Account string    `json:"account,omitempty"`
	Control string    `json:"control,omitempty"`
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// Covers reports whether the stop holds for the account and control.
func (s Stop) Covers(account, control string) bool {
	return (s.Account == "" || s.Account == account) && (s.Control == "" || s.Control == control)
}

// Where says in words what the stop covers.
func (s Stop) Where() string {
	switch {
	case s.Account != "" && s.Control != "":
		return "account " + s.Account + ", control " + s.Control
	case s.Account != "":
		return "account " + s.Account
	case s.Control != "":
		return "control " + s.Control
	}
	return "everywhere"
}
