package main

import (
	"errors"
	"fmt"
	"strings"

	"dera.example/dera"
)

// anchorConfig is where checkpoints of the audit log are kept outside.
type anchorConfig struct {
	S3           []anchorBucketConfig `yaml:"s3,omitempty" json:"s3,omitempty" jsonschema_description:"Buckets with S3 Object Lock and a default retention."`
	BeforeWrites bool                 `yaml:"before_writes,omitempty" json:"before_writes,omitempty" jsonschema_description:"A write waits until every anchor has the checkpoint that covers the record of its intent. Default: false."`
}

type anchorBucketConfig struct {
	Bucket string `yaml:"bucket" json:"bucket" jsonschema_description:"Name of the bucket."`
	Owner  string `yaml:"owner" json:"owner" jsonschema:"pattern=^[0-9]{12}$" jsonschema_description:"Account that owns it, twelve digits, quoted; best one whose administrators do not run dera."`
	Region string `yaml:"region,omitempty" json:"region,omitempty" jsonschema_description:"Region of the bucket. Default: the one that dera uses itself."`
	Prefix string `yaml:"prefix,omitempty" json:"prefix,omitempty" jsonschema_description:"What keys begin with, such as dera/; one of its own for each installation."`
}

// name names the anchor.
func (c anchorBucketConfig) name() string { return "s3://" + c.Bucket + "/" + c.Prefix }

func (c anchorConfig) on() bool { return len(c.S3) > 0 }

// validate returns what is wrong with it.
func (c anchorConfig) validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if c.BeforeWrites && !c.on() {
		bad("anchor.before_writes", "there is no anchor to wait for: write anchor.s3")
	}
	seen := map[string]bool{}
	for i, b := range c.S3 {
		field := fmt.Sprintf("anchor.s3[%d]", i)
		if !bucketName(b.Bucket) || strings.Contains(b.Bucket, "..") {
			bad(field+".bucket", "%q is not the name of a bucket", b.Bucket)
		}
		if err := dera.ValidAccountID(b.Owner); err != nil {
			bad(field+".owner", "%v", err)
		}
		if b.Region != "" && !regionForm.MatchString(b.Region) {
			bad(field+".region", "is %q, write the region of the bucket, such as eu-west-1", b.Region)
		}
		if len(b.Prefix) > 200 || strings.ContainsFunc(b.Prefix, func(r rune) bool { return r <= ' ' || r > '~' }) {
			bad(field+".prefix", "%.40q is no prefix of keys: write up to 200 letters, digits and signs such as dera/", b.Prefix)
		}
		if seen[b.name()] {
			bad(field, "%s is listed twice", b.name())
		}
		seen[b.name()] = true
	}
	return errors.Join(errs...)
}
