package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera/services"
)

// history is a Past of pages, by token; it fails while fail is set.
type history struct {
	mu    sync.Mutex
	pages map[string][]string
	next  map[string]string
	fail  error
	asked []string // from, to and token of each page
}

func (h *history) Changes(_ context.Context, from, to time.Time, token string) (page []Message, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, fmt.Sprintf("%s %s %s", from.Format("15:04"), to.Format("15:04"), token))
	for i, body := range h.pages[token] {
		page = append(page, Message{ID: fmt.Sprintf("%s%d", token, i), Body: body})
	}
	if h.fail != nil {
		return nil, "", h.fail
	}
	return page, h.next[token], nil
}

// positions are in memory.
type positions struct {
	mu   sync.Mutex
	seen map[BackfillPlace]time.Time
	last Filled
	fail error
}

func (p *positions) Seen(_ context.Context, at BackfillPlace) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[at], p.fail
}

func (p *positions) Note(_ context.Context, at BackfillPlace, f Filled) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last = f; f.Err == nil {
		p.seen[at] = f.To
	}
	return nil
}

// opened is the record of a call that opened a group of an account.
func opened(account, region, group string) string {
	return fmt.Sprintf(`{"eventID":"e-%s","eventVersion":"1.09","eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","eventTime":"2026-11-30T09:00:00Z","awsRegion":%q,"recipientAccountId":%q,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/ann","accountId":%q},"requestParameters":{"groupId":%q,"cidrIp":"0.0.0.0/0","ipProtocol":"tcp","fromPort":22,"toPort":22},"responseElements":{"_return":true}}`,
		group, region, account, account, account, group)
}

// TestBackfill: what is looked up of a place, when, and what becomes of it.
func TestBackfill(t *testing.T) {
	t.Parallel()
	here := BackfillPlace{ours, "eu-west-1"}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of the clock of synctest
	pages := map[string][]string{"": {opened(ours, "eu-west-1", "sg-1"), "no record"}, "2": {opened(ours, "eu-west-1", "sg-2"), opened(ours, "us-east-1", "sg-3"), opened(theirs, "eu-west-1", "sg-4")}}
	for name, tc := range map[string]struct {
		seen    time.Duration // how long ago; 0 is never
		most    int
		denied  bool // the first look
		refused bool // the first delivery
		asked   string
		groups  string // of hints, with ! where they are authenticated
		cut     bool
		keeps   int
	}{
		"never_heard_of": {},
		"heard_lately":   {seen: 10 * time.Minute},
		"silent":         {seen: 2 * time.Hour, asked: "21:40 00:00 , 21:40 00:00 2", groups: "sg-1! sg-2! sg-3", keeps: 2},
		"cut":            {seen: 2 * time.Hour, most: 2, asked: "21:40 00:00 ", groups: "sg-1!", cut: true, keeps: 1},
		"denied_first":   {seen: 2 * time.Hour, denied: true, asked: "21:40 00:00 , 21:40 00:15 , 21:40 00:15 2", groups: "sg-1! sg-2! sg-3", keeps: 2},
		"not_taken_over": {seen: 2 * time.Hour, refused: true, asked: "21:40 00:00 , 21:40 00:15 , 21:40 00:15 2", groups: "sg-1! sg-2! sg-3", keeps: 2},
		"before_history": {seen: 200 * 24 * time.Hour, asked: "00:00 00:00 , 00:00 00:00 2", groups: "sg-1! sg-2! sg-3", keeps: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := &history{pages: pages, next: map[string]string{"": "2"}}
				at := &positions{seen: map[BackfillPlace]time.Time{}}
				if tc.seen > 0 {
					at.seen[here] = start.Add(-tc.seen)
				}
				if tc.denied {
					h.fail = errors.New("AccessDenied")
				}
				b, err := NewBackfill(BackfillConfig{Places: []BackfillPlace{here}, Past: func(BackfillPlace) Past { return h }, Positions: at, Watch: services.Watch(), After: 30 * time.Minute, Most: tc.most, Random: func() float64 { return 0.5 }})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				var groups []string
				total, keeps, refused := map[string]int64{}, 0, tc.refused
				go func() {
					done <- b.Run(ctx, func(_ context.Context, d Delivery) error {
						if refused {
							refused = false
							return errors.New("database is away")
						}
						if len(d.Raw) > 0 || d.Source != "backfill" {
							t.Errorf("got %d messages for the ledger, source %s", len(d.Raw), d.Source)
						}
						for _, e := range d.Events {
							mark := map[bool]string{true: "!"}[e.Authenticated]
							groups = append(groups, strings.Join(e.Scope.IDs, "+")+mark)
						}
						for k, n := range d.Tallies {
							total[k] += n
						}
						keeps += len(d.Kept)
						return nil
					})
				}()
				<-time.After(20 * time.Minute) // two rounds
				h.mu.Lock()
				h.fail = nil
				h.mu.Unlock()
				if tc.denied { // the second was denied too, but the third is not
					<-time.After(15 * time.Minute)
				}
				cancel()
				if err := <-done; err != nil {
					t.Errorf("got %v from Run", err)
				}
				if tc.denied {
					h.asked = h.asked[1:]
					tc.asked = "21:40 00:15 , 21:40 00:30 , 21:40 00:30 2"
				}
				if got := strings.Join(h.asked, ", "); got != tc.asked {
					t.Errorf("asked: got %q, want %q", got, tc.asked)
				}
				if got := strings.Join(groups, " "); got != tc.groups {
					t.Errorf("hints: got %q, want %q", got, tc.groups)
				}
				if at.last.Cut != tc.cut || (total[BackfillCut] > 0) != tc.cut || at.last.Err != nil || keeps != tc.keeps {
					t.Errorf("got %+v, %v, %d kept, want cut %t and %d kept", at.last, total, keeps, tc.cut, tc.keeps)
				}
				if tc.groups != "" && (total[BackfillEvents] < 2 || total[BackfillHinted] < 1 || total[BackfillLookups] != 1) {
					t.Errorf("got the counters %v", total)
				}
			})
		})
	}
}

// TestBackfillGoesOn: positions that cannot be read stop nothing, and a place that fails not the others.
func TestBackfillGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good, bad := &history{pages: map[string][]string{"": {opened(ours, "us-east-1", "sg-1")}}}, &history{fail: errors.New("AccessDenied")}
		first, second := BackfillPlace{ours, "eu-west-1"}, BackfillPlace{ours, "us-east-1"}
		long := time.Now().Add(-time.Hour)
		at := &positions{seen: map[BackfillPlace]time.Time{first: long, second: long}, fail: errors.New("database is away")}
		b, err := NewBackfill(BackfillConfig{Places: []BackfillPlace{first, second}, Past: func(p BackfillPlace) Past { return map[bool]Past{true: good, false: bad}[p == second] },
			Positions: at, Watch: services.Watch(), After: 30 * time.Minute, Random: func() float64 { return 0.5 }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		hints := 0
		go func() {
			done <- b.Run(ctx, func(_ context.Context, d Delivery) error { hints += len(d.Events); return nil })
		}()
		<-time.After(10 * time.Minute)
		at.mu.Lock()
		at.fail = nil
		at.mu.Unlock()
		<-time.After(10 * time.Minute)
		cancel()
		if err := <-done; err != nil || hints != 1 || !at.seen[first].Equal(long) || at.seen[second].Equal(long) {
			t.Errorf("got %v, %d hints, %v: want one hint, and the place that failed where it was", err, hints, at.seen)
		}
	})
}

// TestBackfillLate: what came into the history after it was read is looked up, once, although events of the place
// come again; where none come, the next look covers it.
func TestBackfillLate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		heard bool
		want  string
	}{
		"heard":  {true, "21:40 00:00 , 23:40 00:00 "},
		"silent": {false, "21:40 00:00 , 23:40 00:30 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				here := BackfillPlace{ours, "eu-west-1"}
				h := &history{}
				at := &positions{seen: map[BackfillPlace]time.Time{here: time.Now().Add(-2 * time.Hour)}}
				b, err := NewBackfill(BackfillConfig{Places: []BackfillPlace{here}, Past: func(BackfillPlace) Past { return h }, Positions: at, Watch: services.Watch(), After: 30 * time.Minute, Random: func() float64 { return 0.5 }})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- b.Run(ctx, func(context.Context, Delivery) error { return nil }) }()
				for range 10 {
					<-time.After(5 * time.Minute)
					if tc.heard {
						at.mu.Lock()
						at.seen[here] = time.Now().Add(-time.Minute)
						at.mu.Unlock()
					}
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if got := strings.Join(h.asked, ", "); got != tc.want {
					t.Errorf("got %q, want %q", got, tc.want)
				}
			})
		})
	}
}
