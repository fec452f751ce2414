package app

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestPlainJSON: what steers a terminal is escaped, and means the same.
func TestPlainJSON(t *testing.T) {
	t.Parallel()
	text := "a\u009b1m\u0085\u202eb\u200b\u200d\u2060\ufeff\u180e\U000e0041\x7f\x1b\u2028ü漢😀<"
	var out bytes.Buffer
	e := json.NewEncoder(PlainJSON(&out))
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		t.Fatal(err)
	}
	want := `"a\u009b1m\u0085\u202eb\u200b\u200d\u2060\ufeff\u180e\udb40\udc41\u007f\u001b\u2028ü漢😀<"` + "\n"
	if out.String() != want {
		t.Errorf("got %s, want %s", out.String(), want)
	}
	var back string
	if err := json.Unmarshal(out.Bytes(), &back); back != text || err != nil {
		t.Errorf("got %q back, %v", back, err)
	}
}

// TestPlainShowsWhatNobodySees: two names that look the same are told apart.
func TestPlainShowsWhatNobodySees(t *testing.T) {
	t.Parallel()
	for _, r := range []rune{0x200b, 0x200c, 0x200d, 0x2060, 0xfeff, 0x180e, 0xad, 0xe0001, 0xe0041, 0x9b, 0x202e} {
		if got := Plain("a" + string(r) + "b"); got != "a\ufffdb" {
			t.Errorf("%U: got %q", r, got)
		}
	}
}
