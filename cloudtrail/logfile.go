package cloudtrail

import (
	"errors"
	"fmt"
	"io"
)

// LogReader reads the fields of every record of a log file: {"Records":[…]} as
// CloudTrail writes it, an array of records, or records one after the other. It
// keeps one buffer, whatever the size of the file. It is not safe for concurrent
// use.
type LogReader struct {
	in         io.Reader
	buf        []byte
	start, end int // of what is not read yet
	eof        bool
	depth      int // 0 at the top, 1 in the records of a file, 2 in an array
}

const (
	minLogBuffer = 256 << 10
	maxLogRecord = 4 << 20
)

// Reset begins with another file.
func (l *LogReader) Reset(in io.Reader) {
	*l = LogReader{in: in, buf: l.buf}
	if l.buf == nil {
		l.buf = make([]byte, minLogBuffer)
	}
}

// Next reads the next record into f, which is good until the following call. At
// the end of the file it returns io.EOF. After an ErrDuplicateName reading goes
// on; any other error means that the rest of the file cannot be read.
func (l *LogReader) Next(f *Fields) error {
	for {
		c, err := l.peek()
		if err != nil {
			if errors.Is(err, io.EOF) && l.depth != 0 {
				err = fmt.Errorf("read log file: %w", io.ErrUnexpectedEOF)
			}
			return err
		}
		if l.depth == 0 {
			if done, err := l.top(f, c); done || err != nil {
				return err
			}
			continue
		}
		switch c {
		case ',':
			l.start++
		case ']':
			l.start++
			if err := l.leave(); err != nil {
				return err
			}
		case '{':
			return l.record(f)
		default:
			return fmt.Errorf("read log file: %w", errSyntax)
		}
	}
}

// top reads what stands outside of a list of records; it reports whether that
// was a record.
func (l *LogReader) top(f *Fields, c byte) (bool, error) {
	switch c {
	case '[':
		l.start++
		l.depth = 2
		return false, nil
	case '{':
	default:
		return false, fmt.Errorf("read log file: %w", errSyntax)
	}
	wrapped, err := l.wrapper()
	if err != nil || wrapped {
		return false, err
	}
	return true, l.record(f)
}

// wrapper enters {"Records":[ if that stands here.
func (l *LogReader) wrapper() (bool, error) {
	const name = `"Records"`
	for {
		raw := l.buf[l.start:l.end]
		i := skipSpace(raw, 1)
		j := skipSpace(raw, i+len(name))
		k := skipSpace(raw, j+1)
		if k >= len(raw) && !l.eof {
			if err := l.fill(); err != nil {
				return false, err
			}
			continue
		}
		if k >= len(raw) || string(raw[i:i+len(name)]) != name || raw[j] != ':' || raw[k] != '[' {
			return false, nil
		}
		l.start += k + 1
		l.depth = 1
		return true, nil
	}
}

// leave reads to the end of the object around the records.
func (l *LogReader) leave() error {
	was := l.depth
	l.depth = 0
	if was == 2 {
		return nil
	}
	for {
		raw := l.buf[l.start:l.end]
		i := skipSpace(raw, 0)
		err := errShort
		switch {
		case i < len(raw) && raw[i] == '}':
			l.start += i + 1
			return nil
		case i < len(raw) && raw[i] == ',':
			var end int
			if end, err = members(raw, i, func(_ []byte, at int) (int, error) { return valueEnd(raw, at) }); err == nil {
				l.start += end
				return nil
			}
		case i < len(raw):
			err = errSyntax
		}
		if !errors.Is(err, errShort) {
			return fmt.Errorf("read log file: %w", err)
		}
		if err := l.more(); err != nil {
			return err
		}
	}
}

// record reads the record that begins here.
func (l *LogReader) record(f *Fields) error {
	for {
		end, err := f.skim(l.buf[:l.end], l.start)
		switch {
		case err == nil:
			l.start = end
			return nil
		case errors.Is(err, ErrDuplicateName):
			l.start = end
			return fmt.Errorf("read log file: %w", err)
		case !errors.Is(err, errShort):
			return fmt.Errorf("read log file: %w", err)
		}
		if err := l.more(); err != nil {
			return err
		}
	}
}

// more reads on where a value is not complete.
func (l *LogReader) more() error {
	if l.eof {
		return fmt.Errorf("read log file: %w", io.ErrUnexpectedEOF)
	}
	return l.fill()
}

// peek returns the next byte that is no blank.
func (l *LogReader) peek() (byte, error) {
	for {
		l.start = skipSpace(l.buf[:l.end], l.start)
		if l.start < l.end {
			return l.buf[l.start], nil
		}
		if l.eof {
			return 0, io.EOF
		}
		if err := l.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more text behind what is there.
func (l *LogReader) fill() error {
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.end -= l.start
		l.start = 0
	}
	if l.end == len(l.buf) {
		if len(l.buf) >= maxLogRecord {
			return fmt.Errorf("read log file: record is larger than %d bytes: %w", maxLogRecord, ErrTooLarge)
		}
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	for l.end < len(l.buf) {
		n, err := l.in.Read(l.buf[l.end:])
		l.end += n
		if errors.Is(err, io.EOF) {
			l.eof = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log file: %w", err)
		}
	}
	return nil
}
