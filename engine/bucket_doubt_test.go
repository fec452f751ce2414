package engine_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/services/s3/bucket"
)

const controlSpace = `xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"`

func controlError(code string) func(int, string) (int, string) {
	return says(404, `<ErrorResponse><Error><Code>`+code+`</Code><Message>x</Message></Error><RequestId>r</RequestId></ErrorResponse>`)
}

// TestDoubtOfABucketResolvesNothing: a policy, an ACL and an access point that let
// anybody in stay there while reads lie about them. Their findings stay open through
// events and sweeps.
func TestDoubtOfABucketResolvesNothing(t *testing.T) {
	t.Parallel()
	const public, acl, point = "s3-bucket-public-policy policy/read", "s3-bucket-public-acl", "s3-bucket-access-point-public access-point/door"
	without := func(pattern string) func(int, string) (int, string) {
		return func(status int, body string) (int, string) {
			return status, regexp.MustCompile(`(?s)`+pattern).ReplaceAllString(body, "")
		}
	}
	tests := []struct {
		name, service, operation string
		answer                   func(status int, body string) (int, string)
		finding                  string
	}{
		{"list_says_no_such_bucket", "s3control", "ListAccessPoints", controlError("NoSuchBucket"), point},
		{"listed_point_is_not_there", "s3control", "GetAccessPoint", controlError("NoSuchAccessPoint"), point},
		{"point_policy_without_text", "s3control", "GetAccessPointPolicy", says(200, `<GetAccessPointPolicyResult `+controlSpace+`/>`), point},
		{"policy_is_an_empty_object", "s3", "GetBucketPolicy", says(200, `{}`), public},
		{"policy_without_statements", "s3", "GetBucketPolicy", says(200, `{"Version":"2012-10-17","Statement":[]}`), public},
		{"policy_is_another_object", "s3", "GetBucketPolicy", says(200, `{"message":"internal error"}`), public},
		{"policy_is_cut_off", "s3", "GetBucketPolicy", func(s int, b string) (int, string) { return s, b[:len(b)/2] }, public},
		{"grants_without_grantees", "s3", "GetBucketAcl", without(`<Grantee.*?</Grantee>`), acl},
		{"grants_without_uris", "s3", "GetBucketAcl", without(`<URI>.*?</URI>`), acl},
		{"grants_without_permissions", "s3", "GetBucketAcl", without(`<Permission>.*?</Permission>`), acl},
		{"acl_is_cut_off", "s3", "GetBucketAcl", func(s int, b string) (int, string) { return s, b[:len(b)/2] }, acl},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name) })
			w.mode = dera.Observe
			delegates := `{"Sid":"Points","Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::reports","arn:aws:s3:::reports/*"],"Condition":{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:111122223333:accesspoint/*"}}}`
			for _, err := range []error{
				w.region.PutBucketOwnership(t.Context(), "reports", "ObjectWriter"),
				w.region.PutBucketACL(t.Context(), "reports", "public-read"),
				w.region.PutBucketPolicy(t.Context(), "reports", bucketPolicy(publicRead, delegates)),
				w.region.CreateAccessPoint(t.Context(), "door", "reports", &awssim.PublicAccessBlock{}),
				w.region.PutAccessPointPolicy(t.Context(), "door", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:us-east-1:111122223333:accesspoint/door/object/*"}]}`),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			w.sweep()
			state := func() (got dera.FindingState) {
				for key, f := range w.findings("reports") {
					if strings.HasPrefix(key, tt.finding) && !strings.HasSuffix(key, "unknown") {
						got = f.State
					}
				}
				return got
			}
			if state() != dera.FindingOpen {
				t.Fatalf("there is no finding: %v", w.findings("reports"))
			}
			w.clock.Advance(time.Minute)
			fault := w.rewrite(awssim.Match{Service: tt.service, Operation: tt.operation}, tt.answer)
			ev := w.event()
			ev.Scope = bucketScope()
			w.ingest(ev)
			for range 4 {
				_ = w.engine.Drain(t.Context())
				w.clock.Advance(10 * time.Second)
			}
			_ = w.engine.Sweep(t.Context(), "sweep")
			for range 4 {
				_ = w.engine.Drain(t.Context())
				w.clock.Advance(10 * time.Second)
			}
			if fault.Fired() == 0 {
				t.Fatal("no read was changed, so this shows nothing")
			}
			if got := state(); got != dera.FindingOpen {
				t.Errorf("finding: got %q, want open", got)
			}
		})
	}
}
