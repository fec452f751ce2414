package audit

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Late is how long CloudTrail may take to deliver an event (CloudTrail user guide,
// "CloudTrail concepts": about 5 minutes on average, not guaranteed; events of
// EventBridge rules typically within 15 minutes). What is younger is not judged.
const Late = 15 * time.Minute

// clockSkew is how far the clocks of AWS and of dera may differ.
const clockSkew = 5 * time.Second

// Call is one call of dera's own principals as CloudTrail has it: the witness
// that dera does not control.
type Call struct {
	EventID   string    `json:"event_id"`
	RequestID string    `json:"request_id,omitempty"`
	Service   string    `json:"service"` // for example ec2
	Name      string    `json:"name"`    // for example RevokeSecurityGroupIngress
	Account   string    `json:"account"`
	Region    string    `json:"region"`
	Actor     string    `json:"actor"`
	Time      time.Time `json:"time"`
	ReadOnly  bool      `json:"read_only,omitempty"`
	Failed    bool      `json:"failed,omitempty"` // refused, or a dry run: it changed nothing
}

// openFor is how long after its intent a request can reach AWS: a minute until it
// is signed, and the five of its signature.
const openFor = 6 * time.Minute

// Write is one attempt of a write as the log has it: an intent and its result.
type Write struct {
	Index       int64     `json:"index"` // of the result in the log; of the intent where there is none
	Remediation string    `json:"remediation"`
	Step        int       `json:"step"`
	Undo        bool      `json:"undo,omitempty"`
	Operation   string    `json:"operation"` // for example ec2:RevokeSecurityGroupIngress
	Account     string    `json:"account"`
	Region      string    `json:"region"`
	RequestID   string    `json:"request_id,omitempty"` // empty where AWS did not answer
	Applied     bool      `json:"applied"`
	Open        bool      `json:"open,omitempty"` // no result yet: a crash left it
	From        time.Time `json:"from"`           // of the intent
	To          time.Time `json:"to"`             // of the result
}

// Pair is a write with the event of its call.
type Pair struct {
	Write
	EventID string `json:"event_id"`
	// By is request_id, or time where AWS did not answer the write: the same call
	// in the same account and region between intent and result.
	By string `json:"by"`
}

// Reconciliation joins the log with CloudTrail, both ways.
type Reconciliation struct {
	Pairs []Pair `json:"pairs"`
	// Unrecorded are calls that changed something and of which the log knows
	// nothing: a stolen role, or a second process with the same one.
	Unrecorded []Call `json:"unrecorded"`
	// Unwitnessed are writes in effect, within the time and place of the calls,
	// without an event.
	Unwitnessed []Write `json:"unwitnessed"`
	// Outside counts writes of times and places that the calls do not reach, and
	// Pending writes and calls that are too young to be judged.
	Outside int `json:"outside"`
	Pending int `json:"pending"`
}

// Writes collects the attempts of a log from its records, in their order.
type Writes struct {
	list    []Write
	intents map[intentKey]time.Time
	open    map[intentKey]Write
}

type intentKey struct {
	remediation string
	step        int
	undo        bool
}

// Add takes the record with that index.
func (w *Writes) Add(index int64, r dera.AuditRecord) {
	if r.Step == nil || r.Kind != dera.RecordIntent && r.Kind != dera.RecordResult {
		return
	}
	key := intentKey{r.Remediation, *r.Step, r.Undo}
	one := Write{
		Index: index, Remediation: r.Remediation, Step: *r.Step, Undo: r.Undo, Operation: r.Operation, Account: r.Account, Region: r.Region,
		RequestID: r.RequestID, Applied: strings.HasPrefix(r.Why, string(dera.IntentApplied)), From: r.Time, To: r.Time,
	}
	if r.Kind == dera.RecordIntent {
		if w.intents == nil {
			w.intents, w.open = map[intentKey]time.Time{}, map[intentKey]Write{}
		}
		w.intents[key] = r.Time
		one.Open, one.To = true, r.Time.Add(openFor)
		w.open[key] = one
		return
	}
	if from, ok := w.intents[key]; ok {
		one.From = from
	}
	delete(w.open, key)
	w.list = append(w.list, one)
}

// List returns them, those without a result last.
func (w *Writes) List() []Write {
	open := slices.Collect(maps.Values(w.open))
	slices.SortFunc(open, func(a, b Write) int { return cmp.Compare(a.Index, b.Index) })
	return slices.Concat(w.list, open)
}

// Reach is which times of which accounts and regions the calls are complete for:
// from the first to the last event of anybody. The zero value reaches nowhere.
type Reach map[[2]string]Span

// Span is from a first to a last time.
type Span struct{ From, To time.Time }

// Add widens the reach by an event.
func (r Reach) Add(account, region string, at time.Time) {
	for _, place := range [][2]string{{account, region}, {account, dera.GlobalRegion}} {
		s, ok := r[place]
		if !ok || at.Before(s.From) {
			s.From = at
		}
		if at.After(s.To) {
			s.To = at
		}
		r[place] = s
	}
}

func (r Reach) covers(w Write) bool {
	s, ok := r[[2]string{w.Account, w.Region}]
	return ok && !w.From.Before(s.From.Add(-clockSkew)) && !w.To.After(s.To.Add(clockSkew))
}

// Reconcile joins writes and calls. An event that is there twice counts once.
func Reconcile(writes []Write, calls []Call, reach Reach, now time.Time) Reconciliation {
	out := Reconciliation{Pairs: []Pair{}, Unrecorded: []Call{}, Unwitnessed: []Write{}}
	calls = distinct(calls)
	byID := map[string][]int{} // one call may have several events
	for i, c := range calls {
		if c.RequestID != "" {
			byID[c.RequestID] = append(byID[c.RequestID], i)
		}
	}
	used := make([]bool, len(calls))
	var rest, doubtful []Write
	for _, w := range writes {
		list := byID[w.RequestID]
		for _, i := range list {
			used[i] = true
		}
		switch {
		case len(list) > 0:
			out.Pairs = append(out.Pairs, Pair{w, calls[list[0]].EventID, "request_id"})
		case w.Applied:
			rest = append(rest, w)
		default:
			doubtful = append(doubtful, w)
		}
	}
	// What took effect has an event; what was not answered, or has no result yet,
	// may have one.
	for _, w := range slices.Concat(rest, doubtful) {
		if i := unanswered(w, calls, used); i >= 0 {
			used[i] = true
			out.Pairs = append(out.Pairs, Pair{w, calls[i].EventID, "time"})
			continue
		}
		switch {
		case !w.Applied: // refused, or never sent: there may be no event
		case now.Sub(w.To) < Late:
			out.Pending++
		case !reach.covers(w), w.Operation == dera.InvokeFunction: // a data event, which a history need not have
			out.Outside++
		default:
			out.Unwitnessed = append(out.Unwitnessed, w)
		}
	}
	for i, c := range calls {
		switch {
		case used[i] || c.ReadOnly || c.Failed:
		case now.Sub(c.Time) < Late:
			out.Pending++
		default:
			out.Unrecorded = append(out.Unrecorded, c)
		}
	}
	return out
}

// unanswered finds the call of a write that AWS did not answer, or -1.
func unanswered(w Write, calls []Call, used []bool) int {
	service, name, _ := strings.Cut(w.Operation, ":")
	if w.RequestID != "" {
		return -1
	}
	for i, c := range calls {
		if !used[i] && !c.ReadOnly && !c.Failed && c.Service == service && sameCall(name, c.Name) && c.Account == w.Account && (c.Region == w.Region || w.Region == dera.GlobalRegion) &&
			!c.Time.Before(w.From.Add(-clockSkew)) && !c.Time.After(w.To.Add(clockSkew)) {
			return i
		}
	}
	return -1
}

// sameCall reports whether an event can be that of an operation: S3 takes some
// settings away by a call of its own, DeleteBucketPolicy for PutBucketPolicy.
func sameCall(operation, event string) bool {
	bare := func(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "Put"), "Delete") }
	return bare(operation) == bare(event) || operation == "InvokeFunction" && event == "Invoke"
}

func distinct(calls []Call) []Call {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(calls), func(c Call) bool {
		twice := c.EventID != "" && seen[c.EventID]
		seen[c.EventID] = true
		return twice
	})
}
