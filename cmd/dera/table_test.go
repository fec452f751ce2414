package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"pgregory.net/rapid"

	"dera.example/dera"
	"dera.example/dera/app"
)

// wideFindings are findings with long ARNs, names that are no ASCII, and nothing
// where there may be nothing.
func wideFindings() []app.FindingView {
	at := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	long := dera.Finding{
		ID: "f-00000000000000000001", Severity: dera.Critical, Disposition: dera.Auto, State: dera.FindingOpen, Account: "111122223333", Region: "ap-southeast-3",
		Resource:     dera.ARN("arn:aws:s3:ap-southeast-3:111122223333:accesspoint/" + strings.Repeat("billing-archive-", 4) + "x"),
		ResourceName: "a name with words", Title: "Access point policy allows public read access to every object below the prefix", Owner: "arn:aws:iam::111122223333:role/" + strings.Repeat("team", 20),
	}
	wide := dera.Finding{
		ID: "f-00000000000000000002", Severity: dera.Low, Disposition: dera.Exempt, State: dera.FindingUnknown, Account: "111122223333", Region: "eu-west-1",
		Resource: "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0123456789abcdef0", ResourceName: "データベース 🗄️ réseau", Title: "オープン", Owner: "équipe",
	}
	return []app.FindingView{
		{Finding: long, Plan: &app.PlanView{Remediation: "r-00000000000000000001", State: dera.UndoFailed}},
		{Finding: wide, NotRead: &at},
		{Finding: dera.Finding{ID: "f-00000000000000000003", Severity: dera.Medium, Disposition: dera.Review, State: dera.FindingOpen}},
	}
}

// tooWide returns the first line that is wider than it may be: more than one word
// in more than width columns.
func tooWide(text string, width int) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if lipgloss.Width(line) > width && len(strings.Fields(line)) > 1 {
			return line
		}
	}
	return ""
}

// lost returns the first word of a cell that the text does not have.
func lost(t table, text string) string {
	for _, row := range t.rows {
		for _, cell := range row {
			for _, word := range strings.Fields(cell) {
				if word == "-" || strings.Contains(text, word) {
					continue
				}
				if !breakable(word) || !inPieces(word, text) {
					return word
				}
			}
		}
	}
	return ""
}

// inPieces reports whether the text has a long word, broken as in a column of some
// width.
func inPieces(word, text string) bool {
	for width := 2; width <= lipgloss.Width(word); width++ {
		if !slices.ContainsFunc(pieces(word, width), func(p string) bool { return !strings.Contains(text, p) }) {
			return true
		}
	}
	return false
}

func TestTables(t *testing.T) {
	t.Parallel()
	for _, coloured := range []bool{false, true} {
		p := paint{on: coloured, seal: "7;"}
		for name, tab := range map[string]table{"scan": scanTable(p, wideFindings()), "findings": findingTable(p, wideFindings())} {
			for _, width := range []int{20, 40, 80, 99, 100, 120, 160, 400, 0} {
				t.Run(fmt.Sprintf("%s_%d_%t", name, width, coloured), func(t *testing.T) {
					t.Parallel()
					got := tab.render(width, p)
					if line := tooWide(got, width); width > 0 && line != "" {
						t.Errorf("got a line that is too wide: %q\n%s", line, got)
					}
					if word := lost(tab, got); word != "" {
						t.Errorf("%q is lost:\n%s", word, got)
					}
					table := strings.Contains(strings.SplitN(got, "\n", 2)[0], "FINDING")
					if width > 0 && width < narrow && table || width == 0 && !table {
						t.Errorf("width %d: got a table %t:\n%s", width, table, got)
					}
					if width == 0 && strings.Count(got, "\n") != len(tab.rows)+1 {
						t.Errorf("no terminal: got more than a line a row:\n%s", got)
					}
				})
			}
		}
	}
}

// TestCard is how a row looks below 100 columns.
func TestCard(t *testing.T) {
	t.Parallel()
	f := wideFindings()[1:2]
	tab := findingTable(paint{}, f)
	want := `f-00000000000000000002
  low  exempt  unknown, not read since 2026-11-29 08:00:00Z
  sg-0123456789abcdef0 (データベース 🗄️ réseau)  111122223333 eu-west-1
  オープン
  owner équipe
`
	if got := tab.render(80, paint{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestTableBreaksBetweenWords is how rows look that do not fit in one line.
func TestTableBreaksBetweenWords(t *testing.T) {
	t.Parallel()
	tab := table{head: []string{"ID", "WHY"}}
	tab.row("one", strings.Repeat("word ", 30)+"end")
	tab.row("two", "short")
	got := tab.render(110, paint{})
	want := "ID   WHY\none  " + strings.TrimSpace(strings.Repeat("word ", 21)) + "\n     " + strings.Repeat("word ", 9) + "end\ntwo  short\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestOneLongNameKeepsTheTable: a name of 255 characters is broken within its column.
func TestOneLongNameKeepsTheTable(t *testing.T) {
	t.Parallel()
	for kind, name := range map[string]string{"with_separators": strings.Repeat("team-a_b.c/", 23), "without": strings.Repeat("x", 255)} {
		list := wideFindings()[2:]
		for i := range 3 {
			f := list[0]
			f.ID, f.Resource, f.ResourceName, f.Title = fmt.Sprintf("f-0000000000000000001%d", i), "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0123456789abcdef0", "web", "Security group allows SSH from the internet"
			list = append(list, f)
		}
		list[1].ResourceName = name
		for _, width := range []int{100, 120, 140} {
			for form, tab := range map[string]table{"scan": scanTable(paint{}, list), "findings": findingTable(paint{}, list)} {
				got := tab.render(width, paint{})
				if !strings.Contains(strings.SplitN(got, "\n", 2)[0], "FINDING") {
					t.Errorf("%s, %s, %d columns: got no table:\n%s", form, kind, width, got)
				}
				for line := range strings.Lines(got) {
					if w := lipgloss.Width(strings.TrimSuffix(line, "\n")); w > width {
						t.Errorf("%s, %s, %d columns: got a line of %d: %s", form, kind, width, w, line)
					}
				}
			}
		}
	}
}

// TestTableProperty: whatever the cells, no line is wider than the terminal but for
// a word that is, and no word is lost.
func TestTableProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 9).Draw(t, "columns")
		word := rapid.OneOf(rapid.StringMatching(`[a-z:/-]{1,30}`), rapid.SampledFrom([]string{"", "-", "数据库", "é", "🗄️", strings.Repeat("arn:", 60)}), rapid.String())
		cell := rapid.Map(rapid.SliceOfN(word, 0, 8), func(words []string) string { return app.Plain(strings.Join(words, " ")) })
		var tab table
		for i := range columns {
			tab.head = append(tab.head, fmt.Sprintf("COLUMN%d", i))
		}
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			tab.row(rapid.SliceOfN(cell, columns, columns).Draw(t, "row")...)
		}
		if rapid.Bool().Draw(t, "merged") {
			for i := 0; i < columns; i += 2 {
				group := []int{i}
				if i+1 < columns {
					group = append(group, i+1)
				}
				tab.merged, tab.card = append(tab.merged, group), append(tab.card, group)
			}
		}
		width := rapid.IntRange(20, 200).Draw(t, "width")
		got := tab.render(width, paint{})
		if line := tooWide(got, width); line != "" {
			t.Fatalf("width %d: got %q\n%s", width, line, got)
		}
		if word := lost(tab, got); word != "" {
			t.Fatalf("width %d: %q is lost:\n%s", width, word, got)
		}
	})
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env          string
		screen, want int
	}{{"", 120, 120}, {"", 0, 80}, {"160", 120, 160}, {"160", 0, 160}, {"x", 120, 120}, {"-3", 90, 90}, {"5", 120, 20}, {"", 3, 20}} {
		if got := columns(tt.env, tt.screen); got != tt.want {
			t.Errorf("COLUMNS=%q on %d columns: got %d, want %d", tt.env, tt.screen, got, tt.want)
		}
	}
}
