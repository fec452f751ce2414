package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/root"
	"dera.example/dera/services/iam/root/wire"
)

// TestRead: what the summary does not have is not known, and a read that fails is no
// summary.
func TestRead(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for name, tc := range map[string]struct {
		summary, err string // NAME=N, or an error code
		want         root.User
	}{
		"all":        {summary: "AccountMFAEnabled=1 AccountAccessKeysPresent=0 AccountSigningCertificatesPresent=1 AccountPasswordPresent=0 Users=7", want: root.User{Account: cloudtest.Hub, Password: &no, MFA: &yes, Keys: &no, Certificates: &yes}},
		"an_old_one": {summary: "AccountMFAEnabled=0 AccountAccessKeysPresent=1", want: root.User{Account: cloudtest.Hub, MFA: &no, Keys: &yes}},
		"others":     {summary: "Users=7", want: root.User{Account: cloudtest.Hub}},
		"empty":      {summary: "", err: "the summary is empty"},
		"denied":     {summary: "!AccessDenied", err: "AccessDenied"},
		"failed":     {summary: "!ServiceFailure", err: "ServiceFailure"},
	} {
		s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, func(a cloudtest.Asked) (int, string) {
			if strings.HasPrefix(tc.summary, "!") {
				return iamtest.Answer(a.Operation, tc.summary)
			}
			entries := ""
			for _, e := range strings.Fields(tc.summary) {
				key, n, _ := strings.Cut(e, "=")
				entries += "<entry><key>" + key + "</key><value>" + n + "</value></entry>"
			}
			return iamtest.Answer(a.Operation, "<SummaryMap>"+entries+"</SummaryMap>")
		})
		if gov, err := s.Read(t.Context(), dera.Scope{Partition: "aws-us-gov", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: root.Name}, false); tc.err == "" && (err != nil || !gov.Resources[0].Config.(*root.User).NoConsole) {
			t.Errorf("%s: GovCloud: got %+v, %v, want one whose console takes no root user", name, gov, err)
		}
		page, err := s.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: root.Name}, false)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: got %+v, %v, want an error of %s", name, page, err, tc.err)
			}
			continue
		}
		if err != nil || len(page.Resources) != 1 || page.Resources[0].ARN != "arn:aws:iam::111122223333:root" || page.Resources[0].ID != page.Resources[0].ARN.Name() {
			t.Fatalf("%s: got %+v, %v", name, page, err)
		}
		if d := cmp.Diff(&tc.want, page.Resources[0].Config); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
