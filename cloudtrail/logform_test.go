package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"
)

// sample is one event as CloudTrail writes it, which every form below holds.
const sample = `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAX:ci","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/team/deploy"},"attributes":{"creationDate":"2024-08-01T11:00:00Z"}}},"eventTime":"2024-08-01T12:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","awsRegion":"eu-west-1","requestParameters":{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0","description":"\"quoted\", a=b {x}"}]}}]}},"responseElements":null,"eventID":"e1","readOnly":false,"recipientAccountId":"111122223333"}`

// packed are texts that hold sample, or what is cut out of them.
type packed struct{ name, text string }

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.String()
}

func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func table(rows ...[]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		panic(err)
	}
	return b.String()
}

func wide(text string, big bool) string {
	var b []byte
	for _, u := range append([]uint16{0xfeff}, utf16.Encode([]rune(text))...) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

// forms are those in which people hold CloudTrail; each is read as sample, n times.
func forms() []packed {
	const identity = `{type=AssumedRole, principalid=AROAX:ci, arn=arn:aws:sts::111122223333:assumed-role/deploy/ci, accountid=111122223333, invokedby=null, accesskeyid=ASIA, username=null, sessioncontext={attributes={mfaauthenticated=false, creationdate=2024-08-01 11:00:00.000}, sessionissuer={type=Role, principalid=AROAX, arn=arn:aws:iam::111122223333:role/team/deploy, accountid=111122223333, username=deploy}}}`
	_, request, _ := strings.Cut(sample, `"requestParameters":`)
	request, _, _ = strings.Cut(request, `,"responseElements"`)
	lake := `{groupId=sg-1, ipPermissions=` + strings.TrimSuffix(strings.TrimPrefix(request, `{"groupId":"sg-1","ipPermissions":`), "}") + `}`
	envelope := `{"version":"0","id":"x1","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":"111122223333","time":"2024-08-01T12:00:00Z","region":"eu-west-1","resources":[],"detail":` + sample + `}`
	lookup := `{"EventId":"e1","EventName":"AuthorizeSecurityGroupIngress","ReadOnly":"false","EventTime":"2024-08-01T14:00:00+02:00","EventSource":"ec2.amazonaws.com","Username":"ci","Resources":[],"CloudTrailEvent":` + quoted(sample) + `}`
	watch := `{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"CloudTrail/logs","logStream":"s","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1,"message":` + quoted(sample) + `}]}`
	columns := []string{"eventversion", "useridentity", "eventtime", "eventsource", "eventname", "awsregion", "errorcode", "requestparameters", "responseelements", "eventid", "readonly", "recipientaccountid"}
	athena := []string{"1.09", identity, "2024-08-01T12:00:00Z", "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", "eu-west-1", "", request, "null", "e1", "false", "111122223333"}
	ofLake := append([]string{}, athena...)
	ofLake[2], ofLake[7] = "2024-08-01 12:00:00.000", lake
	row := func(values []string) string {
		var list, data []string
		for i, c := range columns {
			list = append(list, fmt.Sprintf(`{%q:%s}`, c, quoted(values[i])))
			data = append(data, fmt.Sprintf(`{"VarCharValue":%s}`, quoted(values[i])))
		}
		return "[" + strings.Join(list, ",") + "]\x00" + `{"Data":[` + strings.Join(data, ",") + `]}`
	}
	lakeRow, _, _ := strings.Cut(row(ofLake), "\x00")
	_, names, _ := strings.Cut(row(columns), "\x00")
	_, athenaRow, _ := strings.Cut(row(athena), "\x00")
	unload := strings.NewReplacer("userIdentity", "useridentity", "principalId", "principalid", "accountId", "accountid", "sessionContext", "sessioncontext", "sessionIssuer", "sessionissuer",
		"creationDate", "creationdate", "eventTime", "eventtime", "eventSource", "eventsource", "eventName", "eventname", "awsRegion", "awsregion", "eventID", "eventid",
		"recipientAccountId", "recipientaccountid", `"requestParameters":`+request, `"requestparameters":`+quoted(request), `"responseElements":null`, `"responseelements":"null"`).Replace(sample)
	return []packed{
		{"record", sample},
		{"log_file", `{"Records":[` + sample + `]}`},
		{"log_file_with_more_first", `{"a":{"Records":[1]},"b":[2],"Records":[` + sample + `],"c":{"d":"]}"}}`},
		{"log_file_twice", gzipped(`{"Records":[`+sample+`]}`) + gzipped("\n"+`{"Records":[]}`)},
		{"array_of_log_files", `[{"Records":[]},{"Records":[` + sample + `]}]`},
		{"array_of_arrays", `[[],[` + sample + `]]`},
		{"crlf", "{\r\n\"Records\":\r\n[" + strings.ReplaceAll(sample, `,"event`, ",\r\n\"event") + "\r\n]}\r\n"},
		{"byte_order_mark", "\xef\xbb\xbf" + sample},
		{"windows_shell", wide(`{"Records":[`+sample+`]}`, false)},
		{"utf_16_big_endian", wide(sample, true)},
		{"envelope", envelope},
		{"envelopes", "[" + envelope + "]"},
		{"envelope_lines", envelope + "\n"},
		{"notification", `{"Type":"Notification","Message":` + quoted(envelope) + `}`},
		{"queue", `{"Messages":[{"MessageId":"m","Body":` + quoted(envelope) + `}]}`},
		{"lookup", `{"Events":[` + lookup + `],"NextToken":"t"}`},
		{"lookup_next_first", `{"NextToken":"t","Events":[` + lookup + `]}`},
		{"lookup_pages", `{"Events":[` + lookup + `]}` + "\n" + `{"Events":[]}`},
		{"lookup_lines", lookup + "\n"},
		{"lookup_array", "[" + lookup + "]"},
		{"lookup_events_alone", "[" + quoted(sample) + "]"},
		{"lookup_text", quoted(sample) + "\n"},
		{"subscription", gzipped(watch)},
		{"firehose", watch + `{"messageType":"CONTROL_MESSAGE","logEvents":[]}`},
		{"firehose_zipped_twice", gzipped(gzipped(watch) + gzipped(`{"logEvents":[]}`))},
		{"filter_log_events", `{"events":[{"logStreamName":"s","timestamp":1,"message":` + quoted(sample) + `,"eventId":"1"}],"searchedLogStreams":[]}`},
		{"envelopes_in_log_events", `{"events":[{"timestamp":1,"message":` + quoted(envelope) + `}]}`},
		{"log_export", "2024-08-01T12:00:00.000Z " + sample + "\n"},
		{"log_tail", "2024-08-01T12:00:00.000000+00:00 111122223333_CloudTrail_eu-west-1 " + sample + "\n"},
		{"insights", `{"results":[[{"field":"@message","value":` + quoted(sample) + `},{"field":"@ptr","value":"p"}]],"status":"Complete"}`},
		{"insights_console", `[{"@timestamp":"2024","@message":` + sample + `}]`},
		{"insights_csv", table([]string{"@timestamp", "@message"}, []string{"2024", sample})},
		{"lake_answer", `{"QueryStatus":"FINISHED","QueryResultRows":[[{"eventJson":` + quoted(sample) + `}]]}`},
		{"lake_answer_columns", `{"QueryResultRows":[` + lakeRow + `]}`},
		{"lake_rows_alone", `[` + lakeRow + `]`},
		{"lake_csv", gzipped(table([]string{"eventJson"}, []string{sample}))},
		{"lake_csv_columns", table(columns, ofLake)},
		{"athena_csv", table(columns, athena)},
		{"athena_csv_twice", table(columns, athena) + table(columns)},
		{"athena_csv_crlf", strings.ReplaceAll(table(columns, athena), "\n", "\r\n")},
		{"athena_answer", `{"ResultSet":{"Rows":[` + names + `,` + athenaRow + `],"ResultSetMetadata":{"ColumnInfo":[{"Name":"eventversion"}]}},"UpdateCount":0}`},
		{"athena_answer_metadata_first", `{"UpdateCount":0,"ResultSet":{"ResultSetMetadata":{"ColumnInfo":[{"Name":"x"}]},"Rows":[` + names + `,` + athenaRow + `]}}`},
		{"athena_unload", unload + "\n"},
	}
}

// all reads a file; errors stand as "! text".
func all(in io.Reader) (records []Record, lines []string) {
	var l LogReader
	var f Fields
	l.Reset(in)
	for {
		err := l.Next(&f)
		if errors.Is(err, io.EOF) {
			return records, lines
		}
		if err != nil {
			lines = append(lines, "! "+err.Error())
			continue
		}
		r, err := Decode(l.Raw())
		if err != nil {
			lines = append(lines, "? "+err.Error())
			continue
		}
		key, _, _, _ := f.Identity.Principal(nil)
		if string(Text(f.Name)) != r.Name || string(Text(f.ID)) != r.ID {
			lines = append(lines, "? fields and record differ")
		}
		lines = append(lines, fmt.Sprintf("%s of %s at %s", r.Name, key, Text(f.Time)))
		records = append(records, r)
	}
}

// TestLogReaderReadsEveryForm holds each form to the record: the same fields for
// the ledger, and the same request for the replay.
func TestLogReaderReadsEveryForm(t *testing.T) {
	t.Parallel()
	want, err := Decode([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range forms() {
		for _, in := range []packed{form, {form.name + "_zipped", gzipped(form.text)}} {
			t.Run(in.name, func(t *testing.T) {
				t.Parallel()
				for name, stream := range map[string]io.Reader{"whole": strings.NewReader(in.text), "by_bytes": slow{strings.NewReader(in.text)}} {
					records, lines := all(stream)
					if got := strings.Join(lines, "; "); got != "AuthorizeSecurityGroupIngress of arn:aws:iam::111122223333:role/deploy at 2024-08-01T12:00:00Z" || len(records) != 1 {
						t.Fatalf("%s: got %s", name, got)
					}
					r := records[0]
					if !sameJSON(t, r.Request, want.Request) {
						t.Errorf("%s: request: got %s, want %s", name, r.Request, want.Request)
					}
					if r.Caller.Issuer != want.Caller.Issuer || r.Account != want.Account || r.Region != want.Region || !r.Time.Equal(want.Time) || r.ErrorCode != "" || r.ID != "e1" {
						t.Errorf("%s: got %+v, want %+v", name, r, want)
					}
				}
			})
		}
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

// TestLogReaderRefuses: copies that rename fields are refused by their names, each
// with what to export instead.
func TestLogReaderRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"elastic_hits", `{"took":1,"hits":{"hits":[{"_source":{}}]}}`, "Elastic"},
		{"elastic_document", `{"_index":"filebeat","_source":{"event":{"action":"x"}}}`, "Elastic"},
		{"elastic_lines", `{"@timestamp":"2024-08-01T12:00:00Z","event":{"provider":"ec2.amazonaws.com","action":"x","original":` + quoted(sample) + `},"aws":{"cloudtrail":{}}}`, "Elastic"},
		{"elastic_message", `{"@timestamp":"2024-08-01T12:00:00Z","message":` + quoted(sample) + `,"event":{"module":"aws"}}`, "Elastic"},
		{"elastic_dump", `{"_index":"x","_id":"1","_source":` + sample + `}`, "Elastic"},
		{"elastic_array", `[{"_index":"x","_source":{}}]`, "Elastic"},
		{"kibana_csv", table([]string{"@timestamp", "_id", "_index"}, []string{"a", "b", "c"}), "Elastic"},
		{"elastic_bulk", `{"index":{"_index":"x"}}`, "Elastic"},
		{"elastic_csv", table([]string{"@timestamp", "event.action"}, []string{"a", "b"}), "Elastic"},
		{"splunk_result", `{"preview":false,"result":{"_raw":` + quoted(sample) + `}}`, "Splunk"},
		{"splunk_results", `{"preview":false,"results":[{"_raw":"x"}]}`, "Splunk"},
		{"splunk_collector", `{"time":1,"sourcetype":"aws:cloudtrail","event":` + sample + `}`, "Splunk"},
		{"splunk_row", `{"offset":0,"lastrow":true,"result":{"eventName":"x"}}`, "Splunk"},
		{"splunk_fields_csv", table([]string{"_time", "eventName"}, []string{"1", "x"}), "Splunk"},
		{"ocsf_csv", table([]string{"class_uid", "time"}, []string{"6003", "1"}), "OCSF"},
		{"ocsf_in_a_list", `{"Records":[{"class_uid":6003}]}`, "OCSF"},
		{"splunk_csv", table([]string{"_time", "_raw"}, []string{"1", sample}), "Splunk"},
		{"ocsf", `{"class_uid":6003,"metadata":{"product":{"name":"CloudTrail"}},"api":{"operation":"x"}}`, "OCSF"},
		{"sentinel", `{"TimeGenerated":"x","EventName":"a","EventSource":"b"}`, "Sentinel"},
		{"parquet", "PAR1\x15\x04\x15", "Parquet"},
		{"parquet_zipped", gzipped("PAR1\x15\x04\x15"), "Parquet"},
		{"orc", "ORC\x0a", "ORC"},
		{"avro", "Obj\x01\x04", "Avro"},
		{"cli_yaml", "Events:\n- CloudTrailEvent: '" + sample + "'\n", "YAML"},
		{"cli_text", "EVENTS\t" + sample + "\tAKIA\n", "YAML or text"},
		{"console_csv", table([]string{"Event ID", "Event time", "Event name", "Event source"}, []string{"a", "b", "c", "d"}), "event history"},
		{"lookup_without_events", `{"Events":[{"EventName":"a","EventSource":"b","EventTime":1}]}`, "without its CloudTrailEvent"},
		{"tabs", strings.ReplaceAll(table([]string{"eventtime", "eventSource", "eventName"}, []string{"a", "b", "c"}), ",", "\t"), "without commas"},
		{"semicolons", strings.ReplaceAll(table([]string{"eventtime", "eventsource", "eventname"}, []string{"a", "b", "c"}), ",", ";"), "without commas"},
		{"athena_without_error_code", table([]string{"eventtime", "eventsource", "eventname"}, []string{"a", "b", "c"}), "without the column errorcode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			records, lines := all(strings.NewReader(tt.text + "\n"))
			if len(records) != 0 || len(lines) != 1 || !strings.Contains(lines[0], tt.want) || !strings.Contains(lines[0], "is not read: ") {
				t.Errorf("got %q, want one refusal that names %s", lines, tt.want)
			}
		})
	}
}

// TestLogReaderIsNotFooled: what a caller chose is never taken for a record, and
// what cannot be read for certain is no request.
func TestLogReaderIsNotFooled(t *testing.T) {
	t.Parallel()
	inner := `{"Records":[` + sample + `],"Events":[` + sample + `],"detail":` + sample + `,"CloudTrailEvent":` + quoted(sample) + `}`
	outer := `{"eventSource":"s3.amazonaws.com","eventName":"PutObject","awsRegion":"eu-west-1","recipientAccountId":"111122223333","eventTime":"2024-08-01T12:00:00Z","requestParameters":` + inner + `,"x":` + inner + `}`
	for _, text := range []string{outer, `{"Records":[` + outer + `]}`, `{"a":` + inner + `,"Records":[` + outer + `],"b":` + inner + `}`} {
		if records, lines := all(strings.NewReader(text)); len(records) != 1 || records[0].Name != "PutObject" {
			t.Errorf("got %q, want the outer record alone", lines)
		}
	}
	columns := []string{"eventtime", "eventsource", "eventname", "errorcode", "awsregion", "recipientaccountid", "requestparameters"}
	for request, want := range map[string]string{
		`{groupId=sg-1, description=x, groupId=sg-2}`: `"omitted":true`,
		`groupId=sg-1`:            `"omitted":true`,
		`{groupId=sg-1, a=}`:      `"groupId":"sg-1"`,
		`{"a":"b"`:                `"omitted":true`,
		`{groupId=sg-1, b=[{"c":`: `"omitted":true`,
		`{groupName=a, b=hello}x`: `"omitted":true`,
	} {
		text := table(columns, []string{"2024-08-01T12:00:00Z", "ec2.amazonaws.com", "X", "", "eu-west-1", "111122223333", request})
		if records, lines := all(strings.NewReader(text)); len(records) != 1 || !strings.Contains(string(records[0].Request), want) {
			t.Errorf("%s: got %v, %q, want %s", request, records, lines, want)
		}
	}
}

// TestLogReaderKeepsOneBuffer: what is too large is skipped and costs no memory,
// wherever it is, and no other record.
func TestLogReaderKeepsOneBuffer(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x{\\\"", 3*maxLogRecord/4)
	for name, text := range map[string]string{
		"value":        `{"Records":[{"eventName":"a","x":"` + large + `"},` + sample + `]}`,
		"line":         `{"x":{"y":["` + large + `"]}}` + "\n" + sample,
		"text":         `["` + large + `",` + sample + `]`,
		"row":          `[[{"eventJson":"` + large + `"}],[{"eventJson":` + quoted(sample) + `}]]`,
		"member_after": `{"Records":[` + sample + `],"x":["` + large + `"]}`,
	} {
		for kind, in := range map[string]io.Reader{"plain": strings.NewReader(text), "zipped": strings.NewReader(gzipped(text))} {
			var l LogReader
			var f Fields
			var faults, found int
			for l.Reset(in); ; {
				err := l.Next(&f)
				if errors.Is(err, io.EOF) {
					break
				}
				if errors.Is(err, ErrTooLarge) && strings.Contains(err.Error(), "MiB") {
					faults++
				} else if err == nil && string(l.Raw()) == sample {
					found++
				} else {
					t.Errorf("%s, %s: got %.80q, %v", name, kind, l.Raw(), err)
				}
			}
			if want := 1; found != want || faults != map[bool]int{true: 0, false: 1}[name == "member_after"] || len(l.buf) > maxLogRecord {
				t.Errorf("%s, %s: got %d records, %d faults and a buffer of %d bytes", name, kind, found, faults, len(l.buf))
			}
		}
	}
}

// FuzzLogReader: no text makes the reader loop or break, and none hides the
// record that stood before it.
func FuzzLogReader(f *testing.F) {
	for _, form := range forms() {
		f.Add([]byte(form.text))
	}
	for _, seed := range []string{"{\"a\":1}\n{\"b\":", `[{"a":"\"]"}]`, "x\n{}", "{\"a\":\n{", `{"Records":[{"Events":[`, `[[[[[[[[[[`, "\"a,b\n", "\x1f\x8b", "\xff\xfe{"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all(bytes.NewReader(text))
		first := true
		var l LogReader
		var fields Fields
		l.Reset(io.MultiReader(strings.NewReader("{\"eventName\":\"first\"}\n"), bytes.NewReader(text), strings.NewReader("\n{\"eventName\":\"last\"}\n")))
		for n := 0; ; n++ {
			err := l.Next(&fields)
			if errors.Is(err, io.EOF) {
				break
			}
			if first && (err != nil || string(l.Raw()) != `{"eventName":"first"}`) {
				t.Fatalf("got %q, %v first, want the first record", l.Raw(), err)
			}
			if first = false; l.Line() < 1 || n > len(text)+10 {
				t.Fatalf("got line %d, item %d", l.Line(), n)
			}
		}
		if first {
			t.Fatal("got nothing, want at least the first record")
		}
	})
}

// FuzzCSVRow holds rows to those of encoding/csv.
func FuzzCSVRow(f *testing.F) {
	for _, seed := range []string{"a,b\n", "\"a\"\"b\",c\r\n", "\"a\nb\",", ",", "\"a", "a\"b,c\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, end, err := csvRow([]byte(text), 0, true)
		if end > len(text) {
			t.Fatalf("ends at %d of %d", end, len(text))
		}
		r := csv.NewReader(strings.NewReader(text))
		want, wrong := r.Read()
		if err != nil || wrong != nil || strings.ContainsAny(text, "\r") || strings.HasPrefix(text, "\n") {
			return
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	})
}

// FuzzStructure: what Lake and Athena write for a structure is read, or refused.
func FuzzStructure(f *testing.F) {
	for _, seed := range []string{"{a=1, b={c=x}}", "[{a=1}, {b=2}]", `{a={"b":[1]}, c=null}`, "{a=, b=}", "{", "[", "{a=1, a=2}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := structure(text)
		if err != nil {
			return
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("%q: got %v, which is no JSON: %v", text, v, err)
		}
	})
}
