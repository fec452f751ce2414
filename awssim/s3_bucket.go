package awssim

import (
	"cmp"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
)

// bucket is one bucket. It is immutable once it is part of a table: a change puts an edited copy.
type bucket struct {
	name, region, account string
	created               time.Time
	policy                string // as it was put, byte for byte; empty: none
	grants                []Grant
	block                 *PublicAccessBlock
	ownership             string // empty: no ownership controls
	tags                  tags
	website               *element
}

// The settings of object ownership.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
const (
	ownerEnforced  = "BucketOwnerEnforced"
	ownerPreferred = "BucketOwnerPreferred"
	objectWriter   = "ObjectWriter"
)

// change puts an edited copy of a bucket.
func (k *call) change(b *bucket, edit func(*bucket)) {
	copied := *b
	edit(&copied)
	k.state.buckets.put(b.name, &copied)
}

// bucket finds the bucket of the call as the view sees it: names are global, so it may be in another Region, which is
// told, or of another account, which is refused.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
func (k *call) bucket(v view) (*bucket, error) {
	rest := k.request.rest
	at, known := k.cloud.buckets[rest.bucket]
	var b *bucket
	if known {
		b = k.cloud.state(at).buckets.get(rest.bucket, v)
	}
	if b == nil {
		return nil, noSuchBucket()
	}
	if at.region != k.Region {
		return nil, elsewhere(rest, at.region)
	}
	if owner := rest.header.Get("X-Amz-Expected-Bucket-Owner"); b.account != k.Account || owner != "" && owner != b.account {
		return nil, errorf(403, "AccessDenied", "Access Denied")
	}
	return b, nil
}

func noSuchBucket() *Error {
	return errorf(404, "NoSuchBucket", "The specified bucket does not exist")
}

// elsewhere sends a client to the bucket's Region. The global endpoint finds the bucket by its name, and the signature
// is for the wrong Region then.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
func elsewhere(rest *restRequest, region string) *Error {
	err := errorf(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	if rest.global && rest.method != http.MethodHead {
		err = errorf(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; a different region is expected: '%s'", region)
	}
	err.region = region
	return err
}

// listBuckets lists the account's buckets of all Regions in order of their names.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func listBuckets(k *call) (any, error) {
	rest := k.request.rest
	size, given, err := number(rest.text("max-buckets"), 1, 10_000)
	if err != nil {
		return nil, errorf(400, "InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000.")
	}
	region := rest.text("bucket-region")
	if region != "" && !slices.Contains(k.cloud.regions, region) {
		return nil, errorf(400, "InvalidArgument", "Argument value %s is not a valid AWS Region", region)
	}
	var found []*bucket
	for _, at := range k.cloud.regions {
		state, known := k.cloud.states[place{k.Account, at}]
		if !known || region != "" && at != region {
			continue
		}
		for _, b := range state.buckets.from(0, k.view()) {
			if strings.HasPrefix(b.name, rest.text("prefix")) {
				found = append(found, b)
			}
		}
	}
	slices.SortFunc(found, func(a, b *bucket) int { return cmp.Compare(a.name, b.name) })
	shown, next, err := listing(k, found, func(b *bucket) string { return b.name }, size, rest.text("continuation-token"))
	if err != nil {
		return nil, errorf(400, "InvalidArgument", "The continuation token provided is incorrect")
	}
	paged := given || region != "" || rest.text("prefix") != ""
	return s3Document("ListAllMyBucketsResult", func(e *encoder) {
		writeOwner(e, k.Account)
		e.begin("Buckets")
		for _, b := range shown {
			e.begin("Bucket")
			e.text("Name", b.name)
			e.text("CreationDate", b.created.Format(s3Time))
			if paged {
				e.text("BucketRegion", b.region)
			}
			e.text("BucketArn", bucketARN(b.name))
			e.end("Bucket")
		}
		e.end("Buckets")
		e.optional("ContinuationToken", next)
		e.optional("Prefix", rest.text("prefix"))
	}), nil
}

// s3Time is how S3 writes times.
const s3Time = "2006-01-02T15:04:05.000Z"

// number reads a number of a query within bounds; given is false, and the number the upper bound, if there is none.
func number(text string, low, high int) (value int, given bool, err error) {
	if text == "" {
		return high, false, nil
	}
	value, err = strconv.Atoi(text)
	if err == nil && (value < low || value > high) {
		err = strconv.ErrRange
	}
	return value, true, err
}

// newBucketHome is where a bucket is born: in the Region of the endpoint, or in the one that the request names, if it
// came to us-east-1, which makes buckets everywhere.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func newBucketHome(k *call) place {
	at := place{k.Account, k.Region}
	if body, err := parseElement(k.request.body); err == nil && k.Region == "us-east-1" {
		if region := constraint(body); slices.Contains(k.cloud.regions, region) {
			at.region = region
		}
	}
	return at
}

// constraint is the Region that a request names; EU is an old name of one.
func constraint(body *element) string {
	region := body.text("LocationConstraint")
	if region == "EU" {
		region = "eu-west-1"
	}
	return region
}

// createBucketActions are the actions that a new bucket needs beyond its creation.
func createBucketActions(k *call) []string {
	var more []string
	for name := range k.request.flat {
		switch {
		case name == "x-amz-object-ownership":
			more = append(more, "s3:PutBucketOwnershipControls")
		case name == "x-amz-acl", strings.HasPrefix(name, "x-amz-grant-"):
			more = append(more, "s3:PutBucketAcl")
		}
	}
	slices.Sort(more)
	return slices.Compact(more)
}

// createBucket makes a bucket as AWS does since April 2023: all public access blocked, and no ACLs.
// https://aws.amazon.com/blogs/aws/heads-up-amazon-s3-security-changes-are-coming-in-april-of-2023/
func createBucket(k *call) (any, error) {
	rest := k.request.rest
	if !isBucketName(rest.bucket) {
		return nil, errorf(400, "InvalidBucketName", "The specified bucket is not valid.")
	}
	if err := k.checkConstraint(); err != nil {
		return nil, err
	}
	if old := k.existing(); old != nil && old.account == k.Account {
		if k.Region == "us-east-1" && old.region == k.Region {
			return created(rest), nil // for historical reasons, as the API reference says
		}
		return nil, errorf(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	} else if old != nil {
		return nil, errorf(409, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
	}
	b := &bucket{
		name: rest.bucket, region: k.state.region, account: k.Account, created: k.Time.Truncate(time.Second),
		block:     &PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
		ownership: cmp.Or(rest.header.Get("X-Amz-Object-Ownership"), ownerEnforced),
	}
	if err := checkOwnership(b.ownership); err != nil {
		return nil, err
	}
	var err error
	if b.grants, err = headerGrants(rest.header, k.Account); err != nil {
		return nil, err
	}
	switch {
	case b.ownership == ownerEnforced && !onlyOwner(b.grants, b.account):
		return nil, enforcedACL()
	case b.blocks(k).BlockPublicACLs && isPublicACL(b.grants):
		return nil, blockedACL(k)
	}
	k.state.buckets.put(b.name, b)
	old, known := k.cloud.buckets[b.name]
	k.cloud.buckets[b.name] = k.state.place
	k.state.undo = append(k.state.undo, func() {
		if delete(k.cloud.buckets, b.name); known {
			k.cloud.buckets[b.name] = old
		}
	})
	return created(rest), nil
}

func created(rest *restRequest) restAnswer {
	return restAnswer{status: http.StatusOK, header: http.Header{"Location": {"/" + rest.bucket}}}
}

// existing is the bucket that has the name now, whoever's it is.
func (k *call) existing() *bucket {
	at, ok := k.cloud.buckets[k.request.rest.bucket]
	if !ok {
		return nil
	}
	return k.cloud.state(at).buckets.get(k.request.rest.bucket, view{})
}

// checkConstraint holds the Region in the body against the endpoint's.
func (k *call) checkConstraint() error {
	var body *element
	if len(k.request.body) > 0 {
		var err error
		if body, err = parseElement(k.request.body); err != nil {
			return err
		}
		if err := body.only("LocationConstraint"); err != nil {
			return err
		}
	}
	region := constraint(body)
	switch {
	case region == "us-east-1", region != "" && !slices.Contains(k.cloud.regions, region):
		return errorf(400, "InvalidLocationConstraint", "The specified location-constraint is not valid")
	case region == k.Region, k.Region == "us-east-1":
		return nil
	case region == "":
		region = "unspecified"
	}
	return errorf(400, "IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", region)
}

// bucketName is the form of a name of a general purpose bucket.
const bucketName = `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`

// isBucketName holds a name against the rules.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func isBucketName(name string) bool {
	ok, err := regexp.MatchString(bucketName, name)
	if err != nil || !ok || net.ParseIP(name) != nil || strings.Contains(name, "..") {
		return false
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	return true
}

func deleteBucket(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	k.state.buckets.put(b.name, nil)
	return noContent(), nil
}

func headBucket(k *call) (any, error) {
	b, err := k.bucket(k.view())
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	header.Set("X-Amz-Bucket-Region", b.region)
	header.Set("X-Amz-Access-Point-Alias", "false")
	header.Set("X-Amz-Bucket-Arn", bucketARN(b.name))
	return restAnswer{status: http.StatusOK, header: header}, nil
}

// getBucketLocation says where a bucket is; us-east-1 is an empty answer.
func getBucketLocation(k *call) (any, error) {
	b, err := k.bucket(k.view())
	if err != nil {
		return nil, err
	}
	region := b.region
	if region == "us-east-1" {
		region = ""
	}
	return s3Document("LocationConstraint", func(e *encoder) { e.escape(region) }), nil
}

// blocks are the settings that hold for a bucket: its own and its account's together.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func (b *bucket) blocks(k *call) PublicAccessBlock {
	all := k.accountBlock()
	if b.block != nil {
		all = all.and(*b.block)
	}
	return all
}

// accountBlock is the block of the caller's account; all off if there is none.
func (k *call) accountBlock() PublicAccessBlock {
	block := k.cloud.state(place{k.Account, dera.GlobalRegion}).blocks.get(k.Account, view{})
	if block == nil {
		return PublicAccessBlock{}
	}
	return *block
}
