package dera

import "time"

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
