package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/iam/catalog"
	iampolicy "dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/policy"
	policywire "dera.example/dera/services/iam/policy/wire"
)

// everybodyQueries is a usage ledger in which every principal makes the calls of usesQuery.
type everybodyQueries struct{}

func (everybodyQueries) Used(_ context.Context, _ string, principals []string) (map[string]resource.Use, error) {
	out := map[string]resource.Use{}
	for _, p := range principals {
		out[p] = *usesQuery()
	}
	return out, nil
}

// timed measures how long the simulated AWS takes for its answers.
type timed struct {
	http.RoundTripper
	took atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (t *timed) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	res, err := t.RoundTripper.RoundTrip(r)
	t.took.Add(int64(time.Since(began)))
	return res, err
}

// BenchmarkVersion is one fix of a managed policy, from the event to the version that is in
// force and verified: read, judged, planned, proved, gated, read again, a version made and put
// in force, read again. What the simulated AWS takes for its answers is counted apart, and
// what dera waits for IAM to settle is not, since a virtual clock passes it. cold is the first
// fix of the process, which reads the catalogue.
func BenchmarkVersion(b *testing.B) {
	for _, size := range []struct {
		name     string
		services []string
	}{{"10_actions", nil}, {"as_long_as_may_be", []string{"sqs", "sns", "athena", "events", "autoscaling", "ecr", "ecs"}}} {
		b.Run(size.name, func(b *testing.B) { benchVersion(b, wideDocument(size.services)) })
	}
}

// wideDocument allows what is used and more, within IAM's 6,144 characters.
func wideDocument(services []string) string {
	actions := []string{usedAction, unusedAction, "glue:GetTable", "glue:DeleteTable", "sns:DeleteTopic", "sns:ListTopics", "ec2:StopInstances", "ec2:DescribeInstances", "sqs:ListQueues", "rds:ModifyDBInstance"}
	for _, s := range services {
		known, _ := catalog.Embedded().Expand(s + ":*")
		actions = append(actions, known...)
	}
	for len(bucketPolicy(permits("Wide", actions...))) > iampolicy.Identity.SizeLimit() {
		actions = actions[:len(actions)-1]
	}
	return bucketPolicy(permits("Wide", actions...))
}

func benchVersion(b *testing.B, document string) {
	aws := &timed{}
	w := &world{t: b, dir: b.TempDir(), clock: newClock(), mode: dera.Enforce}
	// What is made is older than the record of use.
	w.cloud = awssim.New(awssim.Config{Now: func() time.Time { return w.clock.Now().AddDate(0, 0, -200) }, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	w.gate = func(g *evaluate.Gate) { g.Plan = g.Plan[:3] }
	w.config = func(c *engine.Config) {
		client := w.clientOf(func(c *cloud.Config) {
			aws.RoundTripper = w.cloud.Transport()
			c.Wires, c.Ports, c.HTTPClient = []cloud.Wire{policywire.Wire()}, map[string]any{resource.PortLedger: everybodyQueries{}}, &http.Client{Transport: aws}
		})
		c.Reader, c.Cloud, c.Controls = reader{client}, writer{client}, rulebook(policy.Name)
		c.BudgetPerHour, c.Tell = 1<<30, func(engine.News) {}
	}
	w.open("engine-1")
	does := func(operation string, parameters map[string]string) {
		if err := w.region.IAM(b.Context(), operation, parameters); err != nil {
			b.Fatal(err)
		}
	}
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	n := 0
	one := func() (own, theirs, busy time.Duration) {
		n++
		id := fmt.Sprintf("policy-%d", n)
		arn := policy.ARNOf("aws", account, id)
		does("CreateRole", map[string]string{"RoleName": id, "AssumeRolePolicyDocument": trust})
		does("CreatePolicy", map[string]string{"PolicyName": id, "PolicyDocument": document})
		does("AttachRolePolicy", map[string]string{"RoleName": id, "PolicyArn": string(arn)})
		w.clock.Advance(time.Minute)
		aws.took.Store(0)
		began, start := cpu(), time.Now()
		w.ingest(dera.Event{Source: "test", ID: id, Name: "CreatePolicyVersion", Time: w.clock.Now(), Scope: dera.Scope{Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: policy.Name, IDs: []string{id}}})
		w.drain()
		wall := time.Since(start)
		busy, theirs = cpu()-began, time.Duration(aws.took.Load())
		wantState(b, w.last(id), dera.Resolved)
		p, ok := w.cloud.Snapshot().Policy(string(arn))
		if !ok || len(p.Versions) != 2 || strings.Contains(p.InForce, unusedAction) || !strings.Contains(p.InForce, usedAction) {
			b.Fatalf("in force: got %s", p.InForce)
		}
		return wall - theirs, theirs, busy
	}
	cold, _, _ := one()
	var own, theirs, busy time.Duration
	for b.Loop() {
		o, t, c := one()
		own, theirs, busy = own+o, theirs+t, busy+c
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(ms(own), "dera-ms/fix")
	b.ReportMetric(ms(theirs), "aws-ms/fix")
	b.ReportMetric(ms(busy), "cpu-ms/fix")
	b.ReportMetric(float64(cold.Microseconds())/1000, "cold-dera-ms")
}
