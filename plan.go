package dera

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// Plan is the complete, ordered list of changes that a remediation makes to
// one resource. It is data: what is shown is what is approved is what is done.
type Plan struct {
	Partition string   `json:"partition"`
	Account   string   `json:"account"`
	Region    string   `json:"region"`
	Resource  ARN      `json:"resource"`
	Type      string   `json:"type"`
	Control   string   `json:"control"`
	Keys      []string `json:"keys"` // the semantic keys of the failures that it removes
	Changes   []Change `json:"changes"`
}

// StageSid names a statement that denies for now what is to go out of a policy.
const StageSid = "DeraStaged"

// StageWatch is for how many days denials by such a statement are looked for at least: for as
// long as it is to stand, and as long again as the plan that takes it away may wait.
const StageWatch = 62

// StagedKey is the key of findings on what such a statement denied for long enough.
const StagedKey = "unused/staged"

// Stages reports whether the plan denies something for now that is to go out of a policy.
func (p Plan) Stages() bool {
	return slices.ContainsFunc(p.Changes, func(c Change) bool { return bytes.Contains(c.After, []byte(StageSid)) })
}

// OnlyStages reports whether each change of the plan does that, and none takes out what was
// denied before.
func (p Plan) OnlyStages() bool {
	return !slices.Contains(p.Keys, StagedKey) && !slices.ContainsFunc(p.Changes, func(c Change) bool { return !bytes.Contains(c.After, []byte(StageSid)) })
}

// Change is one AWS write. Input, Before and After are JSON in the shape that
// the operation and its version define (package resource).
type Change struct {
	Operation string          `json:"operation"` // for example ec2:RevokeSecurityGroupIngress
	Version   int             `json:"version"`
	Input     json.RawMessage `json:"input"`
	Before    json.RawMessage `json:"before,omitempty"`
	After     json.RawMessage `json:"after,omitempty"`
	Undo      *Undo           `json:"undo,omitempty"`
	// Diff holds the change for people and for the audit leaf, one line each,
	// starting with + or -. It carries no free text of the customer.
	Diff []string `json:"diff"`
	// Optional says that the plan is as good without this change, for example a
	// tag: that it does not take effect is noted and nothing is undone for it.
	Optional bool `json:"optional,omitempty"`
	// Kept says of a change without an undo that a rollback leaves it, for example a snapshot:
	// it takes nothing from anybody.
	Kept bool `json:"kept,omitempty"`
}

// Undo is the write that takes a change back. Its input may name an output of
// its own change as ${out.NAME}; it is resolved when the result is recorded.
type Undo struct {
	Operation string          `json:"operation"`
	Version   int             `json:"version"`
	Input     json.RawMessage `json:"input"`
}

// Digest is the SHA-256, in hex, of the canonical JSON (RFC 8785) of where the
// plan acts and of the operations, versions, inputs and befores of its changes.
// It holds no time: the same plan made twice has the same digest.
func (p Plan) Digest() (string, error) {
	type change struct {
		Operation string          `json:"operation"`
		Version   int             `json:"version"`
		Input     json.RawMessage `json:"input"`
		Before    json.RawMessage `json:"before"`
	}
	doc := struct {
		Partition string   `json:"partition"`
		Account   string   `json:"account"`
		Region    string   `json:"region"`
		Resource  ARN      `json:"resource"`
		Control   string   `json:"control"`
		Changes   []change `json:"changes"`
	}{p.Partition, p.Account, p.Region, p.Resource, p.Control, []change{}}
	for _, c := range p.Changes {
		before := c.Before
		if before == nil {
			before = json.RawMessage("null")
		}
		doc.Changes = append(doc.Changes, change{c.Operation, c.Version, c.Input, before})
	}
	text, err := CanonicalJSON(doc)
	if err != nil {
		return "", fmt.Errorf("digest plan for %s: %w", p.Resource, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Diff returns the lines of all changes in order.
func (p Plan) Diff() []string {
	var out []string
	for _, c := range p.Changes {
		out = append(out, c.Diff...)
	}
	return out
}

// CodeDiff is a plan as infrastructure as code: what its owner would change in
// their text instead of dera's writing to the resource.
type CodeDiff struct {
	Language string   `json:"language"` // terraform or cloudformation
	Lines    []string `json:"lines"`    // a unified diff
}

// Verdict is the answer to a claim: proved, refuted or unknown.
type Verdict string

// The verdicts. Only Proved lets automation act.
const (
	Proved  Verdict = "proved"
	Refuted Verdict = "refuted"
	Unknown Verdict = "unknown"
)

// Claim is one statement about a plan with its verdict. A refuted claim carries
// a concrete counterexample.
type Claim struct {
	Name    string  `json:"name"`
	Says    string  `json:"says"`
	Verdict Verdict `json:"verdict"`
	Witness string  `json:"witness,omitempty"`
}

// Evidence is a typed, versioned and content-addressed proof that travels with
// a plan. Body is canonical JSON that an offline checker can re-compute; its
// hash stands in the audit leaf.
type Evidence struct {
	Kind   string  `json:"kind"` // for example network/1
	Claims []Claim `json:"claims"`
	Denied string  `json:"denied,omitempty"` // a concrete request that worked before and does not after
	// Compared says how what others recommend differs from the plan, one line each. It is
	// computed from the body as well, and decides nothing.
	Compared []string        `json:"compared,omitempty"`
	Body     json.RawMessage `json:"body"`
	Control  string          `json:"control"`
}

// Proved reports whether there is at least one claim and all are proved.
func (e Evidence) Proved() bool {
	for _, c := range e.Claims {
		if c.Verdict != Proved {
			return false
		}
	}
	return len(e.Claims) > 0
}

// Blob returns the canonical JSON of the evidence and its SHA-256 in hex.
func (e Evidence) Blob() (text []byte, hash string, err error) {
	text, err = CanonicalJSON(e)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(text)
	return text, hex.EncodeToString(sum[:]), nil
}
