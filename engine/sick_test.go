package engine_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	s3account "dera.example/dera/services/s3/account"
	s3bucket "dera.example/dera/services/s3/bucket"
)

func s3Error(status int, code string) func(int, string) (int, string) {
	return says(status, `<?xml version="1.0"?><Error><Code>`+code+`</Code><Message>x</Message><RequestId>r</RequestId></Error>`)
}

// sickCalls are the calls that one sick bucket answers wrongly.
func sickCalls(service, operation, bucket string) awssim.Match {
	return awssim.Match{Service: service, Operation: operation, Where: func(c awssim.Call) bool {
		return strings.HasSuffix(c.Principal, "user/dera") && (c.Parameters["Bucket"] == bucket || c.Parameters["Name"] == "door-"+bucket)
	}}
}

// TestOneSickBucketBlindsNobody: whatever one bucket answers to one of its calls,
// it is unknown alone. The bucket beside it is found and fixed, and the block of
// the account is judged.
func TestOneSickBucketBlindsNobody(t *testing.T) {
	t.Parallel()
	answers := map[string]func(int, string) (int, string){
		"5xx": s3Error(500, "InternalError"), "slow_down": s3Error(503, "SlowDown"), "301": s3Error(301, "PermanentRedirect"),
		"403_without_a_code": says(403, "no"), "400": s3Error(400, "InvalidRequest"), "proxy": says(200, proxy), "garbage": says(200, "\x00{"), "empty": says(200, ""),
		"another_answer": says(200, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>`),
	}
	tests := []struct {
		service, operation string
		answers            []string
	}{
		{"s3", "GetBucketAcl", []string{"5xx", "403_without_a_code", "proxy", "another_answer"}},
		{"s3", "GetBucketPolicy", []string{"slow_down", "301", "garbage", "proxy"}},
		{"s3", "GetBucketTagging", []string{"400", "empty"}},
		{"s3", "GetPublicAccessBlock", []string{"301", "empty", "proxy", "another_answer"}},
		{"s3", "GetBucketOwnershipControls", []string{"400", "garbage"}},
		{"s3", "GetBucketWebsite", []string{"proxy", "301"}},
		{"s3control", "GetAccessPoint", []string{"403_without_a_code", "empty", "400"}},
	}
	for _, tt := range tests {
		for _, name := range tt.answers {
			t.Run(tt.operation+"_"+name, func(t *testing.T) {
				t.Parallel()
				if testing.Short() && (name == "5xx" || name == "slow_down") {
					t.Skip("the SDK waits between its attempts")
				}
				w := newSickWorld(t)
				fault := w.rewrite(sickCalls(tt.service, tt.operation, "sick"), answers[name])
				_ = w.engine.Sweep(t.Context(), "sweep")
				for range 3 { // that many looks, and it is called unknown
					w.drain()
					w.clock.Advance(3 * time.Second)
				}
				if fault.Fired() == 0 {
					t.Fatal("no read was changed, so this shows nothing")
				}
				fault.Remove()
				w.sound(t)
				policy := w.findings("sick")["s3-bucket-public-policy policy/read"].State
				unknown := w.findings("sick")["s3-bucket-public-policy unknown"].State == dera.FindingUnknown
				public := w.public(t, "sick")
				if public && policy == dera.FindingResolved || public && policy != dera.FindingOpen && !unknown || !public && policy != dera.FindingResolved {
					t.Errorf("the sick bucket: got its finding %q, unknown %t, and it is public: %t", policy, unknown, public)
				}
			})
		}
	}
}

// public reports whether the bucket's policy is the one for anybody still.
func (w *world) public(t *testing.T, bucket string) bool {
	t.Helper()
	scope := bucketScope()
	scope.IDs = []string{bucket}
	page, err := w.client().Read(t.Context(), scope, true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("read %s: %d, %v", bucket, len(page.Resources), err)
	}
	return !strings.Contains(page.Resources[0].Config.(*s3bucket.Bucket).Policy, "aws:PrincipalAccount")
}

// newSickWorld has two public buckets, and no block of the account.
func newSickWorld(t *testing.T) *world {
	t.Helper()
	w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(s3bucket.Name, s3account.Name) })
	for _, err := range []error{
		w.region.CreateBucket(t.Context(), "sick"),
		w.region.PutPublicAccessBlock(t.Context(), "sick", nil),
		w.region.PutBucketPolicy(t.Context(), "sick", strings.ReplaceAll(bucketPolicy(publicRead), "reports", "sick")),
		w.region.CreateAccessPoint(t.Context(), "door-sick", "sick", nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// sound checks that the bucket beside the sick one is fixed, and that the block of
// the account is judged.
func (w *world) sound(t *testing.T) {
	t.Helper()
	list := w.bucketFixes(t)
	fixed := false
	for _, r := range list {
		fixed = fixed || r.Plan.Resource.Name() == "reports" && r.State == dera.Resolved
	}
	if !fixed || w.policyOf(t) != bucketPolicy(partner, narrowRead) {
		t.Errorf("the bucket beside it: got %v, want it fixed", states(list))
	}
	block := w.findings(account)
	if len(block) != 1 {
		t.Errorf("findings of the account's block: got %d, want one", len(block))
	}
	for key, f := range block {
		if f.State != dera.FindingOpen {
			t.Errorf("finding %s of the account's block: got %s, want open", key, f.State)
		}
	}
}

// TestBucketThatNobodyCanLocate: its region is asked for where the list does not
// name it, and the answer is sick.
func TestBucketThatNobodyCanLocate(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(int, string) (int, string){"5xx": s3Error(500, "InternalError"), "proxy": says(200, proxy), "denied": s3Error(403, "AccessDenied")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSickWorld(t)
			w.rewrite(awssim.Match{Service: "s3", Operation: "ListBuckets"}, func(status int, body string) (int, string) {
				return status, regexp.MustCompile(`<BucketRegion>.*?</BucketRegion>`).ReplaceAllString(body, "")
			})
			fault := w.rewrite(sickCalls("s3", "GetBucketLocation", "sick"), answer)
			_ = w.engine.Sweep(t.Context(), "sweep")
			for range 4 {
				w.drain()
				w.clock.Advance(10 * time.Second)
			}
			if fault.Fired() == 0 {
				t.Fatal("nobody asked where it is, so this shows nothing")
			}
			w.sound(t)
			if len(w.findings("sick")) == 0 {
				t.Error("the bucket that cannot be located has no finding")
			}
		})
	}
}

// TestBucketThatAnswersNothing costs its own time, not that of the others.
func TestBucketThatAnswersNothing(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.timeout = 2 * time.Second
		w.config = func(c *engine.Config) { c.Controls = rulebook(s3bucket.Name) }
	})
	for _, name := range []string{"reports", "sick"} {
		for _, err := range []error{
			w.region.CreateBucket(t.Context(), name),
			w.region.PutPublicAccessBlock(t.Context(), name, nil),
			w.region.PutBucketPolicy(t.Context(), name, strings.ReplaceAll(bucketPolicy(partner, publicRead), "reports", name)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	w.cloud.Inject(awssim.Fault{Match: sickCalls("s3", "GetBucketAcl", "sick"), Kind: awssim.Hang})
	w.sweep()
	if w.policyOf(t) != bucketPolicy(partner, narrowRead) {
		t.Error("the bucket beside it is not fixed")
	}
}

// TestGroupWithASickPrefixList is unknown alone.
func TestGroupWithASickPrefixList(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"GetManagedPrefixListEntries", "DescribeManagedPrefixLists"} {
		for name, answer := range map[string]func(int, string) (int, string){
			"5xx": says(500, "no"), "proxy": says(200, proxy), "empty": says(200, ""),
			"too_many": func(status int, body string) (int, string) {
				entry := "<item><cidr>0.0.0.0/1</cidr></item>"
				return status, strings.Replace(body, "<entrySet>", "<entrySet>"+strings.Repeat(entry, 20), 1)
			},
		} {
			if name == "too_many" && operation == "DescribeManagedPrefixLists" {
				continue
			}
			t.Run(fmt.Sprintf("%s_%s", operation, name), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				list, err := w.region.CreatePrefixList(t.Context(), "offices", 10, "203.0.113.0/24")
				if err != nil {
					t.Fatal(err)
				}
				sick := w.group("sick", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, PrefixList: list})
				id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
				fault := w.rewrite(byEngine(operation), answer)
				_ = w.engine.Sweep(t.Context(), "sweep")
				for range 4 {
					w.drain()
					w.clock.Advance(10 * time.Second)
				}
				if fault.Fired() == 0 {
					t.Fatal("no read was changed, so this shows nothing")
				}
				if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
					t.Errorf("the group beside it: got %q, want it fixed", f.State)
				}
				if f := w.findings(sick)["ec2-securitygroup-admin-ports-open unknown"]; f.State != dera.FindingUnknown {
					t.Errorf("the group with the list: got %q, want unknown", f.State)
				}
			})
		}
	}
}

// TestScanTellsOfASickBucketOnce: a scan in the caller's goroutine looks at it a
// second time after the settling time, and then says that it is unknown. One that
// answers by then is not told of.
func TestScanTellsOfASickBucketOnce(t *testing.T) {
	t.Parallel()
	for times, want := range map[int]int{0: 1, 2: 0} { // for ever; in the cheap and the full look of the page
		t.Run(fmt.Sprintf("sick_%d_times", times), func(t *testing.T) {
			t.Parallel()
			w := newSickWorld(t)
			w.cloud.Inject(awssim.Fault{Match: sickCalls("s3", "GetBucketAcl", "sick"), Kind: awssim.Rewrite, Times: times, Answer: says(200, proxy)})
			scope := bucketScope()
			scope.IDs = nil
			err := w.engine.LookNow(t.Context(), dera.Event{Source: "scan", Name: "scan", Scope: scope, Time: w.clock.Now()}, false)
			told := 0
			for _, n := range w.news {
				if n.What == "unread" {
					told++
				}
			}
			if told != want || (err != nil) != (want > 0) {
				t.Errorf("told %d times, error %v, want %d", told, err, want)
			}
			if f := w.findings("sick")["s3-bucket-public-policy policy/read"]; f.State != dera.FindingOpen {
				t.Errorf("its policy: got %q, want it found all the same", f.State)
			}
			if f := w.findings("sick")["s3-bucket-public-acl unknown"]; (f.State == dera.FindingUnknown) != (want > 0) {
				t.Errorf("its ACL: got %q", f.State)
			}
		})
	}
}
