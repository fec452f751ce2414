package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// TestReported: what IAM and Access Analyzer say is read of what the ledger knows something of,
// all pages and when it is there, for a plan alone; what cannot be read is named, and the role is
// judged all the same.
func TestReported(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	to := time.Now().UTC().Truncate(time.Second)
	last := to.AddDate(0, 0, -10)
	for name, tc := range map[string]struct {
		reports func(arn string, a *moto.Reports)
		want    func(arn string) *own.Reported
		without []string // in place of want
	}{
		"nothing": {nil, func(string) *own.Reported { return &own.Reported{} }, nil},
		"both": {
			func(arn string, a *moto.Reports) {
				a.Accessed = map[string][]moto.Service{arn: {
					{Name: "sqs", Last: last, Actions: map[string]time.Time{"PurgeQueue": last, "sqs:DeleteQueue": {}}}, {Name: "ec2"},
				}}
				a.Findings = []moto.Finding{
					{ID: "other", Type: "UnusedPermission", Status: "ACTIVE", Principal: arn + "-2"},
					{ID: "external", Type: "ExternalAccess", Status: "ACTIVE", Principal: arn},
					{ID: "over", Type: "UnusedPermission", Status: "RESOLVED", Principal: arn},
					{ID: "f-1", Type: "UnusedPermission", Status: "ACTIVE", Principal: arn, Unused: []moto.Unused{{Service: "sqs", Actions: []string{"sqs:DeleteQueue", "AddPermission"}}, {Service: "ec2"}},
						Steps: [][2]string{{`{"Version":"2012-10-17","Statement":[]}`, "own"}, {"", "arn:aws:iam::aws:policy/Other"}}},
					{ID: "f-2", Type: "UnusedIAMRole", Status: "ARCHIVED", Principal: arn},
				}
			},
			func(arn string) *own.Reported {
				analyzer, at := "arn:aws:access-analyzer:us-east-1:1:analyzer/x", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
				return &own.Reported{
					Accessed: []own.Accessed{{Service: "ec2"}, {Service: "sqs", Last: last, Actions: map[string]time.Time{"PurgeQueue": last, "DeleteQueue": {}}}},
					Analyzed: []own.Analyzed{
						{ID: "f-1", Analyzer: analyzer, Principal: arn, Days: 120, Status: "ACTIVE", Unused: []own.UnusedService{{Service: "ec2"}, {Service: "sqs", Actions: []string{"AddPermission", "DeleteQueue"}}},
							Recommended: &own.Recommended{Steps: []own.RecommendedStep{{Document: `{"Version":"2012-10-17","Statement":[]}`, Existing: "own", Updated: at}, {Existing: "arn:aws:iam::aws:policy/Other", Updated: at}}}},
						{ID: "f-2", Analyzer: analyzer, Principal: arn, Days: 120, Status: "ARCHIVED", Whole: true},
					},
				}
			}, nil,
		},
		"denied": {func(_ string, a *moto.Reports) {
			a.Refused = []string{"GenerateServiceLastAccessedDetails", "ListAnalyzers"}
		}, nil, []string{"last-accessed data of IAM: dera may not call iam:GenerateServiceLastAccessedDetails", "findings of Access Analyzer: dera may not call access-analyzer:ListAnalyzers"}},
		"no_page": {func(_ string, a *moto.Reports) {
			a.Refused = []string{"GetServiceLastAccessedDetails", "ListFindingsV2"}
		}, nil, []string{"dera may not call iam:GetServiceLastAccessedDetails", "dera may not call access-analyzer:ListFindings"}},
		"details": {func(arn string, a *moto.Reports) {
			a.Refused = []string{"GetFindingV2"}
			a.Findings = []moto.Finding{{ID: "f-1", Type: "UnusedPermission", Status: "ACTIVE", Principal: arn}}
		}, nil, []string{"finding f-1 of Access Analyzer: dera may not call access-analyzer:GetFinding"}},
		"analyzer_failed": {func(arn string, a *moto.Reports) {
			a.Findings = []moto.Finding{{ID: "f-1", Type: "UnusedPermission", Status: "ACTIVE", Principal: arn, Error: "INTERNAL_ERROR"}}
		}, nil, []string{"finding f-1 of Access Analyzer"}},
		"absent": {func(_ string, a *moto.Reports) {
			a.Absent = []string{"GenerateServiceLastAccessedDetails", "ListAnalyzers"}
		}, nil, []string{"last-accessed data of IAM: not available here", "findings of Access Analyzer: not available here"}},
		"broken": {func(_ string, a *moto.Reports) { a.Broken = []string{"GenerateServiceLastAccessedDetails"} }, nil, []string{"last-accessed data of IAM: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledger := &fromPort{seen: map[string]time.Time{}}
			a := newAccount(t, server, role.Name, map[string]any{resource.PortLedger: ledger})
			a.populate(t, 2)
			arn := "arn:aws:iam::" + a.id + ":role/team/app-1"
			ledger.seen[arn] = to
			reports := &a.proxy.reports
			reports.Analyzer = "arn:aws:access-analyzer:us-east-1:1:analyzer/x"
			if tc.reports != nil {
				tc.reports(arn, reports)
			}
			for i := range reports.Findings {
				reports.Findings[i].Account = a.id
			}
			if page, err := a.Read(t.Context(), a.scope("app-1"), false); err != nil || reports.Count("GenerateServiceLastAccessedDetails") != 0 || page.Resources[0].Config.(*role.Role).Reported != nil {
				t.Fatalf("a quick look asks, or %v", err)
			}
			x := a.read(t, "app-1")["app-1"]
			got := x.Config.(*role.Role).Reported
			if got == nil || x.Unread != "" {
				t.Fatalf("got %+v, unread %q", got, x.Unread)
			}
			for _, want := range tc.without {
				if !strings.Contains(strings.Join(got.Without, "\n"), want) {
					t.Errorf("got %q, want %q in it", got.Without, want)
				}
			}
			if tc.want != nil {
				if d := cmp.Diff(tc.want(arn), got); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
			calls := reports.Count("GenerateServiceLastAccessedDetails")
			if again := a.read(t, "app-1")["app-1"].Config.(*role.Role).Reported; cmp.Diff(got, again) != "" || reports.Count("GenerateServiceLastAccessedDetails") != calls {
				t.Errorf("asked again within a minute: %d calls, then %d (%s)", calls, reports.Count("GenerateServiceLastAccessedDetails"), cmp.Diff(got, again))
			}
			if zero := a.read(t, "app-0")["app-0"].Config.(*role.Role); zero.Reported != nil {
				t.Errorf("asked of what the ledger knows nothing of: %+v", zero.Reported)
			}
		})
	}
}

// TestCompared: what Access Analyzer recommends is compared with the plan.
func TestCompared(t *testing.T) {
	t.Parallel()
	to := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	const start = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[`
	const end = `],"Resource":"*"}]}`
	use := &resource.Use{From: to.AddDate(0, 0, -90), To: to, Calls: []resource.Call{{Source: "sqs.amazonaws.com", Name: "DeleteQueue", First: to, Last: to, Count: 1}}}
	for name, tc := range map[string]struct {
		steps []own.RecommendedStep
		why   string
		want  string
	}{
		"same":      {[]own.RecommendedStep{{Document: start + `"sqs:DeleteQueue"` + end, Existing: "own"}}, "", "the same permissions as this plan"},
		"more":      {[]own.RecommendedStep{{Document: start + `"sqs:DeleteQueue","sqs:PurgeQueue"` + end, Existing: "own"}}, "", "more permissions than this plan leaves, such as sqs:purgequeue"},
		"fewer":     {[]own.RecommendedStep{{Existing: "own"}}, "", "fewer permissions than this plan leaves: it takes away sqs:deletequeue too"},
		"other":     {[]own.RecommendedStep{{Document: start + `"sqs:PurgeQueue"` + end, Existing: "own"}}, "", "other permissions than this plan leaves"},
		"another":   {[]own.RecommendedStep{{Existing: "not-there"}}, "", `was not compared: it is about a policy "not-there"`},
		"no_policy": {[]own.RecommendedStep{{Document: "{", Existing: "own"}}, "", "was not compared: a policy in it cannot be read"},
		"none":      {nil, "dera may not ask", "was not compared: dera may not ask"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &role.Role{Account: "111122223333", Trust: trust, Use: use, Identity: own.Identity{Name: "app", Path: "/", Inline: []own.Inline{{Name: "own", Document: start + `"sqs:DeleteQueue","sqs:PurgeQueue"` + end}}}}
			r.Reported = &own.Reported{Analyzed: []own.Analyzed{{ID: "f-1", Analyzer: "a/x", Days: 90, Whole: true, Recommended: &own.Recommended{Steps: tc.steps, Why: tc.why}}}}
			c, s := role.UnusedPermissions(), control.Settings{}
			arn := own.RoleKind.ARN("aws", r.Account, "/", "app")
			res := dera.Resource{ARN: arn, Partition: "aws", Account: r.Account, Region: dera.GlobalRegion, Type: role.Name, ID: "app", Name: "app", Config: r, Full: true}
			found, err := c.Check(res, s)
			if err != nil || len(found.Failures) != 1 {
				t.Fatalf("got %v, %v", found, err)
			}
			plan, refusal, err := c.Plan(res, found.Failures, s)
			if refusal != nil || err != nil {
				t.Fatalf("got %v, %v", refusal, err)
			}
			ev, err := c.Prove(res, found.Failures, plan, s)
			if err != nil || !ev.Proved() || len(ev.Compared) != 1 || !strings.Contains(strings.ToLower(ev.Compared[0]), strings.ToLower(tc.want)) {
				t.Errorf("got %q, %v, want %q", ev.Compared, err, tc.want)
			}
		})
	}
}
