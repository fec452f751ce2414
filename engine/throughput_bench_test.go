package engine_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// remembered answers reads at once with what the simulator answered before, after a delay: what is
// measured is the engine and its database, and not the simulator.
type remembered struct {
	detect.Reader
	delay time.Duration
	mu    sync.Mutex
	pages map[string]detect.Page
}

func (f *remembered) answer(key string, read func() (detect.Page, error)) (detect.Page, error) {
	f.mu.Lock()
	page, there := f.pages[key]
	f.mu.Unlock()
	if f.delay > 0 {
		<-time.After(f.delay)
	}
	if there {
		return page, nil
	}
	page, err := read()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.pages[key] = page
	}
	return page, err
}

func (f *remembered) Read(ctx context.Context, s dera.Scope, full bool) (detect.Page, error) {
	return f.answer(fmt.Sprint(s.IDs, full), func() (detect.Page, error) { return f.Reader.Read(ctx, s, full) })
}

// Complete implements detect.Completer.
func (f *remembered) Complete(ctx context.Context, s dera.Scope, quick []dera.Resource) (detect.Page, error) {
	return f.answer(fmt.Sprint("complete", s.IDs), func() (detect.Page, error) { return f.Reader.(reader).Complete(ctx, s, quick) })
}

// BenchmarkThroughput is events of 2,000 groups, from their arrival to the commit of the decision
// on each: engine and database on the same processors, with as many workers as wait for either.
func BenchmarkThroughput(b *testing.B) {
	for name, rule := range map[string]awssim.Rule{"clean": tcp(443, 443, "10.0.0.0/8"), "failing": tcp(22, 22, "0.0.0.0/0")} {
		for _, db := range []string{"sqlite", "postgres"} {
			for _, replicas := range []int{1, 2} {
				for _, delay := range []time.Duration{0, 50 * time.Millisecond} {
					if db == "sqlite" && replicas > 1 || replicas > 1 && delay == 0 {
						continue
					}
					b.Run(fmt.Sprintf("%s/%s/replicas=%d/aws=%s", name, db, replicas, delay), func(b *testing.B) { throughput(b, db, rule, replicas, delay) })
				}
			}
		}
	}
}

func throughput(b *testing.B, db string, rule awssim.Rule, replicas int, delay time.Duration) {
	url := "sqlite:" + b.TempDir() + "/dera.db"
	if db == "postgres" {
		url = postgres.Start(b, postgres.Config{Sync: true}).URL(b)
	}
	const groups = 2000
	workers := 128
	if delay > 0 {
		workers = 16 // as many calls at once as an account bears
	}
	w := newBenchWorld(b)
	var ids []string
	for i := range groups {
		ids = append(ids, w.group(fmt.Sprintf("web-%d", i), rule))
	}
	var looked sync.WaitGroup
	var stores []*store.Store
	var engines []*engine.Engine
	answers := &remembered{pages: map[string]detect.Page{}}
	var pages atomic.Int64
	w.config = func(c *engine.Config) {
		answers.Reader = c.Reader
		c.Reader, c.Workers, c.Now, c.Settle = answers, workers, time.Now, -1
		c.Tell = func(n engine.News) {
			if n.What == "page" {
				pages.Add(1)
			}
		}
	}
	for i := range replicas {
		s, err := store.Open(b.Context(), store.Config{URL: url, Sealer: storetest.Vault(b, 1)})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		stores, engines = append(stores, s), append(engines, w.newEngine(fmt.Sprint("engine-", i), s))
	}
	event := func(i int) dera.Event {
		ev := w.event(ids[i%groups])
		ev.Time = time.Now()
		return ev
	}
	ctx, stop := context.WithCancel(b.Context())
	var working sync.WaitGroup
	for _, e := range engines {
		working.Go(func() { _ = e.Work(ctx) })
	}
	var all []dera.Event
	for i := range groups { // so that what is known of each is there
		all = append(all, event(i))
	}
	if err := engines[0].Ingest(b.Context(), all, nil, nil); err != nil {
		b.Fatal(err)
	}
	await(b, stores[0], func() bool { return pages.Load() >= groups })
	answers.delay = delay
	pages.Store(0)
	began, commits := cpu(), stores[0].Transactions()
	b.ResetTimer()
	for sent := 0; sent < b.N; {
		var events []dera.Event
		for len(events) < min(10, b.N-sent) { // a delivery of SQS
			events = append(events, event(sent+len(events)))
		}
		sent += len(events)
		looked.Go(func() {
			if err := engines[sent%replicas].Ingest(b.Context(), events, nil, nil); err != nil {
				b.Error(err)
			}
		})
		if sent%groups == 0 || sent == b.N { // no event of a group while another one of it waits
			looked.Wait()
			await(b, stores[0], func() bool { return pages.Load() >= int64(sent) })
		}
	}
	b.StopTimer()
	stop()
	working.Wait()
	commits = -commits
	for _, s := range stores {
		commits += s.Transactions()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(commits)/float64(b.N), "commits/event")
	b.ReportMetric(float64((cpu()-began).Microseconds())/float64(b.N), "cpu-µs/event")
}

// await waits until all pages were read, and no look is left.
func await(b *testing.B, s *store.Store, read func() bool) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if !read() {
			continue
		}
		jobs, err := s.Jobs(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if len(jobs) == 0 {
			return
		}
	}
}
