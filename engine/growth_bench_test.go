package engine_test

import (
	"fmt"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/store/storetest/postgres"
)

// BenchmarkGrowth is how many bytes of database 1,000 events leave: of groups that are fixed and verified, of groups that
// only get a finding and a plan (observe), of clean ones, and of a group that is looked at again and again.
// What follows a fix is among them. Figures: docs/operations.md.
func BenchmarkGrowth(b *testing.B) {
	const events = 1000
	open, clean := tcp(22, 22, "0.0.0.0/0"), tcp(443, 443, "10.0.0.0/8")
	for _, database := range []string{"sqlite", "postgres"} {
		for _, c := range []struct {
			name string
			rule awssim.Rule
			mode dera.Mode
			same bool
		}{{"fixed", open, dera.Enforce, false}, {"observed", open, dera.Observe, false}, {"observed_again", open, dera.Observe, true}, {"clean", clean, dera.Enforce, false}} {
			b.Run(database+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					w := &world{t: b, dir: b.TempDir(), clock: newClock(), mode: c.mode}
					if database == "postgres" {
						w.url = postgres.Start(b, postgres.Config{}).URL(b)
					}
					w.cloud = awssim.New(awssim.Config{Now: w.clock.Now, Seed: 1})
					w.region = w.cloud.Account(account).Region(region)
					w.config = func(c *engine.Config) { c.Tell, c.BudgetPerHour = func(engine.News) {}, 1_000_000 }
					w.gate = func(g *evaluate.Gate) {
						for i, p := range g.Plan {
							if budget, ok := p.(evaluate.Budget); ok {
								budget.PerHour = 1_000_000
								g.Plan[i] = budget
							}
						}
					}
					w.open("engine-1")
					ids := make([]string, events)
					for i := range ids {
						if i == 0 || !c.same {
							ids[i] = w.group(fmt.Sprint("web-", i), c.rule)
						} else {
							ids[i] = ids[0]
						}
					}
					w.look(ids[0]) // what a database has anyway
					size := func() (bytes, records int64) {
						f, err := w.store.Figures(b.Context())
						if err != nil {
							b.Fatal(err)
						}
						return f.Bytes, f.Records
					}
					bytes, records := size()
					for _, id := range ids {
						w.look(id)
					}
					after, written := size()
					if n := w.count(revoke); c.name == "fixed" && n < events {
						b.Fatalf("got %d fixes, want %d", n, events)
					}
					b.ReportMetric(float64(after-bytes)/events*1000, "bytes/1000-events")
					b.ReportMetric(float64(written-records)/events, "records/event")
				}
			})
		}
	}
}
