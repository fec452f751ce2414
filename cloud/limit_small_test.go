package cloud

import (
	"fmt"
	"testing"
	"time"
)

// TestSmallSharesAreShares: however small a part of a quota a process has, each service is called in the end, at the
// rate that it has: one whose turns were always beyond the patience would never be read, nor written to.
func TestSmallSharesAreShares(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0.5, 0.1, 0.01} {
		for _, replicas := range []int{1, 3, 10} {
			for service := range quotas() {
				for _, write := range []bool{false, true} {
					clock := &clockOf{time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)}
					l := limitsAt(t, clock, share)
					l.Among(replicas)
					key := bucketKey{"111122223333", "eu-west-1", service}
					rate, _ := l.part(service, replicas)
					n, span := 0, 20*time.Second+time.Duration(20/rate)*time.Second
					for begin := clock.at; clock.at.Sub(begin) < span; clock.at = clock.at.Add(span / 2000) {
						if l.turn(t.Context(), key, write) == nil {
							n++
						}
					}
					if what := fmt.Sprintf("%s, share %g of %d, write %t", service, share, replicas, write); n == 0 {
						t.Errorf("%s: no call in %s", what, span)
					} else if n < 8 {
						t.Errorf("%s: got %d calls in %s, want about 20", what, n, span)
					}
				}
			}
		}
	}
}
