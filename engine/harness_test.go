package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera"
	"dera/audit"
	"dera/awssim"
	"dera/cloud/aws"
	"dera/control"
	"dera/controls"
	"dera/detect"
	"dera/engine"
	"dera/evaluate"
	"dera/resource"
	"dera/store"
)

const (
	account = "111122223333"
	region  = "us-east-1"
)

// clock is the virtual time of a test; waiting moves it.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.Advance(d)
	return ctx.Err()
}

// world is a simulated AWS with an engine on it.
type world struct {
	t      *testing.T
	dir    string
	clock  *clock
	cloud  *awssim.Cloud
	region *awssim.Region
	store  *store.Store
	engine *engine.Engine
	mode   dera.Mode
	gate   func(*evaluate.Gate)
	ids    int
	config func(*engine.Config)
	calls  []aws.Call
	mu     sync.Mutex
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: newClock(), mode: dera.Enforce}
	w.cloud = awssim.New(awssim.Config{Now: w.clock.Now, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	w.open("engine-1")
	return w
}

// reader adapts cloud/aws to the ports of the stages.
type reader struct{ *aws.Client }

func (r reader) Read(ctx context.Context, s dera.Scope, full bool) (detect.Page, error) {
	p, err := r.Client.Read(ctx, s, full)
	return detect.Page(p), err
}

type writer struct{ *aws.Client }

func (w writer) Read(ctx context.Context, p dera.Plan) (dera.Resource, bool, error) {
	page, err := w.Client.Read(ctx, dera.Scope{Partition: p.Partition, Account: p.Account, Region: p.Region, Type: p.Type, IDs: []string{p.Resource.Name()}}, true)
	if err != nil || len(page.Resources) == 0 {
		return dera.Resource{}, false, err
	}
	return page.Resources[0], true, nil
}

func (w writer) Do(ctx context.Context, p dera.Plan, op resource.Operation, allowed func(context.Context) error) error {
	return w.Client.Do(ctx, p, op, allowed)
}

// open starts an engine on the world's store, as a process would.
func (w *world) open(owner string) {
	w.t.Helper()
	ctx := w.t.Context()
	vault, err := audit.LoadVault(w.dir, nil)
	if err != nil {
		if vault, err = audit.CreateVault(w.dir, nil); err != nil {
			w.t.Fatal(err)
		}
	}
	w.store, err = store.Open(ctx, store.Config{URL: "sqlite:" + filepath.Join(w.dir, "dera.db"), Sealer: vault, Now: w.clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.store.Close() })
	creds := w.cloud.Account(account).Credentials()
	client, err := aws.New(ctx, aws.Config{
		Region: region, HTTPClient: w.cloud.HTTPClient(), Now: w.clock.Now, Endpoint: "https://aws.sim",
		Credentials: awssdk.CredentialsProvider(credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "")),
		Observe: func(c aws.Call) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.calls = append(w.calls, c)
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	gate := evaluate.Gate{
		Finding: []evaluate.Guardrail{evaluate.Mode{}, evaluate.Stopped{Ledger: w.store}, evaluate.Bastion{}, evaluate.RolledBackBefore{}, evaluate.FailedBefore{Now: w.clock.Now}},
		Plan:    []evaluate.Guardrail{evaluate.Reversible{}, evaluate.Proved{}, evaluate.InUse{Now: w.clock.Now}, evaluate.Budget{Ledger: w.store, Now: w.clock.Now}},
	}
	if w.gate != nil {
		w.gate(&gate)
	}
	cfg := engine.Config{
		Store: w.store, Reader: reader{client}, Cloud: writer{client}, Controls: controls.All(), Gate: gate,
		Settings: control.Settings{}, Accounts: []dera.Account{{ID: account, Partition: "aws"}}, Regions: []string{region},
		Mode: func(dera.Account, string) dera.Mode { return w.mode }, Actor: dera.Actor{Name: "dera", How: "engine"},
		Owner: owner, Now: w.clock.Now, Wait: w.clock.Wait, LeaseTTL: time.Minute,
		NewID: func() string { w.ids++; return fmt.Sprintf("r-%s-%d", owner, w.ids) },
	}
	if w.config != nil {
		w.config(&cfg)
	}
	if w.engine, err = engine.New(cfg); err != nil {
		w.t.Fatal(err)
	}
}

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
