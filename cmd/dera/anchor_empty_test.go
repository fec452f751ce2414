package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"dera.example/dera/awssim"
)

// TestAnchorThatHasNothing: beside an anchor without a checkpoint nothing was compared, and nothing says so.
func TestAnchorThatHasNothing(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 7})
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Query().Has("versions") {
			fmt.Fprint(w, `<ListVersionsResult><Name>kept</Name><IsTruncated>false</IsTruncated></ListVersionsResult>`)
			return
		}
		w.WriteHeader(http.StatusNotImplemented)
	}))
	t.Cleanup(bucket.Close)
	t.Setenv("AWS_ENDPOINT_URL_S3", bucket.URL)
	b := backed{t, t.TempDir()}
	config := fileIn(t, b.dir, "config.yaml", "version: 1\nanchor: {s3: [{bucket: kept, owner: '444455556666', region: us-east-1}]}\n")
	if out, code := b.dera("stop", "--reason", "a record", "--config", config); code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	out, code := b.dera("audit", "verify", "--anchor", "--config", config)
	if code != exitGood || !strings.Contains(out, "has no checkpoint of this log") || strings.Contains(out, "it contains the saved checkpoint") {
		t.Errorf("got %d\n%s", code, out)
	}
	if out, _ := b.dera("audit", "verify", "--anchor", "--config", config, "--output", "json"); !strings.Contains(out, `"compared": false`) {
		t.Errorf("got\n%s", out)
	}
}
