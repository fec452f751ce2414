package cloudtrail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// LogReader reads every record of a file of recorded CloudTrail, in each form that
// people have it in, detected by content:
//
//   - log files ({"Records":[…]}), arrays of records, records one after the other
//     (lines or not), EventBridge envelopes, plain or in SNS or SQS messages;
//   - answers of LookupEvents, of CloudTrail Lake, of Athena and of CloudWatch
//     Logs (events, subscriptions, exports, Logs Insights), and the CSV files of
//     Lake and Athena;
//   - each plain or zipped, also twice, also several in a row.
//
// It keeps one buffer, whatever the size of the file, and looks at each level by
// its own members: what stands deeper in a record is never taken for one. It is
// not safe for concurrent use.
type LogReader struct {
	in         io.Reader
	zip        *gzip.Reader
	buf        []byte
	start, end int // of what is not read yet
	eof        bool
	late       error       // of reading on, behind what is in buf
	nested     []enclosure // objects and lists that are open
	columns    []string
	table      bool // the file is a CSV file with these columns
	read       int  // records that were found
	raw        []byte
	fault      error // that ends the file
	reported   bool  // it was returned
	heads      [maxPacked + 1]*bufio.Reader

	at             int // where the record begins; -1 where its text was dropped
	line           int // of the record then
	lines, counted int // line breaks before counted
}

// enclosure is an object or a list that encloses records.
type enclosure struct {
	list bool
	name string // of the member that it is
}

const (
	minLogBuffer = 256 << 10
	maxLogRecord = 4 << 20 // of a record with what it is packed in
	maxLevels    = 8
)

// Reset begins with another file, packed or not.
func (l *LogReader) Reset(in io.Reader) {
	*l = LogReader{zip: l.zip, buf: l.buf, heads: l.heads, nested: l.nested[:0]}
	if l.buf == nil {
		l.buf = make([]byte, minLogBuffer)
	}
	l.in, l.fault = l.unpack(in)
}

// Raw is the text of the last record, or the EventBridge envelope that holds it; of
// an object that is not CloudTrail's, the object. It is good until the following
// call of Next.
func (l *LogReader) Raw() []byte { return l.raw }

// Line is the line, from 1, in which the last record or error begins.
func (l *LogReader) Line() int {
	if l.at < 0 {
		return l.line
	}
	if l.at > l.counted {
		l.lines += bytes.Count(l.buf[l.counted:l.at], newline)
		l.counted = l.at
	}
	return l.lines + 1
}

// Whole reports whether the file was readable up to here: false says that an
// error left out more than the record that it is about.
func (l *LogReader) Whole() bool { return l.fault == nil }

// Next reads the next record into f, which is good until the following call. At
// the end of the file it returns io.EOF. After any other error reading goes on
// behind what it is about, if that is the end of the file.
func (l *LogReader) Next(f *Fields) error {
	if l.fault != nil {
		if l.reported {
			return io.EOF
		}
		return l.broken(l.fault)
	}
	l.raw = nil
	for {
		c, err := l.peek()
		l.at = l.start
		switch {
		case errors.Is(err, io.EOF) && len(l.nested) == 0:
			return io.EOF
		case errors.Is(err, io.EOF):
			return l.broken(io.ErrUnexpectedEOF)
		case err != nil:
			return l.broken(err)
		}
		if done, err := l.step(f, c); done || err != nil {
			return err
		}
	}
}

// broken ends the file with an error.
func (l *LogReader) broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	l.fault, l.reported = err, true
	return fmt.Errorf("read log file: %w", err)
}

// step reads what begins with c; it reports whether that was a record.
func (l *LogReader) step(f *Fields, c byte) (bool, error) {
	in := enclosure{}
	if n := len(l.nested); n > 0 {
		in = l.nested[n-1]
	}
	top := len(l.nested) == 0
	switch {
	case l.table && top:
		return l.tableRow(f)
	case c == '{' && (top || in.list):
		return l.item(f)
	case c == '[' && top:
		return false, l.enter(enclosure{true, ""})
	case c == '[' && in.list:
		return l.listInList(f, in)
	case c == '"' && in.list:
		return l.packedItem(f)
	case c == '"' && !top:
		return false, l.member()
	case c == ',' && !top:
		l.start++
		return false, nil
	case c == ']' && in.list, c == '}' && !top && !in.list:
		l.start++
		l.nested = l.nested[:len(l.nested)-1]
		return false, nil
	case top:
		return l.text(f)
	}
	return false, l.broken(errSyntax)
}

// enter goes into the object or list that begins here.
func (l *LogReader) enter(in enclosure) error {
	if len(l.nested) == maxLevels {
		return l.broken(errors.New("lists are nested too deeply"))
	}
	l.start++
	l.nested = append(l.nested, in)
	return nil
}

// item reads the object that begins here: a record, something that holds one, or
// something that holds many, which it enters.
func (l *LogReader) item(f *Fields) (bool, error) {
	for {
		end, err := f.skim(l.buf[:l.end], l.start, true)
		switch {
		case err == nil:
			raw := l.buf[l.start:end]
			l.start = end
			return l.found(f, raw)
		case errors.Is(err, errList) && (f.list == "hits" || f.list == "configurationItems"):
			return true, l.broken(copyOf(object{f.list: l.buf[end : end+1]}))
		case errors.Is(err, errList):
			l.nested = append(l.nested, enclosure{})
			l.start = end
			return false, l.enter(enclosure{l.buf[end] == '[', f.list})
		case errors.Is(err, ErrDuplicateName):
			l.start = end
			return true, fmt.Errorf("read log file: %w", err)
		case !errors.Is(err, errShort):
			return true, l.resync(errSyntax)
		}
		if err := l.more(); err != nil {
			return true, l.tooLong(err)
		}
	}
}

// found takes an object that was skimmed into f.
func (l *LogReader) found(f *Fields, raw []byte) (bool, error) {
	if l.raw = raw; f.seen&bitNamed != 0 {
		return l.taken(raw, nil)
	}
	return l.taken(f.inObject(raw, &l.columns, 0))
}

// taken counts a record. An error that tells that the file is of a form that is
// not read ends the file.
func (l *LogReader) taken(raw []byte, err error) (bool, error) {
	if err == nil && len(raw) <= MaxSize {
		l.raw = raw
		l.read++
		return true, nil
	}
	switch {
	case err == nil:
		err = ErrTooLarge
	case errors.Is(err, errHeader):
		return false, nil
	case l.read == 0 && errors.As(err, new(*FormError)):
		return true, l.broken(err)
	}
	return true, fmt.Errorf("read log file: %w", err)
}

// packedItem reads a text that holds a record.
func (l *LogReader) packedItem(f *Fields) (bool, error) {
	end, err := l.value()
	if err != nil {
		return true, err
	}
	raw := l.buf[l.start:end]
	l.start = end
	return l.taken(f.inText(Text(raw), &l.columns, 0))
}

// listInList reads a row of a table, or enters a list of records.
func (l *LogReader) listInList(f *Fields, in enclosure) (bool, error) {
	if in.name != "QueryResultRows" && in.name != "results" {
		row, err := l.rowAhead()
		if err != nil || !row {
			if err == nil {
				err = l.enter(enclosure{true, ""})
			}
			return err != nil, err
		}
	}
	end, err := l.value()
	if err != nil {
		return true, err
	}
	raw := l.buf[l.start:end]
	l.start = end
	return l.taken(f.lakeRow(raw))
}

// rowAhead reports whether the first member of the list that begins here is one
// column of a row.
func (l *LogReader) rowAhead() (bool, error) {
	for {
		raw := l.buf[:l.end]
		i := skipSpace(raw, l.start+1)
		if i < len(raw) && raw[i] != '{' {
			return false, nil
		}
		if i < len(raw) {
			if end, err := deepEnd(raw, i); err == nil {
				o, _, ok := parseObject(raw[i:end])
				return ok && len(o) == 1 || o["field"] != nil && o["value"] != nil, nil
			}
		}
		if err := l.more(); err != nil {
			return false, l.tooLong(err)
		}
	}
}

// value finds the end of the value that begins here.
func (l *LogReader) value() (int, error) {
	for {
		end, err := valueEnd(l.buf[:l.end], l.start)
		if err == nil {
			return end, nil
		}
		if !errors.Is(err, errShort) {
			return 0, l.resync(errSyntax)
		}
		if err := l.more(); err != nil {
			return 0, l.tooLong(err)
		}
	}
}

// member reads the name of a member of an object that holds records, and its value
// unless that holds records.
func (l *LogReader) member() error {
	nameEnd, err := l.value()
	if err != nil {
		return err
	}
	name := string(Text(l.buf[l.start:nameEnd]))
	l.start = nameEnd
	if c, err := l.peek(); err != nil || c != ':' {
		return l.broken(errors.Join(err, errSyntax))
	}
	l.start++
	c, err := l.peek()
	if err != nil {
		return l.broken(io.ErrUnexpectedEOF)
	}
	var f Fields
	if _, bit := f.member([]byte(name)); bit == bitList && c == '[' {
		return l.enter(enclosure{true, name})
	}
	if c == '{' || c == '[' {
		return l.skip()
	}
	end, err := l.value()
	if err == nil {
		l.start = end
	}
	return err
}
