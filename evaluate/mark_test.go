package evaluate_test

import (
	"testing"

	"dera.example/dera/evaluate"
)

func TestUnmarked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text, want string
		refused          bool
	}{
		{"nothing", "", "", false},
		{"utf8", "version: 1", "version: 1", false},
		{"utf8_with_a_mark", "\xef\xbb\xbfversion: 1", "version: 1", false},
		{"mark_inside", "a\xef\xbb\xbf", "a\xef\xbb\xbf", false},
		{"utf16_of_windows", "\xff\xfev\x00", "", true},
		{"utf16", "\xfe\xff\x00v", "", true},
		{"utf32", "\xff\xfe\x00\x00v", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := evaluate.Unmarked([]byte(tt.text))
			if string(got) != tt.want || (err != nil) != tt.refused {
				t.Errorf("got %q, %v, want %q, refused %t", got, err, tt.want, tt.refused)
			}
		})
	}
}
