package console_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"dera.example/dera"
)

// BenchmarkPages is what a page costs the server with 100,000 findings and 100 plans that wait.
func BenchmarkPages(b *testing.B) {
	w := newWorld(b)
	for i := range 100_000 {
		f, r := w.finding(i, []dera.Severity{dera.Low, dera.Medium, dera.High, dera.Critical}[i%4])
		if i >= 100 {
			r.State = dera.Resolved
			w.plans[r.ID] = r
		}
		f.Owner = fmt.Sprintf("team-%d", i%50)
		w.findings[f.ID] = f
	}
	w.run(b)
	v := w.decider(b)
	w.await(b, func() bool { return v.get(b, "/report").status == http.StatusOK })
	for _, path := range []string{"/", "/overview", "/findings", "/findings?q=sg-77777", "/findings?q=nothing+has+this", "/findings?from=99000", "/findings?group=resource", "/findings?group=owner", "/report", "/privilege", "/rulebook", "/exemptions", "/accounts", fmt.Sprintf("/f/f-%020d", 777)} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				if got := v.get(b, path); got.status != http.StatusOK {
					b.Fatalf("got %d", got.status)
				}
			}
		})
	}
}

// BenchmarkReport is what it costs to show a period for the first time, with 100,000 findings that were
// fixed.
func BenchmarkReport(b *testing.B) {
	w := newWorld(b)
	for i := range 100_000 {
		w.fixed(i, fmt.Sprintf("arn:aws:sts::%s:assumed-role/dev-%d/s-%d", account, i%300, i%7), time.Duration(i%5000+2)*time.Hour, time.Duration(i%5000+1)*time.Hour)
	}
	w.run(b)
	v := w.decider(b)
	w.await(b, func() bool { return v.get(b, "/report").status == http.StatusOK })
	hours := 0
	for b.Loop() {
		hours++ // a period that nobody asked for yet
		if got := v.get(b, fmt.Sprintf("/report?since=%dh", 2160+hours)); got.status != http.StatusOK {
			b.Fatalf("got %d", got.status)
		}
	}
}
