package reason

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
)

// peerRequest is a line for scripts/iam-simulate.cjs.
type peerRequest struct {
	Policy    json.RawMessage     `json:"policy"`
	Principal string              `json:"principal"`
	Account   string              `json:"account"`
	Action    string              `json:"action"`
	Resource  string              `json:"resource"`
	Context   map[string][]string `json:"context"`
}

// TestBench_decisions measures concrete decisions on AWS managed policies,
// beside the peer iam-simulate on the same requests.
func TestBench_decisions(t *testing.T) {
	folder := benchFolder(t)
	var requests []peerRequest
	var decided, compiled []time.Duration
	var ours []bool
	r := rand.New(rand.NewPCG(7, 7))
	for i, h := range readHistories(t, folder) {
		if i%4 != 0 {
			continue
		}
		docs := h.documents[len(h.documents)-1]
		for range 3 {
			q := peerRequest{
				Policy: json.RawMessage(docs[0].Text()), Principal: "arn:aws:iam::111122223333:role/app", Account: "111122223333",
				Context: map[string][]string{},
			}
			q.Action, q.Resource = someRequest(r, docs[0])
			requests = append(requests, q)
			request := eval.Request{Principal: eval.Principal{ARN: q.Principal}, Action: q.Action, Resource: q.Resource, Context: q.Context}
			start := time.Now()
			set := eval.Compile(docs...)
			compiled = append(compiled, time.Since(start))
			const times = 100
			start = time.Now()
			var decision eval.Outcome
			in := eval.Input{Request: request, Identity: set}
			for range times {
				decision = in.Decide()
			}
			decided = append(decided, time.Since(start)/times)
			ours = append(ours, decision == eval.Allowed)
		}
	}
	theirs, times := askPeer(t, folder, requests)
	same := map[string]int{}
	for i, allowed := range theirs {
		switch {
		case allowed == ours[i]:
			same["same"]++
		default:
			same["different"]++
			t.Logf("dera says allowed %v, the peer %v: %s on %s", ours[i], allowed, requests[i].Action, requests[i].Resource)
		}
	}
	measure("decision by iam/eval, compiled once", decided, same).report(t, folder)
	measure("compilation by iam/eval", compiled, nil).report(t, folder)
	measure("decision by iam-simulate 0.1.173", times, same).report(t, folder)
}

// someRequest picks an action of a statement and a resource that it is about.
func someRequest(r *rand.Rand, doc *policy.Document) (action, resource string) {
	st := doc.Statements[r.IntN(len(doc.Statements))]
	fill := strings.NewReplacer("*", "abc", "?", "x", "${", "", "}", "").Replace
	action, resource = "s3:GetObject", "arn:aws:s3:::bucket/key"
	if len(st.Actions) > 0 {
		action = st.Actions[r.IntN(len(st.Actions))]
	}
	if len(st.Resources) > 0 {
		resource = st.Resources[r.IntN(len(st.Resources))]
	}
	if action == "*" {
		action = "s3:*"
	}
	if resource == "*" {
		service, _, _ := strings.Cut(action, ":")
		resource = "arn:aws:" + service + ":us-east-1:111122223333:thing/abc"
	}
	if parts := strings.SplitN(resource, ":", 6); len(parts) == 6 {
		for i, value := range map[int]string{1: "aws", 3: "us-east-1", 4: "111122223333"} {
			if strings.ContainsAny(parts[i], "*?") {
				parts[i] = value
			}
		}
		resource = strings.Join(parts, ":")
	}
	return fill(action), fill(resource)
}

// askPeer runs the peer on all requests in one process.
func askPeer(t *testing.T, folder string, requests []peerRequest) (allowed []bool, times []time.Duration) {
	t.Helper()
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, q := range requests {
		if err := enc.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", "../../scripts/iam-simulate.cjs", folder)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run the peer: %v", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		var answer struct {
			Decision    string
			Nanoseconds int64
		}
		if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		allowed = append(allowed, answer.Decision == "Allowed")
		times = append(times, time.Duration(answer.Nanoseconds))
	}
	if len(allowed) != len(requests) {
		t.Fatalf("%d answers to %d requests", len(allowed), len(requests))
	}
	return allowed, times
}
