package dera

import "time"

// Actor is who did something: the engine itself, or a person with how their
// identity was established.
type Actor struct {
	Name string `json:"name"`
	How  string `json:"how,omitempty"` // engine, sts, slack, console, oidc
}

// RecordKind names what an audit record tells.
type RecordKind string

// The kinds of audit records.
const (
	RecordFinding   RecordKind = "finding"
	RecordDecision  RecordKind = "decision"
	RecordApproval  RecordKind = "approval"
	RecordRejection RecordKind = "rejection"
	RecordIntent    RecordKind = "intent"
	RecordResult    RecordKind = "result"
	RecordOutcome   RecordKind = "outcome"
	RecordRollback  RecordKind = "rollback"
	RecordStop      RecordKind = "stop"
	RecordResume    RecordKind = "resume"
	RecordIncident  RecordKind = "incident"
	RecordDenial    RecordKind = "denial"    // a principal was denied what a remediation had removed
	RecordAccess    RecordKind = "access"    // somebody asked for what a remediation took, or the time of that is over
	RecordAlarm     RecordKind = "alarm"     // what a person must hear of dera itself, or that it is over
	RecordCanary    RecordKind = "canary"    // the intent or the result of a write of dera doctor --canary
	RecordRetention RecordKind = "retention" // what was removed from the database for its age; the log itself is never cut
	RecordExport    RecordKind = "export"    // an evidence pack for an auditor was made
	RecordStart     RecordKind = "start"     // an engine started, with its version and configuration hash
)

// AuditRecord is one leaf of the audit log, as canonical JSON. It names what
// SOC 2 CC6.1 and CC6.2 ask for: actor, time, before-state, after-state, and
// beside them the finding, the decision with each guardrail's result, the exact
// diff and what was created. States that can carry secrets stand in the leaf as
// a keyed commitment; the payload itself lies encrypted outside of it.
type AuditRecord struct {
	Version     int               `json:"version"`
	Kind        RecordKind        `json:"kind"`
	Time        time.Time         `json:"time"`
	Actor       Actor             `json:"actor"`
	Account     string            `json:"account,omitempty"`
	Region      string            `json:"region,omitempty"`
	Resource    ARN               `json:"resource,omitempty"`
	Control     string            `json:"control,omitempty"`
	Findings    []string          `json:"findings,omitempty"`
	Remediation string            `json:"remediation,omitempty"`
	State       State             `json:"state,omitempty"`
	Severity    string            `json:"severity,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	Decision    *Decision         `json:"decision,omitempty"`
	Digest      string            `json:"plan_digest,omitempty"`
	Step        *int              `json:"step,omitempty"`
	Undo        bool              `json:"undo,omitempty"`
	Operation   string            `json:"operation,omitempty"`
	Diff        []string          `json:"diff,omitempty"`
	Output      map[string]string `json:"output,omitempty"`
	RequestID   string            `json:"request_id,omitempty"` // AWS's, of the request that a result is about
	Commitment  string            `json:"payload_commitment,omitempty"`
	BeforeHash  string            `json:"before_commitment,omitempty"`
	AfterHash   string            `json:"after_commitment,omitempty"`
	Evidence    string            `json:"evidence,omitempty"`
	Approval    *Approval         `json:"approval,omitempty"`
	Steps       []Step            `json:"steps,omitempty"`
	Interfaces  []string          `json:"interfaces,omitempty"`
	Unexpected  []string          `json:"unexpected_changes,omitempty"`
	Notes       []string          `json:"notes,omitempty"`
	Incident    *Incident         `json:"incident,omitempty"`
	Denial      *Denial           `json:"denial,omitempty"`
	Access      *Access           `json:"access,omitempty"`
	Alarm       *Alarm            `json:"alarm,omitempty"`
	Retention   *Retention        `json:"retention,omitempty"`
	Pack        *EvidencePack     `json:"pack,omitempty"`
	Why         string            `json:"why,omitempty"`
	// Sealed is the payload that the store encrypts and keeps outside the leaf;
	// Commitment is computed from it. It never reaches the leaf.
	Sealed []byte `json:"-"`
}

// EvidencePack is an evidence pack for an auditor: its period, from how many records with which root it
// was made, how it was sampled, and the SHA-256 of the list of its files' hashes.
type EvidencePack struct {
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Records int64     `json:"records"`
	Root    string    `json:"root"`
	Sample  int       `json:"sample"`
	Seed    string    `json:"seed,omitempty"`
	Sums    string    `json:"sums"`
}

// Retention is what was removed from the database for its age, in one commit.
type Retention struct {
	Findings     int `json:"findings,omitempty"`     // resolved ones
	Remediations int `json:"remediations,omitempty"` // ended ones, with their intents
	Calls        int `json:"calls,omitempty"`        // of dera's own principals, as CloudTrail has them
	Events       int `json:"events,omitempty"`       // that could not be read and were kept
	// Evidence are the hashes of the evidence that only these remediations named: what earlier
	// records say of it stays, and it cannot be read any more.
	Evidence []string `json:"evidence,omitempty"`
	// Before says, by the name of a kind, before which time it ended.
	Before map[string]time.Time `json:"before,omitempty"`
}

// Empty reports whether nothing was removed.
func (r Retention) Empty() bool {
	return r.Findings+r.Remediations+r.Calls+r.Events+len(r.Evidence) == 0
}
