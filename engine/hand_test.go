package engine

import (
	"fmt"
	"testing"
	"time"

	"dera.example/dera"
)

func jobsOf(priority, n int, until time.Time) []dera.Job {
	var out []dera.Job
	for i := range n {
		out = append(out, dera.Job{Kind: "look", Key: fmt.Sprint(priority, "-", i), Priority: priority, LeasedUntil: until})
	}
	return out
}

// TestHandClaimsAheadOfWhatMoves: as much is claimed ahead as workers began within a poll, and
// claims are of many where many are begun.
func TestHandClaimsAheadOfWhatMoves(t *testing.T) {
	t.Parallel()
	until := time.Unix(1000, 0)
	var h hand
	if got := h.toClaim(4); got != 4 {
		t.Errorf("first claim: got %d, want only what 4 free workers begin at once", got)
	}
	claims, begun := 0, 0
	for poll := range 3 {
		for range 200 { // one worker becomes free after the other
			if n := h.toClaim(1); n > 0 {
				h.add(jobsOf(lookPriority, n, until))
				claims++
			}
			h.next()
			begun++
		}
		if back := h.poll(); len(back) > 0 {
			t.Errorf("poll %d: got %d jobs back, want none while workers begin some", poll, len(back))
		}
	}
	if most := 200 + 400/16; claims > most {
		t.Errorf("claims: got %d for %d jobs, want at most %d: 16 a claim once the pace is known", claims, begun, most)
	}
	if got := len(h.jobs); got > mostAhead {
		t.Errorf("waiting: got %d, want at most %d", got, mostAhead)
	}
	left := len(h.jobs)
	if back := h.poll(); len(back) != left || len(h.jobs) != 0 || h.ahead != 0 {
		t.Errorf("a poll in which nothing was begun: got %d of %d back, and %d ahead, want all and none", len(back), left, h.ahead)
	}
}

// TestHandBeginsTheMostUrgent: what goes before the rest is claimed although there is enough, and
// is begun next.
func TestHandBeginsTheMostUrgent(t *testing.T) {
	t.Parallel()
	until := time.Unix(1000, 0)
	h := hand{ahead: 16}
	h.add(jobsOf(lookPriority, 16, until))
	if got := h.toClaim(0); got != 0 {
		t.Errorf("with enough in the hand: got a claim of %d, want none", got)
	}
	h.urgent = true
	if got := h.toClaim(0); got == 0 {
		t.Error("with something urgent: got no claim")
	}
	h.add(jobsOf(0, 1, until))
	if j := h.next(); j.Priority != 0 {
		t.Errorf("next: got a job of priority %d, want the urgent one", j.Priority)
	}
	h.poll()
	if h.toClaim(0) == 0 {
		t.Error("after a poll: got no claim, want a look at what other processes made")
	}
}

// TestHandLetsNoClaimRunOut: a job that waited for half of its claim is not begun.
func TestHandLetsNoClaimRunOut(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	h := hand{ahead: 16}
	h.add(jobsOf(1, 2, now.Add(time.Minute)))
	h.add(jobsOf(2, 3, now.Add(59*time.Second)))
	if back := h.late(now, 2*time.Minute); len(back) != 3 || len(h.jobs) != 2 {
		t.Errorf("given back: got %d, and %d left, want the 3 that have less than a minute", len(back), len(h.jobs))
	}
}
