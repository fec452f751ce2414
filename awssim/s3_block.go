package awssim

import (
	"strconv"

	"dera.example/dera"
)

// PublicAccessBlock is the public access block of a bucket, an account or an access point.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PublicAccessBlockConfiguration.html
type PublicAccessBlock struct {
	BlockPublicACLs, IgnorePublicACLs, BlockPublicPolicy, RestrictPublicBuckets bool
}

// and joins two blocks: the stricter setting of each holds.
func (p PublicAccessBlock) and(other PublicAccessBlock) PublicAccessBlock {
	return PublicAccessBlock{
		BlockPublicACLs: p.BlockPublicACLs || other.BlockPublicACLs, IgnorePublicACLs: p.IgnorePublicACLs || other.IgnorePublicACLs,
		BlockPublicPolicy: p.BlockPublicPolicy || other.BlockPublicPolicy, RestrictPublicBuckets: p.RestrictPublicBuckets || other.RestrictPublicBuckets,
	}
}

func (p PublicAccessBlock) write(e *encoder) {
	e.flag("BlockPublicAcls", p.BlockPublicACLs)
	e.flag("IgnorePublicAcls", p.IgnorePublicACLs)
	e.flag("BlockPublicPolicy", p.BlockPublicPolicy)
	e.flag("RestrictPublicBuckets", p.RestrictPublicBuckets)
}

// readBlock reads a PublicAccessBlockConfiguration; a setting that is not named is off.
func readBlock(root *element) (PublicAccessBlock, error) {
	var p PublicAccessBlock
	if err := root.only("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"); err != nil {
		return p, err
	}
	for _, kid := range root.kids {
		on, err := strconv.ParseBool(kid.value)
		if err != nil {
			return p, malformedXML()
		}
		switch kid.name {
		case "BlockPublicAcls":
			p.BlockPublicACLs = on
		case "IgnorePublicAcls":
			p.IgnorePublicACLs = on
		case "BlockPublicPolicy":
			p.BlockPublicPolicy = on
		case "RestrictPublicBuckets":
			p.RestrictPublicBuckets = on
		}
	}
	return p, nil
}

// body reads the XML body of a request, whose root has the given name.
func (k *call) body(root string) (*element, error) {
	e, err := parseElement(k.request.body)
	if err != nil {
		return nil, err
	}
	if e.name != root {
		return nil, malformedXML()
	}
	return e, nil
}

func noBlock() *Error {
	return errorf(404, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
}

func getPublicAccessBlock(k *call) (any, error) {
	b, err := k.bucket(k.view())
	switch {
	case err != nil:
		return nil, err
	case b.block == nil:
		return nil, noBlock()
	}
	return s3Document("PublicAccessBlockConfiguration", b.block.write), nil
}

func putPublicAccessBlock(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	root, err := k.body("PublicAccessBlockConfiguration")
	if err != nil {
		return nil, err
	}
	block, err := readBlock(root)
	if err != nil {
		return nil, err
	}
	k.change(b, func(b *bucket) { b.block = &block })
	return emptyOK(), nil
}

func deletePublicAccessBlock(k *call) (any, error) {
	b, err := k.bucket(view{})
	if err != nil {
		return nil, err
	}
	k.change(b, func(b *bucket) { b.block = nil })
	return noContent(), nil
}

// globalHome is where an account has what it has once.
func globalHome(k *call) place { return place{k.Account, dera.GlobalRegion} }

func getAccountBlock(k *call) (any, error) {
	if err := k.ownAccount(); err != nil {
		return nil, err
	}
	block := k.state.blocks.get(k.Account, k.view())
	if block == nil {
		return nil, noBlock()
	}
	return restAnswer{status: 200, root: "PublicAccessBlockConfiguration" + controlNamespace, write: block.write}, nil
}

func putAccountBlock(k *call) (any, error) {
	if err := k.ownAccount(); err != nil {
		return nil, err
	}
	root, err := k.body("PublicAccessBlockConfiguration")
	if err != nil {
		return nil, err
	}
	block, err := readBlock(root)
	if err != nil {
		return nil, err
	}
	k.state.blocks.put(k.Account, &block)
	return emptyOK(), nil
}

func deleteAccountBlock(k *call) (any, error) {
	if err := k.ownAccount(); err != nil {
		return nil, err
	}
	if k.state.blocks.get(k.Account, view{}) != nil {
		k.state.blocks.put(k.Account, nil)
	}
	return noContent(), nil
}

// ownAccount refuses a call that is about another account than the caller's.
func (k *call) ownAccount() error {
	if k.request.rest.account == "" {
		return errorf(400, "InvalidRequest", "Missing required header for this request: x-amz-account-id")
	}
	if k.request.rest.account != k.Account {
		return errorf(403, "AccessDenied", "Access Denied")
	}
	return nil
}
