package export

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"dera.example/dera/app"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	Failure *junitText `xml:"failure"`
	Error   *junitText `xml:"error"`
	Skipped *junitText `xml:"skipped"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes a test suite for each control with findings, and a test case for
// each finding: a failure while it is left open, skipped where it is exempt, passed
// where it is resolved. A suite named dera has an error for each place that was not
// read, and for each half-done remediation; a stop is skipped there.
func JUnit(w io.Writer, r Report) error {
	all := junitSuites{Name: "dera"}
	at := r.At.UTC().Format("2006-01-02T15:04:05")
	var controls []string
	for _, f := range r.Findings {
		if !slices.Contains(controls, f.Control) {
			controls = append(controls, f.Control)
		}
	}
	slices.Sort(controls)
	for _, id := range controls {
		s := junitSuite{Name: app.Plain(id), Timestamp: at}
		for _, f := range r.Findings {
			if f.Control == id {
				s.add(junitFinding(f))
			}
		}
		all.add(s)
	}
	own := junitSuite{Name: "dera", Timestamp: at}
	for _, t := range r.troubles() {
		c := junitCase{Name: t.text, Class: "dera." + t.id}
		if t.grave || t.id == halfDone {
			c.Error = &junitText{Message: t.text, Type: t.id}
		} else {
			c.Skipped = &junitText{Message: t.text}
		}
		own.add(c)
	}
	if own.Tests > 0 {
		all.add(own)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitFinding(f app.FindingView) junitCase {
	c := junitCase{Name: app.Plain(strings.Join([]string{string(f.Resource), f.Key, f.ID}, " ")), Class: app.Plain(f.Control)}
	switch {
	case resolved(f):
	case exempt(f):
		c.Skipped = &junitText{Message: exemptWhy(f.Finding)}
	default:
		text := []string{app.PlainLines(f.Why), "", "state " + string(f.State) + ", decision " + f.Disposition.String() + ", account " + f.Account + ", region " + f.Region}
		if f.Plan != nil {
			text = append(text, "remediation "+f.Plan.Remediation+" "+string(f.Plan.State))
			for _, line := range f.Plan.Diff {
				text = append(text, app.Plain(line))
			}
			for _, l := range f.Plan.Left {
				text = append(text, app.Plain(l.Line()))
			}
		}
		c.Failure = &junitText{Message: app.Plain(f.Title), Type: f.Severity.String(), Text: strings.Join(text, "\n")}
	}
	return c
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func (s *junitSuites) add(o junitSuite) {
	s.Suites = append(s.Suites, o)
	s.Tests += o.Tests
	s.Failures += o.Failures
	s.Errors += o.Errors
	s.Skipped += o.Skipped
}
