// Package policytest holds the types of shape resourcepolicy to the control laws, and
// their wires to one suite.
package policytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// Laws holds the controls of a type, in whose folder the test runs, against the control
// laws; of is the part of a configuration that the shape is about.
func Laws(t *testing.T, typ resource.Type, of func(config any) *resourcepolicy.Config, controls []control.Control, more ...evidence.Kind) {
	t.Helper()
	controltest.Laws{
		Type: typ, Evidence: append(more, resourcepolicy.Evidence()),
		Decode: func(data []byte) (any, error) {
			config := typ.New()
			if err := controltest.Strict(data, config); err != nil {
				return nil, err
			}
			c := of(config)
			if c.ID == "" || c.Account == "" || c.ARN == "" {
				return nil, fmt.Errorf("the resource has no id, account or arn")
			}
			doc, err := c.Parsed()
			if err != nil || doc == nil {
				return config, nil // a control has to cope with what cannot be read
			}
			return config, doc.Validate(policy.Resource)
		},
		Surgical: func(t controltest.TB, before, after any, p dera.Plan) {
			t.Helper()
			old, now := of(before).Policy, of(after).Policy
			if old == now {
				return
			}
			touched := Surgical(t, old, now)
			var named []int
			for _, line := range p.Diff() {
				n := 0
				if _, err := fmt.Sscanf(line, "- statement %d", &n); err == nil && !slices.Contains(named, n-1) {
					named = append(named, n-1)
				}
			}
			slices.Sort(named)
			if !slices.Equal(named, touched) {
				t.Errorf("the diff names statements %v, the plan %v: %q", named, touched, p.Diff())
			}
		},
		Same: func(t controltest.TB, a, b any) bool {
			t.Helper()
			if of(a).Policy == of(b).Policy {
				x, errX := typ.Canon(a)
				y, errY := typ.Canon(b)
				return errX == nil && errY == nil && x == y
			}
			return document.SamePolicy(of(a).Policy, of(b).Policy)
		},
		Bodies: bodies,
	}.RunAll(t, controls)
}

// bodies are forgeries of a proof about a policy.
func bodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	if ev.Kind != resourcepolicy.EvidenceKind {
		return nil
	}
	var c resourcepolicy.Change
	if err := controltest.Strict(ev.Body, &c); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	same, aimless, kept, homeless, uncertified, foreign := c, c, c, c, c, c
	same.New = c.Old
	aimless.Goals = nil
	kept.Dropped, kept.Narrowed = nil, nil
	homeless.House = nil
	uncertified.NothingLost = c.NothingNew
	foreign.Account = "999988887777"
	out := []controltest.Forgery{{How: "the new policy is the old one", Body: same}, {How: "no finding is named", Body: aimless}, {How: "nothing goes", Body: kept}}
	elsewhere, beyond := c, c
	elsewhere.Resource, beyond.On = "arn:aws:sqs:eu-central-1:999988887777:other", document.Target{Actions: []string{"*"}}
	out = append(out, controltest.Forgery{How: "the account is another", Body: foreign}, controltest.Forgery{How: "the resource is another", Body: elsewhere},
		controltest.Forgery{How: "the policy decides about anything", Body: beyond})
	if c.NothingLost != c.NothingNew {
		out = append(out, controltest.Forgery{How: "a certificate is another", Body: uncertified})
	}
	if c.House != nil {
		elsewhere := c
		elsewhere.House = &document.House{Account: "999988887777"}
		out = append(out, controltest.Forgery{How: "there is no house", Body: homeless}, controltest.Forgery{How: "the house is another account", Body: elsewhere})
	}
	return out
}

// Surgical returns the statements that are not what they were, counted from
// 0. Each of them is gone, or has lost or got bytes but not both; what is new at the
// end is a part of one of them.
func Surgical(t controltest.TB, old, now string) (touched []int) {
	t.Helper()
	before, after := statements(old), statements(now)
	for i, text := range before {
		switch {
		case len(after) > 0 && after[0] == text:
			after = after[1:]
			continue
		case len(after) > 0 && (subsequence(text, after[0]) || subsequence(after[0], text)):
			after = after[1:]
		}
		touched = append(touched, i)
	}
	for _, text := range after {
		// A denial grants nothing.
		if !strings.Contains(text, `"Effect":"Deny"`) && !slices.ContainsFunc(touched, func(i int) bool { return within(text, before[i]) }) {
			t.Errorf("a statement is new that is no part of one that goes: %s", text)
		}
	}
	return touched
}

// subsequence reports whether a is b with some bytes left out.
func subsequence(a, b string) bool {
	for i := 0; i < len(b) && a != ""; i++ {
		if a[0] == b[i] {
			a = a[1:]
		}
	}
	return a == ""
}

// within reports whether one statement grants nothing that another does not.
func within(part, whole string) bool {
	wrap := func(text string) reason.Policies {
		doc, err := policy.Parse(`{"Version":"2012-10-17","Statement":` + text + `}`)
		if err != nil {
			return nil
		}
		return reason.Policies{doc}
	}
	return reason.Subset(context.Background(), wrap(part), wrap(whole), reason.Config{}).Verdict == reason.Proved
}

// statements are the texts of a policy's statements; what cannot be read is one
// text.
func statements(text string) []string {
	if text == "" {
		return nil
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return []string{text}
	}
	var out []string
	for i := range doc.Statements {
		span := doc.Statements[i].Span()
		out = append(out, text[span.Start:span.End])
	}
	return out
}
