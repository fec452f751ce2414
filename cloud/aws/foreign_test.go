package aws

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"dera.example/dera/awssim"
	"dera.example/dera/services/s3/account"
)

// TestForeignAnswersAreFailedReads: a success with another body than the answer to
// the call is no empty answer, whichever service it is.
func TestForeignAnswersAreFailedReads(t *testing.T) {
	t.Parallel()
	const page = `<html><body>Please sign in.</body></html>`
	bodies := map[string]string{"html": page, "nothing": "", "no_xml": "\x00{", "another_root": `<Other xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"/>`}
	reads := map[string]func(f *fixture) error{
		"ec2 DescribeSecurityGroups":      func(f *fixture) error { _, err := f.Read(t.Context(), scopeOf(), false); return err },
		"ec2 DescribeRegions":             func(f *fixture) error { _, err := f.Regions(t.Context(), hub); return err },
		"sts GetCallerIdentity":           func(f *fixture) error { _, err := f.Identity(t.Context()); return err },
		"s3 ListBuckets":                  func(f *fixture) error { _, err := f.Read(t.Context(), bucketScope(), false); return err },
		"s3control ListAccessPoints":      func(f *fixture) error { _, err := f.Read(t.Context(), bucketScope("media"), true); return err },
		"s3control GetPublicAccessBlock":  func(f *fixture) error { _, err := f.Read(t.Context(), bucketScope("media"), true); return err },
		"cloudfront ListDistributions":    func(f *fixture) error { _, err := f.Read(t.Context(), bucketScope("media"), true); return err },
		"config DescribeConfigRules":      func(f *fixture) error { _, err := f.Fixers(t.Context(), hub, east); return err },
		"ec2 GetManagedPrefixListEntries": nil, // unread alone: engine's tests
	}
	for call, read := range reads {
		if read == nil {
			continue
		}
		for name, body := range bodies {
			t.Run(strings.ReplaceAll(call, " ", "_")+"_"+name, func(t *testing.T) {
				t.Parallel()
				f := newBuckets(t)
				service, operation, _ := strings.Cut(call, " ")
				if err := read(f); err != nil {
					t.Fatal(err)
				}
				fault := f.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: service, Operation: operation}, Kind: awssim.Rewrite,
					Answer: func(int, string) (int, string) { return 200, body }})
				f.fixers = map[string]rememberedFixers{}
				if err := read(f); !errors.Is(err, errForeignAnswer) || fault.Fired() == 0 {
					t.Errorf("got %v after %d changed answers, want that it is no answer", err, fault.Fired())
				}
			})
		}
	}
}

// TestWalksEnd: a listing that gives a token for a second time is no answer, and
// does not go on for ever.
func TestWalksEnd(t *testing.T) {
	t.Parallel()
	for _, circle := range [][]string{{"a"}, {"a", "b"}, {"a", "b", "c", "d", "e"}} {
		calls := 0
		err := walk(func(*string) (*string, error) {
			calls++
			return &circle[(calls-1)%len(circle)], nil
		})
		if !errors.Is(err, errEndlessPages) || calls != len(circle)+1 {
			t.Errorf("a circle of %d tokens: got %v after %d calls, want an error after %d", len(circle), err, calls, len(circle)+1)
		}
	}
	calls := 0
	err := walk(func(*string) (*string, error) {
		calls++
		token := strings.Repeat("x", calls)
		return &token, nil
	})
	if !errors.Is(err, errEndlessPages) || calls != mostPages {
		t.Errorf("pages without end: got %v after %d calls", err, calls)
	}
	// At the wire: each paginated call.
	tests := []struct {
		service, operation string
		before, after      string // where the token goes into the answer
		read               func(f *fixture) error
	}{
		{"ec2", "DescribeSecurityGroups", "</securityGroupInfo>", "<nextToken>TOKEN</nextToken>", func(f *fixture) error {
			_, err := f.Read(t.Context(), scopeOf(f.some), true)
			return err
		}},
		{"ec2", "DescribeSecurityGroupRules", "</securityGroupRuleSet>", "<nextToken>TOKEN</nextToken>", func(f *fixture) error {
			_, err := f.Read(t.Context(), scopeOf(f.some), true)
			return err
		}},
		{"ec2", "DescribeNetworkInterfaces", "</networkInterfaceSet>", "<nextToken>TOKEN</nextToken>", func(f *fixture) error {
			_, err := f.Read(t.Context(), scopeOf(f.some), true)
			return err
		}},
		{"s3control", "ListAccessPoints", "</AccessPointList>", "<NextToken>TOKEN</NextToken>", func(f *fixture) error {
			_, err := f.Read(t.Context(), bucketScope("media"), true)
			return err
		}},
		{"cloudfront", "ListDistributions", "<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated><NextMarker>TOKEN</NextMarker>", func(f *fixture) error {
			_, err := f.Read(t.Context(), bucketScope("media"), true)
			return err
		}},
		{"s3", "ListBuckets", "</Buckets>", "<ContinuationToken>TOKEN</ContinuationToken>", func(f *fixture) error {
			scope := scopeOf(hub)
			scope.Type = account.Name
			_, err := f.Read(t.Context(), scope, true)
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.operation, func(t *testing.T) {
			t.Parallel()
			f := newBuckets(t)
			f.some = f.group(t, "web", ssh())
			n := 0
			fault := f.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: tt.service, Operation: tt.operation}, Kind: awssim.Rewrite, Answer: func(status int, body string) (int, string) {
				n++
				if status != 200 { // it does not know the token
					status, body = 200, f.last
				}
				f.last = body
				at := strings.LastIndex(body, tt.before)
				if at < 0 {
					t.Errorf("no %s in the answer %s", tt.before, body)
					return status, body
				}
				token := []string{"circle-a", "circle-b"}[n%2]
				return status, body[:at] + strings.TrimSuffix(tt.before, "<IsTruncated>false</IsTruncated>") + strings.ReplaceAll(tt.after, "TOKEN", token) + body[at+len(tt.before):]
			}})
			err := tt.read(f)
			if !errors.Is(err, errEndlessPages) || fault.Fired() > 4 {
				t.Errorf("got %v after %d calls, want an error after a few", err, fault.Fired())
			}
		})
	}
}

// TestLocationThatIsNone: a bucket that no region has is not dropped from a sweep.
func TestLocationThatIsNone(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"nowhere", "cn-north-1"} {
		f := newBuckets(t)
		rewrite := func(operation string, answer func(int, string) (int, string)) {
			f.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "s3", Operation: operation}, Kind: awssim.Rewrite, Answer: answer})
		}
		rewrite("ListBuckets", func(status int, body string) (int, string) {
			return status, regexp.MustCompile(`<BucketRegion>.*?</BucketRegion>`).ReplaceAllString(body, "")
		})
		rewrite("GetBucketLocation", func(int, string) (int, string) {
			return 200, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` + at + `</LocationConstraint>`
		})
		page, err := f.Read(t.Context(), bucketScope(), false)
		if err != nil || len(page.Resources) == 0 || page.Resources[0].Unread == "" {
			t.Errorf("%s: got %+v, %v, want the buckets, and that they are not known", at, page, err)
		}
	}
}

// TestPolicyOfAnotherBucket is no policy of this one.
func TestPolicyOfAnotherBucket(t *testing.T) {
	t.Parallel()
	statement := func(r string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":` + r + `}]}`
	}
	for text, want := range map[string]bool{
		statement(`"arn:aws:s3:::media/*"`):                            true,
		statement(`"arn:aws-cn:s3:::media"`):                           true,
		statement(`["arn:aws:s3:::other/*","arn:aws:s3:::media/*"]`):   true,
		statement(`"arn:aws:s3:::med*"`):                               true,
		statement(`"arn:aws:s3:::${aws:PrincipalTag/b}/*"`):            true,
		statement(`"arn:aws:s3:::other/*"`):                            false,
		statement(`["arn:aws:s3:::other","arn:aws:s3:::mediation/*"]`): false,
		`{"not": "a policy"}`:                                          true, // judged as such
	} {
		if got := ofBucket(text, "media") == nil; got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}
