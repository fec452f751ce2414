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
		"all":        {summary: "AccountMFAEnabled=1 AccountAccessKeysPresent=0 AccountSigningCertificatesPresent=1 AccountPasswordPresent=0 Users=7", want: root.User{Account: cloudtest.Hub, Password: &no, MFA: &yes, Keys: &no, Certificates: &yes, VirtualMFA: &no}},
		"an_old_one": {summary: "AccountMFAEnabled=0 AccountAccessKeysPresent=1", want: root.User{Account: cloudtest.Hub, MFA: &no, Keys: &yes, VirtualMFA: &no}},
		"others":     {summary: "Users=7", want: root.User{Account: cloudtest.Hub, VirtualMFA: &no}},
		"empty":      {summary: "", err: "the summary is empty"},
		"denied":     {summary: "!AccessDenied", err: "AccessDenied"},
		"failed":     {summary: "!ServiceFailure", err: "ServiceFailure"},
	} {
		s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, func(a cloudtest.Asked) (int, string) {
			if a.Operation == "ListVirtualMFADevices" {
				return iamtest.Answer(a.Operation, "<VirtualMFADevices/>")
			}
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

// TestDevices: a virtual device is the root user's by its user, whatever its name is, on
// whichever page it stands. Where the devices may not be listed the rest is known.
func TestDevices(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	device := func(serial, user string) string {
		return "<member><SerialNumber>arn:aws:iam::111122223333:mfa/" + serial + "</SerialNumber>" + user + "</member>"
	}
	owner := func(of string) string { return "<User><Arn>arn:aws:iam::111122223333:" + of + "</Arn></User>" }
	for name, tc := range map[string]struct {
		pages []string
		want  *bool
		calls int
		doubt bool // it is read again
	}{
		"none":             {[]string{""}, &no, 1, false},
		"of_a_user":        {[]string{device("root", owner("user/root"))}, &no, 1, false},
		"of_root":          {[]string{device("phone", owner("root"))}, &yes, 1, false},
		"by_the_name":      {[]string{device("root-account-mfa-device", "")}, &yes, 1, false},
		"on_a_later_page":  {[]string{device("a", owner("user/ann")), device("b", owner("root"))}, &yes, 2, false},
		"of_nobody":        {[]string{device("phone", "")}, nil, 1, true},
		"denied":           {[]string{"!AccessDenied"}, nil, 1, false},
		"denied_half_way":  {[]string{device("b", owner("root")), "!AccessDenied"}, nil, 2, false},
		"no_list_at_all":   {[]string{"-"}, nil, 1, true},
		"of_another_cloud": {[]string{device("x", "<User><Arn>arn:aws:iam::444455556666:root</Arn></User>")}, &no, 1, false},
	} {
		calls := 0
		s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, func(a cloudtest.Asked) (int, string) {
			if a.Operation != "ListVirtualMFADevices" {
				return iamtest.Answer(a.Operation, "<SummaryMap><entry><key>AccountMFAEnabled</key><value>1</value></entry></SummaryMap>")
			}
			page := tc.pages[calls]
			calls++
			switch {
			case strings.HasPrefix(page, "!"):
				return iamtest.Answer(a.Operation, page)
			case page == "-":
				return iamtest.Answer(a.Operation, "")
			case calls < len(tc.pages):
				return iamtest.Answer(a.Operation, "<IsTruncated>true</IsTruncated><Marker>next</Marker><VirtualMFADevices>"+page+"</VirtualMFADevices>")
			}
			return iamtest.Answer(a.Operation, "<VirtualMFADevices>"+page+"</VirtualMFADevices>")
		})
		page, err := s.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: dera.GlobalRegion, Type: root.Name}, false)
		if err != nil || len(page.Resources) != 1 || calls != tc.calls || (page.Resources[0].Unread != "") != tc.doubt {
			t.Errorf("%s: got %+v, %v after %d calls, want %d", name, page, err, calls, tc.calls)
			continue
		}
		u := page.Resources[0].Config.(*root.User)
		if d := cmp.Diff(tc.want, u.VirtualMFA); d != "" || u.MFA == nil || !*u.MFA {
			t.Errorf("%s: got MFA %v, virtual (-want +got):\n%s", name, u.MFA, d)
		}
	}
}
