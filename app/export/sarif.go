package export

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Automation  *sarifAutomation  `json:"automationDetails,omitempty"`
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
	ColumnKind  string            `json:"columnKind"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	End           string              `json:"endTimeUtc"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Descriptor sarifReference `json:"descriptor"`
	Level      string         `json:"level"`
	Message    sarifText      `json:"message"`
}

type sarifReference struct {
	ID string `json:"id"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   map[string]any     `json:"properties"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
	Region struct {
		Line int `json:"startLine"`
	} `json:"region"`
}

type sarifLogical struct {
	Name string `json:"name"`
	Full string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
}

// SARIF writes the findings that are not resolved as one run of SARIF 2.1.0, with
// a rule for each control, and another one for each other severity that its findings
// have: code scanning takes the severity of a result from its rule. An exempt finding is a suppressed result. Where
// something could not be read, the run says that it was not successful.
func SARIF(w io.Writer, r Report) error {
	rules := newRules(r.Controls)
	run := sarifRun{Automation: automation(r.Summary.Accounts), Results: []sarifResult{}, ColumnKind: "unicodeCodePoints"}
	for _, f := range r.Findings {
		if !resolved(f) {
			run.Results = append(run.Results, sarifFinding(f, rules))
		}
	}
	run.Tool.Driver = rules.driver(r.Version)
	in := sarifInvocation{Successful: true, End: stamp(r.At)}
	for _, t := range r.troubles() {
		level := "warning"
		if t.grave {
			level = "error"
			in.Successful = false
		}
		in.Notifications = append(in.Notifications, sarifNotification{sarifReference{t.id}, level, sarifText{Text: t.text}})
	}
	run.Invocations = []sarifInvocation{in}
	e := json.NewEncoder(app.PlainJSON(w))
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

func sarifFinding(f app.FindingView, rules *rules) sarifResult {
	rule := rules.index(f.Control, f.Severity)
	out := sarifResult{
		RuleID: rules.list[rule].ID, RuleIndex: rule, Level: sarifLevel(f.Severity),
		Message:   sarifText{Text: sentence(app.Plain(f.Title)) + " " + app.PlainLines(f.Why)},
		Locations: []sarifLocation{locationOf(f.Resource)},
		// GitHub follows an alert by the first, everybody else may use the second.
		Fingerprints: map[string]string{"primaryLocationLineHash": strings.TrimPrefix(f.ID, "f-") + ":1", "deraFindingId/v1": f.ID},
		Properties: map[string]any{
			"account": f.Account, "region": f.Region, "resourceType": f.ResourceType, "key": app.Plain(f.Key), "severity": f.Severity.String(),
			"security-severity": securitySeverity(f.Severity), "state": string(f.State), "decision": f.Disposition.String(),
			"firstSeen": stamp(f.FirstSeen), "lastSeen": stamp(f.LastSeen),
		},
	}
	if f.Owner != "" {
		out.Properties["owner"] = app.Plain(f.Owner)
	}
	if f.NotRead != nil {
		out.Properties["notReadSince"] = stamp(*f.NotRead)
	}
	if f.Plan != nil {
		diff := []string{}
		for _, line := range f.Plan.Diff {
			diff = append(diff, app.Plain(line))
		}
		out.Properties["remediation"], out.Properties["remediationState"], out.Properties["plan"] = f.Plan.Remediation, string(f.Plan.State), diff
	}
	if exempt(f) {
		out.Suppressions = []sarifSuppression{{"external", "accepted", exemptWhy(f.Finding)}}
	}
	return out
}

// mostAccounts is how many accounts the category of a run names.
const mostAccounts = 3

// automation is the category under which code scanning keeps a run: what one has
// found does not replace what the run over other accounts has.
func automation(accounts []string) *sarifAutomation {
	if len(accounts) == 0 {
		return nil
	}
	list := slices.Sorted(slices.Values(accounts))
	name := strings.Join(list, "+")
	if len(list) > mostAccounts {
		sum := sha256.Sum256([]byte(name))
		name = fmt.Sprintf("%d-accounts-%x", len(list), sum[:6])
	}
	return &sarifAutomation{ID: "dera/" + url.PathEscape(app.Plain(name)) + "/"} // all before the last slash is the category
}

// locationOf is the resource as a location. A resource lies in no file: code
// scanning shows a relative URI like a path, and refuses a scheme that it does not
// know, as arn: is.
func locationOf(arn dera.ARN) sarifLocation {
	var out sarifLocation
	text := app.Plain(string(arn))
	out.Physical.Artifact.URI = uriOf(text)
	out.Physical.Region.Line = 1
	out.Logical = []sarifLogical{{Name: app.Plain(arn.Name()), Full: text, Kind: "resource"}}
	return out
}

// uriOf is an ARN as a relative URI: arn/aws/s3/-/-/bucket.
func uriOf(arn string) string {
	const partsOfARN = 6
	var out []string
	for i, part := range strings.SplitN(arn, ":", partsOfARN) {
		segments := []string{part}
		if i == partsOfARN-1 {
			segments = strings.FieldsFunc(part, func(r rune) bool { return r == '/' || r == ':' })
		}
		if len(segments) == 0 {
			segments = []string{""}
		}
		for _, s := range segments {
			switch s {
			case "":
				s = "-"
			case ".", "..": // no way up
				s = strings.ReplaceAll(s, ".", "%2E")
			default:
				s = strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
			}
			out = append(out, s)
		}
	}
	return strings.Join(out, "/")
}

// sentence ends text with a full stop.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func sarifLevel(s dera.Severity) string {
	switch s {
	case dera.Critical, dera.High:
		return "error"
	case dera.Medium:
		return "warning"
	case dera.Low:
		return "note"
	}
	return "error" // a severity that nobody knows is not belittled
}

// securitySeverity is a number that code scanning sorts by: from 9.0 on critical,
// from 7.0 on high, from 4.0 on medium.
func securitySeverity(s dera.Severity) string {
	switch s {
	case dera.Critical:
		return "9.5"
	case dera.High:
		return "8.0"
	case dera.Medium:
		return "5.5"
	case dera.Low:
		return "2.0"
	}
	return "9.5"
}
