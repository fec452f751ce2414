package dera

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FindingState says where a finding stands.
type FindingState string

// The states of a finding. Open and Unknown count as left open; an exempt
// finding stays Open with the disposition exempt.
const (
	FindingOpen     FindingState = "open"
	FindingUnknown  FindingState = "unknown" // the configuration could not be judged
	FindingResolved FindingState = "resolved"
)

// Finding is one resource that fails one control in one way. Its ID does not
// change when the resource is fixed, rolled back and fails again.
type Finding struct {
	ID           string `json:"id"`
	Control      string `json:"control"`
	Partition    string `json:"partition"`
	Account      string `json:"account"`
	Region       string `json:"region"`
	Resource     ARN    `json:"resource"`
	ResourceType string `json:"resource_type"`
	ResourceName string `json:"resource_name,omitempty"`
	Key          string `json:"key"` // semantic part of the ID, for example tcp/22
	// Sources are the CIDRs of the rules that open it, and Permissions the IAM
	// actions or ACL permissions that it grants, as they are written.
	Sources     []string `json:"sources,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	// Widened is when it was last seen with permissions that it did not have at the look
	// before; zero where it has none that its first look did not show.
	Widened time.Time `json:"widened,omitzero"`
	// Granted says of a finding on unused permissions how much is granted and used.
	Granted *GrantedUse `json:"granted,omitempty"`
	// Used says of a finding about use how far what is recorded of it goes: it is resolved
	// only when an incident covers that.
	Used        *LastUse     `json:"used,omitempty"`
	Severity    Severity     `json:"severity"`
	Title       string       `json:"title"`
	Why         string       `json:"why"`
	Start       Disposition  `json:"start"`       // what the control proposed
	Disposition Disposition  `json:"disposition"` // what the gate decided
	State       FindingState `json:"state"`
	Reasons     []Reason     `json:"reasons"`
	Remediation string       `json:"remediation,omitempty"` // the latest one
	FirstSeen   time.Time    `json:"first_seen"`
	LastSeen    time.Time    `json:"last_seen"`
	ResolvedAt  *time.Time   `json:"resolved_at,omitempty"`
	RolledBack  int          `json:"rolled_back,omitempty"` // times that a fix was rolled back
	Actor       string       `json:"actor,omitempty"`       // who caused it, as far as an event told
	// LastActor and LastAgent are who changed the resource last and with which
	// program, at LastChange, as an authenticated event told; never dera itself.
	LastActor  string    `json:"last_actor,omitempty"`
	LastAgent  string    `json:"last_agent,omitempty"`
	LastChange time.Time `json:"last_change,omitzero"`
	// Owner is who should hear of it, and OwnerSource how that is known: tag,
	// account or actor.
	Owner       string `json:"owner,omitempty"`
	OwnerSource string `json:"owner_source,omitempty"`
	// LastFailure is the last fix of it that failed, while it is open.
	LastFailure *FixFailure `json:"last_failure,omitempty"`
	// WaitsFor is the remediation of the same resource that has to end first.
	WaitsFor string `json:"waits_for,omitempty"`
	// Returns are the last times that it came back after dera had fixed it.
	Returns []time.Time `json:"returns,omitempty"`
	// Reopened is when it was last found open again after it had been resolved, whoever had; zero for never.
	Reopened time.Time `json:"reopened,omitzero"`
}

// FixFailure is a fix that failed: nothing of it is in effect, unless its undo
// failed too.
type FixFailure struct {
	Remediation string    `json:"remediation"`
	State       State     `json:"state"` // failed or undo_failed
	At          time.Time `json:"at"`
	Why         string    `json:"why"`
}

// FindingID derives the ID that a finding gets when it is first seen: f- and 20
// hex digits of the SHA-256 of where, what and how. It keeps that ID when its
// range of ports changes, and with it its key.
func FindingID(resourceKey, control, key string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"dera-finding-v1", resourceKey, control, key}, "\x00")))
	return "f-" + hex.EncodeToString(sum[:10])
}

// GrantedUse is how much of what policies grant was used, in actions, and by whom they
// are held.
type GrantedUse struct {
	Principals []string `json:"principals"`
	Granted    int      `json:"granted"`
	Used       int      `json:"used"`
	Unused     int      `json:"unused"` // of these the finding is about
}

// ResourceKey identifies the resource of the finding.
func (f Finding) ResourceKey() string {
	return ResourceKey(f.Partition, f.Account, f.Region, f.Resource)
}

// LeftOpen reports whether the finding still needs someone: exempt and
// resolved ones do not.
func (f Finding) LeftOpen() bool {
	return f.State != FindingResolved && f.Disposition != Exempt
}

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

// KeyRange is the key of a finding about ports: tcp/22, udp/53-60, with /bounded
// where less than the internet reaches them. Family is the key without its ports.
type KeyRange struct {
	Family string // for example tcp, or tcp/bounded
	Lo, Hi int
}

// ParseKey reads the key of a finding about ports; ok is false for other keys.
func ParseKey(key string) (r KeyRange, ok bool) {
	protocol, rest, found := strings.Cut(key, "/")
	if !found || protocol != "tcp" && protocol != "udp" {
		return r, false
	}
	ports, suffix, more := strings.Cut(rest, "/")
	from, to, both := strings.Cut(ports, "-")
	if !both {
		to = from
	}
	lo, err := strconv.ParseUint(from, 10, 16)
	hi, err2 := strconv.ParseUint(to, 10, 16)
	if err != nil || err2 != nil || lo > hi {
		return r, false
	}
	r = KeyRange{Family: protocol, Lo: int(lo), Hi: int(hi)}
	if more {
		r.Family += "/" + suffix
	}
	return r, true
}

// Overlap is how many ports two keys of one family have in common.
func (r KeyRange) Overlap(o KeyRange) int {
	if r.Family != o.Family {
		return 0
	}
	return max(0, min(r.Hi, o.Hi)-max(r.Lo, o.Lo)+1)
}

// Extent is how far a finding reaches: through which opening, from where, to do
// what. An exemption or a rejection covers what it was given for and anything
// narrower, never more.
type Extent struct {
	Key         string   `json:"key"`
	Sources     []string `json:"sources,omitempty"`     // CIDRs of the rules that open it
	Permissions []string `json:"permissions,omitempty"` // IAM actions or ACL permissions, as written
}

// Extent is how far the finding reaches.
func (f Finding) Extent() Extent { return Extent{f.Key, f.Sources, f.Permissions} }

// GeneratorPrefix begins the generator of the findings that dera imports into Security Hub:
// they come back as events, and lead to no look.
const GeneratorPrefix = "dera/"
