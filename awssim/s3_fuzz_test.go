package awssim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"dera.example/dera/awssim"
)

// FuzzS3 sends any request of S3 and S3 Control: the answer is one of HTTP, its event is JSON, and a refusal changes
// nothing.
func FuzzS3(f *testing.F) {
	f.Add("GET", "s3.us-east-1.amazonaws.com", "/", "", "")
	f.Add("PUT", "media.s3.us-east-1.amazonaws.com", "/?acl", "public-read", "")
	f.Add("PUT", "media.s3.amazonaws.com", "/?publicAccessBlock", "", "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>")
	f.Add("PUT", "127.0.0.1:80", "/media?policy", "", twoStatements)
	f.Add("PUT", "media.localhost", "/?tagging", "", "<Tagging><TagSet><Tag><Key>a</Key><Value>&lt;b</Value></Tag></TagSet></Tagging>")
	f.Add("PUT", "111111111111.s3-control.us-east-1.amazonaws.com", "/v20180820/accesspoint/door", "", "<CreateAccessPointRequest xmlns=\"x\"><Bucket>media</Bucket></CreateAccessPointRequest>")
	f.Add("DELETE", "111111111111.s3-control.us-east-1.amazonaws.com", "/v20180820/configuration/publicAccessBlock", "", "")
	f.Add("PUT", "s3.us-east-1.amazonaws.com", "/media?website&x-id=PutBucketWebsite", "", "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>")
	f.Fuzz(func(t *testing.T, method, host, path, acl, body string) {
		cloud := awssim.New(awssim.Config{Now: newClock().Now, Regions: []string{east, west}})
		home := cloud.Account(hub)
		if err := home.Region(east).CreateLegacyBucket(t.Context(), "media"); err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), method, "https://"+host+path, strings.NewReader(body))
		if err != nil {
			return
		}
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+home.Credentials().AccessKeyID+"/20260304/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
		if acl != "" {
			request.Header.Set("X-Amz-Acl", acl)
		}
		before := toJSON(t, cloud.Snapshot())
		answer, err := cloud.HTTPClient().Do(request)
		if err != nil {
			return // the client refuses it
		}
		defer func() { _ = answer.Body.Close() }()
		if _, err := io.ReadAll(answer.Body); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode < 200 || answer.StatusCode > 599 {
			t.Errorf("status: got %d", answer.StatusCode)
		}
		if after := toJSON(t, cloud.Snapshot()); answer.StatusCode >= 300 && after != before {
			t.Errorf("status %d changed the state:\n%s\n%s", answer.StatusCode, before, after)
		}
		for _, e := range cloud.Events() {
			if !json.Valid(e.Record) || !json.Valid(e.Envelope()) {
				t.Errorf("event is no JSON: %s", e.Record)
			}
		}
	})
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}
