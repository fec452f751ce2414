package conformance_test

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func bucketRows() []row {
	return []row{
		{name: "new_bucket", run: func(w *world) {
			name := aws.String("media-" + w.account)
			w.see("create")(w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: name}))
			w.see("head")(w.s3.HeadBucket(w.ctx, &s3.HeadBucketInput{Bucket: name}))
			w.see("location")(w.s3.GetBucketLocation(w.ctx, &s3.GetBucketLocationInput{Bucket: name}))
			w.see("versioning")(w.s3.GetBucketVersioning(w.ctx, &s3.GetBucketVersioningInput{Bucket: name}))
			w.see("policy")(w.getPolicy(name))
			w.see("tags")(w.s3.GetBucketTagging(w.ctx, &s3.GetBucketTaggingInput{Bucket: name}))
			w.see("website")(w.s3.GetBucketWebsite(w.ctx, &s3.GetBucketWebsiteInput{Bucket: name}))
			w.see("block")(w.block(name))
			w.see("ownership")(w.s3.GetBucketOwnershipControls(w.ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name}))
		}, differ: []difference{{"block", "moto blocks nothing, AWS everything since April 2023: " + docsNewBucket}, {"ownership", "moto has no ownership controls, AWS enforces the owner since April 2023: " + docsNewBucket}}},
		{name: "new_bucket_elsewhere", run: func(w *world) {
			name := aws.String("media-" + w.account)
			cfg := w.config.Copy()
			cfg.Region = "eu-west-1"
			c := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
			in := &s3.CreateBucketInput{Bucket: name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintEuWest1}}
			_, err := c.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: name})
			w.see("no_constraint")(nil, err)
			_, err = c.CreateBucket(w.ctx, in)
			w.see("create")(nil, err)
			w.see("location")(c.GetBucketLocation(w.ctx, &s3.GetBucketLocationInput{Bucket: name}))
			_, err = c.CreateBucket(w.ctx, in)
			w.see("again")(nil, err)
			w.see("from_afar")(w.getACL(name))
		}, differ: []difference{{"from_afar", "moto answers in every Region: " + docsRedirect}}},
		{name: "create_twice_in_us_east_1", run: func(w *world) {
			name := w.bucket()
			_, err := w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: name})
			w.see("again")(nil, err)
		}},
		{name: "bad_names", run: func(w *world) {
			for _, name := range []string{"Media", "me_dia", "192.168.5.4", "xn--media", "media-s3alias"} {
				_, err := w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: &name})
				w.see(name)(nil, err)
			}
		}, differ: []difference{
			{"Media", "moto takes the names of long ago in us-east-1: " + docsNames},
			{"me_dia", "moto takes the names of long ago in us-east-1: " + docsNames},
			{"192.168.5.4", "moto takes the names of long ago in us-east-1: " + docsNames},
			{"xn--media", "moto takes the names of long ago in us-east-1: " + docsNames},
			{"media-s3alias", "moto takes the names of long ago in us-east-1: " + docsNames},
		}},
		{name: "absent_bucket", run: func(w *world) {
			name := aws.String("nobody-" + w.account)
			w.see("acl")(w.getACL(name))
			w.see("policy")(w.getPolicy(name))
			w.see("put_policy")(w.putPolicy(name, w.policyFor(`"*"`)))
			w.see("block")(w.block(name))
			w.see("delete")(w.s3.DeleteBucket(w.ctx, &s3.DeleteBucketInput{Bucket: name}))
			_, err := w.s3.HeadBucket(w.ctx, &s3.HeadBucketInput{Bucket: name})
			w.see("head")(nil, err)
		}},
		{name: "delete_bucket", run: func(w *world) {
			name := w.bucket()
			w.see("delete")(w.s3.DeleteBucket(w.ctx, &s3.DeleteBucketInput{Bucket: name}))
			w.see("again")(w.s3.DeleteBucket(w.ctx, &s3.DeleteBucketInput{Bucket: name}))
		}},
		{name: "list_buckets", run: func(w *world) {
			w.bucket()
			w.see("all")(w.s3.ListBuckets(w.ctx, &s3.ListBucketsInput{}))
			none, err := w.s3.ListBuckets(w.ctx, &s3.ListBucketsInput{Prefix: aws.String("zzz")})
			if err != nil {
				w.t.Fatal(err)
			}
			w.fact("none", len(none.Buckets))
		}, differ: []difference{{"all", "moto gives one owner to all accounts: " + docsListing}}},
		{name: "list_pages", run: func(w *world) {
			for _, letter := range []string{"a", "b", "c"} {
				if _, err := w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: aws.String(letter + "-" + w.account)}); err != nil {
					w.t.Fatal(err)
				}
			}
			var pages []string
			for p := s3.NewListBucketsPaginator(w.s3, &s3.ListBucketsInput{MaxBuckets: aws.Int32(2)}); p.HasMorePages(); {
				out, err := p.NextPage(w.ctx)
				if err != nil {
					w.t.Fatal(err)
				}
				var names []string
				for _, b := range out.Buckets {
					names = append(names, *b.Name)
				}
				pages = append(pages, strings.Join(names, " "))
			}
			w.fact("pages", pages)
		}, differ: []difference{{"pages", "moto gives one page and no token: " + docsListing}}},
		{name: "policy", run: func(w *world) {
			name := w.bucket()
			w.see("put")(w.putPolicy(name, w.policyFor(`"*"`)))
			w.see("get")(w.getPolicy(name))
			w.see("replace")(w.putPolicy(name, w.policyFor(`{"AWS":"`+w.account+`"}`)))
			w.see("get_replaced")(w.getPolicy(name))
			w.see("delete")(w.s3.DeleteBucketPolicy(w.ctx, &s3.DeleteBucketPolicyInput{Bucket: name}))
			w.see("gone")(w.getPolicy(name))
			w.see("delete_again")(w.s3.DeleteBucketPolicy(w.ctx, &s3.DeleteBucketPolicyInput{Bucket: name}))
		}},
		{name: "policy_status", run: func(w *world) {
			name := w.bucket()
			w.see("none")(w.s3.GetBucketPolicyStatus(w.ctx, &s3.GetBucketPolicyStatusInput{Bucket: name}))
			w.see("put")(w.putPolicy(name, w.policyFor(`"*"`)))
			w.see("public")(w.s3.GetBucketPolicyStatus(w.ctx, &s3.GetBucketPolicyStatusInput{Bucket: name}))
		}, differ: []difference{{"none", "moto answers something else: " + docsStatus}, {"public", "moto answers something else: " + docsStatus}}},
		{name: "malformed_policies", run: func(w *world) {
			name := w.bucket()
			w.see("no_json")(w.putPolicy(name, aws.String("nonsense")))
			w.see("empty_object")(w.putPolicy(name, aws.String("{}")))
			w.see("no_effect")(w.putPolicy(name, aws.String(strings.Replace(*w.policyFor(`"*"`), `"Effect":"Allow",`, "", 1))))
			w.see("other_bucket")(w.putPolicy(name, aws.String(strings.ReplaceAll(*w.policyFor(`"*"`), "media-", "other-"))))
			w.see("none_stored")(w.getPolicy(name))
		}, differ: []difference{
			{"no_json", "moto takes every text for a policy: " + docsPolicy},
			{"empty_object", "moto takes every text for a policy: " + docsPolicy},
			{"no_effect", "moto takes every text for a policy: " + docsPolicy},
			{"other_bucket", "moto takes every text for a policy: " + docsPolicy},
			{"none_stored", "moto takes every text for a policy: " + docsPolicy},
		}},
		{name: "policy_of_anothers_bucket", run: func(w *world) {
			name := w.bucket()
			w.see("expected")(w.s3.GetBucketAcl(w.ctx, &s3.GetBucketAclInput{Bucket: name, ExpectedBucketOwner: &w.account}))
			_, err := w.s3.GetBucketAcl(w.ctx, &s3.GetBucketAclInput{Bucket: name, ExpectedBucketOwner: aws.String("999999999999")})
			w.see("unexpected")(nil, err)
		}, differ: []difference{{"unexpected", "moto ignores the condition: " + docsOwner}}},
	}
}

func settingRows() []row {
	on, off := aws.Bool(true), aws.Bool(false)
	public := types.BucketCannedACLPublicRead
	return []row{
		{name: "block", run: func(w *world) {
			name := w.bucket()
			w.see("none")(w.block(name))
			w.see("put")(w.putBlock(name, types.PublicAccessBlockConfiguration{BlockPublicAcls: on, BlockPublicPolicy: off, IgnorePublicAcls: on, RestrictPublicBuckets: off}))
			w.see("get")(w.block(name))
			w.see("put_some")(w.putBlock(name, types.PublicAccessBlockConfiguration{RestrictPublicBuckets: on}))
			w.see("get_some")(w.block(name))
			w.see("delete")(w.s3.DeletePublicAccessBlock(w.ctx, &s3.DeletePublicAccessBlockInput{Bucket: name}))
			w.see("delete_again")(w.s3.DeletePublicAccessBlock(w.ctx, &s3.DeletePublicAccessBlockInput{Bucket: name}))
			w.see("gone")(w.block(name))
		}},
		{name: "public_policy_under_block", run: func(w *world) {
			name := w.bucket()
			w.see("block")(w.putBlock(name, types.PublicAccessBlockConfiguration{BlockPublicPolicy: on}))
			w.see("public")(w.putPolicy(name, w.policyFor(`"*"`)))
			w.see("private")(w.putPolicy(name, w.policyFor(`{"AWS":"`+w.account+`"}`)))
		}, differ: []difference{{"public", "moto does not enforce the block: " + docsBlock}}},
		{name: "public_acl_under_block", run: func(w *world) {
			name := w.bucket()
			w.see("block")(w.putBlock(name, types.PublicAccessBlockConfiguration{BlockPublicAcls: on}))
			w.see("public")(w.putACL(name, public))
			w.see("private")(w.putACL(name, types.BucketCannedACLPrivate))
		}, differ: []difference{{"public", "moto does not enforce the block: " + docsBlock}}},
		{name: "canned_acls", run: func(w *world) {
			name := w.bucket()
			for _, canned := range []types.BucketCannedACL{public, types.BucketCannedACLPublicReadWrite, types.BucketCannedACLAuthenticatedRead, types.BucketCannedACLPrivate} {
				w.see("put_" + string(canned))(w.putACL(name, canned))
				w.see("get_" + string(canned))(w.getACL(name))
			}
		}, differ: []difference{{"get_public-read-write", "moto loses the second grant: " + docsCanned}}},
		{name: "granted_acl", run: func(w *world) {
			name := w.bucket()
			out, err := w.s3.GetBucketAcl(w.ctx, &s3.GetBucketAclInput{Bucket: name})
			if err != nil {
				w.t.Fatal(err)
			}
			group := types.Grant{Grantee: &types.Grantee{Type: types.TypeGroup, URI: aws.String("http://acs.amazonaws.com/groups/s3/LogDelivery")}, Permission: types.PermissionWrite}
			w.see("put")(w.s3.PutBucketAcl(w.ctx, &s3.PutBucketAclInput{Bucket: name, AccessControlPolicy: &types.AccessControlPolicy{Owner: out.Owner, Grants: append(out.Grants, group)}}))
			w.see("get")(w.getACL(name))
			w.see("headers")(w.s3.PutBucketAcl(w.ctx, &s3.PutBucketAclInput{Bucket: name, GrantRead: aws.String(`uri="http://acs.amazonaws.com/groups/global/AllUsers"`)}))
			w.see("get_headers")(w.getACL(name))
		}},
		{name: "ownership", run: func(w *world) {
			name := w.bucket()
			put := func(setting types.ObjectOwnership) (any, error) {
				return w.s3.PutBucketOwnershipControls(w.ctx, &s3.PutBucketOwnershipControlsInput{Bucket: name, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: setting}}}})
			}
			w.see("get")(w.s3.GetBucketOwnershipControls(w.ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name}))
			w.see("public")(w.putACL(name, public))
			w.see("enforce_public")(put(types.ObjectOwnershipBucketOwnerEnforced))
			w.see("private")(w.putACL(name, types.BucketCannedACLPrivate))
			w.see("enforce")(put(types.ObjectOwnershipBucketOwnerEnforced))
			w.see("acl")(w.putACL(name, public))
			w.see("prefer")(put(types.ObjectOwnershipBucketOwnerPreferred))
			w.see("get_preferred")(w.s3.GetBucketOwnershipControls(w.ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name}))
			w.see("delete")(w.s3.DeleteBucketOwnershipControls(w.ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: name}))
			w.see("gone")(w.s3.GetBucketOwnershipControls(w.ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name}))
		}, differ: []difference{{"enforce_public", "moto does not enforce the owner: " + docsOwnership}, {"acl", "moto does not enforce the owner: " + docsOwnership}}},
		{name: "tags", run: func(w *world) {
			name := w.bucket()
			put := func(pairs ...string) (any, error) {
				set := &types.Tagging{TagSet: []types.Tag{}}
				for i := 0; i < len(pairs); i += 2 {
					set.TagSet = append(set.TagSet, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
				}
				return w.s3.PutBucketTagging(w.ctx, &s3.PutBucketTaggingInput{Bucket: name, Tagging: set})
			}
			w.see("put")(put("team", "red", "env", "a & b"))
			w.see("get")(w.s3.GetBucketTagging(w.ctx, &s3.GetBucketTaggingInput{Bucket: name}))
			w.see("replace")(put("team", "blue"))
			w.see("get_replaced")(w.s3.GetBucketTagging(w.ctx, &s3.GetBucketTaggingInput{Bucket: name}))
			w.see("twice")(put("team", "red", "team", "blue"))
			w.see("reserved")(put("aws:team", "red"))
			w.see("delete")(w.s3.DeleteBucketTagging(w.ctx, &s3.DeleteBucketTaggingInput{Bucket: name}))
			w.see("gone")(w.s3.GetBucketTagging(w.ctx, &s3.GetBucketTaggingInput{Bucket: name}))
		}},
		{name: "website", run: func(w *world) {
			name := w.bucket()
			put := func(c types.WebsiteConfiguration) (any, error) {
				return w.s3.PutBucketWebsite(w.ctx, &s3.PutBucketWebsiteInput{Bucket: name, WebsiteConfiguration: &c})
			}
			w.see("put")(put(types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")}, ErrorDocument: &types.ErrorDocument{Key: aws.String("e.html")}}))
			w.see("get")(w.s3.GetBucketWebsite(w.ctx, &s3.GetBucketWebsiteInput{Bucket: name}))
			w.see("redirect")(put(types.WebsiteConfiguration{RedirectAllRequestsTo: &types.RedirectAllRequestsTo{HostName: aws.String("example.com"), Protocol: types.ProtocolHttps}}))
			w.see("get_redirect")(w.s3.GetBucketWebsite(w.ctx, &s3.GetBucketWebsiteInput{Bucket: name}))
			w.see("delete")(w.s3.DeleteBucketWebsite(w.ctx, &s3.DeleteBucketWebsiteInput{Bucket: name}))
			w.see("gone")(w.s3.GetBucketWebsite(w.ctx, &s3.GetBucketWebsiteInput{Bucket: name}))
		}},
		{name: "acl_at_creation", run: func(w *world) {
			name := aws.String("media-" + w.account)
			_, err := w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: name, ACL: public})
			w.see("public")(nil, err)
			_, err = w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: name, ACL: types.BucketCannedACLPrivate})
			w.see("private")(nil, err)
		}, differ: []difference{{"public", "moto does not enforce the owner: " + docsOwnership}}},
	}
}
