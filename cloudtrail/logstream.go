package cloudtrail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
)

// maxPacked bounds how often a file is zipped: Firehose zips what CloudWatch Logs
// hands over zipped, and a person zips that.
const maxPacked = 3

// unpack reads plain or zipped text, whatever the file is called, and the UTF-16
// that a shell of Windows writes.
func (l *LogReader) unpack(in io.Reader) (io.Reader, error) {
	for i := range l.heads {
		if l.heads[i] == nil {
			l.heads[i] = bufio.NewReaderSize(nil, 64<<10)
		}
		head := l.heads[i]
		head.Reset(in)
		magic, err := head.Peek(4)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return head, err
		case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		case bytes.HasPrefix(magic, []byte("\xff\xfe")), bytes.HasPrefix(magic, []byte("\xfe\xff")):
			return &wideReader{in: head, big: magic[0] == 0xfe}, nil
		default:
			return head, formOf(magic)
		}
		if l.zip == nil || in == io.Reader(l.zip) {
			l.zip, err = gzip.NewReader(head)
		} else {
			err = l.zip.Reset(head)
		}
		if err != nil {
			return head, err
		}
		in = l.zip
	}
	return in, errors.New("the file is zipped too often")
}

// wideReader turns UTF-16 into UTF-8.
type wideReader struct {
	in   *bufio.Reader
	big  bool
	left []byte
}

// Read implements io.Reader.
func (w *wideReader) Read(p []byte) (int, error) {
	for len(w.left) == 0 {
		r, err := w.unit()
		if err != nil {
			return 0, err
		}
		if utf16.IsSurrogate(r) {
			low, err := w.unit()
			if err != nil {
				return 0, io.ErrUnexpectedEOF
			}
			r = utf16.DecodeRune(r, low)
		}
		if r != '\ufeff' {
			w.left = utf8.AppendRune(w.left, r)
		}
	}
	n := copy(p, w.left)
	w.left = w.left[:copy(w.left, w.left[n:])]
	return n, nil
}

func (w *wideReader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(w.in, b[:]); err != nil {
		return 0, err
	}
	if w.big {
		b[0], b[1] = b[1], b[0]
	}
	return rune(b[1])<<8 | rune(b[0]), nil
}

var newline = []byte{'\n'}

// more reads on where a value is not complete.
func (l *LogReader) more() error {
	if l.eof {
		return io.ErrUnexpectedEOF
	}
	return l.fill()
}

// peek returns the next byte that is no blank and no byte order mark.
func (l *LogReader) peek() (byte, error) {
	for {
		l.start = skipSpace(l.buf[:l.end], l.start)
		if l.start < l.end && l.buf[l.start] != 0xef {
			return l.buf[l.start], nil
		}
		if bytes.HasPrefix(l.buf[l.start:l.end], []byte("\xef\xbb\xbf")) {
			l.start += 3
			continue
		}
		if l.eof && l.start < l.end {
			return l.buf[l.start], nil
		}
		if l.eof {
			return 0, io.EOF
		}
		if l.end-l.start >= 3 {
			return l.buf[l.start], nil
		}
		if err := l.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more text behind what is there.
func (l *LogReader) fill() error {
	if l.start > 0 {
		if l.at < l.start && l.at >= 0 { // the record was dropped, its line is kept
			l.line, l.at = l.Line(), -1
		}
		l.lines += bytes.Count(l.buf[l.counted:l.start], newline)
		copy(l.buf, l.buf[l.start:l.end])
		l.end, l.at, l.start, l.counted = l.end-l.start, max(l.at-l.start, -1), 0, 0
	}
	if l.end == len(l.buf) {
		if len(l.buf) >= maxLogRecord {
			return ErrTooLarge
		}
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	if l.late != nil {
		return l.late
	}
	had := l.end
	for l.end < len(l.buf) {
		n, err := l.in.Read(l.buf[l.end:])
		l.end += n
		if errors.Is(err, io.EOF) {
			l.eof = true
			return nil
		}
		if err != nil {
			if l.end > had { // what came before the fault is read first
				l.late = err
				return nil
			}
			return err
		}
	}
	return nil
}

// tooLong is what to do where a value has no end within the buffer: the line may
// have been cut off, or the value is skipped. What else ended reading ends the
// file.
func (l *LogReader) tooLong(err error) error {
	short, large := errors.Is(err, io.ErrUnexpectedEOF) && l.eof, errors.Is(err, ErrTooLarge)
	if len(l.nested) == 0 && (short || large) && bytes.Contains(l.buf[l.start:l.end], []byte("\n{")) {
		return l.resync(errors.New("line ends within a record"))
	}
	if !large {
		return l.broken(err)
	}
	if err := l.skip(); err != nil {
		return err
	}
	return fmt.Errorf("read log file: a record with what it is packed in is larger than %d MiB: %w", maxLogRecord>>20, ErrTooLarge)
}

// skip leaves out the value that begins here, whatever its size.
func (l *LogReader) skip() error {
	depth, text, escaped := 0, false, false
	for {
		for i, c := range l.buf[l.start:l.end] {
			switch {
			case escaped:
				escaped = false
				continue
			case text && c == '\\':
				escaped = true
			case c == '"':
				text = !text
			case text:
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				depth--
			}
			if depth == 0 && !text {
				l.start += i + 1
				return nil
			}
		}
		l.start = l.end
		if err := l.more(); err != nil {
			return l.broken(err)
		}
	}
}

// resync goes on at the next line that begins with an object, where that is safe:
// within a list nobody can say what is a record. It returns the error that it was
// called for.
func (l *LogReader) resync(why error) error {
	if len(l.nested) > 0 {
		return l.broken(why)
	}
	for {
		if i := bytes.Index(l.buf[l.start:l.end], []byte("\n{")); i >= 0 {
			l.start += i + 1
			break
		}
		if l.eof {
			l.start = l.end
			break
		}
		l.start = max(l.start, l.end-1)
		if err := l.fill(); err != nil {
			return l.broken(err)
		}
	}
	return fmt.Errorf("read log file: %w", why)
}
