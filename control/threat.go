package control

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// ThreatRule says that threats of a type, from a severity on, may be answered automatically.
// In which places is the guardrail's.
type ThreatRule struct {
	Type     string // glob of GuardDuty's finding types
	Severity dera.Severity
}

// Answers reports whether a threat may be answered automatically by one of the rules.
func (s Settings) Answers(t resource.Threat) bool {
	return slices.ContainsFunc(s.Threats, func(r ThreatRule) bool { return t.Grade() >= r.Severity && dera.MatchGlob(r.Type, t.Type) })
}

// ThreatReads are the IAM actions with which the port of threats reads.
func ThreatReads() []string {
	return []string{"guardduty:GetFindings", "guardduty:ListDetectors", "guardduty:ListFindings"}
}

// ThreatPart is the part of a type that a threat can be about.
func ThreatPart() resource.Part {
	return resource.Part{Name: "threats", Port: resource.PortThreats, Also: ThreatReads(), Cheap: true, Around: true}
}

// mostThreats is how many threats of one type are written out.
const mostThreats = 3

// Reported is what a control finds by the threats on a resource: one failure for each of
// GuardDuty's finding types, with that as its key. start says how far one may go, and why no
// further; it is asked about those alone that a rule of the settings answers.
func Reported(m Meta, known *resource.Threats, s Settings, start func(resource.Threat) (dera.Disposition, string)) Result {
	switch {
	case known == nil:
		return Result{Outcome: UnknownResult, Why: "what GuardDuty reports could not be read"}
	case len(known.List) == 0 && len(known.Without) > 0:
		return Result{Outcome: UnknownResult, Why: strings.Join(known.Without, "; ")}
	case len(known.List) == 0 && known.Detectors == 0:
		return Result{Outcome: NotApplicable}
	case len(known.List) == 0:
		return Result{Outcome: Pass}
	}
	r := Result{Outcome: Fail, Whole: len(known.Without) == 0}
	for rest := known.List; len(rest) > 0; {
		kind := rest[0].Type
		of := func(t resource.Threat) bool { return t.Type == kind }
		same := slices.DeleteFunc(slices.Clone(rest), func(t resource.Threat) bool { return !of(t) })
		rest = slices.DeleteFunc(slices.Clone(rest), of)
		f := Failure{Key: kind, Start: dera.Auto, Title: m.Title}
		var why []string
		for i, t := range same {
			next, because := dera.Review, "A person decides: no entry of threats.automatic is about it."
			if s.Answers(t) {
				next, because = start(t)
			}
			f.Severity, f.Start = max(f.Severity, t.Grade()), f.Start.Lower(next)
			if i < mostThreats {
				why = append(why, t.Text())
			}
			if because != "" && !slices.Contains(why, because) {
				why = append(why, because)
			}
		}
		if n := len(same) - mostThreats; n > 0 {
			why = append(why, fmt.Sprintf("There are %d more.", n))
		}
		f.Why = strings.Join(why, " ")
		r.Failures = append(r.Failures, f)
	}
	return r
}
