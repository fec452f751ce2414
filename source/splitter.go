package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"dera/cloudtrail"
)

// errEnough says that the consumer wants no more.
var errEnough = errors.New("enough")

// errSyntax is text that is not JSON. Nothing of it is quoted: files of events
// carry secrets.
type errSyntax string

// Error tells what was expected.
func (e errSyntax) Error() string { return string(e) }

// splitter cuts a stream into its records without judging what is in them. It
// keeps no more than one record in memory.
type splitter struct {
	in    *bufio.Reader
	file  string
	line  int // of the next byte
	yield func(Raw, error) bool

	record []byte // being read
	last   byte   // that was read
	over   bool   // it is larger than an event may be; the rest is skipped
}

// all reads to the end and returns io.EOF there. A broken record at the top is
// reported and left at the end of its line, so that one bad line costs no other.
func (s *splitter) all() error {
	if bom, _ := s.in.Peek(3); string(bom) == "\xef\xbb\xbf" {
		if _, err := s.in.Discard(len(bom)); err != nil {
			return err
		}
	}
	for {
		c, err := s.skipSpace()
		if err != nil {
			return err
		}
		line := s.line
		switch c {
		case '[':
			err = s.elements()
		case '{':
			err = s.object()
		default:
			err = errSyntax("want a JSON object or an array of them")
		}
		var syntax errSyntax
		switch {
		case errors.As(err, &syntax) && c == '[':
			return err
		case errors.As(err, &syntax):
			if err := errors.Join(s.fail(line, err), s.skipLine()); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			return errSyntax(fmt.Sprintf("file ends within the value that begins in line %d", line))
		case err != nil:
			return err
		}
	}
}

// object reads an object at the top: a record, or a log file with its records
// as a member.
func (s *splitter) object() error {
	line, streamed := s.line, false
	s.begin()
	if err := s.take(); err != nil {
		return err
	}
	for {
		c, err := s.skipSpace()
		if err != nil {
			return err
		}
		switch c {
		case '}':
			if err := s.take(); err != nil || streamed {
				return err
			}
			return s.emit(line)
		case ',':
			if err := s.take(); err != nil {
				return err
			}
		case '"':
			records, err := s.member()
			if err != nil {
				return err
			}
			streamed = streamed || records
		default:
			return errSyntax("want a member's name, a comma or the end of the object")
		}
	}
}

// member reads one member of an object at the top; it reports whether that was
// the list of records, which it emits one by one.
func (s *splitter) member() (records bool, err error) {
	start := len(s.record)
	if err := s.text(); err != nil {
		return false, err
	}
	name := string(s.record[min(start, len(s.record)):])
	if c, err := s.skipSpace(); err != nil || c != ':' {
		return false, orSyntax(err, "want a colon behind the member's name")
	}
	if err := s.take(); err != nil {
		return false, err
	}
	c, err := s.skipSpace()
	if err != nil {
		return false, err
	}
	if name == `"Records"` && c == '[' {
		return true, s.elements()
	}
	return false, s.value(true)
}

// elements emits the members of an array.
func (s *splitter) elements() error {
	s.begin()
	if err := s.take(); err != nil {
		return err
	}
	for {
		c, err := s.skipSpace()
		if err != nil {
			return err
		}
		switch c {
		case ']', ',':
			s.begin()
			if err := s.take(); err != nil || c == ']' {
				return err
			}
		case '{':
			line := s.line
			s.begin()
			if err := s.value(false); err != nil {
				return err
			}
			if err := s.emit(line); err != nil {
				return err
			}
		default:
			return errSyntax("want an object, a comma or the end of the array")
		}
	}
}

// value takes one value. At the top, an object that begins in the first column
// of a line ends the value with an error: the line before it was cut off.
func (s *splitter) value(top bool) error {
	for depth := 0; ; {
		c, err := s.peek()
		if err != nil {
			return err
		}
		switch c {
		case '"':
			err = s.text()
		case '{', '[':
			depth++
			err = s.take()
		case '}', ']', ',':
			if depth == 0 {
				return nil // behind a number, true, false or null
			}
			if c != ',' {
				depth--
			}
			err = s.take()
		case '\n':
			err = s.take()
			if next, _ := s.peek(); top && next == '{' && err == nil {
				return errSyntax("line ends within a record")
			}
		default:
			if err = s.until("\"{}[],\n"); err == nil && depth == 0 {
				continue
			}
		}
		if err != nil || depth == 0 && c != '\n' {
			return err
		}
	}
}

// text takes one string.
func (s *splitter) text() error {
	if err := s.take(); err != nil {
		return err
	}
	for {
		if err := s.until("\"\\\n"); err != nil {
			return err
		}
		c, err := s.peek()
		if err != nil {
			return err
		}
		if c == '\n' {
			return errSyntax("line ends within a text")
		}
		if err := s.take(); err != nil || c == '"' {
			return err
		}
		if err := s.take(); err != nil { // what the backslash escapes
			return err
		}
	}
}

// begin starts a record.
func (s *splitter) begin() { s.record, s.over = s.record[:0], false }

// emit hands the record over.
func (s *splitter) emit(line int) error {
	if s.over {
		return s.fail(line, cloudtrail.ErrTooLarge)
	}
	if !s.yield(Raw{Body: bytes.Clone(s.record), File: s.file, Line: line}, nil) {
		return errEnough
	}
	return nil
}

// fail hands an error over.
func (s *splitter) fail(line int, err error) error {
	at := Raw{File: s.file, Line: line}
	if !s.yield(at, fmt.Errorf("read events: %s: %w", at.Position(), err)) {
		return errEnough
	}
	return nil
}

func (s *splitter) peek() (byte, error) {
	b, err := s.in.Peek(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// take reads one byte into the record.
func (s *splitter) take() error {
	c, err := s.in.ReadByte()
	if err != nil {
		return err
	}
	if s.last = c; c == '\n' {
		s.line++
	}
	s.keep(c)
	return nil
}

// until reads into the record what stands before one of the stops, of which a
// line break must be one.
func (s *splitter) until(stops string) error {
	for {
		if _, err := s.in.Peek(1); err != nil {
			return err
		}
		chunk, err := s.in.Peek(s.in.Buffered())
		if err != nil {
			return err
		}
		end := bytes.IndexAny(chunk, stops)
		found := end >= 0
		if !found {
			end = len(chunk)
		}
		if end > 0 {
			s.last = chunk[end-1]
			s.keep(chunk[:end]...)
		}
		if _, err := s.in.Discard(end); err != nil || found {
			return err
		}
	}
}

// keep adds to the record as long as it is not too large.
func (s *splitter) keep(text ...byte) {
	if s.over = s.over || len(s.record)+len(text) > cloudtrail.MaxSize; !s.over {
		s.record = append(s.record, text...)
	}
}

// skipSpace skips blanks outside of records and returns the byte behind them.
func (s *splitter) skipSpace() (byte, error) {
	for {
		c, err := s.peek()
		if err != nil || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, err
		}
		if c == '\n' {
			s.line++
		}
		if _, err := s.in.Discard(1); err != nil {
			return 0, err
		}
	}
}

// skipLine goes on at the next line that begins with an object. Where a line
// break was the fault, that is behind it.
func (s *splitter) skipLine() error {
	for c := s.last; ; {
		if c == '\n' {
			if next, err := s.peek(); err != nil || next == '{' {
				return err
			}
		}
		var err error
		if c, err = s.in.ReadByte(); err != nil {
			return err
		}
		if c == '\n' {
			s.line++
		}
	}
}

func orSyntax(err error, text string) error {
	if err != nil {
		return err
	}
	return errSyntax(text)
}
