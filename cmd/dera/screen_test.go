package main

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"dera.example/dera/app"
)

// rawControl is the first character in a text that steers a terminal, but line
// breaks and tabs, or 0.
func rawControl(text string) rune {
	for _, r := range text {
		if r != '\n' && r != '\t' && (app.Steers(r) || unicode.IsControl(r)) {
			return r
		}
	}
	return 0
}

func TestScreenShowsWhatSteersATerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "über\tdas 数 🗄️\n", "über\tdas 数 🗄️\n"},
		{"title_of_the_window", "a\x1b]0;evil\x07b", `a\x1b]0;evil\x07b`},
		{"colour_of_a_stranger", "\x1b[31mred\x1b[m", `\x1b[31mred\x1b[m`},
		{"c1", "a\u009b31mb\u007f", `a\u009b31mb\u007f`},
		{"one_byte_c1", "a\x9b31m", `a\x9b31m`},
		{"direction", "abc\u202egnp\u2069\u200f", `abc\u202egnp\u2069\u200f`},
		{"written_over", "bad\rgood", `bad\rgood`},
		{"lines_of_csv", "a,b\r\nc,d\r\n", "a,b\r\nc,d\r\n"},
		{"cut_character", "a\xe2\x80", `a\xe2\x80`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for size := 1; size <= len(tt.text); size++ { // however it is cut
				var out bytes.Buffer
				s := newScreen(&out)
				for rest := tt.text; rest != ""; rest = rest[min(size, len(rest)):] {
					if _, err := io.WriteString(s, rest[:min(size, len(rest))]); err != nil {
						t.Fatal(err)
					}
				}
				s.end()
				if got := out.String(); got != tt.want {
					t.Errorf("in pieces of %d: got %q, want %q", size, got, tt.want)
				}
			}
		})
	}
}

func TestScreenKeepsItsOwnColours(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := newScreen(&out)
	p := paint{on: true, seal: s.seal}
	_, _ = io.WriteString(s, p.bold("a\x1b[31mb\nc")+p.severity(4)+"\x1b[1;7mx")
	if got, want := out.String(), "\x1b[1ma\\x1b[31mb\x1b[m\n\x1b[1mc\x1b[m\x1b[31mcritical\x1b[m\\x1b[1;7mx"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestScreenChangesNoValueOfJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text") + rapid.SampledFrom([]string{"\x1b[m", "\u009b", "\u202e", "\x7f", "\ufeff", ""}).Draw(t, "end")
		var out bytes.Buffer
		a := &cli{out: newScreen(&out)}
		if err := a.printJSON(want); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != want {
			t.Fatalf("got %q (%v), want %q", got, err, want)
		}
	})
}
