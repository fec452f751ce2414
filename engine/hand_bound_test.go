package engine

import (
	"testing"
	"time"

	"dera.example/dera"
)

// TestHandIsBounded: however often something urgent is asked for while the workers are slow, the hand holds few jobs: what
// it holds no other process runs.
func TestHandIsBounded(t *testing.T) {
	t.Parallel()
	until := time.Unix(1000, 0)
	for _, priority := range []int{0, lookPriority} { // what is claimed then is urgent, or is not
		h := hand{ahead: 4}
		h.add(jobsOf(lookPriority, 4, until))
		back := 0
		for range 500 {
			h.urgent = true
			if n := h.toClaim(0); n > 0 {
				h.add(jobsOf(priority, n, until))
			}
			back += len(h.over(0))
		}
		if got, most := len(h.jobs), 4+2*fewAhead; got > most {
			t.Errorf("priority %d: got %d jobs in the hand, want at most %d", priority, got, most)
		}
		if priority == 0 && back > 2*fewAhead {
			t.Errorf("urgent ones: got %d given back, want them left to other processes", back)
		}
	}
}

// TestHandGivesTheLeastUrgentBack: what is too much of the hand is what a worker would begin last.
func TestHandGivesTheLeastUrgentBack(t *testing.T) {
	t.Parallel()
	until := time.Unix(1000, 0)
	h := hand{ahead: 1}
	h.add(jobsOf(lookPriority, 20, until))
	h.add(jobsOf(0, 2, until))
	back := h.over(2)
	for _, j := range append([]dera.Job{}, back...) {
		if j.Priority == 0 {
			t.Error("an urgent job was given back before others")
		}
	}
	if want := 22 - (1 + fewAhead + 2); len(back) != want || h.jobs[0].Priority != 0 {
		t.Errorf("given back: got %d, want %d, and the urgent one first", len(back), want)
	}
}
