package engine_test

// waiting is work of accounts in turn: of one account no more than its share while others wait.
type waiting struct {
	of   map[int][]cellEvent
	ring []int
}

func (w *waiting) add(e cellEvent) {
	if w.of == nil {
		w.of = map[int][]cellEvent{}
	}
	if len(w.of[e.account]) == 0 {
		w.ring = append(w.ring, e.account)
	}
	w.of[e.account] = append(w.of[e.account], e)
}

// turn brings an account to the front that did not have its share, where there is one; false means that nothing waits.
func (w *waiting) turn(full func(account int) bool) bool {
	for range w.ring {
		if !full(w.ring[0]) {
			break
		}
		w.ring = append(w.ring[1:], w.ring[0])
	}
	return len(w.ring) > 0
}

// next takes out the work of the account at the front, which goes to the end.
func (w *waiting) next() cellEvent {
	a := w.ring[0]
	e := w.of[a][0]
	w.ring, w.of[a] = w.ring[1:], w.of[a][1:]
	if len(w.of[a]) > 0 {
		w.ring = append(w.ring, a)
	}
	return e
}

// arrival is what came into a queue in one second.
type arrival struct {
	at         int
	irrelevant float64
	events     []cellEvent
}

// member is an account in a cell.
type member struct {
	size       int
	read       int         // of them by the sweep that is under way
	asked      int         // when a sweep that did not end yet was asked for; -1 for none
	unanswered []cellEvent // that were sent elsewhere before the cell began with it
}

// cell is one database with its processes, second by second.
type cell struct {
	cellWeek
	costs    cellCosts
	accounts map[int]*member
	order    []int // of sweeps
	queue    []arrival
	looks    [2]waiting // critical ones, and all others
	fixes    []cellEvent
	lately   []cellEvent // received within the two minutes for which a claim holds
	pages    []int       // accounts whose sweep waits
	// What is left of this second; what was overdrawn is taken off the next one.
	cpu, workers, decisions float64
	shares                  map[int]float64
	spent                   float64
	back                    int // when it came back, and waits for what had come before; 0 for neither
}

func (c *cell) join(account, size, at int, unanswered []cellEvent) {
	c.accounts[account] = &member{size: size, asked: -1, unanswered: unanswered}
	c.order = append(c.order, account)
	c.ask(account, at)
}

func (c *cell) ask(account, at int) {
	if m := c.accounts[account]; m.asked < 0 {
		m.asked = at
		c.pages = append(c.pages, account)
	}
}

// week runs all cells, second by second.
func (o organization) week(costs cellCosts) []cellWeek {
	sizes, cellOf, events := o.sizes(), o.assign(), o.events()
	cells := make([]*cell, o.Cells)
	for i := range cells {
		cells[i] = &cell{costs: costs, accounts: map[int]*member{}, cellWeek: cellWeek{looked: map[int]int{}, mended: map[int]int{}}}
	}
	moving := -1
	for a, i := range cellOf {
		cells[i].join(a, sizes[a], 0, nil)
		if i == 0 && o.MoveAt > 0 {
			moving = a
		}
	}
	next := 0
	for s := 0; s < o.Seconds || next < len(events) || busy(cells); s++ {
		first := next
		for next < len(events) && events[next].at <= s {
			next++
		}
		if s == o.MoveAt && moving >= 0 {
			cells[0].leave(moving)
		}
		if s == o.MoveAt+o.MoveFor && moving >= 0 {
			cells[1].join(moving, sizes[moving], s, o.openOf(events[:next], moving, cells))
			cellOf[moving], moving = 1, -1
		}
		for i, c := range cells {
			c.arrive(o, s, i, events[first:next], cellOf, moving)
			if i == o.DownCell && s >= o.Down && s < o.Down+o.DownFor {
				continue
			}
			if i == o.DownCell && s == o.Down+o.DownFor && o.DownFor > 0 {
				c.returns(s)
			}
			c.second(s)
		}
	}
	var out []cellWeek
	for _, c := range cells {
		c.Accounts = len(c.accounts)
		for _, m := range c.accounts {
			c.Resources += m.size
		}
		c.Busy = c.spent / c.costs.Cores / float64(o.Seconds)
		for _, n := range c.mended {
			c.FixedTwice += n - 1
		}
		out = append(out, c.cellWeek)
	}
	return out
}

func busy(cells []*cell) bool {
	for _, c := range cells {
		if len(c.queue)+len(c.looks[0].ring)+len(c.looks[1].ring)+len(c.fixes)+len(c.pages) > 0 {
			return true
		}
	}
	return false
}

// openOf are the events of an account that no cell looked at: what they changed stands as they left it, so that the
// first sweep of its next cell comes upon it.
func (o organization) openOf(events []cellEvent, account int, cells []*cell) (out []cellEvent) {
	for _, e := range events {
		done := false
		for _, c := range cells {
			done = done || c.looked[e.id] > 0
		}
		if e.account == account && !done {
			out = append(out, e)
		}
	}
	return out
}

// leave ends what a cell does in an account: what is under way is finished first, and nothing is begun.
func (c *cell) leave(account int) {
	delete(c.accounts, account)
	keep := func(list []int) (out []int) {
		for _, a := range list {
			if a != account {
				out = append(out, a)
			}
		}
		return out
	}
	c.order, c.pages = keep(c.order), keep(c.pages)
}

// arrive puts messages into the queue of the cell of their account, and of one that moves into that of the next cell.
func (c *cell) arrive(o organization, s, i int, events []cellEvent, cellOf []int, moving int) {
	in := arrival{at: s}
	for _, e := range events {
		to := cellOf[e.account]
		if e.account == moving && s >= o.MoveAt {
			to = 1
		}
		if to == i {
			in.events = append(in.events, e)
		}
	}
	for _, e := range in.events {
		if !e.flood {
			in.irrelevant += o.Irrelevant
		}
	}
	if len(in.events) > 0 {
		c.queue = append(c.queue, in)
	}
}

// returns is the start after the cell was down: it sweeps at once, and what was in hand when it went down comes again.
func (c *cell) returns(s int) {
	c.back = s
	c.queue = append([]arrival{{at: s - 1, events: c.lately}}, c.queue...)
	for _, a := range c.order {
		c.ask(a, s)
	}
}

// second is what a cell does in one second: it receives, and then does what is most urgent first.
func (c *cell) second(s int) {
	was := min(c.cpu, 0)
	c.cpu, c.workers, c.decisions = was+c.costs.Cores, min(c.workers, 0)+c.costs.Workers, min(c.decisions, 0)+c.costs.Decisions
	began := c.cpu
	c.shares = map[int]float64{}
	if s%c.costs.SweepEvery == 0 && s > 0 {
		c.sweepAll(s)
	}
	c.receive(s)
	for c.free() && len(c.fixes) > 0 {
		c.fix(s)
	}
	c.lookAll(s, true)
	for c.free() && len(c.pages) > 0 {
		c.sweep(s)
	}
	c.lookAll(s, false)
	c.spent += began - c.cpu
	if c.back > 0 && c.settled() {
		c.CaughtUp, c.back = s-c.back+1, 0
	}
}

// lookAll makes looks while there is anything left of the second; fair leaves those of accounts that had their share
// until nothing of others waits, sweeps among it.
func (c *cell) lookAll(s int, fair bool) {
	for rank := range c.looks {
		for c.free() && c.looks[rank].turn(c.full) && (!fair || !c.full(c.looks[rank].ring[0])) {
			c.look(rank, s)
		}
	}
}

// full reports whether an account had its share of the workers in this second: half of them.
func (c *cell) full(account int) bool { return c.shares[account] >= c.costs.Workers/2 }

func (c *cell) free() bool { return c.cpu > 0 && c.workers > 0 && c.decisions > 0 }

// settled reports whether nothing waits that came before the cell was back.
func (c *cell) settled() bool {
	if len(c.queue) > 0 && c.queue[0].at < c.back || len(c.fixes) > 0 {
		return false
	}
	for i := range c.looks {
		for _, list := range c.looks[i].of {
			if len(list) > 0 && list[0].at < c.back {
				return false
			}
		}
	}
	for _, m := range c.accounts {
		if m.asked >= 0 && m.asked <= c.back {
			return false
		}
	}
	return true
}

// sweepAll asks for a sweep of every account. One that waits for the sweep before is not asked for twice.
func (c *cell) sweepAll(s int) {
	late := 0
	for _, a := range c.order {
		if m := c.accounts[a]; m.asked >= 0 && s-m.asked >= 2*c.costs.SweepEvery {
			late++
		}
		c.ask(a, s)
	}
	c.Late = max(c.Late, late)
}

// receive takes messages, with half of the processors while something waits for them.
func (c *cell) receive(s int) {
	most := c.cpu
	if len(c.looks[0].ring)+len(c.looks[1].ring)+len(c.fixes)+len(c.pages) > 0 {
		most /= 2
	}
	left := min(c.costs.Received, most/c.costs.IrrelevantCPU)
	for left > 0 && len(c.queue) > 0 {
		q := &c.queue[0]
		n := min(left, q.irrelevant+float64(len(q.events)))
		left -= n
		c.cpu -= n * c.costs.IrrelevantCPU
		c.MostLag = max(c.MostLag, s-q.at)
		if q.irrelevant -= min(n, q.irrelevant); q.irrelevant > 0 {
			break
		}
		for len(c.lately) > 0 && c.lately[0].at < s-120 {
			c.lately = c.lately[1:]
		}
		c.lately = append(c.lately, q.events...)
		for _, e := range q.events {
			rank := 1
			if e.critical {
				rank = 0
			}
			c.looks[rank].add(e)
		}
		c.queue = c.queue[1:]
	}
}

// look makes the looks at an event. What is critical is to be fixed then.
func (c *cell) look(rank, s int) {
	if critical := &c.looks[0]; rank > 0 && critical.turn(c.full) && !c.full(critical.ring[0]) {
		c.OutOfOrder++
	}
	e := c.looks[rank].next()
	if c.accounts[e.account] == nil {
		c.Foreign++
		return
	}
	c.cpu -= c.costs.LookCPU
	c.workers -= c.costs.LookWait
	c.shares[e.account] += c.costs.LookWait
	c.decisions--
	c.found(e)
}

// found is a look that saw what an event did. What was fixed already is found closed.
func (c *cell) found(e cellEvent) {
	c.Events++
	c.looked[e.id]++
	if e.critical && c.looked[e.id] == 1 {
		c.fixes = append(c.fixes, e)
	}
}

// fix fixes what is open, and verifies it.
func (c *cell) fix(s int) {
	e := c.fixes[0]
	c.fixes = c.fixes[1:]
	c.cpu -= c.costs.FixCPU
	c.workers -= c.costs.FixWait
	c.decisions -= 3
	c.Fixes++
	c.mended[e.id]++
	took := s - e.at + int(c.costs.FixWait)
	switch {
	case e.flood:
		c.flood = append(c.flood, took)
	case e.at < c.back:
		c.down = append(c.down, took)
	default:
		c.fixed = append(c.fixed, took)
	}
}

// sweep reads a page of an account. With the last one it has looked at what changed there before the cell began with
// it.
func (c *cell) sweep(s int) {
	a := c.pages[0]
	c.pages = c.pages[1:]
	m := c.accounts[a]
	const page = 1000
	n := min(page, m.size-m.read)
	c.cpu -= c.costs.ResourceCPU * float64(n)
	c.workers -= c.costs.PageWait
	if m.read == 0 {
		c.cpu -= c.costs.SessionCPU
		c.workers -= c.costs.SessionWait
	}
	c.decisions--
	if m.read += n; m.read < m.size {
		c.pages = append(c.pages, a)
		return
	}
	c.Sweeps++
	m.read, m.asked = 0, -1
	for _, e := range m.unanswered {
		if c.looked[e.id] == 0 {
			c.found(e)
		}
	}
	m.unanswered = nil
}
