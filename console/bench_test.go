package console_test

import (
	"fmt"
	"net/http"
	"testing"

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
	for _, path := range []string{"/", "/overview", "/findings", "/findings?q=sg-77777", "/findings?q=nothing+has+this", "/findings?from=99000", "/findings?group=resource", "/findings?group=owner", "/privilege", "/rulebook", "/exemptions", "/accounts", fmt.Sprintf("/f/f-%020d", 777)} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				if got := v.get(b, path); got.status != http.StatusOK {
					b.Fatalf("got %d", got.status)
				}
			}
		})
	}
}
