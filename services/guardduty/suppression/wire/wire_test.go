package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/guardduty/suppression"
	"dera.example/dera/services/guardduty/suppression/wire"
)

type m = map[string]any

// TestRead: filters that archive nothing and lists that are not active do not count, and what
// could not be read is not known and never empty.
func TestRead(t *testing.T) {
	t.Parallel()
	member := func(id, status string) m {
		return m{"AccountId": id, "MasterId": "111122223333", "Email": "a@example.com", "RelationshipStatus": status, "UpdatedAt": "x"}
	}
	filter := func(name, action string) moto.Answer {
		return moto.Answer{When: m{"FilterName": name}, Output: m{"Name": name, "Action": action, "FindingCriteria": m{}}}
	}
	list := func(id, status string) moto.Answer {
		return moto.Answer{When: m{"IpSetId": id}, Output: m{"Name": "list-" + id, "Format": "TXT", "Location": "s3://b/k", "Status": status}}
	}
	all := map[string][]moto.Answer{
		"ListDetectors": {{Output: m{"DetectorIds": []string{"d1"}}}},
		"ListFilters":   {{When: m{"NextToken": "2"}, Output: m{"FilterNames": []string{"noop"}}}, {Output: m{"FilterNames": []string{"scanner"}, "NextToken": "2"}}},
		"GetFilter":     {filter("scanner", "ARCHIVE"), filter("noop", "NOOP")},
		"ListIPSets":    {{Output: m{"IpSetIds": []string{"1", "2"}}}},
		"GetIPSet":      {list("1", "INACTIVE"), list("2", "ACTIVATING")},
		"ListMembers":   {{Output: m{"Members": []m{member("444455556666", "Removed"), member("777788889999", "Enabled")}}}},
	}
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		call            string
		says            moto.Answer
		want            func(*suppression.Suppression)
		unread, problem string
	}{
		"all": {"", moto.Answer{}, func(*suppression.Suppression) {}, "", ""},
		"no_detector": {"ListDetectors", moto.Answer{Output: m{"DetectorIds": []string{}}}, func(s *suppression.Suppression) {
			*s = suppression.Suppression{Region: cloudtest.East, Filters: []string{}, Lists: []string{}, Lost: []string{}}
		}, "", ""},
		"no_members":      {"ListMembers", moto.Answer{}, func(s *suppression.Suppression) { s.Lost = []string{} }, "", ""},
		"filters_denied":  {"ListFilters", moto.Answer{Error: "AccessDeniedException", Status: 403}, func(s *suppression.Suppression) { s.Filters = nil }, "", ""},
		"a_filter_failed": {"GetFilter", moto.Answer{Error: "InternalServerErrorException", Status: 500}, func(s *suppression.Suppression) { s.Filters = nil }, "InternalServerError", ""},
		"lists_failed":    {"ListIPSets", moto.Answer{Error: "InternalServerErrorException", Status: 500}, func(s *suppression.Suppression) { s.Lists = nil }, "InternalServerError", ""},
		"members_denied":  {"ListMembers", moto.Answer{Error: "AccessDeniedException", Status: 403}, func(s *suppression.Suppression) { s.Lost = nil }, "", ""},
		"denied":          {"ListDetectors", moto.Answer{Error: "AccessDeniedException", Status: 403}, nil, "", "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			for call, answers := range all {
				if call == tc.call {
					answers = []moto.Answer{tc.says}
				}
				w.On("guardduty", call, answers...)
			}
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).
				Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: suppression.Name}, true)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %+v, %v, want an error of %s", page, err, tc.problem)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			x := page.Resources[0]
			want := &suppression.Suppression{Region: cloudtest.East, Detector: "d1", Filters: []string{"scanner"}, Lists: []string{"list-2"}, Lost: []string{"444455556666 (Removed)"}}
			tc.want(want)
			if d := cmp.Diff(want, x.Config); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
		})
	}
}
