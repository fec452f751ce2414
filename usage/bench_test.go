package usage

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"dera.example/dera/cloudtrail"
)

// synthetic writes records of about 1.5 KB, as CloudTrail's are on average.
type synthetic struct {
	rnd               *rand.Rand
	principals, arns  int
	actions           []Action
	written, sessions int
}

func newSynthetic(seed uint64, principals, actions, arns int) *synthetic {
	g := &synthetic{rnd: rand.New(rand.NewPCG(seed, 7)), principals: principals, arns: arns}
	for i := range actions {
		g.actions = append(g.actions, Action{[]string{"ec2", "s3", "sts", "kms", "dynamodb"}[i%5] + ".amazonaws.com", fmt.Sprintf("Operation%d", i)})
	}
	return g
}

// record writes the record of some principal at a time.
func (g *synthetic) record(w io.Writer, at time.Time) error {
	p, n := g.rnd.IntN(g.principals), g.rnd.IntN(len(g.actions))
	a, arn := g.actions[n], g.rnd.IntN(g.arns)
	account := fmt.Sprintf("%012d", 100000000000+p%40)
	role := fmt.Sprintf("service-role-%05d", p)
	text := "null"
	if g.rnd.IntN(20) == 0 {
		text = `"AccessDenied"`
	}
	_, err := fmt.Fprintf(w, `{"eventVersion":"1.10","userIdentity":{"type":"AssumedRole","principalId":"AROA%016X:i-%016x","arn":"arn:aws:sts::%s:assumed-role/%s/i-%016x","accountId":"%s","accessKeyId":"ASIA%016X",`+
		`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA%016X","arn":"arn:aws:iam::%s:role/service/%s","accountId":"%s","userName":"%s"},"attributes":{"creationDate":"%s","mfaAuthenticated":"false"},"ec2RoleDelivery":"2.0"}},`+
		`"eventTime":"%s","eventSource":"%s","eventName":"%s","awsRegion":"us-east-1","sourceIPAddress":"10.%d.%d.%d","userAgent":"aws-sdk-go-v2/1.30.3 os/linux","errorCode":%s,`+
		`"requestParameters":{"resourceId":"r-%016x","filter":{"items":[{"name":"tag:Owner","valueSet":{"items":[{"value":"team-%d"}]}},{"name":"state"}]},"maxResults":%d,"nextToken":"%016x%016x"},`+
		`"responseElements":null,`+
		`"requestID":"%08x-0000-4000-8000-%012x","eventID":"%08x-0000-4000-8000-%012x","readOnly":%t,"resources":[{"accountId":"%s","type":"AWS::Some::Resource","ARN":"arn:aws:service:us-east-1:%s:resource/%05d/%d/%d"}],`+
		`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%s","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"service.us-east-1.amazonaws.com"}}`,
		p, g.sessions, account, role, g.rnd.Uint64(), account, g.rnd.Uint64(), p, account, role, account, role, at.Add(-time.Hour).Format(time.RFC3339),
		at.Format(time.RFC3339), a.Source, a.Name, g.rnd.IntN(256), g.rnd.IntN(256), g.rnd.IntN(256), text,
		g.rnd.Uint64(), g.rnd.IntN(50), g.rnd.IntN(1000), g.rnd.Uint64(), g.rnd.Uint64(),
		g.rnd.Uint32(), g.written, g.rnd.Uint32(), g.written, n%2 == 0, account, account, p, n, arn, account)
	g.written++
	return err
}

// file writes a packed log file of n records and returns how long it was before.
func (g *synthetic) file(w io.Writer, n int, at time.Time) (int, error) {
	var text bytes.Buffer
	text.WriteString(`{"Records":[`)
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		if err := g.record(&text, at.Add(time.Duration(i)*time.Second/10)); err != nil {
			return 0, err
		}
	}
	text.WriteString(`]}`)
	z := gzip.NewWriter(w)
	if _, err := z.Write(text.Bytes()); err != nil {
		return 0, err
	}
	return text.Len(), z.Close()
}

var benchStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const benchRecords = 20_000

func benchFile(b *testing.B) []byte {
	b.Helper()
	var z bytes.Buffer
	n, err := newSynthetic(1, 500, 20, 8).file(&z, benchRecords, benchStart)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d bytes a record, packed 1:%d", n/benchRecords, n/z.Len())
	return z.Bytes()
}

// cpu is the CPU time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead reads one .json.gz in three ways by turns, so that a busy machine
// slows all of them: unpacking alone, reading the fields of all records, and
// counting them in the ledger. Rates are records per second of CPU time.
func BenchmarkRead(b *testing.B) {
	file := benchFile(b)
	var z gzip.Reader
	var l cloudtrail.LogReader
	var f cloudtrail.Fields
	a := newAggregate()
	read := func(use func()) {
		if err := z.Reset(bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
		l.Reset(&z)
		n := 0
		for l.Next(&f) == nil {
			use()
			n++
		}
		if n != benchRecords {
			b.Fatalf("got %d records", n)
		}
	}
	ways := []struct {
		name string
		do   func()
		took time.Duration
	}{
		{name: "gunzip", do: func() {
			if err := z.Reset(bytes.NewReader(file)); err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, &z); err != nil {
				b.Fatal(err)
			}
		}},
		{name: "decode", do: func() { read(func() {}) }},
		{name: "count", do: func() {
			a.file()
			read(func() {
				if r := a.add(&f, Verified); r != Counted {
					b.Fatal(r)
				}
			})
		}},
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range ways {
			start := cpu(b)
			ways[i].do()
			ways[i].took += cpu(b) - start
		}
	}
	for _, w := range ways {
		b.ReportMetric(benchRecords*float64(b.N)/w.took.Seconds(), w.name+"/s")
		b.ReportMetric(100*ways[0].took.Seconds()/w.took.Seconds(), w.name+"-%-of-gunzip")
	}
}

// TestWriteBenchFiles writes the log files for scripts/bench-usage.
func TestWriteBenchFiles(t *testing.T) {
	dir := os.Getenv("DERA_BENCH_USAGE")
	if dir == "" {
		t.Skip("DERA_BENCH_USAGE is not set: it names a folder, with the number of records in DERA_BENCH_RECORDS")
	}
	var records int
	if _, err := fmt.Sscan(os.Getenv("DERA_BENCH_RECORDS"), &records); err != nil {
		t.Fatal(err)
	}
	g := newSynthetic(2, 50_000, 20, 8)
	for i := 0; i*benchRecords < records; i++ {
		at := benchStart.Add(time.Duration(i) * time.Hour / 4)
		place := fmt.Sprintf("%s/AWSLogs/100000000000/CloudTrail/us-east-1/%s", dir, at.Format("2006/01/02"))
		if err := os.MkdirAll(place, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(fmt.Sprintf("%s/100000000000_CloudTrail_us-east-1_%s_%016d.json.gz", place, at.Format("20060102T1504Z"), i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.file(f, benchRecords, at); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
