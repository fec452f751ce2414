package awssim_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"dera.example/dera/awssim"
)

// thousand returns a cloud with 1,000 groups of five inbound rules.
func thousand(b *testing.B) *awssim.Cloud {
	b.Helper()
	cloud := awssim.New(awssim.Config{KeepCalls: 10})
	r := cloud.Account(hub).Region(east)
	for i := range 1000 {
		var rules []awssim.Rule
		for j := range 5 {
			rules = append(rules, awssim.Rule{Protocol: "tcp", FromPort: j, ToPort: j, CIDR: fmt.Sprintf("10.%d.%d.0/24", i/250, i%250), Description: "a rule"})
		}
		if _, err := r.CreateSecurityGroup(b.Context(), fmt.Sprintf("group%d", i), rules...); err != nil {
			b.Fatal(err)
		}
	}
	return cloud
}

// BenchmarkDescribe1000 is the answer alone, without the SDK's decoding.
func BenchmarkDescribe1000(b *testing.B) {
	cloud := thousand(b)
	auth := "AWS4-HMAC-SHA256 Credential=" + cloud.Account(hub).Credentials().AccessKeyID + "/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=00"
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://ec2.us-east-1.amazonaws.com/", strings.NewReader("Action=DescribeSecurityGroups"))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", auth)
		answer, err := cloud.Transport().RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer.Status, err)
		}
		b.SetBytes(n)
	}
}

// BenchmarkDescribe1000SDK is the same as the SDK's user has it.
func BenchmarkDescribe1000SDK(b *testing.B) {
	client := ec2Client(thousand(b), hub)
	for b.Loop() {
		out, err := client.DescribeSecurityGroups(b.Context(), nil)
		if err != nil || len(out.SecurityGroups) != 1001 {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthorizeRevoke is one write and its undo, with their events.
func BenchmarkAuthorizeRevoke(b *testing.B) {
	cloud := awssim.New(awssim.Config{KeepCalls: 10})
	r := cloud.Account(hub).Region(east)
	group, err := r.CreateSecurityGroup(b.Context(), "web")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.Authorize(b.Context(), group, openSSH()); err != nil {
			b.Fatal(err)
		}
		if err := r.Revoke(b.Context(), group, openSSH()); err != nil {
			b.Fatal(err)
		}
	}
}
