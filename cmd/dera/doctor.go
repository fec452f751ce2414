package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera/cloud"
	"dera.example/dera/store"
)

func newDoctorCommand(a *app) *cobra.Command {
	var queue string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Is everything in place: permissions, queue, sources, clock, log, exemptions",
		Long: "doctor looks whether dera can do its work, and says for each thing that is not in order what to do. It tries each\n" +
			"read for real, asks EC2 for a dry run and IAM for a simulation of the writes, and changes nothing.\n\n" +
			"Exit codes: 0 all good, 3 something to do, 4 something could not be told. What could not be tested without\n" +
			"changing something is said and counts for nothing.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), queue) },
	}
	cmd.Flags().StringVar(&queue, "queue", "", "URL of the SQS queue (default: the configuration's)")
	return cmd
}

// health is the outcome of one check.
type health string

const (
	healthy   health = "good"
	toDo      health = "todo"       // works, and somebody should act
	broken    health = "broken"     // does not work
	untold    health = "unknown"    // could not be told
	notTested health = "not_tested" // cannot be tested without changing something
)

// checkup is one line of the report.
type checkup struct {
	Check string `json:"check"`
	About string `json:"about,omitempty"` // which account, region, permission …
	// Account is the one that it speaks of, where it speaks of one.
	Account string `json:"account,omitempty"`
	Health  health `json:"health"`
	Says    string `json:"says"`
	Fix     string `json:"fix,omitempty"`
}

// doctorReport is what dera doctor prints with --output json.
type doctorReport struct {
	Checks  []checkup      `json:"checks"`
	Summary map[health]int `json:"summary"`
}

// examination is one run of the doctor. What it cannot open stays nil, and the
// checks that need it are left out: the reason stands in the report.
type examination struct {
	app    *app
	config fileConfig
	// queueURL is the queue of events, or "".
	queueURL string
	session  *session // the data; nil if it could not be opened
	client   *cloud.Client
	who      cloud.Identity
	account  string // that is spoken of
	report   doctorReport
}

func (a *app) doctor(ctx context.Context, queue string) (err error) {
	cfg, err := loadConfig(a.flags.config)
	if err != nil {
		return err
	}
	x := &examination{app: a, config: cfg, report: doctorReport{Checks: []checkup{}, Summary: map[health]int{}}}
	if err := x.open(ctx); err != nil {
		return err
	}
	if x.session != nil {
		defer func() { err = errors.Join(err, x.session.store.Close()) }()
		if err := x.session.recallAloud(ctx); err != nil {
			return err
		}
		x.config = x.session.config
		x.data(ctx)
	}
	x.queueURL = cmp.Or(queue, x.config.Queue)
	if x.session != nil {
		if err := x.sources(ctx); err != nil {
			x.says("sources", "", untold, err.Error(), "")
		}
	}
	if x.queueURL == "" {
		x.says("sources", "", toDo, "no queue is configured: only sweeps find things", "dera pattern prints the rules; name the queue in the configuration")
	}
	x.exemptions()
	if err := x.aws(ctx); err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(x.report); err != nil {
			return err
		}
	} else {
		a.printDoctor(x.report)
	}
	return x.report.exit()
}

// open opens the data if there are any; the doctor makes none. An error is one of
// the command line or the configuration.
func (x *examination) open(ctx context.Context) error {
	if f := x.app.flags; f.db == "" {
		if _, err := os.Stat(filepath.Join(f.data, "dera.db")); errors.Is(err, fs.ErrNotExist) {
			x.says("data", f.data, notTested, "there are none yet", "the first dera scan or dera run makes them; or name the folder with --data")
			return nil
		}
	}
	s, err := x.app.open(ctx)
	var e *exitError
	switch {
	case errors.As(err, &e):
		return err
	case store.Away(err):
		x.says("data", x.app.flags.data, broken, "the database is away: "+err.Error(),
			"bring it back: until then dera run waits, acknowledges no message and writes nothing to AWS, and goes on automatically")
	case err != nil:
		x.says("data", x.app.flags.data, broken, err.Error(), "see docs/operations.md on data, keys and backups; nothing works until it opens")
	}
	x.session = s
	return nil
}

func (x *examination) says(check, about string, h health, says, fix string) {
	x.report.Checks = append(x.report.Checks, checkup{Check: check, About: about, Account: x.account, Health: h, Says: says, Fix: fix})
	x.report.Summary[h]++
}

// exit is the exit code: what could not be told wins over what is to do.
func (r doctorReport) exit() error {
	switch {
	case r.Summary[untold] > 0:
		return &exitError{code: exitUndecided}
	case r.Summary[toDo]+r.Summary[broken] > 0:
		return &exitError{code: exitNo}
	}
	return nil
}

// aws finds out who we are, and asks AWS what only AWS knows.
func (x *examination) aws(ctx context.Context) error {
	cfg := cloud.Config{Wires: wires(), Now: x.app.now, Timeout: 20 * time.Second}
	if len(x.app.flags.regions) > 0 {
		cfg.Region = x.app.flags.regions[0]
	}
	for _, acct := range x.config.Accounts {
		cfg.Accounts = append(cfg.Accounts, cloud.Account{ID: acct.ID, RoleARN: acct.Role, ExternalID: acct.ExternalID, WriteRoleARN: acct.WriteRole})
	}
	var err error
	if x.client, err = cloud.New(ctx, cfg); err != nil {
		x.says("identity", "", broken, err.Error(), "set up AWS credentials and region (AWS_PROFILE, AWS_REGION …)")
		return ctx.Err()
	}
	if x.who, err = x.client.Identity(ctx); err != nil {
		x.says("identity", "", broken, err.Error(), "set up AWS credentials (AWS_PROFILE …), and let the host reach STS")
		x.says("permissions, queue, clock", "", untold, "they cannot be looked at before AWS knows who dera is", "")
		return ctx.Err()
	}
	x.account = x.who.Account
	x.says("identity", x.client.Region(), healthy, "dera is "+x.who.ARN, "")
	x.account = ""
	x.clock(ctx)
	x.account = queueAccount(x.queueURL)
	x.queue(ctx)
	for _, x.account = range x.accounts() {
		if x.sessions(ctx, x.account) {
			x.permissions(ctx, x.account, x.regions(ctx, x.account))
		}
	}
	x.account = ""
	return ctx.Err()
}

// accounts are those of the configuration, or the caller's own.
func (x *examination) accounts() []string {
	var out []string
	for _, a := range x.config.Accounts {
		out = append(out, a.ID)
	}
	if len(out) == 0 {
		out = []string{x.who.Account}
	}
	return out
}

// clock holds the clock against AWS's: signatures fail at five minutes, and
// leases and settled reads rest on it.
func (x *examination) clock(ctx context.Context) {
	const some, much = 10 * time.Second, 4 * time.Minute
	skew, told, err := x.client.Skew(ctx)
	if skew < 0 {
		skew = -skew
	}
	switch fix := "keep the clock by NTP"; {
	case err != nil:
		x.says("clock", "", untold, err.Error(), "")
	case !told:
		x.says("clock", "", notTested, "the answer of AWS carried no time", "")
	case skew >= much:
		x.says("clock", "", broken, fmt.Sprintf("it is %s off; AWS refuses requests at 5 minutes", skew), fix)
	case skew >= some:
		x.says("clock", "", toDo, fmt.Sprintf("it is %s off", skew), fix)
	default:
		x.says("clock", "", healthy, "it agrees with AWS's within "+(skew+time.Second).String(), "")
	}
}

// printDoctor writes the report for people.
func (a *app) printDoctor(r doctorReport) {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	for _, c := range r.Checks {
		mark, colour := "✓", "2"
		switch c.Health {
		case healthy:
		case toDo:
			mark, colour = "!", "3"
		case broken:
			mark, colour = "✗", "1"
		case untold:
			mark, colour = "?", "3"
		case notTested:
			mark, colour = "–", "8"
		}
		head := c.Check
		if c.About != "" {
			head += " " + c.About
		}
		if c.Account != "" && !strings.Contains(c.About, c.Account) {
			head += " (account " + c.Account + ")"
		}
		a.printf("%s %s\n", p.colour(colour, mark), p.bold(head))
		a.printf("%s\n", wrap(c.Says, "    ", width))
		if c.Fix != "" {
			a.printf("%s\n", wrap("→ "+c.Fix, "    ", width))
		}
	}
	s := r.Summary
	a.printf("%d good, %d to do, %d broken, %d could not be told, %d not tested\n", s[healthy], s[toDo], s[broken], s[untold], s[notTested])
}
