package engine_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// A week of an organization in cells, by a clock of its own: each cell has its own database, queue and log
// (docs/decisions/0026). What things cost is measured elsewhere and stands in cellCosts.

// cellCosts are what a cell can do and what things take: seconds of processor, and of a worker that waits for AWS.
type cellCosts struct {
	Cores, Workers          float64 // of a cell
	IrrelevantCPU           float64 // of a message that no type listens to
	LookCPU, LookWait       float64 // of an event: both looks
	FixCPU, FixWait         float64 // from a decision to the verified fix
	ResourceCPU             float64 // of a resource in a sweep
	PageWait                float64 // of a page of 1,000 of them
	SessionCPU, SessionWait float64 // of an account in a sweep
	Received                float64 // messages a second at most
	Decisions               float64 // a second, of the database
	SweepEvery, Retention   int     // seconds
}

// measuredCosts are those of make bench-scale, make bench-queue and make bench-store on one machine, rounded up.
func measuredCosts() cellCosts {
	return cellCosts{
		Cores: 2, Workers: 32, IrrelevantCPU: 0.00014, LookCPU: 0.006, LookWait: 1, FixCPU: 0.075, FixWait: 5,
		ResourceCPU: 0.00023, PageWait: 2, SessionCPU: 0.002, SessionWait: 0.5, Received: 7000, Decisions: 1000, SweepEvery: 3600, Retention: 14 * 86400,
	}
}

// organization is what is divided into cells.
type organization struct {
	Accounts, Cells int
	Resources       int     // of all accounts
	Skew            float64 // exponent of Zipf's law
	PerDay          float64 // relevant events a resource
	Irrelevant      float64 // messages for each of them but those of the flood
	Critical        float64 // part of the relevant events
	Seconds         int
	Seed            uint64
	// Flood is a second in which the largest account begins to send FloodN relevant events within ten minutes.
	Flood, FloodN int
	// DownCell does not run from Down for DownFor seconds.
	DownCell, Down, DownFor int
	// MoveAt is when the smallest account of cell 0 changes to cell 1, and MoveFor how long neither writes to it.
	MoveAt, MoveFor int
}

// sizes are the resources of each account, the largest first.
func (o organization) sizes() []int {
	out := make([]int, o.Accounts)
	total := 0.0
	for i := range out {
		total += math.Pow(float64(i+1), -o.Skew)
	}
	for i := range out {
		out[i] = max(1, int(float64(o.Resources)*math.Pow(float64(i+1), -o.Skew)/total))
	}
	return out
}

// assign puts each account into the cell with the fewest resources so far, the largest account first.
func (o organization) assign() (cellOf []int) {
	load := make([]int, o.Cells)
	for _, n := range o.sizes() {
		c := 0
		for i := range load {
			if load[i] < load[c] {
				c = i
			}
		}
		load[c] += n
		cellOf = append(cellOf, c)
	}
	return cellOf
}

// cellEvent is a relevant event.
type cellEvent struct {
	at, account int
	critical    bool
	flood       bool
	id          int
}

// events are all relevant events of the week, in order, each with a number.
func (o organization) events() (out []cellEvent) {
	random := rand.New(rand.NewPCG(o.Seed, 1))
	sizes := o.sizes()
	sums := make([]float64, len(sizes))
	total := 0.0
	for i, n := range sizes {
		total += float64(n)
		sums[i] = total
	}
	rate := total * o.PerDay / 86400
	for s := range o.Seconds {
		day := 1 + 0.8*math.Sin(2*math.Pi*float64(s)/86400) // busier by day than by night
		n := 0
		for left := rate * day; random.Float64() < left; left-- {
			n++
		}
		for range n {
			a, _ := slices.BinarySearch(sums, random.Float64()*total)
			out = append(out, cellEvent{at: s, account: a, critical: random.Float64() < o.Critical})
		}
	}
	for i := range o.FloodN {
		out = append(out, cellEvent{at: o.Flood + i*600/o.FloodN, account: 0, critical: i%1000 == 0, flood: true})
	}
	slices.SortStableFunc(out, func(a, b cellEvent) int { return cmp.Compare(a.at, b.at) })
	for i := range out {
		out[i].id = i
	}
	return out
}

// cellWeek is what a week of one cell came to.
type cellWeek struct {
	Accounts, Resources int
	Events              int // relevant ones that were looked at
	Foreign             int // those of an account that had left
	Fixes, FixedTwice   int
	MostLag             int   // seconds from arrival to receipt, at most
	fixed               []int // seconds from arrival to the verified fix
	down                []int // of those that arrived while the cell was down
	flood               []int // of those of the flood
	CaughtUp            int   // seconds after its return until nothing waited that had come before; 0 where it was not down
	Sweeps              int   // of accounts
	Late                int   // accounts that no sweep came to for two intervals, at most at once, without those of a cell that is down
	OutOfOrder          int   // looks that began while a critical one that was received waited
	Busy                float64
	looked              map[int]int // looks by event
	mended              map[int]int // fixes by event
}

// quantile of sorted seconds.
func quantile(list []int, q float64) int {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}

// table is the week for people.
func (o organization) table(cells []cellWeek) string {
	var b strings.Builder
	b.WriteString("| cell | accounts | resources | events | fixes | to fix p50 s | p99 s | most s | of those while down s | of those of the flood s | in the queue at most s | caught up after s | late accounts | busy |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i, c := range cells {
		fmt.Fprintf(&b, "| %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %.0f %% |\n", i, c.Accounts, c.Resources, c.Events, c.Fixes,
			quantile(c.fixed, 0.5), quantile(c.fixed, 0.99), quantile(c.fixed, 1), quantile(c.down, 1), quantile(c.flood, 1), c.MostLag, c.CaughtUp, c.Late, 100*c.Busy)
	}
	return b.String()
}

// checkWeek holds the week against what must be true of cells.
func checkWeek(t *testing.T, o organization, costs cellCosts, cells []cellWeek) {
	t.Helper()
	events := o.events()
	looked, mended := make([]int, len(events)), make([]int, len(events))
	accounts := 0
	for i, c := range cells {
		accounts += c.Accounts
		for id, n := range c.looked {
			looked[id] += n
		}
		for id, n := range c.mended {
			mended[id] += n
		}
		if c.OutOfOrder != 0 {
			t.Errorf("cell %d: %d looks began before a critical one", i, c.OutOfOrder)
		}
		if c.MostLag >= costs.Retention {
			t.Errorf("cell %d: a message was %d s in the queue, which keeps it for %d s", i, c.MostLag, costs.Retention)
		}
		if i == o.DownCell && o.DownFor > 0 && c.CaughtUp == 0 {
			t.Errorf("cell %d did not catch up", i)
		}
	}
	if accounts != o.Accounts {
		t.Errorf("%d accounts are in cells, of %d", accounts, o.Accounts)
	}
	for id, e := range events {
		if looked[id] == 0 || e.critical && mended[id] != 1 || !e.critical && mended[id] != 0 {
			t.Errorf("event %d of account %d at %d s (critical %t) was looked at %d times and fixed %d times", id, e.account, e.at, e.critical, looked[id], mended[id])
			return
		}
	}
}

// TestWeekOfCells: of a skewed organization in cells, with a flood in one account, one cell down for a day and an
// account that changes cells, every event is looked at, each critical one is fixed once, and looks at critical ones
// go first.
func TestWeekOfCells(t *testing.T) {
	t.Parallel()
	const hour = 3600
	for seed := range uint64(3) {
		o := organization{Accounts: 200, Cells: 4, Resources: 40_000, Skew: 0.9, PerDay: 0.2, Irrelevant: 300, Critical: 0.5, Seconds: 30 * hour, Seed: seed,
			Flood: 3 * hour, FloodN: 20_000, DownCell: 2, Down: 6 * hour, DownFor: 12 * hour, MoveAt: 5 * hour, MoveFor: hour}
		costs := measuredCosts()
		checkWeek(t, o, costs, o.week(costs))
	}
}

// TestBenchCells prints the week of DERA_BENCH_CELLS, an organization as JSON (make bench-scale).
func TestBenchCells(t *testing.T) {
	text := os.Getenv("DERA_BENCH_CELLS")
	if text == "" {
		t.Skip("DERA_BENCH_CELLS names no organization")
	}
	var o organization
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	costs := measuredCosts()
	cells := o.week(costs)
	t.Logf("\n%s", o.table(cells))
	checkWeek(t, o, costs, cells)
}
