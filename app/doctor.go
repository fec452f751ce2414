package app

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"dera.example/dera/audit"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/evaluate"
	"dera.example/dera/store"
)

// Health is the outcome of one check.
type Health string

// What a check comes to.
const (
	Healthy   Health = "good"
	ToDo      Health = "todo"       // works, and someone should act
	Broken    Health = "broken"     // does not work
	Unchecked Health = "unknown"    // could not be checked
	NotTested Health = "not_tested" // cannot be tested without changing something
)

// Check is one line of the report.
type Check struct {
	Check string `json:"check"`
	About string `json:"about,omitempty"` // which account, region, permission …
	// Account is the one that it speaks of, where it speaks of one.
	Account string `json:"account,omitempty"`
	Health  Health `json:"health"`
	Says    string `json:"says"`
	Fix     string `json:"fix,omitempty"`
}

// Diagnosis is what dera doctor prints with --output json.
type Diagnosis struct {
	Checks  []Check        `json:"checks"`
	Summary map[Health]int `json:"summary"`
	// Canary is how the canary went, where one was asked for.
	Canary *CanaryReport `json:"canary,omitempty"`
}

// Doctor looks whether everything is in place, and changes nothing. What is not
// there is left out: the reason stands in the report.
type Doctor struct {
	Now func() time.Time

	// Folder is that of the data, FolderOpen why others can read it, or nil.
	Folder     string
	FolderOpen error
	// Store is nil where there are no data, or they do not open.
	Store     *store.Store
	PublicKey string // of the audit log
	// Keys says where its keys are, and whether they answer.
	Keys []Check
	// Anchored says that the configuration has anchors, which keep checkpoints outside; Anchors are
	// those, where AWS can be asked.
	Anchored bool
	Anchors  []audit.Anchor
	// UnderWay are the remediations that are half-done.
	UnderWay func(context.Context) ([]UnderWay, error)

	// Cloud is nil where CloudError says why.
	Cloud      *cloud.Client
	CloudError error
	// Accounts are those of the configuration; none means the caller's own.
	Accounts []cloud.Account
	// Regions are those to cover; none means the client's own.
	Regions    []string
	AllRegions bool
	// Queue is the URL of the queue of events, or "", and QueueAccount its account.
	Queue, QueueAccount string
	Trusted             bool // the configuration says that the queue is ours
	// Expect is how long each kind of message may be silent; nil is a day for CloudTrail.
	Expect map[string]time.Duration
	// Aggregator is that of AWS Config that is asked, as it is remembered; "" for none.
	Aggregator string
	// Backfill is after how long a silence the event history is looked up; 0 where it is not.
	Backfill time.Duration
	// LogFiles says that the queue announces log files that are read.
	LogFiles bool

	// SendTest is how long a test event is waited for that is sent through the queue; none is for
	// zero. NewID is its ID, and Wait waits between two looks whether it came.
	SendTest time.Duration
	NewID    func() string
	Wait     func(ctx context.Context, d time.Duration) error

	// Recorded says what is recorded of the use of an account's principals; nil where no
	// control goes by it, or where there are no data.
	Recorded func(ctx context.Context, account string) (UseRecord, error)

	// Others finds the other tools that fix in an account and region, and what could not be
	// asked; nil asks for none.
	Others func(ctx context.Context, account, region string) ([]OtherFixer, []error)

	Controls        []control.Control
	Enforces        bool   // something is in enforce mode
	Exemptions      string // path of the list, or ""
	NoExemptions    bool   // someone said that there is none
	ExemptionConfig evaluate.ExemptionConfig
	Warnings        []string // of the configuration
	// Sinks are the names of those who get messages.
	Sinks []string
}

// examination is one run of the doctor.
type examination struct {
	Doctor
	who     cloud.Identity
	account string // that is spoken of
	report  Diagnosis
}

// Examine makes every check that can be made, after those in began. It fails only
// when the context ends.
func (d Doctor) Examine(ctx context.Context, began ...Check) (Diagnosis, error) {
	x := &examination{Doctor: d, report: Diagnosis{Checks: []Check{}, Summary: map[Health]int{}}}
	for _, c := range began {
		x.says(c.Check, c.About, c.Health, c.Says, c.Fix)
	}
	if x.Store != nil {
		x.data(ctx)
		for _, c := range x.Keys {
			x.says(c.Check, c.About, c.Health, c.Says, c.Fix)
		}
		if err := x.sources(ctx); err != nil {
			x.says("sources", "", Unchecked, plainCause(err), "")
		}
		if err := x.load(ctx); err != nil {
			x.says("load", "", Unchecked, plainCause(err), "")
		}
		if err := x.aggregators(ctx); err != nil {
			x.says("config aggregator", "", Unchecked, plainCause(err), "")
		}
		if err := x.backfills(ctx); err != nil {
			x.says("event history", "", Unchecked, plainCause(err), "")
		}
		if err := x.logs(ctx); err != nil {
			x.says("log files", "", Unchecked, plainCause(err), "")
		}
		if err := x.canaryLeft(ctx); err != nil {
			x.says("canary", "", Unchecked, plainCause(err), "")
		}
	}
	if x.Queue == "" {
		x.says("sources", "", ToDo, "no queue is configured: only sweeps find misconfigurations", "dera pattern prints the rules; name the queue in the configuration")
	}
	x.exemptions()
	err := x.aws(ctx)
	x.use(ctx)
	return x.report, err
}

func (x *examination) says(check, about string, h Health, says, fix string) {
	x.report.Checks = append(x.report.Checks, Check{Check: check, About: about, Account: x.account, Health: h, Says: says, Fix: fix})
	x.report.Summary[h]++
}

// aws finds out who we are, and asks AWS what only AWS knows.
func (x *examination) aws(ctx context.Context) error {
	if x.CloudError != nil {
		x.says("identity", "", Broken, x.CloudError.Error(), "set up AWS credentials and region (AWS_PROFILE, AWS_REGION …)")
		return ctx.Err()
	}
	var err error
	if x.who, err = x.Cloud.Identity(ctx); err != nil {
		fact, next := cloud.Cause(err)
		x.says("identity", "", Broken, fact, cmp.Or(next, "set up AWS credentials (AWS_PROFILE …), and let the host reach STS"))
		x.says("permissions, queue, clock", "", Unchecked, "they cannot be checked before AWS knows who dera is", "")
		return ctx.Err()
	}
	x.account = x.who.Account
	x.says("identity", x.Cloud.Region(), Healthy, "dera is "+x.who.ARN, "")
	x.account = ""
	x.clock(ctx)
	x.anchors(ctx)
	x.account = x.QueueAccount
	x.queue(ctx)
	x.sendTest(ctx)
	for _, x.account = range x.accounts() {
		if x.sessions(ctx, x.account) {
			regions := x.regions(ctx, x.account)
			x.permissions(ctx, x.account, regions)
			for _, region := range regions {
				x.others(ctx, x.account, region)
			}
		}
	}
	x.account = ""
	return ctx.Err()
}

// accounts are those of the configuration, or the caller's own.
func (x *examination) accounts() []string {
	var out []string
	for _, a := range x.Accounts {
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
	skew, known, err := x.Cloud.Skew(ctx)
	if skew < 0 {
		skew = -skew
	}
	switch fix := "keep the clock by NTP"; {
	case err != nil:
		x.says("clock", "", Unchecked, plainCause(err), "")
	case !known:
		x.says("clock", "", NotTested, "AWS's answer carried no time", "")
	case skew >= much:
		x.says("clock", "", Broken, fmt.Sprintf("it is %s off; AWS refuses requests at 5 minutes", skew), fix)
	case skew >= some:
		x.says("clock", "", ToDo, fmt.Sprintf("it is %s off", skew), fix)
	default:
		x.says("clock", "", Healthy, "it agrees with AWS's within "+(skew+time.Second).String(), "")
	}
}

// plainCause is what failed, in words for people.
func plainCause(err error) string {
	fact, _ := cloud.Cause(err)
	return fact
}
