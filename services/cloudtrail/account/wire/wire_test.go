package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/cloudtrail"
	"dera.example/dera/services/cloudtrail/account"
	"dera.example/dera/services/cloudtrail/account/wire"
)

const (
	own    = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"
	others = "arn:aws:cloudtrail:eu-west-1:444455556666:trail/org"
	one    = "arn:aws:cloudtrail:us-east-1:111122223333:trail/here"
)

// TestRead: trails of one region do not count, one that records ends the search, and what may
// not be read is not known.
func TestRead(t *testing.T) {
	t.Parallel()
	described := func(name, arn, home, multi string) string {
		return `{"Name":"` + name + `","TrailARN":"` + arn + `","HomeRegion":"` + home + `","IsMultiRegionTrail":` + multi + `}`
	}
	audit, org, here := described("audit", own, "us-east-1", "true"), described("org", others, "eu-west-1", "true"), described("here", one, "us-east-1", "false")
	for name, tc := range map[string]struct {
		list, status, selectors string // of every trail
		want                    []account.Trail
		problem                 string
		asked                   int // how many calls
	}{
		"records":            {audit + "," + org, `{"IsLogging":true}`, `{"TrailARN":"x","EventSelectors":[]}`, []account.Trail{{ARN: own, Logging: new(true), Selectors: cloudtrail.Default()}}, "", 3},
		"stopped":            {org + "," + audit, `{"IsLogging":false}`, `{"TrailARN":"x"}`, []account.Trail{{ARN: others, Logging: new(false), Selectors: cloudtrail.Default()}, {ARN: own, Logging: new(false), Selectors: cloudtrail.Default()}}, "", 5},
		"not_told":           {org, "!AccessDeniedException", "!AccessDeniedException", []account.Trail{{ARN: others}}, "", 3},
		"unknown_there":      {org, "!TrailNotFoundException", "!UnsupportedOperationException", []account.Trail{{ARN: others}}, "", 3},
		"own_unknown":        {audit, "!TrailNotFoundException", "", nil, "TrailNotFoundException", 0},
		"throttled_there":    {org, "!ThrottlingException", "", nil, "ThrottlingException", 0},
		"of_one_region":      {here, "", "", nil, "", 1},
		"none":               {"", "", "", nil, "", 1},
		"status_failed":      {audit, "!InternalFailure", "", nil, "InternalFailure", 0},
		"selectors_failed":   {audit, `{"IsLogging":true}`, "!InternalFailure", nil, "InternalFailure", 0},
		"of_another_account": {described("x", "arn:aws:s3:::x", "", "true"), "", "", nil, "whose the trail", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, func(a cloudtest.Asked) (int, string) {
				calls++
				says := map[string]string{"DescribeTrails": `{"trailList":[` + tc.list + `]}`, "GetTrailStatus": tc.status, "GetEventSelectors": tc.selectors}[a.Operation]
				if code, refused := strings.CutPrefix(says, "!"); refused {
					return 400, `{"__type":"` + code + `"}`
				}
				return 200, says
			})
			page, err := s.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: account.Name}, false)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %+v, %v, want an error of %s", page, err, tc.problem)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 || calls != tc.asked {
				t.Fatalf("got %+v, %v with %d calls, want %d", page, err, calls, tc.asked)
			}
			if d := cmp.Diff(&account.Account{ID: cloudtest.Hub, Trails: tc.want}, page.Resources[0].Config); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
