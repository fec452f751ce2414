package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"dera.example/dera"
	"dera.example/dera/awssim"
)

// browserPages looks at each page of the whole demo, wide and narrow, light and dark, and writes
// pictures of them where DERA_SCREENSHOTS names a folder.
func browserPages(t *testing.T, b *browser) {
	var names []string
	for _, c := range demoCases() {
		names = append(names, c.name)
	}
	w := openWorld(t, nil, names...)
	if _, err := w.rollBack(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.calm()
	x := w.enter(b, "alice", 1280)
	plan := w.plan("bastion-eu")
	finding := plan.Findings[0]
	resolved, err := w.session.store.RemediationsIn(t.Context(), dera.Resolved)
	if err != nil || len(resolved) == 0 {
		t.Fatalf("nothing was fixed: %v", err)
	}
	if dir := os.Getenv("DERA_SCREENSHOTS"); dir != "" {
		for name, path := range map[string]string{"inbox": "/?r=" + plan.ID, "finding": "/f/" + finding, "overview": "/overview"} {
			x.open(w.base + path)
			if name == "overview" { // it is made every 5 seconds
				x.until(fmt.Sprintf("Number(document.querySelector('.cards td:nth-child(3)').innerText) >= %d", w.critical()))
			}
			x.picture(filepath.Join(dir, "console-"+name+".png"))
		}
		return
	}
	w.seesWhole(x)
	paths := []string{"/", "/overview", "/findings", "/findings?group=account", "/f/" + finding, "/r/" + plan.ID, "/r/" + resolved[0].ID, "/stop",
		"/privilege", "/rulebook", "/rulebook?control=" + plan.Control, "/exemptions", "/accounts", "/audit", "/audit/0", "/why"}
	for _, width := range []int64{1280, 390} {
		x.do(chromedp.EmulateViewport(width, 800))
		for _, path := range paths {
			for _, scheme := range []string{"light", "dark"} {
				x.scheme(scheme)
				where := fmt.Sprintf("%s at %d, %s", path, width, scheme)
				x.open(w.base + path)
				x.fits(where)
				b.accessible(x, where)
				x.calm(where)
			}
		}
	}
}

// critical is how many critical plans wait for a person.
func (w *browserWorld) critical() int {
	w.t.Helper()
	list, err := w.session.store.RemediationsIn(w.t.Context(), dera.Waiting)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(slices.DeleteFunc(list, func(r dera.Remediation) bool { return r.Severity != dera.Critical }))
}

// seesWhole: of the plan of median length, the approval and the whole diff are in a window of 1280 by 800.
func (w *browserWorld) seesWhole(x *tab) {
	w.t.Helper()
	list, err := w.session.store.RemediationsIn(w.t.Context(), dera.Waiting)
	if err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b dera.Remediation) int { return len(a.Plan.Diff()) - len(b.Plan.Diff()) })
	median := list[len(list)/2]
	x.open(w.base + "/?r=" + median.ID)
	for _, what := range []string{".chosen button.yes", ".chosen .diff"} {
		bottom := evaluated[float64](x, fmt.Sprintf("document.querySelector(%q).getBoundingClientRect().bottom", what))
		if over := evaluated[float64](x, "document.querySelector('footer').getBoundingClientRect().top"); bottom > over {
			w.t.Errorf("%s of %s (%s) ends %.0f below the top of the footer", what, median.ID, strings.Join(median.Plan.Diff(), "; "), bottom-over)
		}
	}
}

// picture writes what the window shows.
func (x *tab) picture(file string) {
	x.t.Helper()
	var png []byte
	x.do(chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(file, png, 0o644); err != nil {
		x.t.Fatal(err)
	}
}

// browserHostileNames has names that others choose: nothing of them runs, and the layout holds.
func browserHostileNames(t *testing.T, b *browser) {
	const script = `"><script>window.ran = 1</script><img src=x onerror="window.ran = 1">`
	names := []string{script, strings.Repeat("long", 2500), "\u202egnp.exe\u202c\u2066x\u200f", "{{7*7}}${7*7}' onfocus='window.ran=1"}
	w := openWorld(t, func(d *demo) {
		for i, name := range names {
			d.region(2).PutSecurityGroup(fmt.Sprintf("sg-0000000000000000%d", i), name, awssim.Rule{Protocol: "tcp", FromPort: 6379, ToPort: 6379, CIDR: "0.0.0.0/0", Description: name})
		}
	})
	x := w.enter(b, "alice", 1280)
	list, err := w.session.store.Findings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/", "/overview", "/findings", "/findings?group=resource", "/stop", "/findings?q=" + "%22%3E%3Cscript%3Ewindow.ran%3D1%3C%2Fscript%3E"}
	for i := range names {
		at := slices.IndexFunc(list, func(f dera.Finding) bool {
			return f.Resource.Name() == fmt.Sprintf("sg-0000000000000000%d", i) && f.Remediation != ""
		})
		if at < 0 {
			t.Fatalf("no plan waits for the group with name %d", i)
		}
		paths = append(paths, "/f/"+list[at].ID, "/r/"+list[at].Remediation, "/?r="+list[at].Remediation)
	}
	for _, width := range []int64{1280, 390} {
		x.do(chromedp.EmulateViewport(width, 800))
		for _, path := range paths {
			x.open(w.base + path)
			where := fmt.Sprintf("%s at %d", path, width)
			if evaluated[bool](x, "window.ran !== undefined || document.querySelector('main script, main img, [onerror], [onfocus]') !== null") {
				t.Errorf("%s: a name became markup", where)
			}
			if strings.ContainsAny(x.text(), "\u202e\u2066\u200f") {
				t.Errorf("%s: a name turns the direction of the text", where)
			}
			x.fits(where)
			x.calm(where)
		}
	}
}
