package source

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera/cloudtrail"

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
	for raw, err := range Files(paths...) {
		if err != nil {
			text := err.Error()
			out = append(out, fmt.Sprintf("%d! %s", raw.Line, text[strings.LastIndex(text, ": ")+2:]))
			continue
		}
		out = append(out, fmt.Sprintf("%d:%s", raw.Line, raw.Body))
	}
	return out
}

func TestFiles_reads_every_form(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"log_file":               {`{"Records":[{"a":1},{"b":"]}"}]}`, []string{`1:{"a":1}`, `1:{"b":"]}"}`}},
		"log_file_spread":        {"{\n \"Records\" : [\n  {\"a\":\n   1},\n  {\"b\":2}\n ]\n}\n", []string{"3:{\"a\":\n   1}", `5:{"b":2}`}},
		"log_file_zipped":        {zipped(`{"Records":[{"a":1}]}`), []string{`1:{"a":1}`}},
		"log_file_with_more":     {`{"x":{"Records":[1]},"Records":[{"a":1}],"y":[2]}`, []string{`1:{"a":1}`}},
		"log_files_in_a_row":     {"{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"b\":2}]}", []string{`1:{"a":1}`, `2:{"b":2}`}},
		"empty_log_file":         {`{"Records":[]}`, nil},
		"lines":                  {"{\"a\":1}\n\n{\"b\":[{}]}\r\n", []string{`1:{"a":1}`, `3:{"b":[{}]}`}},
		"objects_without_lines":  {`{"a":1}{"b":2} {"c":3}`, []string{`1:{"a":1}`, `1:{"b":2}`, `1:{"c":3}`}},
		"array":                  {"[\n{\"a\":1},\n{\"b\":2}\n]", []string{`2:{"a":1}`, `3:{"b":2}`}},
		"nested_name_is_no_list": {`{"a":{"Records":[{"b":1}]}}`, []string{`1:{"a":{"Records":[{"b":1}]}}`}},
		"records_not_a_list":     {`{"Records":{"a":1}}`, []string{`1:{"Records":{"a":1}}`}},
		"escapes":                {`{"a\"":"\\\"{","b":-1.5e3 ,"c":null}`, []string{`1:{"a\"":"\\\"{","b":-1.5e3 ,"c":null}`}},
		"byte_order_mark":        {"\xef\xbb\xbf{}", []string{`1:{}`}},
		"empty":                  {"", nil},
		"blanks":                 {" \n\n", nil},
		"pretty_record":          {"{\n  \"a\": {\n    \"b\": [\n      1\n    ]\n  }\n}\n", []string{"1:{\"a\":{\n    \"b\": [\n      1\n    ]\n  }}"}},
		"cut_line_between":       {"{\"a\":1}\n{\"b\":{\"c\":\n{\"d\":4}\n", []string{`1:{"a":1}`, "2! line ends within a record", `3:{"d":4}`}},
		"cut_text_between":       {"{\"a\":1}\n{\"b\":\"c\n{\"d\":4}\n", []string{`1:{"a":1}`, "2! line ends within a text", `3:{"d":4}`}},
		"garbage_line_between":   {"{\"a\":1}\nhello\nworld\n{\"d\":4}\n", []string{`1:{"a":1}`, "2! want a JSON object or an array of them", `4:{"d":4}`}},
		"broken_object_between":  {"{\"a\" 1}\n{\"d\":4}\n", []string{"1! want a colon behind the member's name", `2:{"d":4}`}},
		"number_as_name_between": {"{1:2}\n{\"d\":4}\n", []string{"1! want a member's name, a comma or the end of the object", `2:{"d":4}`}},
		"number_in_an_array":     {"[{\"a\":1},\n5,{\"b\":2}]", []string{`1:{"a":1}`, "2! want an object, a comma or the end of the array"}},
		"text_only":              {"hello", []string{"1! want a JSON object or an array of them"}},
		"cut_at_the_end":         {"{\"a\":1}\n{\"b\":\n", []string{`1:{"a":1}`, "3! file ends within the value that begins in line 2"}},
		"cut_in_an_array":        {"[{\"a\":1},", []string{`1:{"a":1}`, "1! file ends within the value that begins in line 1"}},
		"cut_in_zip":             {zipped(strings.Repeat(`{"a":1}`, 3))[:20], []string{`1:{"a":1}`, `1:{"a":1}`, `1:{"a":1}`, "1! unexpected EOF"}},
		"not_really_zip":         {"\x1f\x8bhello, this is no zip", []string{"0! invalid header"}},
		"too_large_in_an_array": {
			`[{"a":1},{"b":"` + strings.Repeat("x", cloudtrail.MaxSize) + `"},{"c":3}]`,
			[]string{`1:{"a":1}`, "1! event is larger than 1 MiB", `1:{"c":3}`},
		},
		"too_large_line": {
			`{"b":"` + strings.Repeat("x", cloudtrail.MaxSize) + "\"}\n{\"c\":3}",
			[]string{"1! event is larger than 1 MiB", `2:{"c":3}`},
		},
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

func TestFiles_reads_folders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"AWSLogs/1/CloudTrail/eu/b.json.gz":        zipped(`{"Records":[{"n":"b"}]}`),
		"AWSLogs/1/CloudTrail/eu/a.json":           `{"n":"a"}`,
		"AWSLogs/1/CloudTrail-Digest/eu/d.json.gz": zipped(`{"n":"digest"}`),
		"c.jsonl":     `{"n":"c"}`,
		"d.ndjson.gz": zipped(`{"n":"d"}`),
		"README.txt":  "no",
		"archive.gz":  "no",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{`1:{"n":"a"}`, `1:{"n":"b"}`, `1:{"n":"c"}`, `1:{"n":"d"}`}
	if d := cmp.Diff(want, read(dir)); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	for raw, err := range Files(dir) {
		if want := filepath.Join(dir, "AWSLogs/1/CloudTrail/eu/a.json") + ":1"; err != nil || raw.Position() != want {
			t.Errorf("got %q, %v, want %q", raw.Position(), err, want)
		}
		break // the consumer may stop at any time
	}
}

func TestFiles_reports_what_it_cannot_read(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.json")
	good := write(t, "good.json", `{"a":1}`)
	var errs []error
	events := 0
	for _, err := range Files(missing, t.TempDir(), good) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		events++
	}
	if len(errs) != 2 || !errors.Is(errs[0], os.ErrNotExist) || !strings.Contains(errs[1].Error(), "holds no .json") {
		t.Errorf("got errors %q, want a missing file and an empty folder", errs)
	}
	if events != 1 {
		t.Errorf("got %d events behind the errors, want 1", events)
	}
}

func TestFiles_stops_when_told(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"record": `{"a":1}{"b":2}`, "element": `[{"a":1},{"b":2}]`, "error": "x\ny\n{}", "too_large": `{"a":"` + strings.Repeat("x", cloudtrail.MaxSize) + `"}{}`,
	} {
		n := 0
		for range Files(write(t, "events.json", text), write(t, "more.json", "{}")) {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%s: got %d items, want 1", name, n)
		}
	}
}

// FuzzFiles holds that the reader neither panics nor loses a record of valid
// JSON lines.
func FuzzFiles(f *testing.F) {
	for _, seed := range []string{`{"Records":[{"a":1}]}`, "{\"a\":1}\n{\"b\":", `[{"a":"\"]"}]`, "x\n{}", "{\"a\":\n{"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		first := true
		stream := io.MultiReader(strings.NewReader("{\"n\":0}\n"), bytes.NewReader(text), strings.NewReader("\n{\"n\":1}\n"))
		readStream(stream, "events.json", func(raw Raw, err error) bool {
			if first && (err != nil || string(raw.Body) != `{"n":0}`) {
				t.Fatalf("got %q, %v first, want the first record", raw.Body, err)
			}
			first = false
			if err == nil && (len(raw.Body) < 2 || raw.Body[0] != '{') {
				t.Fatalf("got record %q, want an object", raw.Body)
			}
			return true
		})
		if first {
			t.Fatal("got nothing, want at least the first record")
		}
	})
}

func BenchmarkFiles(b *testing.B) {
	record := `{"a":"` + strings.Repeat("x", 1000) + `","b":{"c":[1,2,3],"d":"` + strings.Repeat("y", 400) + `"}}`
	path := write(b, "log.json.gz", zipped(`{"Records":[`+strings.Repeat(record+",", 9999)+record+`]}`))
	n := 0
	for b.Loop() {
		for _, err := range Files(path) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
