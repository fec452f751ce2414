package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera/cloudtrail"
)

const (
	bucketOfLogs = "trail"
	logKey       = "AWSLogs/o-a1b2c3d4e5/" + ours + "/CloudTrail/eu-west-1/2026/11/30/" + ours + "_CloudTrail_eu-west-1_20261130T0905Z_x.json.gz"
)

// objects are those of buckets; size is what S3 says of one, where it differs.
type objects struct {
	mu     sync.Mutex
	text   map[string]string
	size   map[string]int64
	fail   error
	opened []string
}

func (o *objects) Open(_ context.Context, bucket, key string) (io.ReadCloser, int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened = append(o.opened, bucket+"/"+key)
	text, ok := o.text[bucket+"/"+key]
	switch {
	case o.fail != nil:
		return nil, 0, o.fail
	case !ok:
		return nil, 0, errors.New("NoSuchKey")
	}
	size, ok := o.size[bucket+"/"+key]
	if !ok {
		size = int64(len(text))
	}
	return io.NopCloser(strings.NewReader(text)), size, nil
}

func (o *objects) set(text string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text[bucketOfLogs+"/"+logKey], o.fail, o.size = text, err, nil
}

// notification is an event notification of S3.
func notification(name, bucket, key string) string {
	return fmt.Sprintf(`{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventName":%q,"s3":{"bucket":{"name":%q,"arn":"arn:aws:s3:::%[2]s"},"object":{"key":%q,"size":7}}}]}`, name, bucket, url.QueryEscape(key))
}

func logOf(records ...string) string {
	return zipped(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

// TestAnnounced: each form in which a new object is announced.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	plain := notification("ObjectCreated:Put", bucketOfLogs, "a b/c+d=.gz")
	quote := func(s string) string { return fmt.Sprintf("%q", s) }
	want := []cloudtrail.LogObject{{Bucket: bucketOfLogs, Key: "a b/c+d=.gz"}}
	for name, tc := range map[string]struct {
		text string
		want []cloudtrail.LogObject
		ok   bool
	}{
		"s3":              {plain, want, true},
		"s3_by_sns":       {`{"Type":"Notification","MessageId":"1","Message":` + quote(plain) + `}`, want, true},
		"eventbridge":     {`{"version":"0","detail-type":"Object Created","source":"aws.s3","account":"1","detail":{"bucket":{"name":"trail"},"object":{"key":"a b/c+d=.gz","size":7},"reason":"PutObject"}}`, want, true},
		"cloudtrail":      {`{"Type":"Notification","Message":"{\"s3Bucket\":\"trail\",\"s3ObjectKey\":[\"a b/c+d=.gz\"]}"}`, want, true},
		"test_event":      {`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"trail"}`, nil, true},
		"test_by_sns":     {`{"Type":"Notification","Message":"{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Bucket\":\"trail\"}"}`, nil, true},
		"removed":         {notification("ObjectRemoved:Delete", bucketOfLogs, "a"), nil, true},
		"a_call":          {opened(ours, "eu-west-1", "sg-1"), nil, false},
		"an_event":        {envelope(ours, "AuthorizeSecurityGroupIngress", "sg-1", 1), nil, false},
		"a_log_file":      {`{"Records":[` + opened(ours, "eu-west-1", "sg-1") + `]}`, nil, false},
		"text":            {"hello", nil, false},
		"sns_in_sns":      {`{"Type":"Notification","Message":` + quote(`{"Type":"Notification","Message":`+quote(plain)+`}`) + `}`, nil, false},
		"deleted_by_rule": {`{"detail-type":"Object Deleted","source":"aws.s3","detail":{"bucket":{"name":"trail"},"object":{"key":"a"}}}`, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := cloudtrail.Announced([]byte(tc.text))
			if ok != tc.ok || !slices.Equal(got, tc.want) {
				t.Errorf("got %v, %t, want %v, %t", got, ok, tc.want, tc.ok)
			}
		})
	}
}

// TestLogs: what becomes of a message that announces an object, and of the message.
func TestLogs(t *testing.T) {
	t.Parallel()
	one, two := opened(ours, "eu-west-1", "sg-1"), opened(ours, "eu-west-1", "sg-2")
	whole := logOf(one, two)
	key := func(service, file string) string {
		return "AWSLogs/" + ours + "/" + service + "/eu-west-1/2026/11/30/" + file
	}
	for name, tc := range map[string]struct {
		bucket, key, event string // what is announced; the usual ones where empty
		text               string
		size               int64
		unpacked, packed   int64
		fail               error
		groups             string
		tally              map[string]int64
		kept               int
		stays              bool
	}{
		"read":                {text: whole, groups: "sg-1 sg-2", tally: map[string]int64{LogsRead: 1}},
		"plain":               {text: `{"Records":[` + one + `]}`, groups: "sg-1", tally: map[string]int64{LogsRead: 1}},
		"one_bad_record":      {text: logOf(one, `{"eventName":7}`, two), groups: "sg-1 sg-2", tally: map[string]int64{LogsRead: 1, "malformed": 1}, kept: 1},
		"other_bucket":        {bucket: "evil", text: whole, tally: map[string]int64{LogsForeign: 1}, kept: 1},
		"digest":              {key: key("CloudTrail-Digest", ours+"_CloudTrail-Digest_eu-west-1_t_eu-west-1_20261130T090000Z.json.gz"), tally: map[string]int64{LogsSkipped + "digest": 1}},
		"insight":             {key: key("CloudTrail-Insight", "x.json.gz"), tally: map[string]int64{LogsSkipped + "CloudTrail-Insight": 1}},
		"config":              {key: key("Config", "ConfigHistory/x.json.gz"), tally: map[string]int64{LogsSkipped + "Config": 1}},
		"other":               {key: "somewhere/else.txt", tally: map[string]int64{LogsSkipped + "other": 1}},
		"other_account":       {key: strings.ReplaceAll(logKey, ours, theirs), tally: map[string]int64{LogsSkipped + "account": 1}},
		"removed":             {event: "ObjectRemoved:Delete", tally: map[string]int64{LogsSkipped + "nothing": 1}},
		"truncated":           {text: whole[:len(whole)-12], tally: map[string]int64{LogsTorn: 1}, kept: 1, groups: "?"},
		"not_zipped":          {text: "\x1f\x8bhello", tally: map[string]int64{LogsTorn: 1}, kept: 1},
		"no_log":              {text: "hello", tally: map[string]int64{LogsTorn: 1}, kept: 1},
		"bomb":                {text: zipped(`{"Records":[` + one + "," + strings.Repeat(" ", 1<<20) + two + `]}`), unpacked: 100_000, groups: "sg-1", tally: map[string]int64{LogsTorn: 1}, kept: 1},
		"packed_twice":        {text: zipped(whole), tally: map[string]int64{LogsTorn: 1}, kept: 1},
		"too_large":           {text: whole, packed: 10, tally: map[string]int64{LogsTorn: 1}, kept: 1},
		"larger_than_is_said": {text: logOf(one) + strings.Repeat("x", 1000), size: 20, packed: 300, groups: "?", tally: map[string]int64{LogsTorn: 1}, kept: 1},
		"did_not_come_whole":  {text: whole[:len(whole)-12], size: int64(len(whole)), groups: "?", tally: map[string]int64{LogsFailed: 1}, stays: true},
		"denied":              {text: whole, fail: errors.New("AccessDenied"), tally: map[string]int64{LogsFailed: 1}, stays: true},
		"gone":                {tally: map[string]int64{LogsFailed: 1}, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := &objects{text: map[string]string{}, size: map[string]int64{}, fail: tc.fail}
				bucket, key := orElse(tc.bucket, bucketOfLogs), orElse(tc.key, logKey)
				if tc.text != "" {
					o.text[bucket+"/"+key] = tc.text
				}
				if tc.size > 0 {
					o.size[bucket+"/"+key] = tc.size
				}
				q, in := newQueue(), &inbox{}
				q.put(notification(orElse(tc.event, "ObjectCreated:Put"), bucket, key), envelope(ours, "AuthorizeSecurityGroupIngress", "sg-9", 1))
				_, stop := start(t, SQSConfig{Queue: q, Authenticated: true, Logs: &LogsConfig{Objects: o, Buckets: []string{bucketOfLogs}, MostPacked: tc.packed, MostUnpacked: tc.unpacked}}, in.handle)
				<-time.After(10 * time.Second)
				left := q.left()
				if want := map[bool]int{true: 1}[tc.stays]; left != want {
					t.Errorf("got %d messages left, want %d", left, want)
				}
				var groups []string
				tally, kept := map[string]int64{}, 0
				for _, d := range in.all() {
					if d.Source != "sqs" && slices.Contains(d.Kinds, KindCloudTrail) {
						t.Errorf("got kinds %v from %s: a log file is no sign of a rule", d.Kinds, d.Source)
					}
					for _, e := range d.Events {
						if e.Source == "sqs" {
							continue
						}

						groups = append(groups, strings.Join(e.Scope.IDs, "+"))
						if e.Authenticated || e.Source != "s3" || len(d.Raw) > 0 {
							t.Errorf("got %+v and %d for the ledger", e, len(d.Raw))
						}
					}
					for k, n := range d.Tallies {
						tally[k] += n
					}
					if n := d.Counts.Malformed; n > 0 {
						tally["malformed"] += int64(n)
					}
					kept += len(d.Kept)
				}
				if got := strings.Join(groups, " "); got != tc.groups && tc.groups != "?" {
					t.Errorf("hints: got %q, want %q", got, tc.groups)
				}
				if !maps.Equal(tally, tc.tally) || kept != tc.kept {
					t.Errorf("got the counters %v and %d kept, want %v and %d", tally, kept, tc.tally, tc.kept)
				}
				if tc.bucket != "" && len(o.opened) > 0 {
					t.Errorf("a bucket that is not named was read: %v", o.opened)
				}
				if i := slices.IndexFunc(in.all(), func(d Delivery) bool { return d.Source == "sqs" }); i < 0 || len(in.all()[i].Events) != 1 {
					t.Errorf("the event beside it: got delivery %d", i)
				}
				if tc.stays { // it comes again, and then is whole
					o.set(whole, nil)
					<-time.After(time.Minute)
					if last := in.all()[len(in.all())-1]; q.left() > 0 || len(last.Events)+len(in.all()[len(in.all())-2].Events) != 2 {
						t.Errorf("got %d messages left and %+v after it could be read", q.left(), last)
					}
				}
				stop()
			})
		})
	}
}

// TestLogsInParts: a large file goes over in several deliveries, and comes again whole where one of
// them could not be committed.
func TestLogsInParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var records []string
		for i := range 2*logRecords + 1 {
			records = append(records, opened(ours, "eu-west-1", fmt.Sprintf("sg-%x", i)))
		}
		o := &objects{text: map[string]string{bucketOfLogs + "/" + logKey: logOf(records...)}}
		q, in := newQueue(), &inbox{err: errors.New("database is away")}
		q.put(notification("ObjectCreated:CompleteMultipartUpload", bucketOfLogs, logKey))
		_, stop := start(t, SQSConfig{Queue: q, Logs: &LogsConfig{Objects: o, Buckets: []string{bucketOfLogs}}}, in.handle)
		<-time.After(10 * time.Second)
		if len(in.all()) != 1 || q.left() != 1 {
			t.Errorf("got %d deliveries and %d messages after the first failed", len(in.all()), q.left())
		}
		in.set(nil)
		<-time.After(2 * time.Minute)
		var sizes []int
		for _, d := range in.all()[1:] {
			sizes = append(sizes, d.Counts.Received)
		}
		if want := []int{logRecords, logRecords, 1, 0}; !slices.Equal(sizes, want) || q.left() > 0 {
			t.Errorf("got deliveries of %v records and %d messages left, want %v", sizes, q.left(), want)
		}
		stop()
	})
}

// FuzzAnnounced: whatever comes, it does not break, and a name of an object is bounded by its message.
func FuzzAnnounced(f *testing.F) {
	f.Add([]byte(notification("ObjectCreated:Put", bucketOfLogs, logKey)))
	f.Add([]byte(`{"Type":"Notification","Message":"{}"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, ok := cloudtrail.Announced(raw)
		if !ok && len(list) > 0 {
			t.Errorf("got %v of what is no announcement", list)
		}
		for _, o := range list {
			o.Neighbour()
			if len(o.Key) > 3*len(raw) { // what is no UTF-8 becomes three bytes
				t.Errorf("a key of %d bytes from %d", len(o.Key), len(raw))
			}
		}

	})
}
