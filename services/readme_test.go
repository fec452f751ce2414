package services_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/services"
)

// atMost is what dera does at most about a control's findings, in the words of
// the README.
var atMost = map[dera.Disposition]string{dera.Auto: "fixes it", dera.Review: "asks first", dera.Alert: "reports it"}

// byClass is the README's table: the controls by service and by what dera does at
// most, each linked to its page.
func byClass(list []control.Control) string {
	type class struct {
		service string
		atMost  dera.Disposition
	}
	var order []class
	titles := map[class][]string{}
	for _, c := range list {
		k := class{strings.Split(c.Type, "::")[1], dera.Exempt}
		if !slices.Contains([]string{"EC2", "S3", "IAM"}, k.service) {
			k.service = others
		}
		for _, x := range c.Cases {
			k.atMost = min(k.atMost, x.Disposition)
		}
		if titles[k] == nil {
			order = append(order, k)
		}
		titles[k] = append(titles[k], fmt.Sprintf("[%s](docs/controls/%s.md)", c.Title, c.ID))
	}
	slices.SortStableFunc(order, func(a, b class) int { return strings.Compare(last(a.service), last(b.service)) })
	var b strings.Builder
	b.WriteString("| service | finding | dera |\n|---|---|---|\n")
	for _, k := range order {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", k.service, strings.Join(titles[k], "<br>"), atMost[k.atMost])
	}
	return b.String()
}

// others are the services that have no lines of their own: the title of a control says which
// one it is about.
const others = "others"

// last sorts the others behind the services, which stay in their order.
func last(service string) string {
	if service == others {
		return "z"
	}
	return ""
}

// TestREADME: the table of what dera fixes is made from the controls, and stays
// short enough to be read.
func TestREADME(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../README.md", "<!-- controls: made by `make generate` -->\n", "<!-- /controls -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no table of controls between %q and %q", path, begin, end)
	}
	want := byClass(services.Controls())
	if rows := strings.Count(want, "\n") - 2; rows > 12 {
		t.Errorf("the table has %d rows, at most 12 are read: join classes", rows)
	}
	if controltest.Update() {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the table of controls in %s is out of date: run make generate", path)
	}
}
