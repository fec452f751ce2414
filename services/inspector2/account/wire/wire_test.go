package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/inspector2/account"
	"dera.example/dera/services/inspector2/account/wire"
)

type m = map[string]any

// TestRead: what is not told, or told of another account, is not known and never off.
func TestRead(t *testing.T) {
	t.Parallel()
	state := func(status string) m { return m{"status": status, "errorCode": "SUCCESS", "errorMessage": "none"} }
	of := func(id string, resources m) moto.Answer {
		return moto.Answer{Output: m{"accounts": []m{{"accountId": id, "state": state("ENABLED"), "resourceState": resources}}}}
	}
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		says   moto.Answer
		want   map[string]string
		unread string
	}{
		"some":           {of(cloudtest.Hub, m{"ec2": state("ENABLED"), "ecr": state("DISABLED"), "lambda": state("SUSPENDED")}), map[string]string{"ec2": "ENABLED", "ecr": "DISABLED", "lambda": "SUSPENDED"}, ""},
		"without_lambda": {of(cloudtest.Hub, m{"ec2": state("ENABLED"), "ecr": state("ENABLED")}), map[string]string{"ec2": "ENABLED", "ecr": "ENABLED"}, ""},
		"of_another":     {of(cloudtest.Member, m{"ec2": state("DISABLED"), "ecr": state("DISABLED")}), nil, "not about the account"},
		"of_nobody":      {moto.Answer{Output: m{"accounts": []m{}}}, nil, "not about the account"},
		"denied":         {moto.Answer{Error: "AccessDeniedException", Status: 403}, nil, ""},
		"failed":         {moto.Answer{Error: "InternalServerException", Status: 500}, nil, "InternalServerException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("inspector2", "BatchGetAccountStatus", tc.says)
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).
				Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: account.Name}, true)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			x := page.Resources[0]
			if d := cmp.Diff(&account.Account{Region: cloudtest.East, Scans: tc.want}, x.Config); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
		})
	}
}
