package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
)

// TestCalls: the page of what reading costs is made from the wires. After a change:
// go test ./cmd/dera -run TestCalls -update.
func TestCalls(t *testing.T) {
	t.Parallel()
	const path = "../../docs/calls.md"
	want := callsPage(wires())
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what the wires make (%v): run go test ./cmd/dera -run TestCalls -update", path, err)
	}
}

func callsPage(list []cloud.Wire) string {
	var b strings.Builder
	b.WriteString("# What reading costs\n\nGenerated from the types. A sweep lists the resources of a type page by page; what fails a quick look is read again with what only a plan needs. " +
		"Calls that are read once for all resources of a look, and further pages of one call, are not counted apart. Parts that a listing tells cost no call of their own.\n\n" +
		"| type | each page of a sweep | and each resource of it | and each that fails |\n|---|---|---|---|\n")
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b cloud.Wire) int { return strings.Compare(a.Type, b.Type) })
	for _, w := range list {
		var page, each, plan []string
		for _, r := range w.Readers {
			cheap, port, action := false, false, ""
			for _, p := range w.Parts {
				if slices.Contains(r.Parts, p.Name) {
					cheap, port, action = cheap || p.Cheap, port || p.Port != "", firstOf(action, p)
				}
			}
			call := r.Call
			if call == "" {
				call = action
			}
			switch {
			case port || call == "":
			case r.Many != nil && cheap:
				page = append(page, call)
			case cheap:
				each = append(each, call)
			default:
				plan = append(plan, call)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", w.Type, callList("the listing", page), callList("", each), callList("", plan))
	}
	return b.String()
}

func firstOf(action string, p resource.Part) string {
	if action == "" {
		return p.Action
	}
	return action
}

// callList is a list of calls behind how many they are.
func callList(first string, calls []string) string {
	slices.Sort(calls)
	calls = slices.Compact(calls)
	if first != "" {
		calls = append([]string{first}, calls...)
	}
	if len(calls) == 0 {
		return "–"
	}
	return fmt.Sprintf("%d: %s", len(calls), strings.Join(calls, ", "))
}
