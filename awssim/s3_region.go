package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// CreateBucket makes a bucket in the handle's Region, as AWS delivers it: all public access blocked, no ACLs.
func (r *Region) CreateBucket(ctx context.Context, name string) error {
	return r.bucketCall(ctx, http.MethodPut, name, "", r.constraint(), nil)
}

// CreateLegacyBucket makes a bucket as it was before April 2023: with ACLs, and without a public access block.
func (r *Region) CreateLegacyBucket(ctx context.Context, name string) error {
	header := http.Header{"X-Amz-Object-Ownership": {objectWriter}}
	if err := r.bucketCall(ctx, http.MethodPut, name, "", r.constraint(), header); err != nil {
		return err
	}
	return r.PutPublicAccessBlock(ctx, name, nil)
}

func (r *Region) constraint() string {
	if r.name == "us-east-1" {
		return ""
	}
	return "<CreateBucketConfiguration" + s3Namespace + "><LocationConstraint>" + r.name + "</LocationConstraint></CreateBucketConfiguration>"
}

// DeleteBucket deletes a bucket.
func (r *Region) DeleteBucket(ctx context.Context, name string) error {
	return r.bucketCall(ctx, http.MethodDelete, name, "", "", nil)
}

// PutBucketPolicy puts the policy of a bucket; an empty one deletes it.
func (r *Region) PutBucketPolicy(ctx context.Context, name, document string) error {
	if document == "" {
		return r.bucketCall(ctx, http.MethodDelete, name, "policy", "", nil)
	}
	return r.bucketCall(ctx, http.MethodPut, name, "policy", document, nil)
}

// PutPublicAccessBlock puts the public access block of a bucket; nil deletes it.
func (r *Region) PutPublicAccessBlock(ctx context.Context, name string, block *PublicAccessBlock) error {
	if block == nil {
		return r.bucketCall(ctx, http.MethodDelete, name, "publicAccessBlock", "", nil)
	}
	return r.bucketCall(ctx, http.MethodPut, name, "publicAccessBlock", block.document(s3Namespace), nil)
}

// PutAccountPublicAccessBlock puts the public access block of the whole account; nil deletes it.
func (r *Region) PutAccountPublicAccessBlock(ctx context.Context, block *PublicAccessBlock) error {
	if block == nil {
		return r.controlCall(ctx, http.MethodDelete, "configuration/publicAccessBlock", "")
	}
	return r.controlCall(ctx, http.MethodPut, "configuration/publicAccessBlock", block.document(controlNamespace))
}

func (p PublicAccessBlock) document(namespace string) string {
	e := &encoder{}
	e.open("PublicAccessBlockConfiguration" + namespace)
	p.write(e)
	e.shut("PublicAccessBlockConfiguration")
	return string(e.buf)
}

// PutBucketACL puts a canned ACL, such as public-read.
func (r *Region) PutBucketACL(ctx context.Context, name, canned string) error {
	return r.bucketCall(ctx, http.MethodPut, name, "acl", "", http.Header{"X-Amz-Acl": {canned}})
}

// PutBucketGrants puts an ACL of the given grants besides the owner's FULL_CONTROL.
func (r *Region) PutBucketGrants(ctx context.Context, name string, grants ...Grant) error {
	e := &encoder{}
	e.open("AccessControlPolicy" + s3Namespace)
	writeOwner(e, r.account.id)
	e.begin("AccessControlList")
	for _, g := range append(ownersOwn(r.account.id), grants...) {
		g.write(e)
	}
	e.end("AccessControlList")
	e.shut("AccessControlPolicy")
	return r.bucketCall(ctx, http.MethodPut, name, "acl", string(e.buf), nil)
}

// PutBucketOwnership puts the object ownership of a bucket: BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter.
func (r *Region) PutBucketOwnership(ctx context.Context, name, setting string) error {
	body := "<OwnershipControls" + s3Namespace + "><Rule><ObjectOwnership>" + setting + "</ObjectOwnership></Rule></OwnershipControls>"
	return r.bucketCall(ctx, http.MethodPut, name, "ownershipControls", body, nil)
}

// PutBucketWebsite makes a static website of a bucket.
func (r *Region) PutBucketWebsite(ctx context.Context, name, index string) error {
	e := &encoder{}
	e.open("WebsiteConfiguration" + s3Namespace)
	e.begin("IndexDocument")
	e.text("Suffix", index)
	e.end("IndexDocument")
	e.shut("WebsiteConfiguration")
	return r.bucketCall(ctx, http.MethodPut, name, "website", string(e.buf), nil)
}

// TagBucket replaces the tags of a bucket.
func (r *Region) TagBucket(ctx context.Context, name string, set map[string]string) error {
	e := &encoder{}
	e.open("Tagging" + s3Namespace)
	e.begin("TagSet")
	for _, key := range slices.Sorted(maps.Keys(set)) {
		e.begin("Tag")
		e.text("Key", key)
		e.text("Value", set[key])
		e.end("Tag")
	}
	e.end("TagSet")
	e.shut("Tagging")
	return r.bucketCall(ctx, http.MethodPut, name, "tagging", string(e.buf), nil)
}

// SystemTagBucket adds tags that only AWS itself can set, as CloudFormation sets aws:cloudformation:stack-name. It is not
// an API call: it emits no event.
func (r *Region) SystemTagBucket(name string, add map[string]string) error {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{r.account.id, r.name})
	b := s.buckets.get(name, view{})
	if b == nil {
		return noSuchBucket()
	}
	copied := *b
	copied.tags = b.tags.with(add)
	s.buckets.put(name, &copied)
	s.commit()
	return nil
}

// PublicReadPolicy is a policy that lets everyone read the objects of a bucket.
func PublicReadPolicy(name string) string {
	document, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Sid": "PublicRead", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": bucketARN(name) + "/*",
	}}})
	if err != nil { // strings always marshal
		panic(err)
	}
	return string(document)
}

// bucketCall makes one S3 call on a bucket.
func (r *Region) bucketCall(ctx context.Context, method, name, subresource, body string, header http.Header) error {
	query := ""
	if subresource != "" {
		query = "?" + subresource
	}
	_, err := r.rest(ctx, "s3", method, "https://"+name+".s3."+r.name+".amazonaws.com/"+query, body, header)
	return err
}

// controlCall makes one S3 Control call on the handle's account.
func (r *Region) controlCall(ctx context.Context, method, path, body string) error {
	address := "https://" + r.account.id + ".s3-control." + r.name + ".amazonaws.com/" + controlVersion + "/" + path
	_, err := r.rest(ctx, "s3", method, address, body, nil)
	return err
}

// rest makes one call of a REST protocol.
func (r *Region) rest(ctx context.Context, service, method, address, body string, header http.Header) (any, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read the address: %w", err)
	}
	if header == nil {
		header = http.Header{}
	}
	req := request{service: service, host: u.Host}
	if err := req.readREST(&http.Request{Method: method, URL: u, Header: header}, []byte(body)); err != nil {
		return nil, err
	}
	return r.do(ctx, req)
}
