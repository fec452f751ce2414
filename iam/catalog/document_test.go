package catalog

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/least-privilege.md again")

const (
	document  = "../../docs/least-privilege.md"
	tableHead = "<!-- the table below is written by go test ./iam/catalog -run TestDocument -update -->\n"
)

// TestDocument holds the table that says how many actions can be called unused.
func TestDocument(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| service | logged | actions | removable | … whatever else is used | data events | with others only | kept |\n|---|---|---|---|---|---|---|---|\n")
	row := func(name, mode string, s ServiceSummary) {
		fmt.Fprintf(&b, "| %s | %s | %d | %d (%d %%) | %d | %d | %d | %d |\n", name, mode, s.Actions, s.Management,
			(100*s.Management+s.Actions/2)/max(1, s.Actions), s.Alone, s.Data, s.Hidden, s.Actions-s.Management-s.Data-s.Hidden)
	}
	var largest, rows, rest ServiceSummary
	add := func(to *ServiceSummary, s ServiceSummary) {
		to.Actions, to.Management, to.Alone = to.Actions+s.Actions, to.Management+s.Management, to.Alone+s.Alone
		to.Data, to.Hidden = to.Data+s.Data, to.Hidden+s.Hidden
	}
	with, without := 0, 0
	for i, s := range Summary() {
		if i < 60 {
			add(&largest, s)
		}
		if s.Row.Document == "" {
			without++
			add(&rest, s)
			continue
		}
		with++
		add(&rows, s)
		row(fmt.Sprintf("[%s](%s)", s.Prefix, s.Row.Document), s.Row.Mode, s)
	}
	row("**the 60 largest**", "", largest)
	row(fmt.Sprintf("**all %d with a row**", with), "", rows)
	row(fmt.Sprintf("**the %d others**", without), "", rest)
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), tableHead)
	if !ok {
		t.Fatalf("%s lacks %q", document, tableHead)
	}
	want := before + tableHead + "\n" + b.String()
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("the table of %s is another: run go test ./iam/catalog -run TestDocument -update", document)
	}
}
