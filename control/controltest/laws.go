// Package controltest holds the control laws, written once and run for every
// control and every one of its cases: what a control promises beyond what it
// finds. A plan removes its findings and nothing else, no state on the way is
// wider than before or narrower than after, its evidence is proved and cannot be
// bent, its undo brings back the same configuration, and it needs no permission
// that is not declared.
package controltest

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/control"
)

// TB is what testing.T and the T of a property test share.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

var caseName = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

// RunAll holds the controls of a resource type, in whose folder the test runs,
// against the laws. The ID of each is SERVICE-TYPE-WHAT as the folders are named, and
// its cases stand in WHAT.txtar.
func (l Laws) RunAll(t *testing.T, list []control.Control) {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	prefix := filepath.Base(filepath.Dir(dir)) + "-" + filepath.Base(dir) + "-"
	cases := map[string]bool{}
	for _, c := range list {
		what, ok := strings.CutPrefix(c.ID, prefix)
		if !ok || c.Type != l.Type.Name {
			t.Errorf("control %s on %s: want an ID that starts with %s, on %s", c.ID, c.Type, prefix, l.Type.Name)
		}
		file := strings.ReplaceAll(what, "-", "_") + ".txtar"
		cases[file] = true
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			l.Run(t, c, file)
		})
	}
	files, err := filepath.Glob("*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !cases[f] {
			t.Errorf("%s holds the cases of no control", f)
		}
	}
}

// Run holds the control against the laws, on its own and over the cases in
// file. With -update it writes what the control does into the file first.
func (l Laws) Run(t *testing.T, c control.Control, file string) {
	t.Helper()
	cases := l.Read(t, c, file)
	if Update() {
		l.rewrite(t, c, file, cases)
		cases = l.Read(t, c, file)
	}
	t.Run("meta", func(t *testing.T) {
		t.Parallel()
		Meta(t, c)
	})
	var good, bad int
	seen := map[dera.Disposition]bool{}
	for _, k := range cases {
		res, err := c.Check(k.Resource, k.Settings)
		if err != nil {
			t.Fatalf("check case %s: %v", k.Name, err)
		}
		if len(res.Failures) > 0 {
			bad++
		} else {
			good++
		}
		for _, f := range res.Failures {
			seen[f.Start] = true
		}
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			if !caseName.MatchString(k.Name) {
				t.Errorf("case name: got %q, want lower_snake", k.Name)
			}
			if diff := cmp.Diff(k.Want, Report(t, c, k.Resource, k.Settings)); diff != "" {
				t.Errorf("findings and plan (-want +got):\n%s", diff)
			}
			if k.Plan != "" {
				if diff := cmp.Diff(k.Plan, planJSON(t, c, k)); diff != "" {
					t.Errorf("golden plan (-want +got):\n%s", diff)
				}
			}
			l.Hold(t, c, k.Resource, k.Settings)
		})
	}
	if good == 0 || bad == 0 {
		t.Errorf("%s: got %d good and %d bad cases, want some of both", file, good, bad)
	}
	for _, row := range c.Cases {
		if row.Disposition != dera.Exempt && !seen[row.Disposition] {
			t.Errorf("%s: no case starts at %s, which the disposition table promises", file, row.Disposition)
		}
	}
}
