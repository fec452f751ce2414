package s3

import (
	"strconv"
	"strings"
)

// Block is an S3 public access block: of a bucket, of an access point or of a
// whole account. A nil Block lets everything through. Where several apply, the
// strictest of each setting holds (S3 user guide, "Blocking public access to
// your Amazon S3 storage").
type Block struct {
	PublicACLs        bool `json:"block_public_acls"`
	IgnorePublicACLs  bool `json:"ignore_public_acls"`
	PublicPolicy      bool `json:"block_public_policy"`
	RestrictedBuckets bool `json:"restrict_public_buckets"`
}

// FullBlock has every setting on.
func FullBlock() Block {
	return Block{PublicACLs: true, IgnorePublicACLs: true, PublicPolicy: true, RestrictedBuckets: true}
}

// Strictest is what holds where all the blocks apply; nil ones do nothing.
func Strictest(blocks ...*Block) Block {
	var out Block
	for _, b := range blocks {
		if b != nil {
			out.PublicACLs = out.PublicACLs || b.PublicACLs
			out.IgnorePublicACLs = out.IgnorePublicACLs || b.IgnorePublicACLs
			out.PublicPolicy = out.PublicPolicy || b.PublicPolicy
			out.RestrictedBuckets = out.RestrictedBuckets || b.RestrictedBuckets
		}
	}
	return out
}

// settings lists the settings by S3's names, in S3's order.
func (b Block) settings() []struct {
	Name string
	On   bool
} {
	return []struct {
		Name string
		On   bool
	}{
		{"BlockPublicAcls", b.PublicACLs}, {"IgnorePublicAcls", b.IgnorePublicACLs},
		{"BlockPublicPolicy", b.PublicPolicy}, {"RestrictPublicBuckets", b.RestrictedBuckets},
	}
}

// Off names the settings that are off, as S3 writes them.
func (b Block) Off() []string {
	var out []string
	for _, s := range b.settings() {
		if !s.On {
			out = append(out, s.Name)
		}
	}
	return out
}

// AtLeast reports whether every setting of o is on in b too.
func (b Block) AtLeast(o Block) bool { return Strictest(&b, &o) == b }

// BlockLine is a block in one line, for canonical texts and diffs.
func BlockLine(b *Block) string {
	if b == nil {
		return "public access block: none"
	}
	var parts []string
	for _, s := range b.settings() {
		parts = append(parts, s.Name+"="+strconv.FormatBool(s.On))
	}
	return "public access block: " + strings.Join(parts, " ")
}

// BlockDiff is what changes from one block to another, for people.
func BlockDiff(before, after *Block) []string {
	return []string{"- " + BlockLine(before), "+ " + BlockLine(after)}
}
