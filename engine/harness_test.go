package engine_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
	groupwire "dera.example/dera/services/ec2/securitygroup/wire"
	accountwire "dera.example/dera/services/s3/account/wire"
	bucketwire "dera.example/dera/services/s3/bucket/wire"
	"dera.example/dera/store"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
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
	t       testing.TB
	dir     string
	clock   *clock
	cloud   *awssim.Cloud
	region  *awssim.Region
	store   *store.Store
	engine  *engine.Engine
	mode    dera.Mode
	gate    func(*evaluate.Gate)
	config  func(*engine.Config)
	timeout time.Duration
	url     string // of the database; "" for SQLite in dir
	// step is called at each step of an engine on the store, and around each of
	// its calls; an error from it is the network's.
	step func(name string) error
	// needed makes the guardrail of withNeed object.
	needed atomic.Bool

	mu    sync.Mutex
	ids   int
	calls []cloud.Call
	news  []engine.News
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(*world) {})
}

// newWorldWith lets set change the world before its engine opens.
func newWorldWith(t *testing.T, set func(*world)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: newClock(), mode: dera.Enforce}
	w.cloud = awssim.New(awssim.Config{Now: w.clock.Now, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	set(w)
	w.open("engine-1")
	return w
}

// reader adapts package cloud to the ports of the stages.
type reader struct{ *cloud.Client }

func (r reader) Read(ctx context.Context, s dera.Scope, full bool) (detect.Page, error) {
	p, err := r.Client.Read(ctx, s, full)
	return detect.Page(p), err
}

func (r reader) Complete(ctx context.Context, s dera.Scope, quick []dera.Resource) (detect.Page, error) {
	p, err := r.Client.Complete(ctx, s, quick)
	return detect.Page(p), err
}

// wires are the resource types.
func wires() []cloud.Wire {
	return []cloud.Wire{groupwire.Wire(), accountwire.Wire(), bucketwire.Wire()}
}

type writer struct{ *cloud.Client }

func (w writer) Read(ctx context.Context, p dera.Plan) (dera.Resource, bool, error) {
	page, err := w.Client.ReadAgain(ctx, dera.Scope{Partition: p.Partition, Account: p.Account, Region: p.Region, Type: p.Type, IDs: []string{p.Resource.Name()}})
	if err != nil || len(page.Resources) == 0 {
		return dera.Resource{}, false, err
	}
	return page.Resources[0], true, nil
}

// open starts an engine on the world's store, as a process would.
func (w *world) open(owner string) {
	w.t.Helper()
	w.store = w.openStore(func() time.Time {
		_ = w.at(stepStore) // it cannot fail here; it can be the last one
		return w.clock.Now()
	})
	w.engine = w.newEngine(owner, w.store)
}

func (w *world) openStore(now func() time.Time) *store.Store {
	w.t.Helper()
	vault, err := audit.LoadVault(w.dir, nil)
	if err != nil {
		if vault, err = audit.CreateVault(w.dir, nil); err != nil {
			w.t.Fatal(err)
		}
	}
	s, err := store.Open(w.t.Context(), store.Config{URL: cmp.Or(w.url, "sqlite:"+filepath.Join(w.dir, "dera.db")), Sealer: vault, Now: now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

// The steps of an engine: the store asks for the time in each transaction and at
// some reads, and a call is one step before its effect and one after.
const (
	stepStore = "store"
	stepCall  = "call"
)

func (w *world) at(step string) error {
	if w.step == nil {
		return nil
	}
	return w.step(step)
}

// RoundTrip takes a call of an engine to the simulation.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := w.at(stepCall); err != nil {
		return nil, err
	}
	res, err := w.cloud.Transport().RoundTrip(r)
	if died := w.at(stepCall); died != nil {
		return nil, died
	}
	return res, err
}

func (w *world) client() *cloud.Client {
	w.t.Helper()
	return w.clientOf(func(*cloud.Config) {})
}

// clientOf lets set change what the client is made of.
func (w *world) clientOf(set func(*cloud.Config)) *cloud.Client {
	w.t.Helper()
	creds := w.cloud.Account(account).AddUser("dera", "*")
	cfg := cloud.Config{
		Wires: wires(), Region: region, HTTPClient: &http.Client{Transport: w}, Now: w.clock.Now, Endpoint: "https://127.0.0.1", Timeout: w.timeout,
		Credentials: awssdk.CredentialsProvider(credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "")),
		Observe: func(c cloud.Call) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.calls = append(w.calls, c)
		},
	}
	set(&cfg)
	client, err := cloud.New(w.t.Context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

func (w *world) newEngine(owner string, s *store.Store) *engine.Engine {
	w.t.Helper()
	gate := evaluate.Gate{
		Finding: []evaluate.Guardrail{evaluate.Mode{}, evaluate.Stopped{Ledger: s}, evaluate.Bastion{}, evaluate.RolledBackBefore{}, evaluate.FailedBefore{Now: w.clock.Now}, evaluate.Overwritten{}},
		Plan:    []evaluate.Guardrail{evaluate.Reversible{}, evaluate.Proved{}, evaluate.InUse{Now: w.clock.Now}, evaluate.Budget{Ledger: s, Now: w.clock.Now}},
	}
	if w.gate != nil {
		w.gate(&gate)
	}
	client := w.client()
	cfg := engine.Config{
		Types: services.Types(),
		Store: s, Reader: reader{client}, Cloud: writer{client}, Controls: rulebook(securitygroup.Name), Gate: gate,
		Settings: alone(), Accounts: []dera.Account{{ID: account, Partition: "aws"}}, Regions: []string{region},
		Mode: func(dera.Account, string) dera.Mode { return w.mode }, Actor: dera.Actor{Name: "dera", How: "engine"},
		Owner: owner, Now: w.clock.Now, Wait: w.clock.Wait, LeaseTTL: time.Minute, NewID: func() string { return w.newID(owner) },
		Tell: func(n engine.News) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.news = append(w.news, n)
		},
	}
	if w.config != nil {
		w.config(&cfg)
	}
	e, err := engine.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *world) newID(owner string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("r-%s-%03d", owner, w.ids)
}

// alone keeps no private access beside a rule: a plan has as few changes as can
// be. TestPrivateAccessStays is about what is kept by default.
func alone() control.Settings {
	return control.Settings{KeepInternal: control.Internal{Choice: control.KeepNone}}
}
