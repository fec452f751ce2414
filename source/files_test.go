package source

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/cloudtrail"

	"github.com/google/go-cmp/cmp"
)

// write makes a file and returns its path.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// read lists what Files yields: line:body, or line! with the error's end.
func read(paths ...string) []string {
	var out []string
	for raw, err := range recorded(paths...) {
		if err != nil {
			text := err.Error()
			out = append(out, fmt.Sprintf("%d! %s", raw.Line, text[strings.LastIndex(text, ": ")+2:]))
			continue
		}
		out = append(out, fmt.Sprintf("%d:%s", raw.Line, raw.Body))
	}
	return out
}

// TestFiles_reads_every_form holds bodies, lines and faults; which forms there are
// is the matter of cloudtrail.LogReader.
func TestFiles_reads_every_form(t *testing.T) {
	t.Parallel()
	const a, b, d = `{"eventName":"a"}`, `{"eventName":"b","x":"]}"}`, `{"eventName":"d"}`
	long := strings.Repeat("x", cloudtrail.MaxSize)
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"log_file":               {`{"Records":[` + a + `,` + b + `]}`, []string{`1:` + a, `1:` + b}},
		"log_file_spread":        {"{\n \"Records\" : [\n  {\"eventName\":\n   1},\n  " + b + "\n ]\n}\n", []string{"3:{\"eventName\":\n   1}", `5:` + b}},
		"log_file_zipped":        {zipped(`{"Records":[` + a + `]}`), []string{`1:` + a}},
		"log_files_in_a_row":     {"{\"Records\":[" + a + "]}\n{\"Records\":[" + b + "]}", []string{`1:` + a, `2:` + b}},
		"empty_log_file":         {`{"Records":[]}`, nil},
		"lines":                  {a + "\n\n" + b + "\r\n", []string{`1:` + a, `3:` + b}},
		"objects_without_lines":  {a + b + ` ` + d, []string{`1:` + a, `1:` + b, `1:` + d}},
		"array":                  {"[\n" + a + ",\n" + b + "\n]", []string{`2:` + a, `3:` + b}},
		"envelope":               {`{"detail-type":"AWS API Call via CloudTrail","detail":` + a + `}`, []string{`1:{"detail-type":"AWS API Call via CloudTrail","detail":` + a + `}`}},
		"byte_order_mark":        {"\xef\xbb\xbf" + a, []string{`1:` + a}},
		"empty":                  {"", nil},
		"blanks":                 {" \n\n", nil},
		"cut_line_between":       {a + "\n{\"b\":{\"c\":\n" + d + "\n", []string{`1:` + a, "2! line ends within a record", `3:` + d}},
		"cut_text_between":       {a + "\n{\"b\":\"c\n" + d + "\n", []string{`1:` + a, "2! record is not a JSON object", `3:` + d}},
		"garbage_line_between":   {a + "\nhello\nworld\n" + d + "\n", []string{`1:` + a, "2! record is not a JSON object", `4:` + d}},
		"broken_object_between":  {"{\"a\" 1}\n" + d + "\n", []string{"1! record is not a JSON object", `2:` + d}},
		"number_as_name_between": {"{1:2}\n" + d + "\n", []string{"1! record is not a JSON object", `2:` + d}},
		"other_object_between":   {a + "\n{\"b\":1}\n" + d + "\n", []string{`1:` + a, `2:{"b":1}`, `3:` + d}},
		"number_in_an_array":     {"[" + a + ",\n5," + b + "]", []string{`1:` + a, "2! record is not a JSON object"}},
		"text_only":              {"hello", []string{"1! neither JSON nor CSV of CloudTrail"}},
		"cut_at_the_end":         {a + "\n{\"b\":\n", []string{`1:` + a, "2! unexpected EOF"}},
		"cut_in_an_array":        {"[" + a + ",", []string{`1:` + a, "1! unexpected EOF"}},
		"cut_in_zip":             {zipped(strings.Repeat(a, 3))[:24], []string{"1! unexpected EOF"}},
		"not_really_zip":         {"\x1f\x8bhello, this is no zip", []string{"1! invalid header"}},
		"too_large_in_an_array":  {`[` + a + `,{"eventName":"` + long + `"},` + d + `]`, []string{`1:` + a, "1! event is larger than 1 MiB", `1:` + d}},
		"too_large_line":         {`{"eventName":"` + long + "\"}\n" + d, []string{"1! event is larger than 1 MiB", `2:` + d}},
		"much_too_large_line":    {`{"eventName":"` + strings.Repeat(long, 9) + "\"}\n" + d, []string{"1! event is larger than 1 MiB", `2:` + d}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := read(write(t, "events", tc.text))
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("events (-want +got):\n%s", d)
			}
		})
	}
}

// TestFiles_reads_folders: whatever a file is called, its content tells what it
// is, and what is left out is named.
func TestFiles_reads_folders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	event := func(name string) string { return `{"eventName":"` + name + `"}` }
	for name, text := range map[string]string{
		"o-1/AWSLogs/o-1/1/CloudTrail/eu/b.json.gz":        zipped(`{"Records":[` + event("b") + `]}`),
		"o-1/AWSLogs/o-1/1/CloudTrail/eu/a.json":           event("a"),
		"o-1/AWSLogs/o-1/1/CloudTrail-Digest/eu/d.json.gz": zipped(`{"digestS3Object":"digest"}`),
		"o-1/AWSLogs/o-1/1/CloudTrail-Insight/eu/i.json":   event("i"),
		"o-1/AWSLogs/o-1/1/Config/eu/c.json":               `{"fileVersion":"1.0","configurationItems":[{}]}`,
		"c.jsonl":                                          event("c"),
		"d.ndjson.gz":                                      zipped(event("d")),
		"stream-1-2024-08-01-f":                            zipped(event("f1")) + zipped(event("f2")),
		"README.txt":                                       "no",
		"archive.gz":                                       "no",
		"archive.zip":                                      "PK\x03\x04",
		"settings":                                         `{"a":1}`,
		"zz-mixed":                                         "a line of something else\n{\"message\":\"CWL CONTROL MESSAGE\"}\n" + event("z"),
		"h.json":                                           "not JSON",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "c.jsonl"), filepath.Join(dir, "e.jsonl")); err != nil {
		t.Fatal(err)
	}
	var events, left, errs []string
	for raw, err := range FilesExcept(func(f cloudtrail.Unread) { left = append(left, filepath.Base(f.File)) }, dir) {
		switch name, _ := filepath.Rel(dir, raw.File); {
		case err != nil:
			errs = append(errs, filepath.Base(name)+err.Error()[strings.LastIndex(err.Error(), ": "):])
		default:
			events = append(events, filepath.Base(name)+" "+string(raw.Body))
			if raw.Line != 1 && name != "zz-mixed" {
				t.Errorf("%s: got line %d", name, raw.Line)
			}
		}
	}
	slices.Sort(left)
	for _, tc := range []struct{ what, got, want string }{
		{"events", strings.Join(events, ", "), `c.jsonl {"eventName":"c"}, d.ndjson.gz {"eventName":"d"}, e.jsonl {"eventName":"c"}, a.json {"eventName":"a"}, b.json.gz {"eventName":"b"}, stream-1-2024-08-01-f {"eventName":"f1"}, stream-1-2024-08-01-f {"eventName":"f2"}, zz-mixed {"eventName":"z"}`},
		{"left out", strings.Join(left, ", "), "README.txt, archive.gz, archive.zip, c.json, d.json.gz, i.json, settings"},
		{"errors", strings.Join(errs, ", "), "h.json: neither JSON nor CSV of CloudTrail, zz-mixed: neither JSON nor CSV of CloudTrail, zz-mixed: not a CloudTrail event"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.what, tc.got, tc.want)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	linked := 0
	for _, err := range recorded(link) {
		if err == nil {
			linked++
		}
	}
	if linked != len(events) {
		t.Errorf("through a link: got %d events, want %d", linked, len(events))
	}
	for range recorded(dir) {
		break // the consumer may stop at any time
	}
}

func TestFiles_reports_what_it_cannot_read(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.json")
	var errs []error
	events := 0
	for _, err := range recorded(missing, t.TempDir(), write(t, "notes.txt", "named by a person"), write(t, "good.json", `{"eventName":"a"}`)) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		events++
	}
	if len(errs) != 3 || !errors.Is(errs[0], os.ErrNotExist) || !strings.Contains(errs[1].Error(), "is empty") || !strings.Contains(errs[2].Error(), "neither JSON nor CSV") {
		t.Errorf("got errors %q, want a missing file, an empty folder, and a file that is no log", errs)
	}
	if events != 1 {
		t.Errorf("got %d events behind the errors, want 1", events)
	}
}

func TestFiles_stops_when_told(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"record": `{"eventName":1}{"eventName":2}`, "element": `[{"eventName":1},{"eventName":2}]`, "error": "x\ny\n{}", "too_large": `{"a":"` + strings.Repeat("x", cloudtrail.MaxSize) + `"}{}`,
	} {
		n := 0
		for range recorded(write(t, "events.json", text), write(t, "more.json", "{}")) {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%s: got %d items, want 1", name, n)
		}
	}
}

func BenchmarkFiles(b *testing.B) {
	record := `{"eventName":"` + strings.Repeat("x", 1000) + `","b":{"c":[1,2,3],"d":"` + strings.Repeat("y", 400) + `"}}`
	path := write(b, "log.json.gz", zipped(`{"Records":[`+strings.Repeat(record+",", 9999)+record+`]}`))
	n := 0
	for b.Loop() {
		for _, err := range recorded(path) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// recorded are recorded events, whatever is left out.
func recorded(paths ...string) iter.Seq2[Raw, error] {
	return FilesExcept(func(cloudtrail.Unread) {}, paths...)
}
