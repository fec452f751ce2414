package s3

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// Source is the eventSource of calls to S3 and S3 Control.
const Source = "s3.amazonaws.com"

// Blocks are the public access blocks of accounts as far as calls reported them: a
// part of each bucket, and a resource of their own.
type Blocks map[string]*AccountBlock // by account

// AccountBlock is the public access block of an account; once a call reports it,
// all of it is known.
type AccountBlock struct {
	resource.Origin
	Block *Block
}

// Apply takes in a call; one that is not about an account's block is no matter.
func (b Blocks) Apply(c cloudtrail.Call) error {
	if c.Source != Source || c.Failed() {
		return nil
	}
	switch c.Name {
	case "PutAccountPublicAccessBlock":
		block, ok := BlockOf(c.Parameters)
		if !ok {
			delete(b, c.Account)
			return c.Lost("it does not say the block")
		}
		b[c.Account] = &AccountBlock{resource.Origin{Created: true}, block}
	case "DeleteAccountPublicAccessBlock":
		b[c.Account] = &AccountBlock{Origin: resource.Origin{Created: true}}
	}
	return nil
}

// BlockOf reads a block; a setting that is not there is off, as for S3.
func BlockOf(parameters cloudtrail.Tree) (*Block, bool) {
	t := parameters.Object("PublicAccessBlockConfiguration")
	if t == nil {
		return nil, false
	}
	return &Block{
		PublicACLs: t.Flag("BlockPublicAcls"), IgnorePublicACLs: t.Flag("IgnorePublicAcls"),
		PublicPolicy: t.Flag("BlockPublicPolicy"), RestrictedBuckets: t.Flag("RestrictPublicBuckets"),
	}, true
}

// Touches lists what a call touches of the blocks: that of its account, which has
// no ID, so that it is never taken for a bucket.
func (b Blocks) Touches(c cloudtrail.Call) []resource.Mark {
	if c.Source != Source || !strings.HasSuffix(c.Name, "AccountPublicAccessBlock") {
		return nil
	}
	return []resource.Mark{{Place: resource.Place{Account: c.Account}, Part: PartAccountBlock}}
}

// Doubt notes a doubt at a block.
func (b Blocks) Doubt(m resource.Mark, why string) {
	if known := b.at(m); known != nil {
		known.Origin.Doubt("", why)
	}
}

// at is the known block that a mark is about.
func (b Blocks) at(m resource.Mark) *AccountBlock {
	if m.ID != "" {
		return nil
	}
	return b[m.Account]
}

// Copy are the blocks that the marks touch, which can be changed separately.
func (b Blocks) Copy(of []resource.Mark) Blocks {
	out := Blocks{}
	for _, m := range of {
		if known := b.at(m); known != nil {
			out[m.Account] = &AccountBlock{known.Origin.Copy(), known.Block}
		}
	}
	return out
}

// Text is the same for blocks that are judged the same.
func (b Blocks) Text() string {
	var lines []string
	for account, known := range b {
		line := account + " no block"
		if known.Block != nil {
			line = fmt.Sprint(account, " ", *known.Block)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Exposure says how much the blocks leave open.
func (b Blocks) Exposure() (n int) {
	for _, known := range b {
		n += Open(known.Block)
	}
	return n
}

// Open is how many settings of a block are off.
func Open(b *Block) int {
	if b == nil {
		return 4
	}
	open := 4
	for _, on := range []bool{b.PublicACLs, b.IgnorePublicACLs, b.PublicPolicy, b.RestrictedBuckets} {
		if on {
			open--
		}
	}
	return open
}
