package controltest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"dera.example/dera"
	"dera.example/dera/control"
)

var update = flag.Bool("update", false, "write what the code does into the files that tests compare it with")

// Update reports whether the test run is to rewrite expected files.
func Update() bool { return *update }

// Case is one entry of a control's file of cases.
type Case struct {
	Name     string
	Resource dera.Resource
	Settings control.Settings
	// Want is what the control finds and plans, as Report writes it.
	Want string
	// Plan is the golden plan as indented JSON; empty where the file has none.
	Plan string
}

// Read reads a file of cases for a control. base.json is a configuration, and
// NAME.patch what is different in a case (a merge patch, RFC 7396); NAME.json is a
// whole configuration. NAME.want is what Report says of it; NAME.settings (JSON)
// and NAME.plan.json may stand beside them.
func (l Laws) Read(t testing.TB, c control.Control, file string) []Case {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatalf("read cases of %s: %v", c.ID, err)
	}
	var cases []Case
	at := map[string]int{}
	var common []byte
	for _, f := range a.Files {
		name, ext, _ := strings.Cut(f.Name, ".")
		switch {
		case f.Name == baseCase+".json":
			common = f.Data
		case ext == "json" || ext == "patch":
			if _, twice := at[name]; twice {
				t.Fatalf("%s: case %s stands twice", file, name)
			}
			if ext == "patch" {
				if f.Data, err = patched(common, f.Data); err != nil {
					t.Fatalf("%s: %s: %v", file, f.Name, err)
				}
			}
			config, err := l.decode(f.Data)
			if err != nil {
				t.Fatalf("%s: %s: %v", file, f.Name, err)
			}
			at[name] = len(cases)
			cases = append(cases, Case{Name: name, Resource: l.Resource(config)})
		}
	}
	for _, f := range a.Files {
		base, ext, _ := strings.Cut(f.Name, ".")
		if base == baseCase {
			continue
		}
		i, ok := at[base]
		if !ok {
			t.Fatalf("%s: %s belongs to no case: there is no %s.patch or %s.json", file, f.Name, base, base)
		}
		switch ext {
		case "json", "patch":
		case "want":
			cases[i].Want = string(f.Data)
		case "plan.json":
			cases[i].Plan = string(f.Data)
		case "settings":
			if err := Strict(f.Data, &cases[i].Settings); err != nil {
				t.Fatalf("%s: %s: %v", file, f.Name, err)
			}
		default:
			t.Fatalf("%s: %s is none of NAME.patch, .json, .want, .settings, .plan.json", file, f.Name)
		}
	}
	return cases
}

// Resource is a resource of the type with the configuration, in a made-up
// account and region.
func (l Laws) Resource(config any) dera.Resource {
	r := dera.Resource{
		Partition: "aws", Account: "111122223333", Region: "eu-central-1", Type: l.Type.Name,
		Config: config, ReadAt: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), Full: true,
	}
	if l.Type.Global {
		r.Region = dera.GlobalRegion
	}
	r.ID, r.Name, r.Tags = l.Type.Identify(config)
	r.ARN = l.Type.ARN(r.Partition, r.Account, r.Region, r.ID)
	return r
}

// rewrite puts what the control does now into its file of cases.
func (l Laws) rewrite(t *testing.T, c control.Control, file string, cases []Case) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		base, ext, _ := strings.Cut(f.Name, ".")
		for _, k := range cases {
			switch {
			case k.Name != base:
			case ext == "plan.json":
				f.Data = []byte(planJSON(t, c, k))
			}
		}
		if ext == "want" {
			continue
		}
		out.Files = append(out.Files, f)
		for _, k := range cases {
			last := ext == "settings" || (ext == "json" || ext == "patch") && !hasFile(a, base+".settings")
			if k.Name == base && last {
				out.Files = append(out.Files, txtar.File{Name: base + ".want", Data: []byte(Report(t, c, k.Resource, k.Settings))})
			}
		}
	}
	if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

func hasFile(a *txtar.Archive, name string) bool {
	for _, f := range a.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// Report says what the control makes of the resource: the outcome if it is not
// fail; a line a failure, KEY DISPOSITION SEVERITY; and after a line "plan" the
// diff, or "refused CODE". Failures that start at different dispositions make
// one plan each, "plan auto" and "plan review", as the engine makes them.
func Report(t TB, c control.Control, r dera.Resource, s control.Settings) string {
	t.Helper()
	res, err := c.Check(r, s)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	var b strings.Builder
	if res.Outcome != control.Fail {
		fmt.Fprintln(&b, res.Outcome)
	}
	for _, f := range res.Failures {
		fmt.Fprintln(&b, f.Key, f.Start, f.Severity)
	}
	groups := grouped(res.Failures)
	for _, g := range groups {
		if len(groups) == 1 {
			fmt.Fprintln(&b, "plan")
		} else {
			fmt.Fprintln(&b, "plan", g[0].Start)
		}
		p, refusal, err := c.Plan(r, g, s)
		switch {
		case err != nil:
			t.Fatalf("plan: %v", err)
		case refusal != nil:
			fmt.Fprintln(&b, "refused", refusal.Code)
		default:
			for _, line := range p.Diff() {
				fmt.Fprintln(&b, line)
			}
		}
	}
	return b.String()
}

// grouped puts together the failures that one plan removes: those of auto, then
// those of review. Alerts have no plan.
func grouped(failures []control.Failure) [][]control.Failure {
	var out [][]control.Failure
	for _, d := range []dera.Disposition{dera.Auto, dera.Review} {
		var g []control.Failure
		for _, f := range failures {
			if f.Start == d {
				g = append(g, f)
			}
		}
		if len(g) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// planJSON is the golden form of the plans of a case.
// planJSON is a line for what each plan is about, and one for each change.
func planJSON(t TB, c control.Control, k Case) string {
	t.Helper()
	res, err := c.Check(k.Resource, k.Settings)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	var b strings.Builder
	line := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("golden plan of %s: %v", k.Name, err)
		}
		b.Write(append(text, '\n'))
	}
	for _, g := range grouped(res.Failures) {
		p, refusal, err := c.Plan(k.Resource, g, k.Settings)
		if refusal != nil || err != nil {
			t.Fatalf("case %s has a golden plan, but plan: %v, %v", k.Name, refusal, err)
		}
		changes := p.Changes
		p.Changes = nil
		line(p)
		for _, change := range changes {
			line(change)
		}
	}
	return b.String()
}

// Strict reads one JSON value without unknown members and nothing after it.
func Strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("text after the value")
	}
	return nil
}
