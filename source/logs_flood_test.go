package source

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera/services"
)

// TestLogsFlooded: a log file of nothing but bad records is counted whole, and kept in examples: who can
// write to the bucket fills neither the memory nor what is kept for people.
func TestLogsFlooded(t *testing.T) {
	t.Parallel()
	const bad = 5 * logRecords
	o := &objects{text: map[string]string{bucketOfLogs + "/" + logKey: logOf(strings.Repeat("{},", bad) + opened(ours, "eu-west-1", "sg-1"))}}
	in := &inbox{}
	l := announcedFiles(t, o)
	if err := l.take(t.Context(), Message{ID: "m", Body: notification("ObjectCreated:Put", bucketOfLogs, logKey)}, time.Now(), in.handle); err != nil {
		t.Fatal(err)
	}
	kept, hints, torn := 0, 0, int64(0)
	for _, d := range in.deliveries {
		kept += len(d.Kept)
		hints, torn = hints+len(d.Events), torn+d.Tallies[LogsTorn]+int64(d.Counts.Malformed)
	}
	if torn != bad || kept == 0 || kept > mostKeptOfLogs || hints != 1 {
		t.Errorf("got %d counted, %d kept and %d hints, want %d, a few and 1", torn, kept, hints, bad)
	}
}

// TestLogsKeptApart: each of two files of one message that are not whole is kept, and under the same ID again.
func TestLogsKeptApart(t *testing.T) {
	t.Parallel()
	second := strings.Replace(logKey, "_x.", "_y.", 1)
	o := &objects{text: map[string]string{bucketOfLogs + "/" + logKey: "hello", bucketOfLogs + "/" + second: "hello"}}
	body := fmt.Sprintf(`{"s3Bucket":%q,"s3ObjectKey":[%q,%q]}`, bucketOfLogs, logKey, second)
	l := announcedFiles(t, o)
	ids := map[string]string{}
	for range 2 { // it comes twice
		in := &inbox{}
		if err := l.take(t.Context(), Message{ID: "m", Body: body}, time.Now(), in.handle); err != nil {
			t.Fatal(err)
		}
		for _, d := range in.deliveries {
			for _, k := range d.Kept {
				ids[k.ID] = k.Why
			}
		}
	}
	if len(ids) != 2 {
		t.Errorf("got %v, want one for each file", ids)
	}
}

func announcedFiles(t *testing.T, o Objects) *logFiles {
	t.Helper()
	l, err := newLogFiles(&LogsConfig{Objects: o, Buckets: []string{bucketOfLogs}}, services.Watch(), []string{ours})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// slowObjects open only when the reading is given up.
type slowObjects struct{}

func (slowObjects) Open(ctx context.Context, _, _ string) (io.ReadCloser, int64, error) {
	<-ctx.Done()
	return nil, 0, ctx.Err()
}

// TestEventsBesideSlowLogs: events do not wait behind log files, which may take minutes.
func TestEventsBesideSlowLogs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(), &inbox{}
		q.put(notification("ObjectCreated:Put", bucketOfLogs, logKey))
		_, stop := start(t, SQSConfig{Queue: q, Authenticated: true, Logs: &LogsConfig{Objects: slowObjects{}, Buckets: []string{bucketOfLogs}}}, in.handle)
		<-time.After(5 * time.Second)
		q.put(envelope(ours, "AuthorizeSecurityGroupIngress", "sg-9", 1))
		<-time.After(5 * time.Second)
		if got := len(in.received()); got != 1 {
			t.Errorf("got %d deliveries 5 s after an event, want 1", got)
		}
		stop()
	})
}

// TestLogsOfOddFolders: whoever writes objects chooses no names of counters.
func TestLogsOfOddFolders(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	l := announcedFiles(t, &objects{})
	for i, folder := range []string{"a\x00b", "\xff\xfe", "x1", "x2"} {
		m := Message{ID: fmt.Sprint(i), Body: notification("ObjectCreated:Put", bucketOfLogs, "AWSLogs/"+ours+"/"+folder+"/x")}
		if err := l.take(t.Context(), m, time.Now(), in.handle); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range in.deliveries {
		if len(d.Tallies) != 1 || d.Tallies[LogsSkipped+"other"] != 1 {
			t.Errorf("got %v", d.Tallies)
		}
	}
}

// all are the deliveries so far.
func (i *inbox) all() []Delivery {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.deliveries)
}
