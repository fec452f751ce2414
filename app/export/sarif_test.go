package export

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dera.example/dera/app"
)

// TestSARIFForCodeScanning: a result has the severity of its rule, since code
// scanning shows that, and two runs over different accounts have different
// categories.
func TestSARIFForCodeScanning(t *testing.T) {
	t.Parallel()
	type sarif struct {
		Runs []struct {
			AutomationDetails struct{ ID string }
			Tool              struct {
				Driver struct {
					Rules []struct {
						ID         string
						Properties map[string]any
						Default    struct{ Level string } `json:"defaultConfiguration"`
					}
				}
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     int
				Properties    map[string]any
			}
		}
	}
	categories := map[string]bool{}
	for _, accounts := range [][]string{{"111122223333"}, {"444455556666"}, {"444455556666", "111122223333"}, {"1", "2", "3", "4"}, {"1", "2", "3", "5"}} {
		var log sarif
		r := report("web")
		r.Summary.Accounts = accounts
		if err := json.Unmarshal(write(t, SARIF, r), &log); err != nil {
			t.Fatal(err)
		}
		run := log.Runs[0]
		for i, res := range run.Results {
			rule := run.Tool.Driver.Rules[res.RuleIndex]
			if rule.ID != res.RuleID || rule.Properties["security-severity"] != res.Properties["security-severity"] || rule.Default.Level != res.Level {
				t.Errorf("result %d: got rule %+v for %+v", i, rule, res)
			}
		}
		id := run.AutomationDetails.ID
		if !strings.HasPrefix(id, "dera/") || !strings.HasSuffix(id, "/") || categories[id] {
			t.Errorf("%v: got the category %q, want one of its own", accounts, id)
		}
		categories[id] = true
	}
}

// TestReportThatIsNotWhole: every format that has a place for it says what is not
// in the report.
func TestReportThatIsNotWhole(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	limited := report("web")
	limited.Findings[2].NotRead, limited.Unreadable = nil, nil
	unread, never := limited, limited
	limited.ScanReport = limited.First(2)
	unread.Findings, never.Findings = nil, nil
	unread.Unreadable = []app.Unreadable{{Account: "111122223333", Region: "us-east-1", Type: "T", Error: "denied", Since: &since}}
	never.NothingRead = true
	for name, tt := range map[string]struct {
		r    Report
		want string
		fail bool
	}{
		"limited": {limited, "4 findings are not in this report: it was limited to 2.", false},
		"unread":  {unread, "T in 111122223333 us-east-1 was not read since 2026-03-01T00:00:00Z: denied", true},
		"never":   {never, "Nothing was read yet", true},
	} {
		for form, f := range map[string]string{"sarif": string(write(t, SARIF, tt.r)), "html": string(write(t, HTML, tt.r)), "junit": string(write(t, JUnit, tt.r))} {
			if !strings.Contains(f, tt.want) {
				t.Errorf("%s as %s does not say %q:\n%s", name, form, tt.want, f)
			}
			if form == "sarif" && strings.Contains(f, `"executionSuccessful": false`) != tt.fail || form == "junit" && tt.fail && !strings.Contains(f, "<error") {
				t.Errorf("%s as %s: got a success, or a failure:\n%s", name, form, f)
			}
		}
	}
}
