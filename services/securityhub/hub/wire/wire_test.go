package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/securityhub/hub"
	"dera.example/dera/services/securityhub/hub/wire"
)

// TestRead: only Security Hub's own word makes it off.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		says   moto.Answer
		want   *bool
		unread string
	}{
		"on":        {moto.Answer{Output: map[string]any{"HubArn": "arn:aws:securityhub:us-east-1:111122223333:hub/default"}}, new(true), ""},
		"off":       {moto.Answer{Error: "InvalidAccessException", Message: "Account 111122223333 is not subscribed to AWS Security Hub", Status: 401}, new(false), ""},
		"no_access": {moto.Answer{Error: "InvalidAccessException", Message: "The account does not have permission to perform this action", Status: 401}, nil, "InvalidAccessException"},
		"denied":    {moto.Answer{Error: "AccessDeniedException", Status: 403}, nil, ""},
		"failed":    {moto.Answer{Error: "InternalException", Status: 500}, nil, "InternalException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("securityhub", "DescribeHub", tc.says)
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).
				Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: hub.Name}, true)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			x := page.Resources[0]
			if d := cmp.Diff(&hub.Hub{Region: cloudtest.East, Enabled: tc.want}, x.Config); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
			w.On("config", "DescribeConfigRules", moto.Answer{Error: "AccessDeniedException"})
			if want, ok := map[string]cloud.Tried{"off": cloud.Allowed, "denied": cloud.Refused}[name]; ok {
				tried := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).TryReads(t.Context(), cloudtest.Hub, cloudtest.East, []string{"securityhub:DescribeHub"})
				if len(tried) != 1 || tried[0].Tried != want {
					t.Errorf("tried: got %+v, want %s", tried, want)
				}
			}
		})
	}
}
