package evaluate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLoadExemptions_is_not_blown_up holds that files made to exhaust a parser
// are refused in the time that their size allows.
func TestLoadExemptions_is_not_blown_up(t *testing.T) {
	t.Parallel()
	for name, piece := range map[string]string{
		"brackets": "[", "brackets_on_lines": "[\n", "braces": "{a: ", "dashes": "- ", "keys": "? ", "anchors": "&a ", "tags": "!a ", "colons": "a: ", "documents": "---\n",
		"aliases": "*a ", "ids": "x", "quotes": "'", "at": "@ ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ExemptionConfig{Now: exemptionNow}.Parse("exemptions.yaml", []byte(strings.Repeat(piece, maxExemptionFile/len(piece)/16)))
			if err == nil {
				t.Fatal("got no error")
			}
			if n := len(err.Error()); n > 64<<10 {
				t.Errorf("got an error text of %d bytes", n)
			}
		})
	}
}

func TestExemptionProblem_shows_the_part_around_the_fault(t *testing.T) {
	t.Parallel()
	for column, want := range map[int]string{
		1:   "f:3:1: why\n    3 | a" + strings.Repeat("b", 159) + "\n      | ^",
		200: "f:3:200: why\n    3 | " + strings.Repeat("b", 79) + "X" + strings.Repeat("b", 80) + "\n      | " + strings.Repeat(" ", 79) + "^",
		400: "f:3:400: why\n    3 | " + strings.Repeat("b", 159) + "z\n      | " + strings.Repeat(" ", 159) + "^",
	} {
		line := "a" + strings.Repeat("b", 198) + "X" + strings.Repeat("b", 199) + "z"
		p := ExemptionProblem{File: "f", Line: 3, Column: column, Message: "why", Source: line}
		if d := cmp.Diff(want, p.String()); d != "" {
			t.Errorf("column %d (-want +got):\n%s", column, d)
		}
	}
}

// FuzzExemptions holds that no text panics and that what is accepted has all
// that is mandatory.
func FuzzExemptions(f *testing.F) {
	for _, text := range goodExemptions() {
		f.Add([]byte(text))
	}
	for _, tc := range badExemptions() {
		f.Add([]byte(tc.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := ExemptionConfig{Now: exemptionNow}.Parse("exemptions.yaml", text)
		if err != nil {
			if err.Error() == "" || list != nil {
				t.Errorf("got list %v with error %q", list, err)
			}
			return
		}
		ids := map[string]bool{}
		for _, x := range list.All() {
			if strings.TrimSpace(x.ID) == "" || strings.TrimSpace(x.Owner) == "" || strings.TrimSpace(x.Reason) == "" || x.Expires.IsZero() || ids[x.ID] || coversEverything(x.Match) {
				t.Errorf("got exemption %+v from %q, want it refused", x, text)
			}
			ids[x.ID] = true
		}
	})
}
