package cloud_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/services/s3/account"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

// TestForeignAnswersAreFailedReads: a success with another body than the answer to
// the call is no empty answer, whichever service it is.
func TestForeignAnswersAreFailedReads(t *testing.T) {
	t.Parallel()
	const page = `<html><body>Please sign in.</body></html>`
	bodies := map[string]string{"html": page, "nothing": "", "no_xml": "\x00{", "another_root": `<cloud.Other xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"/>`}
	reads := map[string]func(f fixture) error{
		"ec2 DescribeSecurityGroups":     func(f fixture) error { _, err := f.Read(t.Context(), scopeOf(), false); return err },
		"ec2 DescribeRegions":            func(f fixture) error { _, err := f.Regions(t.Context(), cloudtest.Hub); return err },
		"sts GetCallerIdentity":          func(f fixture) error { _, err := f.Identity(t.Context()); return err },
		"s3 ListBuckets":                 func(f fixture) error { _, err := f.Read(t.Context(), bucketScope(), false); return err },
		"s3control ListAccessPoints":     func(f fixture) error { _, err := f.Read(t.Context(), bucketScope("media"), true); return err },
		"s3control GetPublicAccessBlock": func(f fixture) error { _, err := f.Read(t.Context(), bucketScope("media"), true); return err },
		"cloudfront ListDistributions":   func(f fixture) error { _, err := f.Read(t.Context(), bucketScope("media"), true); return err },
		"config DescribeConfigRules": func(f fixture) error {
			where := cloudtest.East
			if slices.ContainsFunc(f.Calls, func(c cloud.Call) bool { return c.Operation == "DescribeConfigRules" }) {
				where = "eu-west-1" // of the other one the answer is remembered
			}
			_, err := f.Fixers(t.Context(), cloudtest.Hub, where)
			return err
		},
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
				fault := f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: service, Operation: operation}, Kind: awssim.Rewrite,
					Answer: func(int, string) (int, string) { return 200, body }})
				if err := read(f); !errors.Is(err, cloud.ErrForeignAnswer) || fault.Fired() == 0 {
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
		err := cloud.Walk(func(*string) (*string, error) {
			calls++
			return &circle[(calls-1)%len(circle)], nil
		})
		if !errors.Is(err, cloud.ErrEndlessPages) || calls != len(circle)+1 {
			t.Errorf("a circle of %d tokens: got %v after %d calls, want an error after %d", len(circle), err, calls, len(circle)+1)
		}
	}
	calls := 0
	err := cloud.Walk(func(*string) (*string, error) {
		calls++
		token := strings.Repeat("x", calls)
		return &token, nil
	})
	if !errors.Is(err, cloud.ErrEndlessPages) || calls != 20_000 {
		t.Errorf("pages without end: got %v after %d calls", err, calls)
	}
	// At the wire: each paginated call.
	tests := []struct {
		service, operation string
		before, after      string // where the token goes into the answer
		read               func(f fixture) error
	}{
		{"ec2", "DescribeSecurityGroups", "</securityGroupInfo>", "<nextToken>TOKEN</nextToken>", func(f fixture) error {
			_, err := f.Read(t.Context(), scopeOf(f.group(t, "web", ssh())), true)
			return err
		}},
		{"ec2", "DescribeSecurityGroupRules", "</securityGroupRuleSet>", "<nextToken>TOKEN</nextToken>", func(f fixture) error {
			_, err := f.Read(t.Context(), scopeOf(f.group(t, "web", ssh())), true)
			return err
		}},
		{"ec2", "DescribeNetworkInterfaces", "</networkInterfaceSet>", "<nextToken>TOKEN</nextToken>", func(f fixture) error {
			_, err := f.Read(t.Context(), scopeOf(f.group(t, "web", ssh())), true)
			return err
		}},
		{"s3control", "ListAccessPoints", "</AccessPointList>", "<NextToken>TOKEN</NextToken>", func(f fixture) error {
			_, err := f.Read(t.Context(), bucketScope("media"), true)
			return err
		}},
		{"cloudfront", "ListDistributions", "<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated><NextMarker>TOKEN</NextMarker>", func(f fixture) error {
			_, err := f.Read(t.Context(), bucketScope("media"), true)
			return err
		}},
		{"s3", "ListBuckets", "</Buckets>", "<ContinuationToken>TOKEN</ContinuationToken>", func(f fixture) error {
			scope := scopeOf(cloudtest.Hub)
			scope.Type = account.Name
			_, err := f.Read(t.Context(), scope, true)
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.operation, func(t *testing.T) {
			t.Parallel()
			f := newBuckets(t)
			n, last := 0, ""
			fault := f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: tt.service, Operation: tt.operation}, Kind: awssim.Rewrite, Answer: func(status int, body string) (int, string) {
				n++
				if status != 200 { // it does not know the token
					status, body = 200, last
				}
				last = body
				at := strings.LastIndex(body, tt.before)
				if at < 0 {
					t.Errorf("no %s in the answer %s", tt.before, body)
					return status, body
				}
				token := []string{"circle-a", "circle-b"}[n%2]
				return status, body[:at] + strings.TrimSuffix(tt.before, "<IsTruncated>false</IsTruncated>") + strings.ReplaceAll(tt.after, "TOKEN", token) + body[at+len(tt.before):]
			}})
			err := tt.read(f)
			if !errors.Is(err, cloud.ErrEndlessPages) || fault.Fired() > 4 {
				t.Errorf("got %v after %d calls, want an error after a few", err, fault.Fired())
			}
		})
	}
}
