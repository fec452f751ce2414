package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// estateReasons say where dera and the labels of the estate differ, and why. One
// that is not true any more fails the test, like one that is missing.
func estateReasons() map[string]string {
	return map[string]string{}
}

// TestEstate holds what dera does on the labelled estate against what an expert
// would do, and the table of docs/recall.md against both.
func TestEstate(t *testing.T) {
	t.Parallel()
	e := loadEstate(t)
	e.build(t)
	list := e.work(t, 1)
	reasons := estateReasons()
	for _, d := range slices.Concat(differences(list), e.cut()) {
		if reasons[d] == "" {
			t.Errorf("difference without a reason: %s", d)
		}
		delete(reasons, d)
	}
	for d := range reasons {
		t.Errorf("reason without a difference: %s", d)
	}
	done, all := closed(list)
	if done*100 < all*95 {
		t.Errorf("closed: got %d of %d, want 95 %%", done, all)
	}
	docs, err := os.ReadFile("../../docs/recall.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := estateTable(list, done, all); !strings.Contains(string(docs), table) {
		t.Errorf("docs/recall.md does not hold this table:\n%s", table)
	}
}

// TestEstateUnderFaults lets a share of all calls go wrong: what the labels call
// safe is closed all the same, nothing else is touched, nothing is half-done.
func TestEstateUnderFaults(t *testing.T) {
	t.Parallel()
	e := loadEstate(t)
	e.build(t)
	e.randomFaults(0.05)
	list := e.work(t, 3)
	reasons := estateReasons()
	for _, v := range list {
		// A fix that failed sends its finding to review; what must not be is an
		// automatic fix that the labels do not want.
		line := fmt.Sprintf("%s | %s | %s | %s", v.resource, v.finding, v.right, v.got)
		if v.right != v.got && (v.got == "auto" || v.got == "none") && reasons[line] == "" {
			t.Errorf("under faults: %s", line)
		}
	}
	done, all := closed(list)
	t.Logf("closed %d of %d", done, all)
	if done*100 < all*95 {
		t.Errorf("closed: got %d of %d, want 95 %%", done, all)
	}
	if len(e.underWay) > 0 {
		t.Errorf("half-done: got %+v, want nothing", e.underWay)
	}
}

// estateTable is the table of docs/recall.md.
func estateTable(list []verdict, done, all int) string {
	counts := tally(list)
	columns := []string{"auto", "review", "alert", "exempt", "none"}
	var b strings.Builder
	b.WriteString("| an expert says | auto | review | alert | exempt | no finding |\n|---|---|---|---|---|---|\n")
	for _, right := range columns {
		if counts[right] == nil {
			continue
		}
		name := right
		if right == "none" {
			name = "no finding"
		}
		fmt.Fprintf(&b, "| %s |", name)
		for _, got := range columns {
			fmt.Fprintf(&b, " %d |", counts[right][got])
		}
		b.WriteString("\n")
	}
	wrong := 0
	for right, row := range counts {
		if right != "auto" {
			wrong += row["auto"]
		}
	}
	fmt.Fprintf(&b, "\nAutomatic where an expert would not: %d. Safely fixable, and closed: %d of %d.\n", wrong, done, all)
	reasons := estateReasons()
	if len(reasons) == 0 {
		return b.String()
	}
	b.WriteString("\n| case | expert | dera | why they differ |\n|---|---|---|---|\n")
	for _, line := range slices.Sorted(maps.Keys(reasons)) {
		parts := strings.Split(line, " | ")
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", strings.Join(parts[:len(parts)-2], " "), parts[len(parts)-2], parts[len(parts)-1], reasons[line])
	}
	return b.String()
}
