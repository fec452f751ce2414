package awssim_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/google/go-cmp/cmp"
)

// newerShape respells where an event recorded before 2020 has values: S3 then wrote "host" and put words into lists.
func newerShape(path string) string {
	path = strings.Replace(path, "requestParameters.host[]", "requestParameters.Host", 1)
	for _, word := range []string{"policy", "acl", "publicAccessBlock"} {
		path = strings.Replace(path, "requestParameters."+word+"[]", "requestParameters."+word, 1)
	}
	return path
}

// TestS3EventShapes holds our events of S3 against recorded ones: what they have ours have too, and ours have nothing else
// but what newer events always have.
func TestS3EventShapes(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "recorded_s3.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Name  string
		Event map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	media := aws.String("media")
	calls := map[string]func(t *testing.T, cloud *awssim.Cloud){
		"put_block": func(t *testing.T, cloud *awssim.Cloud) {
			off := aws.Bool(false)
			must(s3In(cloud, hub, east).PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: media, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
				BlockPublicAcls: off, BlockPublicPolicy: off, IgnorePublicAcls: off, RestrictPublicBuckets: off,
			}}))(t)
		},
		"delete_account_block": func(t *testing.T, cloud *awssim.Cloud) {
			must(controlClient(cloud, hub).DeletePublicAccessBlock(t.Context(), &s3control.DeletePublicAccessBlockInput{AccountId: aws.String(hub)}))(t)
		},
		"put_policy": func(t *testing.T, cloud *awssim.Cloud) {
			document := strings.Replace(awssim.PublicReadPolicy("media"), `,"Sid":"PublicRead"`, "", 1)
			document = strings.Replace(document, `{`, `{"Id":"Policy1",`, 1)
			must(s3In(cloud, hub, east).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: media, Policy: &document}))(t)
		},
		"put_acl_body": func(t *testing.T, cloud *awssim.Cloud) {
			owner := &types.Owner{ID: aws.String(awssim.CanonicalID(hub)), DisplayName: aws.String("hub")}
			must(s3In(cloud, hub, east).PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: media, AccessControlPolicy: &types.AccessControlPolicy{Owner: owner, Grants: []types.Grant{
				{Grantee: &types.Grantee{Type: types.TypeCanonicalUser, ID: owner.ID, DisplayName: owner.DisplayName}, Permission: types.PermissionFullControl},
				{Grantee: &types.Grantee{Type: types.TypeGroup, URI: aws.String(awssim.AllUsers)}, Permission: types.PermissionRead},
			}}}))(t)
		},
		"put_acl_headers": func(t *testing.T, cloud *awssim.Cloud) {
			must(s3In(cloud, hub, east).PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: media, GrantWriteACP: aws.String("uri=" + awssim.AuthenticatedUsers)}))(t)
		},
		"create_bucket": func(t *testing.T, cloud *awssim.Cloud) {
			must(s3In(cloud, hub, west).CreateBucket(t.Context(), inWest("other")))(t)
		},
	}
	if len(recorded) != len(calls) {
		t.Fatalf("got %d recorded events, want one for each of %d calls", len(recorded), len(calls))
	}
	for _, r := range recorded {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			legacy(t, cloud, "media")
			calls[r.Name](t, cloud)
			whole, err := json.Marshal(r.Event)
			if err != nil {
				t.Fatal(err)
			}
			events := cloud.Events()
			event := events[len(events)-1]
			if name := strings.Trim(string(r.Event["eventName"]), `"`); event.Name != name || event.Source != "s3.amazonaws.com" {
				t.Errorf("event: got %s of %s, want %s", event.Name, event.Source, name)
			}
			names := []string{"requestParameters", "resources", "responseElements", "readOnly", "managementEvent", "eventCategory", "recipientAccountId"}
			theirs := paths("", members(t, whole, names))
			for i := range theirs {
				theirs[i] = newerShape(theirs[i])
			}
			kept := names[:0]
			for _, name := range names {
				if _, ok := r.Event[name]; ok {
					kept = append(kept, name)
				}
			}
			ours := slices.DeleteFunc(paths("", members(t, event.Record, kept)), func(p string) bool {
				return p == "requestParameters.Host" && !slices.Contains(theirs, p)
			})
			slices.Sort(theirs)
			if diff := cmp.Diff(slices.Compact(theirs), ours); diff != "" {
				t.Errorf("members of the recorded event (-) and of ours (+):\n%s", diff)
			}
		})
	}
}

// TestS3Events shows which event each call makes, in whose words, and that a read is read-only.
func TestS3Events(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	c, control, media := s3In(cloud, hub, east), controlClient(cloud, hub), aws.String("media")
	must(c.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: aws.String("nobody")}))
	_, _ = c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: media})
	must(c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: media}))(t)
	must(c.ListBuckets(t.Context(), nil))(t)
	must(c.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: media}))(t)
	_, _ = control.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: aws.String(hub)})
	must(c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: media}))(t)
	var got []string
	for _, e := range cloud.Events() {
		got = append(got, strings.TrimSpace(e.Name+" "+e.ErrorCode))
		if e.ReadOnly != (strings.HasPrefix(e.Name, "Get") || strings.HasPrefix(e.Name, "List")) {
			t.Errorf("%s: read-only %t", e.Name, e.ReadOnly)
		}
	}
	want := []string{
		"CreateBucket", "DeleteBucketPublicAccessBlock", "GetBucketPublicAccessBlock NoSuchBucket", "GetBucketPolicy NoSuchBucketPolicy", "ListBuckets",
		"DeleteBucketPublicAccessBlock", "GetAccountPublicAccessBlock NoSuchPublicAccessBlockConfiguration", "DeleteBucket",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
