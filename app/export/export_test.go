package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/services"
)

// hostile are texts that somebody who may name resources could write.
func hostile() map[string]string {
	return map[string]string{
		"script":        `<script>alert(1)</script>`,
		"attribute":     `" onmouseover="alert(1)`,
		"cdata":         `]]> <![CDATA[ -->`,
		"entity":        `&lt;b&gt; &amp;amp; &#x3c;`,
		"csv":           `","evil","`,
		"lines":         "one\ntwo\r\nthree\tfour",
		"formula":       `=cmd|' /C calc'!A0`,
		"plus":          `+1+1`,
		"at":            `@SUM(1+1)`,
		"spaced":        " \n=1+1",
		"wide":          "＝1+1",
		"control":       "a\x00b\x07c\x1b[31md\x7fe\u009bf",
		"invalid":       "a\xff\xfe\xc3(",
		"half":          string([]byte{0xed, 0xa0, 0x80}),
		"direction":     "abc\u202egnp.exe\u2066",
		"noncharacter":  "a\uffff\ufdd0b",
		"separator":     "a\u2028b",
		"empty":         "",
		"javascript":    "javascript:alert(1)",
		"path":          "../../etc/passwd",
		"percent":       "%3Cscript%3E%00",
		"format":        "%s%n{{.}}${jndi:ldap://x}",
		"emoji":         "🪣 \u00fcber",
		"quote":         `'; DROP TABLE findings; --`,
		"closing style": "</style></title></pre>",
	}
}

func report(name string) Report {
	at := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	finding := func(id string, s dera.Severity, d dera.Disposition, state dera.FindingState) app.FindingView {
		return app.FindingView{Finding: dera.Finding{
			ID: id, Control: services.Controls()[0].ID, Partition: "aws", Account: "111122223333", Region: "us-east-1",
			Resource: dera.ARN("arn:aws:ec2:us-east-1:111122223333:security-group/sg-1" + name), ResourceType: "AWS::EC2::SecurityGroup", ResourceName: name, Key: "tcp/22" + name,
			Severity: s, Disposition: d, State: state, Title: "open " + name, Why: name, Owner: name, FirstSeen: at, LastSeen: at,
			Reasons: []dera.Reason{{Guardrail: "exemption", Disposition: d, Why: name, Ref: name}},
		}}
	}
	open := finding("f-00000000000000000001", dera.Critical, dera.Auto, dera.FindingOpen)
	open.Plan = &app.PlanView{Remediation: "r-00000000000000000001", State: dera.Waiting, Digest: "d", Diff: []string{"- tcp 22 from 0.0.0.0/0 " + name, "+ " + name},
		Code: &dera.CodeDiff{Language: "terraform", Lines: []string{"-a " + name}}}
	left := finding("f-00000000000000000002", dera.Medium, dera.Exempt, dera.FindingOpen)
	unknown := finding("f-00000000000000000003", dera.Low, dera.Review, dera.FindingUnknown)
	unknown.NotRead = &at
	gone := finding("f-00000000000000000004", dera.High, dera.Review, dera.FindingResolved)
	gone.ResolvedAt = &at
	other := finding("f-00000000000000000005", dera.High, dera.Alert, dera.FindingOpen)
	other.Control = "removed-control"
	bucket := finding("f-00000000000000000006", dera.High, dera.Alert, dera.FindingOpen)
	bucket.Resource = dera.ARN("arn:aws:s3:::" + name)
	r := Report{Controls: services.Controls(), Version: "v1.2.3", At: at}
	r.Findings = []app.FindingView{open, left, unknown, gone, other, bucket}
	r.Unreadable = []app.Unreadable{{Account: "111122223333", Region: "us-east-1", Type: "AWS::S3::Bucket", Resource: name, Problem: "denied", Error: "denied " + name}}
	r.UnderWay = []app.UnderWay{{Remediation: "r-2", State: dera.Applying, Resource: dera.ARN(name), Since: at, Why: name, Command: name}}
	r.Stops = []dera.Stop{{Reason: name, By: name, At: at}}
	r.Summary.LeftOut = 2
	return r
}

// writers are all forms.
func writers() map[string]func(io.Writer, Report) error {
	return map[string]func(io.Writer, Report) error{"csv": CSV, "sarif": SARIF, "junit": JUnit, "html": HTML, "asff": ASFF, "ocsf": OCSF}
}

func write(t *testing.T, f func(io.Writer, Report) error, r Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// each calls f for every hostile text, and for one that is not.
func each(t *testing.T, f func(t *testing.T, name string, r Report)) {
	t.Helper()
	texts := hostile()
	texts["tame"] = "web"
	for name, text := range texts {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			f(t, text, report(text))
		})
	}
}

// TestHostileText: nothing that a resource is called steers what reads a report.
func TestHostileText(t *testing.T) {
	t.Parallel()
	for form, f := range writers() {
		t.Run(form, func(t *testing.T) {
			each(t, func(t *testing.T, _ string, r Report) {
				out := write(t, f, r)
				if !utf8.Valid(out) {
					t.Error("got invalid UTF-8")
				}
				for _, c := range string(out) {
					if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069' {
						t.Errorf("got the control character %U", c)
					}
				}
				if strings.Contains(string(out), "<script>") && form != "csv" && form != "sarif" {
					t.Error("got a script")
				}
			})
		})
	}
}

func TestSARIFFitsTheSchema(t *testing.T) {
	t.Parallel()
	schema := sarifSchemaOf(t)
	each(t, func(t *testing.T, _ string, r Report) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(write(t, SARIF, r)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(write(t, SARIF, Report{})))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func sarifSchemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(sarifSchema, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(sarifSchema)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSARIF: a rule for each control, a result for each finding that is not
// resolved, an exempt one suppressed, what was not read a failed run.
func TestSARIF(t *testing.T) {
	t.Parallel()
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct {
						ID, Name, HelpURI string
						Full              struct{ Text string } `json:"fullDescription"`
						Help              struct{ Text string }
						Properties        map[string]any
					}
				}
			}
			Invocations []struct {
				ExecutionSuccessful        bool
				ToolExecutionNotifications []struct{ Message struct{ Text string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					LogicalLocations []struct{ FullyQualifiedName string }
				}
				PartialFingerprints map[string]string
				Suppressions        []struct{ Justification string }
			}
		}
	}
	r := report("web")
	if err := json.Unmarshal(write(t, SARIF, r), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if d := run.Tool.Driver; d.Name != "dera" || d.Version != "v1.2.3" || len(d.Rules) <= len(services.Controls()) {
		t.Errorf("driver: got %s %s with %d rules, want dera v1.2.3 with one for each control and more", d.Name, d.Version, len(d.Rules))
	}
	for _, rule := range run.Tool.Driver.Rules[:len(services.Controls())] {
		if rule.Name == "" || rule.HelpURI == "" || rule.Properties["security-severity"] == "" || !strings.Contains(rule.Help.Text, "Fix: ") || len(rule.Full.Text) > most || rule.Full.Text == "" {
			t.Errorf("rule %s lacks something: %+v", rule.ID, rule)
		}
	}
	if in := run.Invocations[0]; in.ExecutionSuccessful || len(in.ToolExecutionNotifications) != 5 {
		t.Errorf("invocation: got successful %t with %d notifications, want a failed one with 5", in.ExecutionSuccessful, len(in.ToolExecutionNotifications))
	}
	levels := ""
	for i, res := range run.Results {
		levels += res.Level + " "
		if got := run.Tool.Driver.Rules[res.RuleIndex].ID; got != res.RuleID {
			t.Errorf("result %d: rule %s has the index of %s", i, res.RuleID, got)
		}
		if !strings.HasPrefix(res.PartialFingerprints["deraFindingId/v1"], "f-") {
			t.Errorf("result %d: got fingerprints %v", i, res.PartialFingerprints)
		}
	}
	if want := "error warning note error error "; levels != want {
		t.Errorf("levels: got %s, want %s", levels, want)
	}
	if s := run.Results[1].Suppressions; len(s) != 1 || s[0].Justification != "exemption: web (web)" || len(run.Results[0].Suppressions) > 0 {
		t.Errorf("suppressions: got %v", s)
	}
	for i, want := range map[int]string{0: "arn/aws/ec2/us-east-1/111122223333/security-group/sg-1web", 4: "arn/aws/s3/-/-/web"} {
		if got := run.Results[i].Locations[0].PhysicalLocation.ArtifactLocation.URI; got != want {
			t.Errorf("URI: got %s, want %s", got, want)
		}
	}
	r.Unreadable, r.Findings[2].NotRead = nil, nil
	if err := json.Unmarshal(write(t, SARIF, r), &log); err != nil || !log.Runs[0].Invocations[0].ExecutionSuccessful {
		t.Errorf("everything was read: got an unsuccessful run (%v)", err)
	}
}

// TestURIOf: whatever an ARN holds, it is a relative URI that leads nowhere up.
func TestURIOf(t *testing.T) {
	t.Parallel()
	for name, text := range hostile() {
		u := uriOf("arn:aws:s3:::" + app.Plain(text) + "/../" + app.Plain(text))
		p, err := url.Parse(u)
		if err != nil || p.Scheme != "" || p.Host != "" || !strings.HasPrefix(u, "arn/aws/s3/-/-/") || strings.Contains("/"+u+"/", "/../") {
			t.Errorf("%s: got %s, %v", name, u, err)
		}
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, text string, r Report) {
		out := write(t, CSV, r)
		rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(r.Findings)+1 {
			t.Errorf("got %d rows, want %d", len(rows), len(r.Findings)+1)
		}
		for _, row := range rows {
			if len(row) != len(rows[0]) {
				t.Errorf("got %d cells, want %d", len(row), len(rows[0]))
			}
			for _, c := range row {
				if c != "" && strings.ContainsAny(string([]rune(c)[0]), "=+-@\t\r\n＝＋－＠") {
					t.Errorf("the cell %q may be taken for a formula", c)
				}
			}
		}
		if !bytes.HasSuffix(out, []byte("\r\n")) {
			t.Error("lines do not end with CR LF")
		}
		if got := rows[1][14]; got != cell(text) {
			t.Errorf("owner: got %q of %q", got, text)
		}
	})
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, _ string, r Report) {
		out := write(t, JUnit, r)
		d := xml.NewDecoder(bytes.NewReader(out))
		d.Strict = true
		depth := 0
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			switch token.(type) {
			case xml.StartElement:
				depth++
			case xml.EndElement:
				depth--
			}
		}
		var s junitSuites
		if err := xml.Unmarshal(out, &s); err != nil || depth != 0 {
			t.Fatalf("got depth %d, %v", depth, err)
		}
		if s.Tests != 11 || s.Failures != 4 || s.Skipped != 3 || s.Errors != 3 || len(s.Suites) != 3 {
			t.Errorf("got %d tests, %d failures, %d skipped, %d errors in %d suites, want 11, 4, 3, 3 in 3", s.Tests, s.Failures, s.Skipped, s.Errors, len(s.Suites))
		}
	})
}

func TestHTML(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, text string, r Report) {
		out := string(write(t, HTML, r))
		d := xml.NewDecoder(strings.NewReader(out))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		elements := map[string]int{}
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			elements[e.Name.Local]++
			for _, a := range e.Attr {
				switch a.Name.Local {
				case "src", "onmouseover", "onload", "style":
					t.Errorf("<%s> has the attribute %s", e.Name.Local, a.Name.Local)
				case "href":
					if !strings.HasPrefix(a.Value, "#r-") {
						t.Errorf("got a link to %s", a.Value)
					}
				}
			}
			if e.Name.Local == "th" && len(e.Attr) == 0 {
				t.Error("a head of a table has no scope")
			}
		}
		if elements["script"]+elements["img"]+elements["link"]+elements["b"] > 0 || elements["style"] != 1 || elements["title"] != 1 {
			t.Errorf("got %v", elements)
		}
		if elements["tr"] != 1+4+1+len(r.Findings) || elements["h1"] != 1 || elements["pre"] != 2 {
			t.Errorf("got %d rows, %d headings, %d plans", elements["tr"], elements["h1"], elements["pre"])
		}
		for _, want := range []string{`<html lang="en">`, "prefers-color-scheme: dark", "@media print", ">critical<", "not read", "half done", "tcp 22 from 0.0.0.0/0"} {
			if !strings.Contains(out, want) {
				t.Errorf("got no %q", want)
			}
		}
	})
}

// TestWritersSayWhatFailed: an error of the writer underneath is returned.
func TestWritersSayWhatFailed(t *testing.T) {
	t.Parallel()
	for form, f := range writers() {
		if err := f(broken{}, report("web")); !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want the error of the writer", form, err)
		}
	}
}

var errBroken = errors.New("no space left")

type broken struct{}

// Write implements io.Writer.
func (broken) Write([]byte) (int, error) { return 0, errBroken }
