package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
	"dera.example/dera/services"
	"dera.example/dera/store"
	ledger "dera.example/dera/usage"
)

// session is everything that a command needs that works with the store.
type session struct {
	app *cli
	// blind says that the configuration in force could not be read.
	blind    bool
	named    flags // as the command line gave them, before anything was recalled
	config   fileConfig
	settings control.Settings
	store    *store.Store
	log      engine.Log
	vault    store.Sealer
	keys     string     // folder of the keys
	only     app.Filter // what a scan reports and carries out
	queueURL string     // of the flag; the configuration's if empty

	mu      sync.Mutex // of what several goroutines say and set
	carried bool       // something was carried out

	ownOnce  sync.Once
	ownKnown dera.Principals // what own returns

	// Set by connect.
	client    *cloud.Client
	identity  cloud.Identity
	accounts  []dera.Account
	regions   []string
	engine    *engine.Engine
	lines     *lines // of dera run --output json
	limits    *cloud.Limits
	owner     string                  // the name of this process in leases
	receipts  int                     // how often a message of the queue is received before it is dead; 0 where that is not known
	listener  *listener               // of dera run, where it listens
	onConsole func(base string) error // hears where the console is, instead of the person; nil for the person
	anchoring *engine.Anchoring       // signs the audit log and anchors it
}

// mode is the mode in force for a control in an account.
func (s *session) mode(a dera.Account, ctl string) dera.Mode {
	return s.config.modeFor(s.app.flags.mode)(a, ctl)
}

// logOrigin names the audit log in its checkpoints.
const logOrigin = "dera/audit"

// open reads the configuration, makes the data folder if need be, and opens the
// store. It makes no network call.
func (a *cli) open(ctx context.Context) (*session, error) {
	cfg, err := loadConfig(a.flags.config)
	if err != nil {
		return nil, a.named("config", err)
	}
	s := &session{app: a, named: a.flags, config: cfg, keys: filepath.Join(a.flags.data, "keys")}
	if a.from["mode"] != "" {
		s.named.mode = "" // a variable is not remembered: nobody named it for this command
	}
	if s.settings, err = cfg.settings(); err != nil {
		return nil, usage("%w", err)
	}
	a.uses(append([]string{cfg.Exemptions}, cfg.FlowLogs...)...)
	if err := os.MkdirAll(s.keys, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if err := othersRead(a.flags.data); err != nil {
		a.note("dera: warning: %v\n", err)
	}
	vault, err := s.sealer(ctx)
	if err != nil {
		return nil, &keysError{err}
	}
	s.vault = vault
	key, err := s.signer(ctx)
	if err != nil {
		return nil, &keysError{err}
	}
	a.agreeing()
	if s.store, err = store.Open(ctx, store.Config{URL: a.database(), Sealer: vault, Now: a.now}); err != nil {
		return nil, a.named("db", err)
	}
	s.log = engine.Log{Store: s.store, Key: key, PublicKey: key.PublicKey(), Now: a.now}
	if err := s.log.Check(ctx); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	return s, nil
}

// close signs what was recorded and closes the store.
func (s *session) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	_, err := s.log.Sign(ctx)
	if errors.Is(err, audit.ErrSigner) { // what is recorded is signed by the next who can
		s.app.alert("dera: warning: %s; what was recorded is not signed yet\n", plainError(ctx, err))
		err = nil
	} else if err == nil && s.anchoring != nil {
		if err := s.anchoring.Anchor(ctx); err != nil { // it is signed; the next anchor has it
			s.app.alert("dera: warning: %v\n", err)
		}
	}
	return errors.Join(err, s.store.Close())
}

// options change what connect makes, for the demo.
type options struct {
	client      *http.Client
	credentials aws.CredentialsProvider
	endpoint    string
	accounts    []accountConfig
	controls    []string // globs
	region      string
	tell        func(engine.News)
	log         *slog.Logger
	settle      time.Duration
	owner       string
	later       bool // a call whose turn is far off comes later, since nobody waits for it
}

// connect finds out who we are on AWS and puts the engine together.
func (s *session) connect(ctx context.Context, o options) error {
	if o.accounts != nil {
		s.config.Accounts = o.accounts
	}
	if o.controls != nil {
		s.config.Controls = o.controls
	}
	cfg := cloud.Config{Wires: wires(), HTTPClient: o.client, Credentials: o.credentials, Endpoint: o.endpoint, Accounts: s.config.cloudAccounts(), Now: s.app.now, Region: o.region, Profile: s.app.flags.profile}
	if o.log == nil {
		o.log = s.app.askedLog()
	}
	cfg.Observe = s.app.meter.observing(calls(o.log))
	err := s.app.clock.agree(ctx, s.store, o.log)
	if err != nil && !databaseAway(err) { // a command takes no lease by a time that the others do not have
		return err
	}
	wait := patiencePeople
	if o.later {
		wait = patience
	}
	if s.limits, err = s.config.AWS.limits(wait); err != nil {
		return usage("aws: %w", err)
	}
	cfg.Limits = s.limits
	cfg.Ports = map[string]any{resource.PortChanges: ownChanges{s.store, s.app.now}, resource.PortStages: ownStages{s.store, s.app.now, s.watchDays()}, resource.PortIncidents: incidents{s.store}, resource.PortAccess: accesses{s.store, s.app.now}, resource.PortThreats: &threats{s: s}, resource.PortLedger: usedBy{ledger.New(s.store, s.app.now), s.app.now, s.config.Permissions.window()}}
	if len(s.app.flags.regions) > 0 {
		cfg.Region = s.app.flags.regions[0]
	}
	if s.client, err = cloud.New(ctx, cfg); err != nil {
		return orProfile(err)
	}
	if err := s.config.validateRegions(s.app.source("region"), s.app.flags.regions); err != nil {
		return err
	}
	if err := s.config.validateRegions("AWS_REGION", []string{s.client.Region()}); err != nil {
		return err
	}
	if s.identity, err = s.client.Identity(ctx); err != nil {
		return fmt.Errorf("identify the AWS caller: %w", err)
	}
	partition := dera.PartitionOf(s.client.Region()).ID
	for _, a := range s.config.accounts() {
		a.Partition = partition
		s.accounts = append(s.accounts, a)
	}
	if len(s.accounts) == 0 {
		s.accounts = []dera.Account{{ID: s.identity.Account, Partition: partition}}
	}
	if err := s.chooseRegions(ctx); err != nil {
		return err
	}
	if err := s.anchored(ctx, o.log); err != nil {
		return err
	}
	return s.wire(o)
}

// whoAmI asks STS who gives an order, within a few seconds.
func (s *session) whoAmI(ctx context.Context) (dera.Actor, error) {
	client, err := cloud.New(ctx, cloud.Config{Timeout: 5 * time.Second, Profile: s.app.flags.profile})
	if err != nil {
		return dera.Actor{}, err
	}
	id, err := client.Identity(ctx)
	return dera.Actor{Name: id.ARN, How: "sts"}, err
}

// chooseRegions: the flag wins over the configuration, that over the default.
func (s *session) chooseRegions(ctx context.Context) error {
	switch {
	case s.app.flags.allRegions:
		var errs []error
		for _, a := range s.accounts { // the first that can be read: one that cannot must not stop the others
			regions, err := s.client.Regions(ctx, a.ID)
			if err == nil {
				s.regions = regions
				return nil
			}
			errs = append(errs, err)
		}
		return fmt.Errorf("list regions: %w", errors.Join(errs...))
	case len(s.app.flags.regions) > 0:
		s.regions = s.app.flags.regions
	case len(s.config.Regions) > 0:
		s.regions = s.config.Regions
	default:
		s.regions = []string{s.client.Region()}
	}
	return nil
}

// wire puts the engine together.
func (s *session) wire(o options) error {
	gate, err := s.gate()
	if err != nil {
		return err
	}
	owner := o.owner
	if owner == "" {
		host, _ := os.Hostname() // a name for people; the process ID and time make it unique
		owner = fmt.Sprintf("%s/%d/%d", host, os.Getpid(), s.app.now().UnixNano())
	}
	s.owner = owner
	settle := time.Duration(s.config.Settle)
	if o.settle != 0 {
		settle = o.settle
	}
	var from detect.Reader = reader{s.client}
	if s.lines != nil {
		from = watching{reader{s.client}, s.lines}
	}
	cfg := engine.Config{
		Types: services.Types(),
		Store: s.store, Reader: from, Cloud: changer{s.client}, Custom: s.client, Anchor: s.beforeWrites(), Controls: s.config.controls(), Settings: s.settings,
		Gate: gate, Owners: evaluate.Owners{Tags: s.config.OwnerTags}, Own: s.ownPrincipals(), Flapping: s.flapping(), Accounts: s.accounts, Regions: s.regions, Mode: s.mode,
		Actor: dera.Actor{Name: s.identity.ARN, How: "engine"}, Owner: owner, Others: s.others, Tags: s.config.Tagging.tags(evaluate.Owners{Tags: s.config.OwnerTags}, s.config.Instance),
		BudgetPerHour: budget(s.config.Budget), BudgetEverywhere: budget(s.config.BudgetAll), ApprovalTTL: time.Duration(s.config.Approval), AccessMost: s.config.Access.most(), CenterNames: s.config.Console.OIDC.CenterNames, Workers: s.config.Workers,
		Settle: settle, Now: s.app.now, Log: o.log, Tell: o.tell, Unread: app.KeptUnread,
	}
	if s.app.hurry != nil {
		s.app.hurry(&cfg)
	}
	s.engine, err = engine.New(cfg)
	return err
}
