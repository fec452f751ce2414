package evaluate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
)

// FixLedger is what the breaker asks of the store, so that all replicas agree.
type FixLedger interface {
	// FailedFixes are those since a time, the oldest first.
	FailedFixes(ctx context.Context, since time.Time) ([]dera.FailedFix, error)
	// Resumed are the last resumes by account, that of everything under "".
	Resumed(ctx context.Context) (map[string]time.Time, error)
	// Spent counts automatic remediations; an empty account or control is all.
	Spent(ctx context.Context, account, control string, since time.Time) (int, error)
}

// Breaker stops automation where fixes keep failing (design §6.1.7): in one
// account, and everywhere when it did so in several. A resource counts once, so
// that one which someone keeps changing under dera's hands does not switch off
// the account (failed-before sees to that one). It closes automatically after a quiet
// time, or by dera resume.
type Breaker struct {
	Ledger FixLedger
	Now    func() time.Time
	// Errors is how many resources within Window open an account's breaker; 0
	// means 3, and an hour.
	Errors int
	Window time.Duration
	// Quiet is how long after the last error it closes; 0 means an hour.
	Quiet time.Duration
	// Accounts is how many accounts with an open breaker open that of everything;
	// 0 means 3.
	Accounts int
	// Reserve is how many automatic remediations may still be begun while a
	// breaker is open, for critical findings and in production; 0 means 2, and
	// less none.
	Reserve int
	// Production says what production is; nil means environments whose names begin
	// with prod.
	Production *Where
}

// BreakerPast is how far back errors are read.
const BreakerPast = 7 * 24 * time.Hour

func (g Breaker) defaults() Breaker {
	if g.Errors == 0 {
		g.Errors = 3
	}
	if g.Window == 0 {
		g.Window = time.Hour
	}
	if g.Quiet == 0 {
		g.Quiet = time.Hour
	}
	if g.Accounts == 0 {
		g.Accounts = 3
	}
	if g.Reserve == 0 {
		g.Reserve = 2
	}
	if g.Production == nil {
		g.Production = &Where{Environment: "prod*"}
	}
	return g
}

// Name implements Guardrail.
func (Breaker) Name() string { return "breaker" }

// Check implements Guardrail.
func (g Breaker) Check(ctx context.Context, c Case) (dera.Reason, error) {
	if c.Finding.Start != dera.Auto {
		return pass("nothing here is automatic"), nil
	}
	g = g.defaults()
	fixes, err := g.Ledger.FailedFixes(ctx, g.Now().Add(-BreakerPast))
	if err != nil {
		return dera.Reason{}, err
	}
	if len(fixes) == 0 {
		return pass("no fix failed lately"), nil
	}
	resumed, err := g.Ledger.Resumed(ctx)
	if err != nil {
		return dera.Reason{}, err
	}
	open := g.open(fixes, resumed)
	account := c.Finding.Account
	since, where := open[account], "in this account"
	if all := everywhere(open, g.Accounts); !all.IsZero() {
		since, account, where = all, "", fmt.Sprintf("in %d accounts", len(open))
	}
	if since.IsZero() {
		return pass("fewer than %d fixes failed within %s", g.Errors, hours(g.Window)), nil
	}
	return g.reserve(ctx, c, account, since, where)
}

// Opened returns since when the breakers are open, by account; that of everything under "".
func (g Breaker) Opened(ctx context.Context) (map[string]time.Time, error) {
	g = g.defaults()
	fixes, err := g.Ledger.FailedFixes(ctx, g.Now().Add(-BreakerPast))
	if err != nil {
		return nil, err
	}
	resumed, err := g.Ledger.Resumed(ctx)
	if err != nil {
		return nil, err
	}
	open := g.open(fixes, resumed)
	if all := everywhere(open, g.Accounts); !all.IsZero() {
		open[""] = all
	}
	return open, nil
}

// reserve is the answer of an open breaker.
func (g Breaker) reserve(ctx context.Context, c Case, account string, since time.Time, where string) (dera.Reason, error) {
	r := review("fixes keep failing %s: dera fixes nothing automatically there since %s, until %s after the last failure or dera resume",
		where, since.UTC().Format("2006-01-02 15:04Z"), hours(g.Quiet))
	r.Ref = since.UTC().Format(time.RFC3339)
	if c.Finding.Severity != dera.Critical && !g.Production.Fits(c) {
		return r, nil
	}
	spent, err := g.Ledger.Spent(ctx, account, "", since)
	if err != nil {
		return dera.Reason{}, err
	}
	if c.Remediation != nil && c.Remediation.CreatedAt.After(since) {
		spent-- // its own was recorded with the decision
	}
	if spent >= g.Reserve {
		return r, nil
	}
	r = pass("fixes keep failing %s, but it is critical or in production, and %d of a reserve of %d are spent", where, max(spent, 0), g.Reserve)
	r.Ref = Reserve{Account: account, Since: since, Most: g.Reserve}.ref()
	return r, nil
}

// Reserve is what may still begin while a breaker is open: Most automatic
// remediations since it opened, in an account or, for an empty one, everywhere.
type Reserve struct {
	Account string
	Since   time.Time
	Most    int
}

// ref is the reserve as the reason refers to it.
func (r Reserve) ref() string {
	return fmt.Sprintf("reserve %d %s %s", r.Most, r.Since.UTC().Format(time.RFC3339Nano), r.Account)
}

// ReserveOf returns the reserve that the decision draws on, so that the commit
// can hold it over all replicas.
func ReserveOf(d dera.Decision) (Reserve, bool) {
	for _, r := range d.Reasons {
		if r.Guardrail != (Breaker{}).Name() || r.Disposition != dera.Auto {
			continue
		}
		parts := strings.Split(r.Ref, " ")
		if len(parts) != 4 || parts[0] != "reserve" {
			continue
		}
		most, err := strconv.Atoi(parts[1])
		since, timeErr := time.Parse(time.RFC3339Nano, parts[2])
		if err == nil && timeErr == nil {
			return Reserve{Account: parts[3], Since: since, Most: most}, true
		}
	}
	return Reserve{}, false
}

// open returns the accounts whose breaker is open, and since when.
func (g Breaker) open(fixes []dera.FailedFix, resumed map[string]time.Time) map[string]time.Time {
	byAccount := map[string][]dera.FailedFix{}
	for _, f := range fixes {
		if f.At.After(resumed[""]) && f.At.After(resumed[f.Account]) {
			byAccount[f.Account] = append(byAccount[f.Account], f)
		}
	}
	out := map[string]time.Time{}
	for account, list := range byAccount {
		if since := g.openSince(list); !since.IsZero() {
			out[account] = since
		}
	}
	return out
}

// openSince follows one account's breaker through its errors, the oldest first.
func (g Breaker) openSince(list []dera.FailedFix) (since time.Time) {
	var last time.Time
	begin := 0
	for i, f := range list {
		if !since.IsZero() && f.At.Sub(last) >= g.Quiet {
			since, begin = time.Time{}, i
		}
		last = f.At
		if !since.IsZero() {
			continue
		}
		resources := map[string]bool{}
		for _, o := range list[begin : i+1] {
			if f.At.Sub(o.At) < g.Window {
				resources[o.Resource] = true
			}
		}
		if len(resources) >= g.Errors {
			since = f.At
		}
	}
	if g.Now().Sub(last) >= g.Quiet {
		return time.Time{}
	}
	return since
}

// everywhere returns since when so many accounts' breakers are open, or zero.
func everywhere(open map[string]time.Time, accounts int) time.Time {
	if len(open) < accounts {
		return time.Time{}
	}
	var times []time.Time
	for _, at := range open {
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times[accounts-1]
}
