package dera

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

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
	Kind    string          `json:"kind"` // for example network/1
	Claims  []Claim         `json:"claims"`
	Denied  string          `json:"denied,omitempty"` // a concrete request that worked before and does not after
	Body    json.RawMessage `json:"body"`
	Control string          `json:"control"`
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
