package engine_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/store"
)

// cpu is the process's CPU time so far, of all threads.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// steps counts the steps on the store: each transaction that writes asks for the
// time once, and so do the reads that go by it.
func (w *world) steps(f func()) (n int) {
	w.step = func(step string) error {
		if step == stepStore {
			n++
		}
		return nil
	}
	f()
	w.step = nil
	return n
}

// BenchmarkEvent is one event from its arrival to the end of its look. cpu-µs is
// all of it, with the SDK and the simulated AWS that answers it in this process;
// cpu-µs-without-reads is what is left after the CPU of the same reads alone, in
// the same run: dera and its database. bare-commits is the wall time, in durable
// commits of one counter.
func BenchmarkEvent(b *testing.B) {
	for name, rule := range map[string]awssim.Rule{"clean_group": tcp(443, 443, "10.0.0.0/8"), "failing_group": tcp(22, 22, "0.0.0.0/0")} {
		b.Run(name, func(b *testing.B) {
			w := newBenchWorld(b)
			id := w.group("web", rule)
			one := func() {
				w.ingest(w.event(id))
				w.drain()
			}
			one()
			steps := w.steps(one)
			began, start := cpu(), time.Now()
			for b.Loop() {
				one()
			}
			whole, wall := cpu()-began, time.Since(start)
			client, scope := w.client(), w.event(id).Scope
			began = cpu()
			for range b.N {
				if _, err := client.Read(b.Context(), scope, true); err != nil {
					b.Fatal(err)
				}
			}
			reads := cpu() - began
			start = time.Now()
			for range b.N {
				if err := w.store.Commit(b.Context(), store.Batch{Counts: map[string]int64{"bench": 1}}); err != nil {
					b.Fatal(err)
				}
			}
			bare := time.Since(start)
			b.ReportMetric(float64(whole.Microseconds())/float64(b.N), "cpu-µs/event")
			b.ReportMetric(float64((whole-reads).Microseconds())/float64(b.N), "cpu-µs-without-reads/event")
			b.ReportMetric(float64(steps), "store-steps/event")
			b.ReportMetric(float64(wall)/float64(bare), "bare-commits/event")
		})
	}
}

// newBenchWorld is a world that only observes, so that each look decides again
// and nothing is changed.
func newBenchWorld(b *testing.B) *world {
	b.Helper()
	w := &world{t: b, dir: b.TempDir(), clock: newClock(), mode: dera.Observe}
	w.cloud = awssim.New(awssim.Config{Now: w.clock.Now, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	w.config = func(c *engine.Config) { c.Tell = func(engine.News) {} }
	w.open("engine-1")
	return w
}

// BenchmarkSweep is a sweep over 1,000 clean groups, held against a bare decode
// of the same pages by the SDK in the same run.
func BenchmarkSweep(b *testing.B) {
	w := newBenchWorld(b)
	w.emptyDefault()
	for i := range 998 {
		rules := []awssim.Rule{tcp(443, 443, "10.0.0.0/8"), tcp(5432, 5432, "10.1.0.0/16"), tcp(8080, 8089, "192.168.0.0/16")}
		w.group(fmt.Sprintf("web-%d", i), rules...)
	}
	creds := w.cloud.Account(account).AddUser("dera", "*")
	bare := ec2.New(ec2.Options{
		Region: region, HTTPClient: w.cloud.HTTPClient(), BaseEndpoint: awssdk.String("https://aws.sim"),
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	decode := func() {
		pages := ec2.NewDescribeSecurityGroupsPaginator(bare, &ec2.DescribeSecurityGroupsInput{MaxResults: awssdk.Int32(1000)})
		for pages.HasMorePages() {
			if _, err := pages.NextPage(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	decode()
	before := len(w.cloud.Calls())
	w.sweep()
	calls := len(w.cloud.Calls()) - before
	var sweeps, decodes time.Duration
	var peak uint64
	for b.Loop() {
		began := cpu()
		w.sweep()
		middle := cpu()
		decode()
		sweeps, decodes = sweeps+middle-began, decodes+cpu()-middle
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse)
	}
	b.ReportMetric(float64(sweeps.Milliseconds())/float64(b.N), "cpu-ms/sweep")
	b.ReportMetric(float64(decodes.Milliseconds())/float64(b.N), "cpu-ms/decode")
	b.ReportMetric(float64(sweeps)/float64(decodes), "ratio")
	b.ReportMetric(float64(peak)/(1<<20), "heap-MiB")
	b.ReportMetric(float64(calls), "api-calls/sweep")
}

// BenchmarkFix is one fix of one rule from the event to the verified end.
func BenchmarkFix(b *testing.B) {
	w := newBenchWorld(b)
	w.mode = dera.Enforce
	w.config = func(c *engine.Config) { c.BudgetPerHour = 1 << 30; c.Tell = func(engine.News) {} }
	w.gate = func(g *evaluate.Gate) { g.Plan = g.Plan[:3] }
	w.engine = w.newEngine("engine-b", w.store)
	began := cpu()
	n := 0
	for b.Loop() {
		n++
		id := w.group(fmt.Sprintf("web-%d", n), tcp(22, 22, "0.0.0.0/0"))
		w.ingest(w.event(id))
		w.drain()
		wantState(b, w.last(id), dera.Resolved)
	}
	b.ReportMetric(float64((cpu()-began).Microseconds())/float64(b.N), "cpu-µs/fix")
}
