package awssim

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"dera.example/dera/iam/policy"
)

// accessPoint is one access point of a bucket. It is immutable once it is part of a table.
type accessPoint struct {
	name, bucket, account, region, alias string
	vpc                                  string // empty: it is open to the internet
	block                                PublicAccessBlock
	policy                               string
	created                              time.Time
}

func (a *accessPoint) arn() string { return accessPointARN(a.region, a.account, a.name) }

func accessPointARN(region, account, name string) string {
	return "arn:aws:s3:" + region + ":" + account + ":accesspoint/" + name
}

// onAccessPoint is the resource of a call on an access point.
func onAccessPoint(k *call) []string {
	return []string{accessPointARN(k.Region, k.Account, k.request.rest.name)}
}

func (a *accessPoint) origin() string {
	if a.vpc != "" {
		return "VPC"
	}
	return "Internet"
}

func (a *accessPoint) write(e *encoder) {
	e.text("Name", a.name)
	e.text("NetworkOrigin", a.origin())
	if a.vpc != "" {
		e.begin("VpcConfiguration")
		e.text("VpcId", a.vpc)
		e.end("VpcConfiguration")
	}
	e.text("Bucket", a.bucket)
	e.text("AccessPointArn", a.arn())
	e.text("Alias", a.alias)
	e.text("BucketAccountId", a.account)
}

// controlDocument answers with a document in the namespace of S3 Control.
func controlDocument(root string, write func(*encoder)) restAnswer {
	return restAnswer{status: http.StatusOK, root: root + controlNamespace, write: write}
}

// accessPoint finds the access point of the call.
func (k *call) accessPoint(v view) (*accessPoint, error) {
	if err := k.ownAccount(); err != nil {
		return nil, err
	}
	a := k.state.accessPoints.get(k.request.rest.name, v)
	if a == nil {
		return nil, errorf(404, "NoSuchAccessPoint", "The specified accesspoint does not exist")
	}
	return a, nil
}

// accessPointName is the form of a name.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-restrictions-limitations-naming-rules.html
const accessPointName = `^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$`

// createAccessPoint makes an access point of a bucket of the same account and Region. Its block is all on unless the
// request says otherwise, and stays as it is.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateAccessPoint.html
func createAccessPoint(k *call) (any, error) {
	if err := k.ownAccount(); err != nil {
		return nil, err
	}
	root, err := k.body("CreateAccessPointRequest")
	if err != nil {
		return nil, err
	}
	if err := root.only("Bucket", "BucketAccountId", "VpcConfiguration", "PublicAccessBlockConfiguration"); err != nil {
		return nil, err
	}
	a := &accessPoint{
		name: k.request.rest.name, bucket: root.text("Bucket"), account: k.Account, region: k.Region, created: k.Time.Truncate(time.Second),
		vpc:   root.first("VpcConfiguration").text("VpcId"),
		block: PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
	}
	if ok, err := regexp.MatchString(accessPointName, a.name); err != nil || !ok {
		return nil, errorf(400, "InvalidRequest", "Your Amazon S3 AccessPoint name is invalid")
	}
	if block := root.first("PublicAccessBlockConfiguration"); block != nil {
		if a.block, err = readBlock(block); err != nil {
			return nil, err
		}
	}
	if owner := root.text("BucketAccountId"); owner != "" && owner != k.Account {
		return nil, notSimulated("access points of another account's bucket")
	}
	if k.state.buckets.get(a.bucket, view{}) == nil {
		return nil, errorf(400, "InvalidRequest", "The specified bucket does not exist or is not in this Region and account")
	}
	if k.state.accessPoints.get(a.name, view{}) != nil {
		return nil, errorf(409, "AccessPointAlreadyOwnedByYou", "Your previous request to create the named accesspoint succeeded and you already own it.")
	}
	a.alias = a.name[:min(len(a.name), 20)] + "-" + strings.ToLower(k.state.ids.key("", 34)) + "-s3alias"
	k.state.accessPoints.put(a.name, a)
	return controlDocument("CreateAccessPointResult", func(e *encoder) {
		e.text("AccessPointArn", a.arn())
		e.text("Alias", a.alias)
	}), nil
}

func getAccessPoint(k *call) (any, error) {
	a, err := k.accessPoint(k.view())
	if err != nil {
		return nil, err
	}
	return controlDocument("GetAccessPointResult", func(e *encoder) {
		a.write(e)
		e.begin("PublicAccessBlockConfiguration")
		a.block.write(e)
		e.end("PublicAccessBlockConfiguration")
		e.text("CreationDate", a.created.Format(time.RFC3339))
		e.begin("Endpoints")
		for _, kind := range [][2]string{{"ipv4", "s3-accesspoint"}, {"fips", "s3-accesspoint-fips"}, {"fips_dualstack", "s3-accesspoint-fips.dualstack"}, {"dualstack", "s3-accesspoint.dualstack"}} {
			e.begin("entry")
			e.text("key", kind[0])
			e.text("value", kind[1]+"."+a.region+".amazonaws.com")
			e.end("entry")
		}
		e.end("Endpoints")
	}), nil
}

// listAccessPoints lists those of the Region, or of one bucket, in order of their names.
func listAccessPoints(k *call) (any, error) {
	if err := k.ownAccount(); err != nil {
		return nil, err
	}
	rest := k.request.rest
	size, _, err := number(rest.text("maxResults"), 1, 1000)
	if err != nil {
		return nil, errorf(400, "InvalidRequest", "maxResults must be an integer between 1 and 1000")
	}
	var found []*accessPoint
	for _, a := range k.state.accessPoints.from(0, k.view()) {
		if only := rest.text("bucket"); only == "" || only == a.bucket {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b *accessPoint) int { return cmp.Compare(a.name, b.name) })
	shown, next, err := listing(k, found, func(a *accessPoint) string { return a.name }, size, rest.text("nextToken"))
	if err != nil {
		return nil, errorf(400, "InvalidRequest", "The nextToken is not valid")
	}
	return controlDocument("ListAccessPointsResult", func(e *encoder) {
		e.begin("AccessPointList")
		for _, a := range shown {
			e.begin("AccessPoint")
			a.write(e)
			e.end("AccessPoint")
		}
		e.end("AccessPointList")
		e.optional("NextToken", next)
	}), nil
}

func deleteAccessPoint(k *call) (any, error) {
	a, err := k.accessPoint(view{})
	if err != nil {
		return nil, err
	}
	k.state.accessPoints.put(a.name, nil)
	return noContent(), nil
}

func noAccessPointPolicy() *Error {
	return errorf(404, "NoSuchAccessPointPolicy", "The specified accesspoint policy does not exist")
}

func getAccessPointPolicy(k *call) (any, error) {
	a, err := k.accessPoint(k.view())
	switch {
	case err != nil:
		return nil, err
	case a.policy == "":
		return nil, noAccessPointPolicy()
	}
	return controlDocument("GetAccessPointPolicyResult", func(e *encoder) { e.text("Policy", a.policy) }), nil
}

// putAccessPointPolicy refuses a public policy under the block of the access point or of the account.
func putAccessPointPolicy(k *call) (any, error) {
	a, err := k.accessPoint(view{})
	if err != nil {
		return nil, err
	}
	root, err := k.body("PutAccessPointPolicyRequest")
	if err != nil {
		return nil, err
	}
	if err := root.only("Policy"); err != nil {
		return nil, err
	}
	text := root.text("Policy")
	document, err := readResourcePolicy(text, a.arn())
	if err != nil {
		return nil, err
	}
	if k.accountBlock().and(a.block).BlockPublicPolicy && a.isPublic(document) {
		return nil, blockedPolicy(k, a.arn())
	}
	changed := *a
	changed.policy = text
	k.state.accessPoints.put(a.name, &changed)
	return emptyOK(), nil
}

// isPublic reports whether a policy opens the access point: one that only a VPC reaches is not public.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-bpa-settings.html
func (a *accessPoint) isPublic(document *policy.Document) bool {
	return a.vpc == "" && isPublicPolicy(document)
}

func deleteAccessPointPolicy(k *call) (any, error) {
	a, err := k.accessPoint(view{})
	if err != nil {
		return nil, err
	}
	if a.policy != "" {
		changed := *a
		changed.policy = ""
		k.state.accessPoints.put(a.name, &changed)
	}
	return noContent(), nil
}

func getAccessPointPolicyStatus(k *call) (any, error) {
	a, err := k.accessPoint(k.view())
	switch {
	case err != nil:
		return nil, err
	case a.policy == "":
		return nil, noAccessPointPolicy()
	}
	document, err := policy.Parse(a.policy)
	if err != nil {
		return nil, err
	}
	return controlDocument("GetAccessPointPolicyStatusResult", func(e *encoder) {
		e.begin("PolicyStatus")
		e.flag("IsPublic", a.isPublic(document))
		e.end("PolicyStatus")
	}), nil
}

// CreateAccessPoint makes an access point of a bucket; nil is AWS's own block, with everything blocked.
func (r *Region) CreateAccessPoint(ctx context.Context, name, bucketName string, block *PublicAccessBlock) error {
	e := &encoder{}
	e.open("CreateAccessPointRequest" + controlNamespace)
	e.text("Bucket", bucketName)
	if block != nil {
		e.begin("PublicAccessBlockConfiguration")
		block.write(e)
		e.end("PublicAccessBlockConfiguration")
	}
	e.shut("CreateAccessPointRequest")
	return r.controlCall(ctx, http.MethodPut, "accesspoint/"+name, string(e.buf))
}

// PutAccessPointPolicy puts the policy of an access point; an empty one deletes it.
func (r *Region) PutAccessPointPolicy(ctx context.Context, name, document string) error {
	if document == "" {
		return r.controlCall(ctx, http.MethodDelete, "accesspoint/"+name+"/policy", "")
	}
	e := &encoder{}
	e.open("PutAccessPointPolicyRequest" + controlNamespace)
	e.text("Policy", document)
	e.shut("PutAccessPointPolicyRequest")
	return r.controlCall(ctx, http.MethodPut, "accesspoint/"+name+"/policy", string(e.buf))
}

// DeleteAccessPoint deletes an access point.
func (r *Region) DeleteAccessPoint(ctx context.Context, name string) error {
	return r.controlCall(ctx, http.MethodDelete, "accesspoint/"+name, "")
}
