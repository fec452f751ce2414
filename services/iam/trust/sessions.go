package trust

import (
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// SessionsKind is the kind of evidence about their end.
const SessionsKind = "sessions/1"

// Sessions is what a proof about the end of sessions is about.
type Sessions struct {
	Role   string `json:"role"` // its ARN
	Name   string `json:"name"` // of the inline policy
	Policy string `json:"policy"`
	// Before is the moment before which the sessions began that end.
	Before time.Time `json:"before"`
	// Seen is the last recorded call of the role; zero where none is known.
	Seen time.Time `json:"seen,omitzero"`
}

// SessionsEvidence is the kind of Sessions.
func SessionsEvidence() evidence.Kind {
	return evidence.Kind{Name: SessionsKind, Remake: evidence.Remade[Sessions], Policies: func(body []byte) (evidence.Policies, error) {
		var s Sessions
		if err := evidence.Strict(body, &s); err != nil {
			return evidence.Policies{}, fmt.Errorf("read body of evidence: %w", err)
		}
		return evidence.Policies{After: s.Policy}, nil
	}}
}

// Evidence is the evidence that the body makes.
func (s Sessions) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(s)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("sessions evidence: %w", err)
	}
	older := "any action by a session of " + s.Role + " that began before " + s.Before.UTC().Format(time.RFC3339)
	same, why := dera.Proved, ""
	if !document.SamePolicy(s.Policy, EndingBefore(s.Before)) {
		same, why = dera.Refuted, "the policy says something else"
	}
	seen := "no call of the role is recorded that tells whether one of them is at work"
	if !s.Seen.IsZero() {
		seen = "the last recorded call of the role was at " + s.Seen.UTC().Format(time.RFC3339)
	}
	return dera.Evidence{Kind: SessionsKind, Body: body, Denied: older, Claims: []dera.Claim{
		{Name: "nothing_new", Says: "the new policy only denies", Verdict: same, Witness: why},
		{Name: "nothing_else_lost", Says: "it denies " + older + ", and nothing else: who begins a session after that may do what it could", Verdict: same, Witness: why},
		{Name: evidence.RecordedCalls, Says: "the role's own work in such sessions is denied too, until it begins a new one", Verdict: dera.Unknown, Witness: seen},
	}}, nil
}

// EndingBefore is the policy that ends sessions, as the console's "Revoke active
// sessions" makes it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
func EndingBefore(t time.Time) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"` + t.UTC().Format(time.RFC3339) + `"}}}]}`
}
