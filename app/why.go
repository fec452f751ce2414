package app

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/iam/proof"
	"dera.example/dera/resource/evidence"
)

// Question is what dera why is asked: whether a change of dera denied a call, or refused a
// connection.
type Question struct {
	Call       *DeniedCall        `json:"call,omitempty"`
	Connection *RefusedConnection `json:"connection,omitempty"`
	// At is when it was denied. Without it, dera asks about now, and about the day before.
	At *time.Time `json:"at,omitempty"`
}

// DeniedCall is a denied call, as far as it is known.
type DeniedCall struct {
	Principal string `json:"principal"` // its ARN, or "anonymous"
	Action    string `json:"action"`
	Resource  string `json:"resource,omitempty"`
	// Policy is the type of the policy that denied it or, where Explicit is false, does not
	// allow it, as far as AWS says.
	Policy   string `json:"policy,omitempty"`
	Explicit bool   `json:"explicit,omitempty"`
	// Authorization is true where AWS answered that the caller is not authorized: no other
	// error counts then.
	Authorization bool `json:"authorization"`
}

// RefusedConnection is a refused connection. To is an address, sg-…, or eni-….
type RefusedConnection struct {
	From     string `json:"from"` // an address, a range, or sg-…
	To       string `json:"to"`
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
}

// Blame is the answer to a question.
type Blame string

// The answers.
const (
	BlameYes     Blame = "yes"           // a change of dera did it
	BlameNo      Blame = "no"            // none did, which is proved of each
	BlameUnknown Blame = "not_decidable" // Missing says why
)

// Why is the answer of dera why.
type Why struct {
	Question Question   `json:"question"`
	Answer   Blame      `json:"answer"`
	Did      []Culprit  `json:"did"`     // the changes that did it
	Perhaps  []Culprit  `json:"perhaps"` // the changes that may have done it
	RuledOut []RuledOut `json:"ruled_out"`
	// Missing is what is not known, without which nothing more can be said.
	Missing []string `json:"missing"`
	// AWS is what AWS says denied it; empty where it says nothing.
	AWS string `json:"aws,omitempty"`
	// Records is how many records of the audit log were read, from the first on.
	Records int64 `json:"records"`
}

// Culprit is a remediation that denied what is asked about, or may have.
type Culprit struct {
	Remediation string    `json:"remediation"`
	Record      int64     `json:"record"` // of the audit log: the intent of the change
	Control     string    `json:"control"`
	Account     string    `json:"account"`
	Region      string    `json:"region"`
	Resource    dera.ARN  `json:"resource"`
	At          time.Time `json:"at"`
	Took        []string  `json:"took"` // the diff of the changes, for people
	Why         string    `json:"why"`
	Undo        string    `json:"undo,omitempty"`  // the command that undoes it
	Grant       string    `json:"grant,omitempty"` // the command that gives only this back, for a time
}

// RuledOut is a remediation that did not do it, and why that is certain.
type RuledOut struct {
	Remediation string `json:"remediation"`
	Record      int64  `json:"record"` // the first of its writes
	Writes      int    `json:"writes"`
	Why         string `json:"why"`
	// Claims are what the independent checker accepted of its policies; whole policies, so
	// that they are printed nowhere.
	Claims []proof.Claim `json:"-"`
}

// grantBack is the command that gives back for a time just what was denied of what a change
// took; "" where there is none.
func grantBack(r dera.Remediation, q DeniedCall, flags string) string {
	d := dera.Denial{Remediation: r.ID, Principal: cloudtrail.Key(q.Principal), Actions: []string{q.Action}, Cause: dera.CauseUnknown}
	if list := GiveBackCommands(r, []dera.Denial{d}, flags); len(list) > 0 {
		return list[0]
	}
	return ""
}

// Validate says what is wrong with a question, or nothing.
func (q Question) Validate() error {
	switch {
	case q.Call != nil && q.Connection != nil, q.Call == nil && q.Connection == nil:
		return fmt.Errorf("ask about one denied request (the text of its error, or --principal and --action), or about one refused connection (--from, --to and --port)")
	case q.Call != nil:
		return q.Call.validate()
	}
	return q.Connection.validate()
}

func (c DeniedCall) validate() error {
	service, name, ok := strings.Cut(c.Action, ":")
	switch {
	case !ok || service == "" || name == "" || strings.ContainsAny(c.Action, "*? \t\n"):
		return fmt.Errorf("--action %q is no action of IAM: write it as service:Name, without wildcards", c.Action)
	case c.Principal != anonymous && dera.ARN(c.Principal).Account() == "":
		return fmt.Errorf("--principal %q is no ARN of a principal: write that of the role, user or session, or %s", c.Principal, anonymous)
	case strings.ContainsAny(c.Principal, "*? \t\n") || strings.HasSuffix(c.Principal, "/"):
		return fmt.Errorf("--principal %q is not one principal: write its whole ARN, without wildcards", c.Principal)
	case c.Resource != "" && c.Resource != "*" && !strings.HasPrefix(c.Resource, "arn:"):
		return fmt.Errorf("--resource %q is no ARN", c.Resource)
	}
	return nil
}

// anonymous is a caller who signs nothing.
const anonymous = "anonymous"

func (c RefusedConnection) validate() error {
	if _, err := c.source(); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(c.To); err != nil && !strings.HasPrefix(c.To, "sg-") && !strings.HasPrefix(c.To, "eni-") {
		return fmt.Errorf("--to %q is no address, security group (sg-…) or network interface (eni-…)", c.To)
	}
	if ports := slices.Contains([]string{"tcp", "udp"}, c.Protocol); ports && c.Port == 0 {
		return fmt.Errorf("--port is required with %s", c.Protocol)
	} else if !ports && c.Port != 0 {
		return fmt.Errorf("--port goes with tcp and udp, not with %s", c.Protocol)
	}
	_, err := evidence.Connection{Protocol: c.Protocol, Port: c.Port}.Packets()
	return err
}

// source is the range that a connection comes from; none for a security group.
func (c RefusedConnection) source() (netip.Prefix, error) {
	if strings.HasPrefix(c.From, "sg-") {
		return netip.Prefix{}, nil
	}
	if a, err := netip.ParseAddr(c.From); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(c.From)
	if err != nil {
		return p, fmt.Errorf("--from %q is no address, range or security group (sg-…)", c.From)
	}
	return p.Masked(), nil
}

// said is what AWS says denied a call.
func (c DeniedCall) said() string {
	switch {
	case c.Policy == "" && c.Explicit:
		return "an explicit deny"
	case c.Policy == "":
		return ""
	case c.Explicit:
		return "an explicit deny in a " + c.Policy
	}
	return "no " + c.Policy + " allows " + c.Action
}

// key is the role or user of the caller without path and session.
func (c DeniedCall) key() string { return cloudtrail.Key(c.Principal) }
