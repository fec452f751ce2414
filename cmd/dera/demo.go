package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
)

func newDemoCommand(a *cli) *cobra.Command {
	var exit bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole loop on a simulated AWS: nothing to set up",
		Long: "demo starts a simulated organisation of three accounts in this process, creates misconfigurations, and runs\n" +
			"the real engine on them: events, decisions with their reasons, the diff of every change, a rollback, and the\n" +
			"verification of the audit log. It makes no network call.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), exit) },
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "exit at the end; otherwise the loop goes on with new misconfigurations until Ctrl-C")
	return cmd
}

const demoRegion = "us-east-1"

func (a *cli) demo(ctx context.Context, exit bool) (err error) {
	dir, err := os.MkdirTemp("", "dera-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demo{cli: a, dir: dir, out: a.out, paint: newPaint(a.out), settled: make(chan struct{}, 1)}
	if a.json() {
		d.out = io.Discard
	}
	d.say("simulated AWS: an organisation of three accounts in this process; no AWS account is touched")
	if !exit && !a.json() {
		a.consoleOn = "127.0.0.1:0"
	}
	if err := d.begin(ctx); err != nil {
		return err
	}
	d.session.onConsole = d.showConsole
	defer func() { err = errors.Join(err, d.session.close(ctx)) }()
	return d.play(ctx, exit)
}

// demo is one performance.
type demo struct {
	*cli
	dir     string
	out     io.Writer
	paint   paint
	world   *demoWorld
	session *session
	groups  map[string]string // name → group ID

	mu      sync.Mutex
	settled chan struct{}
}

func (d *demo) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	width, tty := terminal(d.out)
	for line := range strings.Lines(text + "\n") {
		line = strings.TrimSuffix(line, "\n")
		if tty {
			indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
			line = wrap(line, indent, width)
		}
		fmt.Fprintln(d.out, line)
	}
}

// begin sets up the organisation and the engine: hub credentials, a role in each
// member account, a queue of events.
func (d *demo) begin(ctx context.Context) error {
	var err error
	if d.world, err = newDemoWorld(ctx, d.now); err != nil {
		return err
	}
	d.groups = map[string]string{}
	// The exempted group exists before, so that the list can name it.
	legacy := demoCases()[5]
	id, err := d.region(legacy.account).CreateSecurityGroup(ctx, legacy.name)
	if err != nil {
		return err
	}
	d.groups[legacy.name] = id
	list := filepath.Join(d.dir, "exemptions.yaml")
	text := fmt.Sprintf(demoExemptions, id, d.now().AddDate(0, 3, 0).UTC().Format(time.DateOnly))
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		return err
	}
	config := filepath.Join(d.dir, "config.yaml")
	if err := os.WriteFile(config, []byte(demoConfig), 0o600); err != nil {
		return err
	}
	d.flags.data, d.flags.db, d.flags.config, d.flags.mode, d.flags.exemptions = filepath.Join(d.dir, "data"), "", config, "enforce", list
	d.flags.noExemptions, d.flags.regions, d.flags.allRegions, d.flags.profile = false, nil, false, ""
	d.flags.quiet = true // the demo itself says what there is to say
	if d.session, err = d.open(ctx); err != nil {
		return err
	}
	if err := d.recordHistory(ctx); err != nil {
		return err
	}
	c := d.world.hub.Credentials()
	return d.session.connect(ctx, options{
		client: d.world.cloud.HTTPClient(), endpoint: "https://127.0.0.1", region: demoRegion,
		credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, ""),
		accounts:    d.world.accts, controls: shown(), tell: d.tell, settle: 50 * time.Millisecond, owner: "demo",
	})
}

func (d *demo) region(account int) *awssim.Region {
	return d.world.cloud.Account(d.world.accts[account].ID).Region(demoRegion)
}

// tell shows findings, decisions and changes as they happen.
func (d *demo) tell(n engine.News) {
	p := d.paint
	switch {
	case n.What == "finding" && n.Finding.State == dera.FindingOpen && n.Finding.Control != "ec2-securitygroup-default-group-rules" && n.Finding.FirstSeen.Equal(n.Finding.LastSeen):
		f := n.Finding
		d.say("  %s %s  %s %s", p.severity(f.Severity), p.disposition(f.Disposition), f.Title, p.faint(app.ResourceText(*f)))
		for _, r := range app.Decisive(*f) {
			d.say("      %s", p.faint(r.Guardrail+": "+r.Why))
		}
	case n.What == "remediation" && n.Remediation.State == dera.Applying:
		for _, line := range n.Remediation.Plan.Diff() {
			d.say("      %s", p.diff(line))
		}
	case n.What == "remediation" && n.Remediation.State.Final() && n.Remediation.State != dera.Superseded:
		r := n.Remediation
		if r.Recorded != "" && r.State == dera.Resolved {
			d.say("      recorded: %s", r.Recorded)
			d.say("      denied now: %s", d.denied(r))
		}
		d.say("      %s %s: %s", p.state(r.State), r.ID, r.Steps[len(r.Steps)-1].Why)
	}
	if n.What == "job" && n.Err != nil {
		d.say("      %s", p.colour("1", n.Err.Error()))
	}
}

func (d *demo) play(ctx context.Context, exit bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var loop sync.WaitGroup
	errs := make(chan error, 1)
	loop.Go(func() { errs <- d.session.serve(ctx, d.world.queue, time.Hour, newDiscardLog()) })
	defer loop.Wait()
	defer stop()
	d.say("\n%s what exists already: a website prevents the account-level block in one account; another account loses nothing by it", d.paint.bold("first sweep"))
	if err := d.quiet(ctx); err != nil {
		return err
	}
	for _, c := range demoCases() {
		if err := d.appear(ctx, c); err != nil {
			return err
		}
	}
	if err := d.quiet(ctx); err != nil {
		return err
	}
	rolledBack, err := d.rollBack(ctx)
	if err != nil {
		return err
	}
	if err := d.quiet(ctx); err != nil {
		return err
	}
	if !exit && !d.json() {
		d.say("\n%s the loop goes on: every 5 s someone opens a port; Ctrl-C ends it", d.paint.bold("live"))
		d.goOn(ctx)
	}
	stop()
	loop.Wait()
	if err := <-errs; err != nil {
		return err
	}
	return d.finish(context.WithoutCancel(ctx), rolledBack)
}

// showConsole says how to look at it in a browser, as the person who runs the demo.
func (d *demo) showConsole(base string) error {
	link, err := d.session.consoleLinkTo(base, dera.Actor{Name: d.session.person().Name, How: engine.HowConsole})
	d.say("\n%s %s", d.paint.bold("console"), link)
	return err
}

// appear makes the misconfiguration through the simulated API, as a person would.
func (d *demo) appear(ctx context.Context, c demoCase) error {
	acct := d.world.accts[c.account]
	d.say("\n%s %s %s", d.paint.bold(acct.Name+"/"+c.name), d.paint.faint("account "+acct.ID), c.story)
	if c.bucket != nil {
		if err := c.bucket.make(ctx, d.region(c.account), c.name); err != nil {
			return err
		}
		return d.quiet(ctx)
	}
	if c.trusts != "" {
		if err := (demoRole{name: c.name}).trust(ctx, d.region(c.account), c.trusts); err != nil {
			return err
		}
		return d.quiet(ctx)
	}
	id := d.groups[c.name]
	if id == "" {
		var err error
		if id, err = d.region(c.account).CreateSecurityGroup(ctx, c.name); err != nil {
			return err
		}
		d.groups[c.name] = id
		if _, err := d.world.cloud.Account(acct.ID).Region(demoRegion).AttachInterface("198.51.100.7", id); err != nil {
			return err
		}
	}
	if _, err := d.region(c.account).Authorize(ctx, id, c.rules...); err != nil {
		return err
	}
	return d.quiet(ctx)
}

// quiet waits until every event is taken and no job is due.
func (d *demo) quiet(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	calm := 0
	for calm < 3 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		jobs, err := d.session.store.Jobs(ctx)
		if err != nil {
			return err
		}
		busy := false
		for _, j := range jobs {
			busy = busy || !j.RunAt.After(d.now()) || j.LeasedUntil.After(d.now())
		}
		for _, q := range d.world.cloud.Snapshot().Queues {
			busy = busy || len(q.Bodies) > 0
		}
		calm++
		if busy {
			calm = 0
		}
	}
	return nil
}

// denied is a request that the fix denies, as its evidence shows.
func (d *demo) denied(r *dera.Remediation) string {
	blob, err := d.session.store.Evidence(context.Background(), r.Evidence)
	var ev dera.Evidence
	if err = errors.Join(err, json.Unmarshal(blob, &ev)); err != nil {
		return err.Error()
	}
	return ev.Denied
}

// rollBack takes two fixes back, as a person does who needs what they closed.
func (d *demo) rollBack(ctx context.Context) ([]string, error) {
	list, err := d.session.store.RemediationsIn(ctx, dera.Resolved)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, one := range []struct{ resource, why string }{
		{d.groups["checkout"], "the shop needs it open after all; next time a person is asked"},
		{overPermissioned, "a yearly report needs more; the earlier version of the policy is in force again"},
	} {
		i := slices.IndexFunc(list, func(r dera.Remediation) bool { return r.Plan.Resource.Name() == one.resource })
		if i < 0 {
			return nil, fmt.Errorf("there is nothing to roll back: the fix of %s was not made", one.resource)
		}
		d.say("\n%s %s", d.paint.bold("dera rollback "+list[i].ID), one.why)
		done, err := d.session.engine.Rollback(ctx, list[i].ID, remediate.Request{By: d.session.person(), Reason: "needed for an incident"})
		if err != nil {
			return nil, err
		}
		if done.State != dera.RolledBack {
			return nil, fmt.Errorf("the rollback ended as %s: %s", done.State, done.Failure)
		}
		ids = append(ids, done.ID)
	}
	return ids, nil
}

// goOn opens a port every few seconds until the person has seen enough.
func (d *demo) goOn(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c := demoCase{account: n % 3, name: fmt.Sprintf("drift-%d", n), story: "someone opens a port", rules: []awssim.Rule{open([]int{22, 3389, 8080}[n%3], []int{25, 3389, 8080}[n%3], "0.0.0.0/0", "")}}
		if err := d.appear(ctx, c); err != nil && ctx.Err() == nil {
			d.say("%v", err)
		}
	}
}

// demoReport is what dera demo prints with --output json.
type demoReport struct {
	Backend      string         `json:"backend"`
	Dispositions map[string]int `json:"dispositions"`
	States       map[string]int `json:"remediation_states"`
	RolledBack   []string       `json:"rolled_back"`
	LogRecords   int64          `json:"log_records"`
	LogVerified  bool           `json:"log_verified"`
}

// finish exports the log, verifies it with nothing but the folder and the public
// key, and sums up.
func (d *demo) finish(ctx context.Context, rolledBack []string) error {
	out := filepath.Join(d.dir, "export")
	signed, err := d.session.log.Sign(ctx)
	if err != nil {
		return err
	}
	if _, err := audit.Export(ctx, d.session.store, audit.ExportConfig{Dir: out, Checkpoint: signed, PublicKey: d.session.log.PublicKey}); err != nil {
		return err
	}
	v, err := audit.Verify(ctx, os.DirFS(out), audit.VerifyConfig{PublicKey: d.session.log.PublicKey, Now: d.now})
	if err != nil {
		return err
	}
	r := demoReport{Backend: "simulated AWS", Dispositions: map[string]int{}, States: map[string]int{}, RolledBack: rolledBack, LogRecords: v.Good, LogVerified: v.OK()}
	findings, err := d.session.store.Findings(ctx)
	if err != nil {
		return err
	}
	judged := 0
	for _, f := range findings {
		if f.Key == control.UnknownKey && f.State == dera.FindingResolved {
			continue // two reads differed for a moment, and the next look judged
		}
		judged++
		r.Dispositions[f.Disposition.String()]++
	}
	list, err := d.session.store.Remediations(ctx)
	if err != nil {
		return err
	}
	for _, rem := range list {
		r.States[string(rem.State)]++
	}
	d.say("\n%s %s", d.paint.bold("Audit log"), v)
	d.say("%s %d findings: %d auto, %d review, %d alert, %d exempt; remediations: %s", d.paint.bold("summary"), judged,
		r.Dispositions["auto"], r.Dispositions["review"], r.Dispositions["alert"], r.Dispositions["exempt"], counts(r.States))
	if d.json() {
		if err := d.printJSON(r); err != nil {
			return err
		}
	}
	if !v.OK() {
		return &exitError{code: exitNo}
	}
	return nil
}

func counts(m map[string]int) string {
	var parts []string
	for _, s := range []dera.State{dera.Resolved, dera.RolledBack, dera.Waiting, dera.Superseded, dera.Failed, dera.UndoFailed, dera.Collateral} {
		if n := m[string(s)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(s), "_", " ")))
		}
	}
	return strings.Join(parts, ", ")
}
