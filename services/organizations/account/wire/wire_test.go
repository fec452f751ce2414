package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/organizations/account"
	"dera.example/dera/services/organizations/account/wire"
)

type m = map[string]any

// TestRead: only the word of Organizations makes an account one of none.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		says   moto.Answer
		want   account.Account
		unread string
	}{
		"in_one":  {moto.Answer{Output: m{"Organization": m{"Id": "o-a1b2c3d4e5", "MasterAccountId": "444455556666"}}}, account.Account{Organization: new("o-a1b2c3d4e5"), Manager: "444455556666"}, ""},
		"in_none": {moto.Answer{Error: "AWSOrganizationsNotInUseException"}, account.Account{Organization: new("")}, ""},
		"denied":  {moto.Answer{Error: "AccessDeniedException"}, account.Account{}, ""},
		"failed":  {moto.Answer{Error: "ServiceException", Status: 500}, account.Account{}, "ServiceException"},
		"unnamed": {moto.Answer{Output: m{"Organization": m{}}}, account.Account{}, "which organization"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("organizations", "DescribeOrganization", tc.says)
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).
				Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: account.Name}, true)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			x := page.Resources[0]
			if tc.want.ID = cloudtest.Hub; cmp.Diff(&tc.want, x.Config) != "" {
				t.Errorf("(-want +got):\n%s", cmp.Diff(&tc.want, x.Config))
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
			w.On("config", "DescribeConfigRules", moto.Answer{Error: "AccessDeniedException"})
			if want, ok := map[string]cloud.Tried{"in_none": cloud.Allowed, "denied": cloud.Refused}[name]; ok {
				tried := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).TryReads(t.Context(), cloudtest.Hub, cloudtest.East, []string{"organizations:DescribeOrganization"})
				if len(tried) != 1 || tried[0].Tried != want {
					t.Errorf("tried: got %+v, want %s", tried, want)
				}
			}
		})
	}
}

// TestHints: who leaves is looked at, and so is who is removed, by the call of the account that
// manages the organization.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(account.Events())
	for _, tc := range []struct{ call, request, want string }{
		{"LeaveOrganization", `null`, cloudtest.Hub},
		{"RemoveAccountFromOrganization", `{"accountId":"444455556666"}`, "444455556666"},
		{"RemoveAccountFromOrganization", `{"accountId":"x"}`, cloudtest.Hub},
	} {
		hints := watch.Hints(cloudtrail.Record{Source: "organizations.amazonaws.com", Name: tc.call, Account: cloudtest.Hub, Region: cloudtest.East, Partition: "aws", Request: []byte(tc.request)})
		if len(hints) != 1 || hints[0].Account != tc.want || hints[0].Region != dera.GlobalRegion || !hints[0].Sweep() {
			t.Errorf("%s %s: got %+v", tc.call, tc.request, hints)
		}
	}
}
