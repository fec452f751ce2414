package iamtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// PeerFolder is the environment variable that names the folder of iam-simulate, an evaluator of
// policies that dera did not write. It is AGPL-3.0: it runs beside the tests, as a process
// of its own, and is no part of dera.
const PeerFolder = "DERA_IAM_PEER"

// Peer collects requests and what shall be decided of them, and asks the evaluator once.
type Peer struct {
	t        *testing.T
	requests []peerRequest
	holds    []func(allowed func(int) bool)
	// How much of it says something.
	plans, still, gone int
}

// peerRequest is a line for scripts/iam-simulate.cjs.
type peerRequest struct {
	Policies  []json.RawMessage   `json:"policies"`
	Trust     json.RawMessage     `json:"resourcePolicy,omitempty"`
	Principal string              `json:"principal"`
	Account   string              `json:"account"`
	Action    string              `json:"action"`
	Resource  string              `json:"resource"`
	Context   map[string][]string `json:"context"`
}

// NewPeer skips the test where nobody asks for the evaluator.
func NewPeer(t *testing.T) *Peer {
	t.Helper()
	if os.Getenv(PeerFolder) == "" {
		t.Skipf("%s is not set: run make peer, make extra or make long", PeerFolder)
	}
	return &Peer{t: t}
}

// Plan is what a plan makes of the policies of an identity.
type Plan struct {
	Name string
	// Before and After are all policies, and Old and New those of them that change.
	Before, After, Old, New []string
	// Used are the actions that someone used, and Removed those that the plan is about.
	Used, Removed []string
}

const peerPrincipal, peerAccount = "arn:aws:iam::111122223333:role/app", "111122223333"

// Hold notes what must be so of the plan: what was used is allowed as before by all policies
// together and by those that change, and not otherwise; what is removed is not allowed by those
// that change any more.
func (p *Peer) Hold(plan Plan) {
	p.plans++
	for _, action := range plan.Used {
		for _, q := range requestsFor(action, plan.Before) {
			was, is := p.ask(q, plan.Before), p.ask(q, plan.After)
			wasHere, isHere := p.ask(q, plan.Old), p.ask(q, plan.New)
			p.holds = append(p.holds, func(allowed func(int) bool) {
				if allowed(was) && !allowed(is) || allowed(wasHere) && !allowed(isHere) {
					p.t.Errorf("%s: %s on %s was used, and is not allowed any more", plan.Name, q.Action, q.Resource)
				}
				if !allowed(was) && allowed(is) {
					p.t.Errorf("%s: %s on %s is allowed, and was not", plan.Name, q.Action, q.Resource)
				}
				if allowed(was) {
					p.still++
				}
			})
		}
	}
	for _, action := range plan.Removed {
		list := requestsFor(action, plan.Old)
		var before []int
		for _, q := range list {
			was, is := p.ask(q, plan.Old), p.ask(q, plan.New)
			before = append(before, was)
			p.holds = append(p.holds, func(allowed func(int) bool) {
				if allowed(is) {
					p.t.Errorf("%s: %s on %s is removed, and is still allowed (before: %t)", plan.Name, q.Action, q.Resource, allowed(was))
				}
			})
		}
		p.holds = append(p.holds, func(allowed func(int) bool) {
			if slices.ContainsFunc(before, allowed) {
				p.gone++
			}
		})
	}
}

// Trust notes that a principal may assume a role by its trust policy, or may not any more.
func (p *Peer) Trust(name, principal, before, after string, stays bool) {
	account := strings.Split(principal, ":")[4]
	q := peerRequest{Principal: principal, Account: peerAccount, Action: "sts:AssumeRole", Resource: peerPrincipal, Context: map[string][]string{"aws:PrincipalAccount": {account}}}
	if doc, err := policy.Parse(before); err == nil {
		for i := range doc.Statements {
			q.take(&doc.Statements[i])
		}
	}
	// Who comes is that principal, of no organisation that a statement is held to.
	for key := range q.Context {
		switch strings.ToLower(key) {
		case "aws:principalarn":
			q.Context[key] = []string{principal}
		case "aws:principalaccount":
			q.Context[key] = []string{account}
		case "aws:principalorgid":
			q.Context[key] = []string{"o-0000000000"}
		case "aws:principalorgpaths":
			q.Context[key] = []string{"o-0000000000/r-0000/"}
		case "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceaccount", "aws:sourcearn": // a service tells for whom it calls, and nobody else
			delete(q.Context, key)
		}
	}
	own := []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`}
	spelled := func(text string) json.RawMessage { // the evaluator takes one of the two ways to write every action
		return json.RawMessage(strings.ReplaceAll(text, `"*:*"`, `"*"`))
	}
	q.Trust = spelled(before)
	was := p.ask(q, own)
	q.Trust = spelled(after)
	is := p.ask(q, own)
	p.plans++
	p.holds = append(p.holds, func(allowed func(int) bool) {
		switch {
		case stays && allowed(was) != allowed(is):
			p.t.Errorf("%s: %s may assume the role: %t before, %t after", name, principal, allowed(was), allowed(is))
		case !stays && allowed(is):
			p.t.Errorf("%s: %s may still assume the role", name, principal)
		case stays && allowed(was):
			p.still++
		case allowed(was):
			p.gone++
		}
	})
}

// ask notes a request on some policies; policies of nothing allow nothing.
func (p *Peer) ask(q peerRequest, documents []string) int {
	q.Policies = []json.RawMessage{}
	for _, d := range documents {
		if d != "" {
			q.Policies = append(q.Policies, json.RawMessage(d))
		}
	}
	p.requests = append(p.requests, q)
	return len(p.requests) - 1
}

// mostRequests is how many resources an action is tried on.
const mostRequests = 3

// requestsFor are requests for an action that the statements of some policies are about.
func requestsFor(action string, documents []string) (out []peerRequest) {
	service, _, _ := strings.Cut(action, ":")
	add := func(st *policy.Statement, resource string) {
		q := peerRequest{Principal: peerPrincipal, Account: peerAccount, Action: action, Resource: concrete(service, resource), Context: map[string][]string{}}
		q.take(st)
		if len(out) < mostRequests && !slices.ContainsFunc(out, func(o peerRequest) bool { return o.Resource == q.Resource }) {
			out = append(out, q)
		}
	}
	for _, text := range documents {
		doc, err := policy.Parse(text)
		if err != nil {
			continue
		}
		for i := range doc.Statements {
			st := &doc.Statements[i]
			if !slices.ContainsFunc(st.Actions, func(e string) bool { return catalog.MatchAction(e, action) }) {
				continue
			}
			for _, r := range st.Resources {
				add(st, r)
			}
			if len(st.Resources) == 0 {
				add(st, "*")
			}
		}
	}
	if len(out) == 0 {
		add(nil, "*")
	}
	return out
}

// take lets the request fulfil the conditions of a statement, as far as one value does.
func (q *peerRequest) take(st *policy.Statement) {
	if st == nil {
		return
	}
	for _, c := range st.Conditions {
		if len(c.Values) > 0 && q.Context[c.Key] == nil {
			q.Context[c.Key] = []string{filled(c.Values[0])}
		}
	}
}

func filled(pattern string) string {
	return strings.NewReplacer("*", "abc", "?", "x", "${", "", "}", "").Replace(pattern)
}

// concrete is a resource that a pattern fits.
func concrete(service, pattern string) string {
	if pattern == "*" {
		return "arn:aws:" + service + ":us-east-1:" + peerAccount + ":thing/abc"
	}
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) == 6 {
		for i, value := range map[int]string{1: "aws", 3: "us-east-1", 4: peerAccount} {
			if strings.ContainsAny(parts[i], "*?") {
				parts[i] = value
			}
		}
	}
	return filled(strings.Join(parts, ":"))
}

// Done asks the evaluator and holds what was noted. least is how many plans, how many
// requests of used actions that stay and how many actions that go there must be: with less
// the test says little.
func (p *Peer) Done(least [3]int) {
	p.t.Helper()
	answers := p.run()
	for _, hold := range p.holds {
		hold(func(i int) bool { return answers[i] })
	}
	p.t.Logf("%d plans, %d decisions: %d requests of used actions stay, %d actions go", p.plans, len(answers), p.still, p.gone)
	if p.plans < least[0] || p.still < least[1] || p.gone < least[2] {
		p.t.Errorf("got %d plans, %d used and %d removed, want %v at least", p.plans, p.still, p.gone, least)
	}
}

// run asks the evaluator in one process.
func (p *Peer) run() (allowed []bool) {
	p.t.Helper()
	folder := os.Getenv(PeerFolder)
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@cloud-copilot", "iam-simulate")); err != nil {
		p.t.Fatalf("iam-simulate is not there: %v\ninstall it with scripts/iam-peer-install", err)
	}
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, q := range p.requests {
		if err := enc.Encode(q); err != nil {
			p.t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(p.t.Context(), "node", filepath.Join(filepath.Dir(folder), "scripts", "iam-simulate.cjs"), folder)
	cmd.Stdin = &in
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("run iam-simulate: %v\ninstall node 20 and scripts/iam-peer-install", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var answer struct{ Decision string }
		if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
			p.t.Fatalf("%s: %v", lines.Text(), err)
		}
		if strings.HasPrefix(answer.Decision, "error") {
			q := p.requests[len(allowed)]
			p.t.Errorf("%s by %s on %s: %s", q.Action, q.Principal, q.Resource, answer.Decision)
		}
		allowed = append(allowed, answer.Decision == "Allowed")
	}
	if len(allowed) != len(p.requests) {
		p.t.Fatalf("%d answers to %d requests", len(allowed), len(p.requests))
	}
	return allowed
}
