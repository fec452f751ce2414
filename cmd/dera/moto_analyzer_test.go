package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// reporting is a server that answers what moto does not, and has moto answer the rest.
func reporting(t *testing.T, behind string, reports *moto.Reports) string {
	t.Helper()
	to, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body)) // nothing for calls of other services
		res := reports.Answer(r, form)
		if res == nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
			proxy.ServeHTTP(w, r)
			return
		}
		for k, v := range res.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body) // the client went
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestMotoReported: what IAM or Access Analyzer counts as used goes to a person, with what each
// of them says; the rest goes automatically, with what AWS recommends beside it; and what stays
// open in Access Analyzer says by whose definition.
func TestMotoReported(t *testing.T) {
	w := newIAMWorld(t, "")
	w.role("open", lambdaTrust, "")
	w.must(w.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("open"), PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
	w.behind(t, 0)
	arn := w.arn("role", "open")
	w.recorded(map[string][][2]string{arn: {{"athena.amazonaws.com", "StartQueryExecution"}}})
	last := time.Now().UTC().AddDate(0, 0, -20)
	const theirs = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["athena:StartQueryExecution","glue:GetTable","glue:DeleteTable"],"Resource":"*"}]}`
	reports := &moto.Reports{
		Accessed: map[string][]moto.Service{arn: {
			{Name: "athena", Last: last, Actions: map[string]time.Time{"StartQueryExecution": last, "ListWorkGroups": {}}},
			{Name: "glue", Last: last, Actions: map[string]time.Time{"GetTable": {}, "DeleteTable": last}},
		}},
		Analyzer: "arn:aws:access-analyzer:us-east-1:" + w.creds.Account + ":analyzer/unused",
		Findings: []moto.Finding{{ID: "0b1c", Type: "UnusedPermission", Status: "ACTIVE", Principal: arn, Account: w.creds.Account, Steps: [][2]string{{theirs, "own"}},
			Unused: []moto.Unused{{Service: "athena", Actions: []string{"ListWorkGroups"}}, {Service: "glue", Actions: []string{"GetTable"}}, {Service: "sns"}}}},
	}
	t.Setenv("AWS_ENDPOINT_URL", reporting(t, w.server.URL(), reports))
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	want := []finding{{"unused", "iam-role-unused-permissions", "auto", "resolved"}, {"unused/doubted", "iam-role-unused-permissions", "review", "open"}}
	if got := findingsOf(r, "open"); !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for _, f := range r.Findings {
		says := "Finding 0b1c of Access Analyzer (unused, 120 days) calls 2 of them unused."
		if f.Key == "unused/doubted" {
			says = "glue:deletetable: IAM last saw it used on " + last.Format(time.DateOnly)
		}
		if !strings.Contains(strings.ToLower(f.Why), strings.ToLower(says)) {
			t.Errorf("%s: got %q, want %q in it", f.Key, f.Why, says)
		}
		if f.Key == "unused" {
			if out, _, _ := w.dera("show", f.ID); !strings.Contains(strings.Join(strings.Fields(out), " "), "for comparison, finding 0b1c of Access Analyzer (unused, 120 days) recommends the same permissions as this plan") {
				t.Errorf("show says nothing of what AWS recommends:\n%s", out)
			}
		}
	}
	var report app.AnalyzerReport
	out, errOut, code := w.dera("report", "--access-analyzer", "--output", "json")
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != exitNo || len(report.Findings) != 1 || !strings.Contains(report.Findings[0].Says, "before that: it looks again") {
		t.Fatalf("report --access-analyzer: got exit code %d, %v\n%s%s", code, err, out, errOut)
	}
	reports.Findings[0].Status = "RESOLVED"
	if out, _, code := w.dera("report", "--access-analyzer"); code != exitNo || !strings.Contains(out, "resolved there, open here") {
		t.Errorf("with what is doubted still open here: got exit code %d\n%s", code, out)
	}
	reports.Refused = []string{"ListFindingsV2"}
	if _, errOut, code := w.dera("report", "--access-analyzer"); code != exitUndecided || !strings.Contains(errOut, "not read: account "+w.creds.Account) {
		t.Errorf("without the permission: got exit code %d\n%s", code, errOut)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

// TestMotoReported_required: permissions.reported_use: required holds back what AWS was not asked
// about.
func TestMotoReported_required(t *testing.T) {
	for _, required := range []bool{false, true} {
		config, want := "", finding{"unused", "iam-role-unused-permissions", "auto", "planned"}
		if required {
			config, want = "permissions: reported_use: required", finding{"unused", "iam-role-unused-permissions", "review", "open"}
		}
		w := newIAMWorld(t, config)
		w.role("open", lambdaTrust, "")
		w.must(w.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("open"), PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
		w.behind(t, 0)
		w.recorded(map[string][][2]string{w.arn("role", "open"): {{"athena.amazonaws.com", "StartQueryExecution"}}})
		r := w.scan(exitNo, "--mode", "enforce", "--no-exemptions")
		if got := findingsOf(r, "open"); len(got) != 1 || got[0].Disposition != want.Disposition {
			t.Errorf("required %t: got %v, want %v", required, got, want)
		}
		for _, f := range r.Findings {
			if !strings.Contains(f.Why, "last-accessed data of IAM: iam:GenerateServiceLastAccessedDetails") {
				t.Errorf("required %t: got %q, want that it says what was not asked", required, f.Why)
			}
		}
	}
}
