package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/source"
)

// TestMotoLogs: a log file of CloudTrail that moto's S3 announces to the queue leads to the fix of what a call in
// it opened; a digest beside it is skipped, and so is what another bucket announces.
func TestMotoLogs(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	api := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL()), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)})
	var q struct{ QueueUrl string }
	w.queue(&q)
	arn := "arn:aws:sqs:us-east-1:" + w.creds.Account + ":dera-events"
	for _, bucket := range []string{"acme-trail", "acme-other"} {
		if _, err := api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
		if _, err := api.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: &bucket, NotificationConfiguration: &types.NotificationConfiguration{
			QueueConfigurations: []types.QueueConfiguration{{QueueArn: &arn, Events: []types.Event{types.EventS3ObjectCreated}}},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	config := fmt.Sprintf("queue_is_ours: true\nsources: {s3_logs: [{bucket: acme-trail, owner: '%s'}]}\n", w.creds.Account)
	c := startConfigured(t, config, "--queue", q.QueueUrl, "--sweep", "24h", "--output", "json")
	c.has(t, "the sweep of the groups ends", func(h app.Happening) bool {
		return h.What == app.SweepEnded && h.ResourceType == "AWS::EC2::SecurityGroup"
	})
	group := w.group("web", perm("tcp", 22, 22, "0.0.0.0/0", ""))
	record := envelope(w.creds.Account, "", group)
	record = strings.TrimSuffix(record[strings.Index(record, `{"eventVersion"`):], "}")
	var zip bytes.Buffer
	z := gzip.NewWriter(&zip)
	if _, err := z.Write([]byte(`{"Records":[` + record + `]}`)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	folder := "AWSLogs/o-a1b2c3d4e5/" + w.creds.Account + "/"
	name := w.creds.Account + "_CloudTrail_us-east-1_20261130T0905Z_x.json.gz"
	for _, o := range [][2]string{{"acme-other", folder + "CloudTrail/us-east-1/2026/11/30/" + name}, {"acme-trail", folder + "CloudTrail-Digest/us-east-1/2026/11/30/d.json.gz"}, {"acme-trail", folder + "CloudTrail/us-east-1/2026/11/30/" + name}} {
		if _, err := api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &o[0], Key: &o[1], Body: bytes.NewReader(zip.Bytes())}); err != nil {
			t.Fatal(err)
		}
	}
	c.eventually(t, "the fix", func() bool {
		return !slices.ContainsFunc(w.inbound(group), func(s string) bool { return strings.Contains(s, "0.0.0.0/0") })
	})
	c.has(t, "the finding is resolved", func(h app.Happening) bool { return h.Resource.Name() == group && h.What == app.FindingClosed })
	c.eventually(t, "the queue is empty", func() bool { return w.waitingIn(q.QueueUrl) == 0 })
	c.stop(t)
	s, err := (&cli{out: &c.out, err: &c.errOut, flags: flags{data: c.data}, now: time.Now}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts, err := s.store.Counters(t.Context())
	want := map[string]int64{source.LogsRead: 1, source.LogsForeign: 1, source.LogsSkipped + "digest": 1, source.LogsFailed: 0, "events_hinted": 1}
	for name, n := range want {
		if counts[name] != n {
			t.Errorf("%s: got %d, %v, want %d", name, counts[name], err, n)
		}
	}
}
