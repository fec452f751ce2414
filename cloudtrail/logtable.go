package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// cells are the columns of a row, by their names in lower case. A value is text;
// one that was no text is its JSON.
type cells map[string]string

// cellsOf takes an object for a row, as Lake and Athena export it in JSON.
func cellsOf(o object) cells {
	out := cells{}
	for name, raw := range o {
		text := string(raw)
		if len(raw) > 0 && raw[0] == '"' {
			text = o.text(name)
		}
		if name = strings.ToLower(name); out[name] != "" {
			text = doubled
		}
		out[name] = text
	}
	return out
}

// doubled stands for the value of a column that stands twice; it is none of AWS's.
const doubled = "\x00"

// packedIn are the columns that hold whole records.
func packedIn() []string {
	return []string{"eventjson", "event_json", "cloudtrailevent", "cloud_trail_event", "@message", "message"}
}

// row skims the record that a row holds: whole in a column, or spread over columns
// with the fields' names in lower case.
func (f *Fields) row(c cells, depth int) ([]byte, error) {
	for _, name := range packedIn() {
		if strings.HasPrefix(strings.TrimSpace(c[name]), "{") {
			return f.inText([]byte(c[name]), nil, depth+1)
		}
	}
	if c["eventsource"] == "" && c["eventname"] == "" {
		return nil, ErrNotCloudTrail
	}
	for name, text := range c {
		if text == doubled {
			return nil, fmt.Errorf("%w: %q", ErrDuplicateName, clean(name, 64))
		}
	}
	raw, err := c.record()
	if err != nil {
		return nil, err
	}
	return raw, f.Skim(raw)
}

// recordFields are the fields that a column can hold, under their own names, those
// of userIdentity and of resources among them.
func recordFields() map[string]string {
	out := map[string]string{}
	for _, name := range []string{
		"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage",
		"requestParameters", "responseElements", "requestID", "eventID", "readOnly", "resources", "eventType", "managementEvent", "recipientAccountId",
		"eventCategory", "type", "principalId", "accountId", "accessKeyId", "userName", "invokedBy", "identityProvider", "sessionContext", "sessionIssuer",
		"attributes", "creationDate", "mfaAuthenticated", "onBehalfOf", "userId", "identityStoreArn", "credentialId",
	} {
		out[strings.ToLower(name)] = name
	}
	return out
}

// record writes the columns as the record that they are of.
func (c cells) record() ([]byte, error) {
	out, names := map[string]any{}, recordFields()
	for lower, text := range c {
		name := names[lower]
		if name == "" || text == "" || text == "null" {
			continue
		}
		switch name {
		case "userIdentity", "resources":
			v, err := structure(text)
			if err != nil {
				return nil, &FieldError{Field: name}
			}
			out[name] = renamed(v, names)
		case "requestParameters", "responseElements":
			out[name] = parametersOf(text)
		case "readOnly", "managementEvent":
			out[name] = strings.EqualFold(text, "true")
		case "eventTime":
			out[name] = momentText(text)
		default:
			out[name] = text
		}
	}
	return json.Marshal(out)
}

// momentText writes the times of Lake as CloudTrail does.
func momentText(text string) string {
	bare := strings.TrimSuffix(strings.TrimSuffix(text, " UTC"), " Z")
	if t, err := time.Parse("2006-01-02 15:04:05", bare); err == nil {
		return t.Format(time.RFC3339)
	}
	return text
}

// renamed gives the members of a structure the names that CloudTrail has for them.
func renamed(v any, names map[string]string) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			if own := names[strings.ToLower(name)]; own != "" {
				name = own
			}
			if out[name] = renamed(value, names); name == "creationDate" {
				if text, ok := value.(string); ok {
					out[name] = momentText(text)
				}
			}
		}
		return out
	case []any:
		for i := range v {
			v[i] = renamed(v[i], names)
		}
	}
	return v
}

// parametersOf reads the parameters of a call: JSON, as Athena has them, or Lake's
// {name=value, …}. What cannot be read for certain is said to be omitted, as
// CloudTrail does with what is too large.
func parametersOf(text string) any {
	if json.Valid([]byte(text)) && text[0] == '{' {
		return json.RawMessage(text)
	}
	if v, err := structure(text); err == nil {
		if o, ok := v.(map[string]any); ok {
			return o
		}
	}
	return map[string]any{"omitted": true, "reason": "the column cannot be read; " + allOfIt}
}

// lakeRow skims a row of an answer of CloudTrail Lake ([{"column":"value"},…]) or
// of Logs Insights ([{"field":"column","value":"value"},…]).
func (f *Fields) lakeRow(raw []byte) ([]byte, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, ErrNotJSON
	}
	c := cells{}
	for _, item := range list {
		o, _, ok := parseObject(item)
		if !ok {
			return nil, ErrNotCloudTrail
		}
		one := cellsOf(o)
		if name, value := one["field"], one["value"]; len(o) == 2 && name != "" {
			one = cells{strings.ToLower(name): value}
		}
		for name, text := range one {
			if c[name] != "" {
				text = doubled
			}
			c[name] = text
		}
	}
	return f.row(c, 0)
}

// athenaRow skims a row of an answer of Athena, the first of which has the names of
// the columns.
func (f *Fields) athenaRow(o object, columns *[]string) ([]byte, error) {
	values := []string{}
	for _, v := range o.list("Data") {
		values = append(values, v.text("VarCharValue"))
	}
	if columns == nil || len(values) == 0 {
		return nil, ErrNotCloudTrail
	}
	names, err := header(values)
	switch {
	case err != nil:
		return nil, err
	case names != nil:
		*columns = names
		return nil, errHeader
	}
	return f.tableCells(*columns, values)
}

func (f *Fields) tableCells(columns, values []string) ([]byte, error) {
	if len(columns) != len(values) {
		return nil, fmt.Errorf("row of %d values under %d columns: %w", len(values), len(columns), ErrNotCloudTrail)
	}
	c := cells{}
	for i, name := range columns {
		c[name] = values[i]
	}
	return f.row(c, 0)
}

// header takes a row for the names of columns; nil where it is not. Without some
// columns nothing can be said of a call.
func header(row []string) ([]string, error) {
	columns := make([]string, len(row))
	for i, name := range row {
		columns[i] = strings.ToLower(strings.TrimSpace(name))
	}
	has := func(name string) bool { return slices.Contains(columns, name) }
	switch {
	case has("_raw"), has("_time"):
		return nil, &FormError{"A Splunk copy of CloudTrail", fromTrail}
	case has("class_uid"):
		return nil, &FormError{"OCSF, as of Security Lake,", fromTrail}
	case has("event.action"), has("_index"), slices.ContainsFunc(columns, func(s string) bool { return strings.HasPrefix(s, "aws.cloudtrail") }):
		return nil, &FormError{"An Elastic copy of CloudTrail", fromTrail}
	case has("timegenerated"):
		return nil, &FormError{"A Microsoft Sentinel copy of CloudTrail", fromTrail}
	case has("event name") && has("event source"):
		return nil, &FormError{"The CSV file of CloudTrail's event history, which lacks parameters,", "download it as JSON"}
	case slices.ContainsFunc(packedIn(), has):
	case !has("eventsource") && !has("eventname"):
		return nil, nil
	default:
		for _, name := range []string{"eventtime", "eventsource", "eventname", "errorcode"} {
			if !has(name) {
				return nil, &FormError{"A table without the column " + name, allOfIt}
			}
		}
	}
	for i, name := range columns {
		if slices.Contains(columns[:i], name) {
			return nil, fmt.Errorf("column %q: %w", clean(name, 64), ErrDuplicateName)
		}
	}
	return columns, nil
}

// text reads what is no JSON at the top: the header of a CSV file, a line of an
// export of CloudWatch Logs (a time, then the event), or a record in a text.
func (l *LogReader) text(f *Fields) (bool, error) {
	for !l.eof && l.end-l.start < 64<<10 && bytes.IndexByte(l.buf[l.start:l.end], '\n') < 0 {
		if err := l.fill(); err != nil {
			return true, l.broken(err)
		}
	}
	raw := l.buf[l.start:l.end]
	line, _, _ := bytes.Cut(raw, newline)
	if brace := bytes.IndexByte(line[:min(len(line), 512)], '{'); brace > 0 && isStamp(line[:brace]) {
		l.start += brace
		return false, nil
	}
	if i := skipSpace(raw, 1); raw[0] == '"' && i < len(raw) && raw[i] == '{' {
		return l.packedItem(f)
	}
	if bytes.HasPrefix(line, []byte("Events:")) || bytes.HasPrefix(line, []byte("EVENTS\t")) {
		return true, l.broken(&FormError{"The YAML or text of the AWS CLI", "ask for --output json"})
	}
	if l.read == 0 {
		values, end, err := csvRow(raw, 0, true)
		if err == nil {
			var columns []string
			if columns, err = header(values); err != nil {
				return true, l.broken(err)
			}
			if columns != nil {
				l.columns, l.table = columns, true
				l.start += end
				return false, nil
			}
		}
		if lower := bytes.ToLower(line); !bytes.ContainsAny(line, "{}:") && // nor the end of a record
			(bytes.Contains(lower, []byte("eventsource")) || bytes.Contains(lower, []byte("eventjson"))) {
			return true, l.broken(&FormError{"A table without commas between its columns", "export it as CSV (RFC 4180)"})
		}
		return true, l.resync(ErrNotLog)
	}
	return true, l.resync(errSyntax)
}

// isStamp reports whether a line begins as those of CloudWatch Logs: a time, and
// perhaps the name of a stream.
func isStamp(text []byte) bool {
	when, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	_, err := time.Parse("2006-01-02T15:04:05", when[:min(len(when), 19)])
	return err == nil
}

// tableRow reads a row of a CSV file.
func (l *LogReader) tableRow(f *Fields) (bool, error) {
	for {
		values, end, err := csvRow(l.buf[:l.end], l.start, l.eof)
		switch {
		case err == nil:
			l.start = end
			if names, err := l.header(values); names != nil || err != nil {
				if err != nil {
					return true, l.broken(err)
				}
				l.columns = names
				return false, nil
			}
			return l.taken(f.tableCells(l.columns, values))
		case !errors.Is(err, errShort):
			return true, l.broken(err)
		}
		if err := l.more(); err != nil {
			return true, l.broken(err)
		}
	}
}

// header takes a row of a table for another header: two files in a row, perhaps with
// other columns; nil where it is not.
func (l *LogReader) header(row []string) ([]string, error) {
	if !slices.ContainsFunc(row, func(name string) bool {
		name = strings.TrimSpace(name)
		return strings.EqualFold(name, l.columns[0]) || strings.EqualFold(name, "eventname")
	}) {
		return nil, nil
	}
	return header(row)
}

var errQuotes = errors.New("row of a CSV file with wrong quotes")

// csvRow reads the row that begins at i (RFC 4180) and returns the index behind it.
func csvRow(raw []byte, i int, whole bool) (values []string, end int, err error) {
	for {
		var value []byte
		if i < len(raw) && raw[i] == '"' {
			for i++; ; {
				n := bytes.IndexByte(raw[i:], '"')
				if n < 0 || i+n+1 == len(raw) && !whole {
					return nil, i, errShort
				}
				value = append(value, raw[i:i+n]...)
				if i += n + 1; i == len(raw) || raw[i] != '"' {
					break
				}
				value, i = append(value, '"'), i+1
			}
		} else {
			n := bytes.IndexAny(raw[i:], ",\n")
			if n < 0 && !whole {
				return nil, i, errShort
			} else if n < 0 {
				n = len(raw) - i
			}
			value, i = bytes.TrimSuffix(raw[i:i+n], []byte("\r")), i+n
		}
		values = append(values, string(value))
		if i < len(raw) && raw[i] == '\r' {
			i++
		}
		switch {
		case i == len(raw) && whole:
			return values, i, nil
		case i == len(raw):
			return nil, i, errShort
		case raw[i] == '\n':
			return values, i + 1, nil
		case raw[i] != ',':
			return nil, i, errQuotes
		}
		i++
	}
}
