package cloudtrail_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
)

// TestExtra_s3_events finds every recorded event of S3 and CloudFront, wherever
// a file keeps it: one that failed hints at nothing, a watched one that
// succeeded at the bucket that it names, else at all.
func TestExtra_s3_events(t *testing.T) {
	watch := services.Watch()
	listens, other := map[string]bool{}, map[string]bool{} // other: to what is no type of S3, such as a trail that delivers to a bucket
	for _, c := range watch.Calls() {
		listens[c.Source+" "+c.Name] = true
		other[c.Source+" "+c.Name] = !slices.ContainsFunc(c.Types, func(typ string) bool { return strings.HasPrefix(typ, "AWS::S3::") })
	}
	name := regexp.MustCompile(`^[A-Za-z0-9._-]{3,255}$`)
	var events, watched, failed, named int
	check := func(path string, event map[string]any) {
		events++
		request, _ := event["requestParameters"].(map[string]any)
		raw, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		call, _ := event["eventName"].(string)
		source, _ := event["eventSource"].(string)
		parameters, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		r := cloudtrail.Record{Source: source, Name: call, Account: "111122223333", Region: "us-east-1", Partition: "aws", Request: parameters}
		r.ErrorCode, _ = event["errorCode"].(string)
		hints := watch.Hints(r)
		if len(hints) > 0 && !watch.Triage(raw) {
			t.Errorf("%s: triage drops an event with hints %v", path, hints)
		}
		if other[source+" "+call] {
			return
		}
		switch bucketName, _ := request["bucketName"].(string); {
		case !listens[source+" "+call] || r.Failed():
			if r.Failed() {
				failed++
			}
			if len(hints) > 0 {
				t.Errorf("%s: got hints %v of %s, error %q, want none", path, hints, call, r.ErrorCode)
			}
			return
		case source == "s3.amazonaws.com" && name.MatchString(bucketName) && bucketName != "..." && call != "PutAccountPublicAccessBlock":
			named++
			if len(hints) == 0 || len(hints[0].IDs) != 1 || hints[0].IDs[0] != bucketName {
				t.Errorf("%s: got hints %v of %s, want bucket %s", path, hints, call, bucketName)
			}
		default:
			last := dera.Scope{IDs: []string{"none"}}
			if len(hints) > 0 {
				last = hints[len(hints)-1]
			}
			if !last.Sweep() || last.Type != "AWS::S3::Bucket" {
				t.Errorf("%s: got hints %v of %s, want a sweep of buckets", path, hints, call)
			}
		}
		watched++
	}
	for _, path := range extraFiles(t, "cloudtrail/*.jsonl.gz") {
		for _, raw := range recorded(t, path) {
			var tree any
			if err := json.Unmarshal(raw, &tree); err != nil {
				t.Fatal(err)
			}
			eachS3Event(tree, func(e map[string]any) { check(path, e) })
		}
	}
	for _, path := range extraFiles(t, "panther/*.json") {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal(raw, &tree); err != nil {
			t.Fatal(err)
		}
		eachS3Event(tree, func(e map[string]any) { check(path, e) })
	}
	t.Logf("%d events of S3 and CloudFront: %d watched, %d of them name their bucket; %d failed and hint at nothing", events, watched, named, failed)
	if watched < 12 || named < 6 || failed < 3 {
		t.Errorf("got %d watched, %d named, %d failed: the test looks at nothing", watched, named, failed)
	}
}

// eachS3Event calls do with every object that is an event of S3 or CloudFront.
func eachS3Event(v any, do func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		if s := v["eventSource"]; s == "s3.amazonaws.com" || s == "cloudfront.amazonaws.com" {
			do(v)
			return
		}
		for _, value := range v {
			eachS3Event(value, do)
		}
	case []any:
		for _, item := range v {
			eachS3Event(item, do)
		}
	}
}
