package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/reason"
)

// requestJSON is a request as --output json shows it.
type requestJSON struct {
	Action    string              `json:"action"`
	Resource  string              `json:"resource"`
	Principal string              `json:"principal,omitempty"`
	Context   map[string][]string `json:"context,omitempty"`
}

func newRequestJSON(r eval.Request) requestJSON {
	return requestJSON{r.Action, r.Resource, principalText(r.Principal), r.Context}
}

// witnessJSON is a request that contradicts a claim.
type witnessJSON struct {
	requestJSON
	Statement reason.Ref `json:"statement"`
	Reading   string     `json:"reading"`
}

func newWitnessJSON(w *reason.Witness) *witnessJSON {
	if w == nil {
		return nil
	}
	return &witnessJSON{newRequestJSON(w.Request), w.Statement, w.Reading.String()}
}

// verdictJSON is the answer to a question.
type verdictJSON struct {
	Verdict  string       `json:"verdict"`
	Cause    string       `json:"cause,omitempty"`
	Detail   string       `json:"detail,omitempty"`
	Witness  *witnessJSON `json:"witness,omitempty"`
	Readings []string     `json:"readings,omitempty"`
}

func newVerdictJSON(answer reason.Answer) verdictJSON {
	v := verdictJSON{Verdict: answer.Verdict.String(), Detail: answer.Detail, Witness: newWitnessJSON(answer.Witness)}
	if answer.Verdict == reason.Unknown {
		v.Cause = answer.Why.String()
	}
	for _, r := range answer.Readings {
		v.Readings = append(v.Readings, r.String())
	}
	return v
}

// principalText names a caller.
func principalText(p eval.Principal) string {
	switch {
	case p.ARN != "":
		return p.ARN
	case p.Canonical != "":
		return "canonical user " + p.Canonical
	case p.ID != "":
		return "unique ID " + p.ID
	case p.Type == eval.Anonymous:
		return "anybody, without credentials"
	}
	return ""
}

// printRequest writes a request in words, one line for each part.
func printRequest(a *cli, r eval.Request) {
	p := newPaint(a.out)
	line := func(name, value string) { a.printf("  %s %s\n", p.faint(fmt.Sprintf("%-10s", name)), value) }
	line("action", r.Action)
	line("resource", r.Resource)
	if text := principalText(r.Principal); text != "" {
		line("principal", text)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Context)) {
		var values []string
		for _, v := range r.Context[key] {
			values = append(values, quoteEmpty(v))
		}
		line("context", key+" = "+strings.Join(values, ", "))
	}
}

// quoteEmpty makes a value visible.
func quoteEmpty(v string) string {
	if v == "" || strings.TrimSpace(v) != v {
		text, _ := json.Marshal(v) // a string always has a JSON form
		return string(text)
	}
	return v
}

// printReading says under which reading a request was found, unless it is the usual one.
func printReading(a *cli, r reason.Reading) {
	if r != (reason.Reading{}) {
		a.printf("  %s %s\n", newPaint(a.out).faint("reading   "), r)
	}
}
