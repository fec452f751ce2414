package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera/awssim"
	"dera.example/dera/source"
	"dera.example/dera/source/sourcetest"
)

// generatedAWS answers as AWS for an estate. The accounts that were asked for lately are kept as simulated ones; any
// other is computed when it is asked for. What dera writes stays with its account, which is then kept.
type generatedAWS struct {
	computedEstate
	queue generatedQueue

	mu     sync.Mutex
	round  int
	opened map[int][]int // groups by account, by events
	near   map[int]*generatedAccount
	order  []int // of those of near that nothing was written to, the one that was made first first
}

// generatedAccount is an account as it was computed.
type generatedAccount struct {
	mu      sync.Mutex
	cloud   *awssim.Cloud // nil until it is asked for
	key     string
	written bool // guarded by generatedAWS.mu
}

// nearAccounts are kept at the same time: many more than dera reads at once.
const nearAccounts = 256

func newGeneratedAWS(e computedEstate) *generatedAWS {
	g := &generatedAWS{computedEstate: e, opened: map[int][]int{}, near: map[int]*generatedAccount{}}
	g.queue.aws = g
	return g
}

// account is the account of a number, computed if need be.
func (g *generatedAWS) account(i int, write bool) (*generatedAccount, error) {
	g.mu.Lock()
	a := g.near[i]
	if a == nil {
		a = &generatedAccount{}
		g.near[i], g.order = a, append(g.order, i)
		for len(g.order) > nearAccounts {
			if !g.near[g.order[0]].written {
				delete(g.near, g.order[0])
			}
			g.order = g.order[1:]
		}
	}
	a.written = a.written || write
	g.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cloud != nil {
		return a, nil
	}
	g.mu.Lock()
	round, opened := g.round, slices.Clone(g.opened[i])
	g.mu.Unlock()
	sim := awssim.New(awssim.Config{Seed: g.draw(i, 0, drawID), KeepCalls: 1, Regions: []string{scaleRegion}})
	owner := sim.Account(g.accountID(i))
	if err := g.fill(owner.Region(scaleRegion), i, round, func(n int) bool { return slices.Contains(opened, n) }); err != nil {
		return nil, err
	}
	a.cloud, a.key = sim, owner.Credentials().AccessKeyID
	return a, nil
}

// change begins the next round, for all accounts.
func (g *generatedAWS) change() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.round++
	g.near, g.order = map[int]*generatedAccount{}, nil
}

// open has an event open a group, also in an account that was computed already.
func (g *generatedAWS) open(account, group int) {
	g.mu.Lock()
	g.opened[account] = append(g.opened[account], group)
	near := g.near[account]
	g.mu.Unlock()
	if near == nil {
		return
	}
	near.mu.Lock()
	defer near.mu.Unlock()
	if near.cloud != nil {
		near.cloud.Account(g.accountID(account)).Region(scaleRegion).PutSecurityGroup(g.groupID(account, group), g.groupName(account, group), groupKinds()[firstOpen].rules...)
	}
}

// The access keys of dera itself and, with the account's number behind it, of a session.
const (
	hubKey     = "AKIASCALEHUB"
	sessionKey = "ASIASCALE"
)

// ServeHTTP answers what dera asks AWS.
func (g *generatedAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	part := strings.Split(scope, "/")
	if len(part) < 4 {
		g.control(w, r)
		return
	}
	id, session := strings.CutPrefix(part[0], sessionKey)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if part[3] == "sts" {
		if !session {
			id = scaleHub
		}
		g.sts(w, id, string(body))
		return
	}
	i, ok := g.accountOf(id)
	if !session || !ok {
		http.Error(w, "no account of the estate", http.StatusForbidden)
		return
	}
	form, _ := url.ParseQuery(string(body)) // what is none has no action
	a, err := g.account(i, !strings.HasPrefix(form.Get("Action"), "Describe") && !strings.HasPrefix(form.Get("Action"), "Get"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), part[0], a.key, 1))
	r.Header.Del("X-Amz-Security-Token")
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.cloud.ServeHTTP(w, r)
}

// sts answers GetCallerIdentity and AssumeRole, for which every account has the role dera.
func (g *generatedAWS) sts(w http.ResponseWriter, caller, body string) {
	form, _ := url.ParseQuery(body) // what is none has no action
	answer := func(operation, result string) {
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<%sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%sResult>%s</%sResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></%sResponse>`, operation, operation, result, operation, operation)
	}
	if form.Get("Action") != "AssumeRole" {
		who := "assumed-role/dera/dera"
		answer("GetCallerIdentity", fmt.Sprintf("<UserId>AROASCALE:dera</UserId><Account>%s</Account><Arn>arn:aws:sts::%s:%s</Arn>", caller, caller, who))
		return
	}
	part := strings.Split(form.Get("RoleArn"), ":")
	if _, ok := g.accountOf(part[min(4, len(part)-1)]); !ok || caller != scaleHub {
		http.Error(w, "no such role", http.StatusForbidden)
		return
	}
	answer("AssumeRole", fmt.Sprintf("<Credentials><AccessKeyId>%s%s</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%s</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROASCALE:dera</AssumedRoleId><Arn>arn:aws:sts::%s:assumed-role/dera/dera</Arn></AssumedRoleUser>",
		sessionKey, part[4], time.Now().Add(time.Hour).UTC().Format(time.RFC3339), part[4]))
}

// control is what the benchmark asks: /change, and /events with how many there are and of which kind; it answers how many
// messages are not deleted yet.
func (g *generatedAWS) control(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/change":
		g.change()
	case "/events":
		var of eventLoad
		if err := json.NewDecoder(r.Body).Decode(&of); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := g.queue.fill(of); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	fmt.Fprintln(w, g.queue.left())
}

// eventLoad is how many events come, each about another group, and whether each opens its group.
type eventLoad struct {
	N     int
	Opens bool
}

// generatedQueue is a queue of events about groups of the estate.
type generatedQueue struct {
	aws     *generatedAWS
	mu      sync.Mutex
	load    eventLoad
	groups  [][2]int
	next    int
	deleted int
	batch   int
}

var _ source.Queue = (*generatedQueue)(nil)

// fill chooses the groups of the events, over all accounts in turn.
func (q *generatedQueue) fill(of eventLoad) error {
	var groups [][2]int
	for n := 0; n < q.aws.Groups && len(groups) < of.N; n++ {
		for a := 0; a < q.aws.Accounts && len(groups) < of.N; a++ {
			if q.aws.ofEvents(a, n) == of.Opens && q.aws.kind(a, n, 1) < firstOpen {
				groups = append(groups, [2]int{a, n})
			}
		}
	}
	if len(groups) < of.N {
		return fmt.Errorf("%d groups for %d events", len(groups), of.N)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.load, q.groups, q.next, q.deleted = of, groups, 0, 0
	q.batch++
	return nil
}

func (q *generatedQueue) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.groups) - q.deleted
}

// Receive implements source.Queue.
func (q *generatedQueue) Receive(ctx context.Context, limit int, wait time.Duration) ([]source.Message, error) {
	until := time.Now().Add(wait)
	for {
		if list := q.take(limit); len(list) > 0 || ctx.Err() != nil || time.Now().After(until) {
			return list, ctx.Err()
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (q *generatedQueue) take(limit int) (out []source.Message) {
	q.mu.Lock()
	from := q.next
	to := min(q.next+limit, len(q.groups))
	q.next = to
	groups, load, batch := q.groups[from:to], q.load, q.batch
	q.mu.Unlock()
	for i, n := range groups {
		call := "RevokeSecurityGroupIngress"
		if load.Opens {
			q.aws.open(n[0], n[1])
			call = "AuthorizeSecurityGroupIngress"
		}
		id, now := fmt.Sprintf("%d-%d", batch, from+i), time.Now()
		body := sourcetest.Event{Account: q.aws.accountID(n[0]), Region: scaleRegion, ID: id, Time: now.UTC().Format(time.RFC3339), Source: "ec2.amazonaws.com", Name: call, Request: `{"groupId":"` + q.aws.groupID(n[0], n[1]) + `"}`}.Body()
		out = append(out, source.Message{ID: id, Receipt: id, Body: body, Received: 1, Sent: now})
	}
	return out
}

// Delete implements source.Queue.
func (q *generatedQueue) Delete(_ context.Context, list []source.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deleted += len(list)
	return nil
}

// Extend implements source.Queue.
func (q *generatedQueue) Extend(context.Context, []source.Message, time.Duration) error { return nil }

// estateVariable is the environment variable of the process that is the generated AWS.
const estateVariable = "DERA_BENCH_ESTATE"

// generatedMain is the generated AWS as a process: it writes its address, and ends with its input.
func generatedMain() {
	var e computedEstate
	if err := json.Unmarshal([]byte(os.Getenv(estateVariable)), &e); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	aws := newGeneratedAWS(e)
	server := httptest.NewServer(queueServer{&aws.queue, aws})
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is what is waited for
	server.Close()
}

// startGenerated starts the generated AWS in a process of its own, which ends with the test, and returns its address.
func startGenerated(t *testing.T, e computedEstate) string {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dera-generated")
	cmd.Env = append(os.Environ(), estateVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	in, out := piped(t, cmd)
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("the generated AWS says nothing: %v", err)
	}
	return strings.TrimSpace(line)
}
