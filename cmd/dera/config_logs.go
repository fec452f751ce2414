package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/source"
)

// logBucketConfig names a bucket of log files of CloudTrail that the queue announces.
type logBucketConfig struct {
	Bucket string `yaml:"bucket" json:"bucket" jsonschema_description:"Name of the bucket."`
	Owner  string `yaml:"owner" json:"owner" jsonschema:"pattern=^[0-9]{12}$" jsonschema_description:"Account that the bucket belongs to: it is read from no other."`
	Region string `yaml:"region,omitempty" json:"region,omitempty" jsonschema_description:"Region of the bucket. Default: the one that dera uses itself."`
}

// bucketName is what S3 takes for the name of a bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func bucketName(s string) bool {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(s)
}

// validateLogs returns what is wrong with sources.s3_logs, each with its field.
func validateLogs(list []logBucketConfig) error {
	var errs []error
	seen := map[string]bool{}
	for i, c := range list {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("sources.s3_logs[%d].%s: %s", i, field, fmt.Sprintf(format, args...)))
		}
		if !bucketName(c.Bucket) || strings.Contains(c.Bucket, "..") {
			bad("bucket", "is %q, write the name of a bucket, not an ARN or a URL", c.Bucket)
		}
		if seen[c.Bucket] {
			bad("bucket", "%s is listed twice", c.Bucket)
		}
		seen[c.Bucket] = true
		if err := dera.ValidAccountID(c.Owner); err != nil {
			bad("owner", "%v", err)
		}
		if c.Region != "" && !regionForm.MatchString(c.Region) {
			bad("region", "is %q, write the region of the bucket, such as eu-west-1", c.Region)
		}
	}
	return errors.Join(errs...)
}

// logFiles is where the queue's log files are, or nil where the configuration names no bucket.
func (s *session) logFiles() *source.LogsConfig {
	if len(s.config.Sources.Logs) == 0 {
		return nil
	}
	b := logBuckets{}
	cfg := &source.LogsConfig{Objects: b}
	for _, c := range s.config.Sources.Logs {
		b[c.Bucket] = s.client.Bucket(c.Bucket, c.Owner, c.Region)
		cfg.Buckets = append(cfg.Buckets, c.Bucket)
	}
	return cfg
}

// logBuckets are the named buckets.
type logBuckets map[string]*cloud.Bucket

var _ source.Objects = logBuckets{}

// Open implements source.Objects.
func (b logBuckets) Open(ctx context.Context, bucket, key string) (io.ReadCloser, int64, error) {
	if b[bucket] == nil {
		return nil, 0, fmt.Errorf("the bucket %s is not named in sources.s3_logs", bucket)
	}
	return b[bucket].Open(ctx, key)
}

// unheard returns an error for a source of the configuration that nothing could ever come from.
func (c fileConfig) unheard(queue string) error {
	switch {
	case len(c.Sources.Logs) > 0 && queue == "":
		return usage("sources.s3_logs: new log files are announced to the queue, and there is none: write queue, or --queue")
	case (c.Sources.Webhook.SecretEnv != "" || c.Sources.Webhook.SecretFile != "") && c.Listen.Address == "":
		return usage("sources.webhook: nothing listens for its messages: write listen.address")
	}
	return nil
}
