package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/evaluate"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// group makes a security group through the simulated API.
func (w *world) group(name string, rules ...awssim.Rule) string {
	w.t.Helper()
	id, err := w.region.CreateSecurityGroup(w.t.Context(), name, rules...)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func tcp(from, to int, cidr string) awssim.Rule {
	return awssim.Rule{Protocol: "tcp", FromPort: from, ToPort: to, CIDR: cidr}
}

// sweep looks at everything and works until nothing is due.
func (w *world) sweep() {
	w.t.Helper()
	if err := w.engine.Sweep(w.t.Context(), "sweep"); err != nil {
		w.t.Fatal(err)
	}
	w.drain()
}

func (w *world) drain() {
	w.t.Helper()
	if err := w.engine.Drain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// ingress is the group's inbound rules as text, straight from the simulation.
func (w *world) ingress(id string) []string {
	w.t.Helper()
	g, ok := w.cloud.Snapshot().Group(id)
	if !ok {
		w.t.Fatalf("group %s is gone", id)
	}
	var out []string
	for _, r := range g.Rules {
		if r.Egress {
			continue
		}
		src := r.CIDR + r.PrefixList + r.Group
		out = append(out, fmt.Sprintf("%s %d-%d %s %s", r.Protocol, r.FromPort, r.ToPort, src, r.Description))
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

func (w *world) findings(id string) map[string]dera.Finding {
	w.t.Helper()
	list, err := w.store.Findings(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]dera.Finding{}
	for _, f := range list {
		if f.Resource.Name() == id {
			out[f.Control+" "+f.Key] = f
		}
	}
	return out
}

func (w *world) remediations(id string) []dera.Remediation {
	w.t.Helper()
	list, err := w.store.Remediations(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var out []dera.Remediation
	for _, r := range list {
		if r.Plan.Resource.Name() == id {
			out = append(out, r)
		}
	}
	return out
}

// look makes an event on the group and works until nothing is due.
func (w *world) look(id string) {
	w.t.Helper()
	w.ingest(w.event(id))
	w.drain()
}

func (w *world) event(ids ...string) dera.Event {
	return dera.Event{Source: "test", Name: "AuthorizeSecurityGroupIngress", Time: w.clock.Now(), Scope: dera.Scope{
		Partition: "aws", Account: account, Region: region, Type: securitygroup.Name, IDs: ids,
	}}
}

func (w *world) ingest(events ...dera.Event) {
	w.t.Helper()
	if err := w.engine.Ingest(w.t.Context(), events, nil, nil); err != nil {
		w.t.Fatal(err)
	}
}

// settle lets the settling time pass and works again.
func (w *world) settle() {
	w.t.Helper()
	w.clock.Advance(2 * time.Second)
	w.drain()
}

// quiet works, and lets time pass, until only waits for approvals are left.
func (w *world) quiet() {
	w.t.Helper()
	for range 60 {
		w.drain()
		jobs, err := w.store.Jobs(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		jobs = slices.DeleteFunc(jobs, func(j dera.Job) bool { return j.Kind == "expire" })
		if len(jobs) == 0 {
			return
		}
		next := slices.MinFunc(jobs, func(a, b dera.Job) int { return due(a).Compare(due(b)) })
		if d := due(next).Sub(w.clock.Now()); d > 0 {
			w.clock.Advance(d)
		}
	}
	w.t.Fatal("the engine does not come to rest")
}

func due(j dera.Job) time.Time {
	if j.LeasedUntil.After(j.RunAt) {
		return j.LeasedUntil
	}
	return j.RunAt
}

// ours are the calls of engines to an operation, or all writes for "".
func (w *world) ours(operation string) []awssim.Call {
	var out []awssim.Call
	for _, c := range w.cloud.Calls() {
		write := c.Service == "ec2" && !strings.HasPrefix(c.Operation, "Describe") && !strings.HasPrefix(c.Operation, "Get")
		if strings.HasSuffix(c.Principal, "user/dera") && !c.DryRun && (c.Operation == operation || operation == "" && write) {
			out = append(out, c)
		}
	}
	return out
}

// sorted is the group's inbound rules in order.
func (w *world) sorted(id string) []string {
	w.t.Helper()
	out := w.ingress(id)
	slices.Sort(out)
	return out
}

const (
	sshKey = "ec2-securitygroup-admin-ports-open tcp/22"
	rdpKey = "ec2-securitygroup-admin-ports-open tcp/3389"
)

// only returns the one remediation of the group.
func (w *world) only(id string) dera.Remediation {
	w.t.Helper()
	list := w.remediations(id)
	if len(list) != 1 {
		w.t.Fatalf("got %d remediations %v, want one", len(list), states(list))
	}
	return list[0]
}

// last returns the latest remediation of the group.
func (w *world) last(id string) dera.Remediation {
	w.t.Helper()
	list := w.remediations(id)
	if len(list) == 0 {
		w.t.Fatal("got no remediation, want one")
	}
	return list[len(list)-1]
}

func states(list []dera.Remediation) []dera.State {
	var out []dera.State
	for _, r := range list {
		out = append(out, r.State)
	}
	return out
}

func person() dera.Actor {
	return dera.Actor{Name: "arn:aws:iam::" + account + ":user/ann", How: "sts"}
}

func wantState(t testing.TB, r dera.Remediation, want dera.State) {
	t.Helper()
	if r.State != want {
		var why []string
		for _, s := range r.Steps {
			why = append(why, string(s.State)+": "+s.Why)
		}
		t.Fatalf("remediation %s: got %s, want %s\n  %s", r.ID, r.State, want, strings.Join(why, "\n  "))
	}
}

// What other people do to a group.
func (w *world) authorize(id string, rules ...awssim.Rule) {
	if _, err := w.region.Authorize(w.t.Context(), id, rules...); err != nil {
		w.t.Error(err)
	}
}

func (w *world) revoke(id string, rules ...awssim.Rule) {
	if err := w.region.Revoke(w.t.Context(), id, rules...); err != nil {
		w.t.Error(err)
	}
}

func (w *world) tag(id, key, value string) {
	if err := w.region.Tag(w.t.Context(), id, map[string]string{key: value}); err != nil {
		w.t.Error(err)
	}
}

func (w *world) remove(id string) {
	creds := w.cloud.Account(account).Credentials()
	api := ec2.New(ec2.Options{
		Region: region, HTTPClient: w.cloud.HTTPClient(), BaseEndpoint: awssdk.String("https://aws.sim"),
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	if _, err := api.DeleteSecurityGroup(w.t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: awssdk.String(id)}); err != nil {
		w.t.Error(err)
	}
}

// withNeed puts a guardrail into the gate that objects once someone needs what
// the plan takes away.
func withNeed(w *world) func(*evaluate.Gate) {
	return func(g *evaluate.Gate) { g.Plan = append(g.Plan, need{&w.needed}) }
}

type need struct{ yes *atomic.Bool }

func (need) Name() string { return "in-use-by-test" }

func (n need) Check(context.Context, evaluate.Case) (dera.Reason, error) {
	if n.yes.Load() {
		return dera.Reason{Disposition: dera.Review, Why: "someone needs it by now"}, nil
	}
	return dera.Reason{Disposition: dera.Auto, Why: "nobody needs it"}, nil
}
