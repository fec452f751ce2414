package evaluate

import (
	"bytes"
	"errors"
)

// errWide is a text that is not UTF-8, by its byte-order mark.
var errWide = errors.New("begins with a byte-order mark of UTF-16 or UTF-32: save the file as UTF-8")

// Marked reports whether a text begins with the byte-order mark of UTF-8, which some
// editors write and nobody sees.
func Marked(text []byte) bool { return bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) }

// Unmarked returns a text that people wrote without the byte-order mark of UTF-8,
// which changes nothing of what it says. Any other encoding is an error.
func Unmarked(text []byte) ([]byte, error) {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) || bytes.HasPrefix(text, []byte("\x00\x00\xfe\xff")) {
		return nil, errWide
	}
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), nil
}
