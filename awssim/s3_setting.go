package awssim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

func getOwnership(k *call) (any, error) {
	b, err := k.bucket(k.view())
	switch {
	case err != nil:
		return nil, err
	case b.ownership == "":
		return nil, errorf(404, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	return s3Document("OwnershipControls", func(e *encoder) {
		e.begin("Rule")
		e.text("ObjectOwnership", b.ownership)
		e.end("Rule")
	}), nil
}

// checkOwnership refuses what is no setting of object ownership.
func checkOwnership(setting string) error {
	switch setting {
	case ownerEnforced, ownerPreferred, objectWriter:
		return nil
	}
	return errorf(400, "InvalidArgument", "Invalid x-amz-object-ownership header: %s", setting)
}

// putOwnership cannot enforce the owner while the ACL grants something to others.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
func putOwnership(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	root, err := k.body("OwnershipControls")
	if err != nil {
		return nil, err
	}
	setting := root.first("Rule").text("ObjectOwnership")
	if len(root.all("Rule")) != 1 || checkOwnership(setting) != nil {
		return nil, malformedXML()
	}
	if setting == ownerEnforced && !onlyOwner(b.grants, b.account) {
		return nil, enforcedACL()
	}
	k.change(b, func(b *bucket) { b.ownership = setting })
	return emptyOK(), nil
}

func deleteOwnership(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	k.change(b, func(b *bucket) { b.ownership = "" })
	return noContent(), nil
}

func getBucketTagging(k *call) (any, error) {
	b, err := k.bucket(k.view())
	switch {
	case err != nil:
		return nil, err
	case len(b.tags) == 0:
		return nil, errorf(404, "NoSuchTagSet", "The TagSet does not exist")
	}
	return s3Document("Tagging", func(e *encoder) {
		e.begin("TagSet")
		for _, key := range slices.Sorted(maps.Keys(b.tags)) {
			e.begin("Tag")
			e.text("Key", key)
			e.text("Value", b.tags[key])
			e.end("Tag")
		}
		e.end("TagSet")
	}), nil
}

// isSystemTag reports whether AWS itself set the tag, as CloudFormation does.
func isSystemTag(key string) bool { return strings.HasPrefix(strings.ToLower(key), "aws:") }

// putBucketTagging replaces the whole set. Tags of AWS itself can be neither added nor left out nor changed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
func putBucketTagging(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	root, err := k.body("Tagging")
	if err != nil {
		return nil, err
	}
	set := tags{}
	for _, t := range root.first("TagSet").all("Tag") {
		key, value := t.text("Key"), t.text("Value")
		_, twice := set[key]
		switch {
		case twice:
			return nil, errorf(400, "InvalidTag", "Cannot provide multiple Tags with the same key")
		case key == "" || len(key) > 128:
			return nil, errorf(400, "InvalidTag", "The TagKey you have provided is invalid")
		case len(value) > 256:
			return nil, errorf(400, "InvalidTag", "The TagValue you have provided is invalid")
		case isSystemTag(key) && b.tags[key] != value:
			return nil, errorf(400, "InvalidTag", "System tags cannot be added/updated by requester")
		}
		set[key] = value
	}
	for key := range b.tags {
		if _, kept := set[key]; isSystemTag(key) && !kept {
			return nil, errorf(400, "InvalidTag", "System tags cannot be removed by requester")
		}
	}
	if len(set) > maxTags {
		return nil, errorf(400, "BadRequest", "Bucket tag count cannot be greater than %d", maxTags)
	}
	k.change(b, func(b *bucket) { b.tags = set })
	return noContent(), nil
}

func deleteBucketTagging(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	kept := tags{}
	for key, value := range b.tags {
		if isSystemTag(key) {
			kept[key] = value
		}
	}
	k.change(b, func(b *bucket) { b.tags = kept })
	return noContent(), nil
}

func getBucketWebsite(k *call) (any, error) {
	b, err := k.bucket(k.view())
	switch {
	case err != nil:
		return nil, err
	case b.website == nil:
		return nil, errorf(404, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")
	}
	return s3Document("WebsiteConfiguration", func(e *encoder) {
		for _, kid := range b.website.kids {
			kid.write(e)
		}
	}), nil
}

// putBucketWebsite keeps the configuration as it is; it must say where the index is, or redirect everything.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html
func putBucketWebsite(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	root, err := k.body("WebsiteConfiguration")
	if err != nil {
		return nil, err
	}
	if err := root.only("ErrorDocument", "IndexDocument", "RedirectAllRequestsTo", "RoutingRules"); err != nil {
		return nil, err
	}
	index, everything := root.first("IndexDocument"), root.first("RedirectAllRequestsTo")
	switch {
	case everything != nil && len(root.kids) > 1:
		return nil, errorf(400, "InvalidRequest", "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.")
	case everything == nil && index == nil:
		return nil, errorf(400, "InvalidArgument", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty")
	case index != nil && (index.text("Suffix") == "" || strings.Contains(index.text("Suffix"), "/")):
		return nil, errorf(400, "InvalidArgument", "The IndexDocument Suffix is not well formed")
	}
	k.change(b, func(b *bucket) { b.website = root })
	return emptyOK(), nil
}

func deleteBucketWebsite(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	k.change(b, func(b *bucket) { b.website = nil })
	return noContent(), nil
}

// getBucketVersioning answers as for a bucket that was never versioned, for none can be here.
func getBucketVersioning(k *call) (any, error) {
	if _, err := k.bucket(k.view()); err != nil {
		return nil, err
	}
	return restAnswer{status: http.StatusOK, root: "VersioningConfiguration" + s3Namespace, write: func(*encoder) {}}, nil
}
