package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// PortThreats is the port that tells what GuardDuty reports, a [Threatening]. Types that a
// threat can be about have a part that it fills.
const PortThreats = "GuardDuty"

// ThreatDays is for how many days a threat counts after GuardDuty last saw it. GuardDuty keeps
// its findings for 90 days.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings.html
const ThreatDays = 30

// Threatening tells what GuardDuty reports about resources of an account. Scope.IDs ask
// afresh, about what has one of them in the member of GuardDuty's findings; without IDs the
// answer is about all and may be a minute old. An error says that the caller ended; what could
// not be read is in the answer. It is safe for concurrent use.
type Threatening interface {
	Threats(ctx context.Context, at dera.Scope, member string) (Threats, error)
}

// The members of GuardDuty's findings by which resources are asked about.
//
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFindings.html
const (
	ThreatInstance = "resource.instanceDetails.instanceId"
	ThreatUser     = "resource.accessKeyDetails.userName"
)

// Threats are the open findings of GuardDuty, in all regions that were asked: no samples, and
// none that is archived.
type Threats struct {
	// Detectors is how many regions have one; with none GuardDuty does not look.
	Detectors int      `json:"detectors,omitempty"`
	List      []Threat `json:"list,omitempty"`
	// Without says of each region that could not be read why.
	Without []string `json:"without,omitempty"`
}

// Threat is one finding of GuardDuty.
type Threat struct {
	ID   string `json:"id"`
	Type string `json:"type"` // for example CryptoCurrency:EC2/BitcoinTool.B!DNS
	// Severity is GuardDuty's, from 1.0 to 10.0.
	Severity float64 `json:"severity"`
	Region   string  `json:"region,omitempty"`
	// First and Last are of what it is about.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// Kind is the resource as GuardDuty sorts it: Instance, AccessKey and others.
	Kind string `json:"kind,omitempty"`
	// Instance, User, UserType and Key are whom it is about; empty where it does not say.
	Instance string `json:"instance,omitempty"`
	User     string `json:"user,omitempty"`
	UserType string `json:"user_type,omitempty"`
	Key      string `json:"key,omitempty"`
	// From is the address that a call came from, as GuardDuty reports it; empty for none.
	From string `json:"from,omitempty"`
	// Sequence is true for one that GuardDuty made part of an attack sequence, and Signals is
	// how many an attack sequence has itself.
	Sequence bool `json:"sequence,omitempty"`
	Signals  int  `json:"signals,omitempty"`
}

// About are the threats of some of the types that the function picks; nil for none, without
// Detectors and Without where it is nil.
func (t *Threats) About(types []string, is func(Threat) bool) *Threats {
	if t == nil {
		return nil
	}
	out := &Threats{Detectors: t.Detectors, Without: t.Without}
	for _, x := range t.List {
		if x.Is(types) && is(x) {
			out.List = append(out.List, x)
		}
	}
	slices.SortFunc(out.List, func(a, b Threat) int { return strings.Compare(a.Type+" "+a.ID, b.Type+" "+b.ID) })
	return out
}

// Is reports whether the type is matched by one of the globs, and by none of those that begin
// with !.
func (t Threat) Is(globs []string) bool {
	match := false
	for _, g := range globs {
		if not, ok := strings.CutPrefix(g, "!"); ok {
			if dera.MatchGlob(not, t.Type) {
				return false
			}
			continue
		}
		match = match || dera.MatchGlob(g, t.Type)
	}
	return match
}

// Grade is GuardDuty's severity in dera's words.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
func (t Threat) Grade() dera.Severity {
	switch {
	case t.Severity >= 9:
		return dera.Critical
	case t.Severity >= 7:
		return dera.High
	case t.Severity >= 4:
		return dera.Medium
	}
	return dera.Low
}

// Text is the threat for people. It has nothing that grows while GuardDuty sees more of it.
func (t Threat) Text() string {
	out := fmt.Sprintf("GuardDuty reports %s (severity %.1f, finding %s", t.Type, t.Severity, t.ID)
	if t.Region != "" {
		out += " in " + t.Region
	}
	if !t.First.IsZero() {
		out += ", first seen at " + t.First.UTC().Format("2006-01-02 15:04 UTC")
	}
	if t.From != "" {
		out += ", a call from " + t.From
	}
	if t.Sequence {
		out += ", part of an attack sequence"
	}
	return out + ")."
}

// Sample reports whether what GuardDuty adds to a finding, as JSON, says that it is one that
// somebody had made to see what findings look like.
func Sample(additional string) bool {
	var info struct {
		Sample bool `json:"sample"`
	}
	return json.Unmarshal([]byte(additional), &info) == nil && info.Sample
}
