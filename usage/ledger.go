package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Batch is what commits together: what was read, and the marks of what it was
// read from. A crash leaves both or neither.
type Batch struct {
	Runs  map[int][]byte // by part
	Marks []Mark
	Hours []Hours
	Facts []Fact
	// Denials are of what remediations had removed; see Ledger.Watching.
	Denials []Denied
}

// Empty reports whether there is nothing to commit.
func (b Batch) Empty() bool {
	return len(b.Runs)+len(b.Marks)+len(b.Hours)+len(b.Facts)+len(b.Denials) == 0
}

// Mark says that a file, or its first records, are in the ledger.
type Mark struct {
	File    string `json:"file"` // hash of the file and how far it was trusted
	Name    string `json:"name"`
	Done    bool   `json:"done"`
	Records int64  `json:"records"` // read so far, those included that do not count
	From    int64  `json:"-"`       // of which so many were in the ledger before this batch
	Lost    int64  `json:"lost"`    // of which nobody knows the use
	// Damage is why the rest could not be read; Done is true then too.
	Damage string `json:"damage,omitempty"`
	At     Second `json:"at"`
}

// Fact is something about how the ledger was fed: a change of a trail, a declared
// scope, a verified digest. The ID makes it one fact however often it is noted.
type Fact struct {
	ID   string
	Kind string
	At   Second
	Body json.RawMessage
}

// FactGrant is the kind of the facts of which the store keeps the newest, by At, of
// those with one ID. Of all others it keeps the one that was noted last.
const FactGrant = "grant"

// The other kinds of facts.
const (
	factChange = "change"
	factScope  = "scope"
	factDigest = "digest"
	factLost   = "lost"
)

// newFact makes a fact of a value that JSON can carry.
func newFact(kind, id string, at Second, v any) (Fact, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Fact{}, fmt.Errorf("note %s %s: %w", kind, id, err)
	}
	return Fact{ID: kind + "/" + id, Kind: kind, At: at, Body: body}, nil
}

// ErrMarked is what Store.CommitUsage returns when someone else has read the same
// records meanwhile. Nothing is written then.
var ErrMarked = errors.New("someone else imports the same files")

// ErrNoMark is what Store.UsageMark returns for a file that is not in the ledger.
var ErrNoMark = errors.New("the file has no mark")

// ErrTorn is what reads of the store return where a row is no value of its type.
var ErrTorn = errors.New("it is damaged, or of another version of dera")

// Store keeps the ledger. It is safe for concurrent use.
type Store interface {
	// CommitUsage writes all of a batch or nothing, but for denials, which may be there
	// although it fails; ErrMarked where a file's mark
	// is not at Mark.From any more.
	CommitUsage(ctx context.Context, b Batch) error
	// UsageMark returns the mark of a file, or ErrNoMark. Of a file that was read
	// whole it need only say so.
	UsageMark(ctx context.Context, file string) (Mark, error)
	// UsageMarks returns the marks of files that were not read whole.
	UsageMarks(ctx context.Context) ([]Mark, error)
	// UsageRuns returns the runs of a part, the oldest first.
	UsageRuns(ctx context.Context, part int) ([][]byte, error)
	// UsageHours returns the hours of an account, of all for "".
	UsageHours(ctx context.Context, account string) ([]Hours, error)
	UsageFacts(ctx context.Context, kind string) ([]Fact, error)
	// CompactUsage merges the runs of each part that has more than most, and
	// forgets what was over before the cutoff; 0 forgets nothing.
	CompactUsage(ctx context.Context, most int, cutoff time.Time) error
	// Watches returns the watches of a principal by its key, of all for "".
	Watches(ctx context.Context, principal string) ([]dera.Watch, error)
	Remediation(ctx context.Context, id string) (dera.Remediation, error)
	// DenialsOf returns the denials of a remediation, the oldest first.
	DenialsOf(ctx context.Context, remediation string) ([]dera.Denial, error)
}

// ErrUnknown is returned for a principal that the ledger has never seen.
var ErrUnknown = errors.New("the ledger has never seen this principal")

// Ledger answers questions about use. It is safe for concurrent use.
type Ledger struct {
	store Store
	now   func() time.Time
	watch WatchConfig
}

// New returns the ledger that is kept in a store. now is nil for the system's
// clock.
func New(s Store, now func() time.Time) *Ledger {
	if now == nil {
		now = time.Now
	}
	return &Ledger{store: s, now: now}
}

// Principal returns what is known of a principal, who may be named by the ARN of
// a role, user or session, or by a key. ErrUnknown says that nothing is known,
// which alone does not mean that it was not used: ask Gaps.
func (l *Ledger) Principal(ctx context.Context, name string) (Activity, error) {
	key := cloudtrail.Key(name)
	runs, err := l.store.UsageRuns(ctx, Part(key))
	if err != nil {
		return Activity{}, fmt.Errorf("read use of %s: %w", key, err)
	}
	list, err := mergeRuns(runs, func(k string) bool { return k == key })
	if err != nil {
		return Activity{}, fmt.Errorf("read use of %s: %w", key, err)
	}
	if len(list) == 0 {
		return Activity{}, fmt.Errorf("%q: %w", key, ErrUnknown)
	}
	return list[0], nil
}

// Activities returns what is known of principals, by the names with which they are
// asked for; those that were never seen are left out. A name of another account's
// root, arn:PARTITION:iam::ACCOUNT:root with ACCOUNT other than own, stands for
// everybody there. Each part of the ledger is read once.
func (l *Ledger) Activities(ctx context.Context, own string, names []string) (map[string]Activity, error) {
	keys, accounts := map[string][]string{}, map[string]string{}
	parts := map[int]bool{}
	for _, n := range names {
		if account := dera.ARN(n).Account(); dera.ARN(n).Resource() == "root" && account != own {
			accounts["account/"+account] = n
			continue
		}
		key := cloudtrail.Key(n)
		keys[key] = append(keys[key], n)
		parts[Part(key)] = true
	}
	foreign := func(key string) string {
		if head, _, ok := cutAccount(key); ok {
			return accounts[head]
		}
		if account := dera.ARN(key).Account(); account != "" && account != own {
			return accounts["account/"+account]
		}
		return ""
	}
	found := map[string][]Activity{}
	for part := range Parts {
		if !parts[part] && len(accounts) == 0 {
			continue
		}
		runs, err := l.store.UsageRuns(ctx, part)
		if err != nil {
			return nil, fmt.Errorf("read the usage ledger: %w", err)
		}
		list, err := mergeRuns(runs, func(k string) bool { return keys[k] != nil || len(accounts) > 0 && foreign(k) != "" })
		if err != nil {
			return nil, fmt.Errorf("read the usage ledger: %w", err)
		}
		for _, a := range list {
			for _, n := range keys[a.Key] {
				found[n] = append(found[n], a)
			}
			if n := foreign(a.Key); n != "" {
				found[n] = append(found[n], a)
			}
		}
	}
	out := map[string]Activity{}
	for n, list := range found {
		out[n] = union(list)
	}
	return out, nil
}

// cutAccount takes the key of a principal of another account apart: account/ID/UNIQUE.
func cutAccount(key string) (account, id string, ok bool) {
	rest, ok := strings.CutPrefix(key, "account/")
	if !ok {
		return "", "", false
	}
	number, id, _ := strings.Cut(rest, "/")
	return "account/" + number, id, true
}

// Each calls f for every principal, part by part, until f returns an error.
func (l *Ledger) Each(ctx context.Context, f func(Activity) error) error {
	for part := range Parts {
		runs, err := l.store.UsageRuns(ctx, part)
		if err != nil {
			return fmt.Errorf("read the usage ledger: %w", err)
		}
		list, err := mergeRuns(runs, func(string) bool { return true })
		if err != nil {
			return fmt.Errorf("read the usage ledger: %w", err)
		}
		for _, a := range list {
			if err := f(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostRuns is how many runs of a part may wait for compaction.
const mostRuns = 8

// mostRunsOfImport is mostRuns while an import is under way: each time that runs
// are merged all that is in them is written again, and nobody reads meanwhile.
const mostRunsOfImport = 64

// Retain forgets what was over before the cutoff and merges all runs.
func (l *Ledger) Retain(ctx context.Context, cutoff time.Time) error {
	return l.store.CompactUsage(ctx, 0, cutoff)
}

// batch packs what was collected.
func (a *aggregate) batch(marks []Mark) (Batch, error) {
	b := Batch{Runs: map[int][]byte{}, Marks: marks}
	a.each(func(part int, list []Activity) { b.Runs[part] = encodeRun(list) })
	for _, h := range a.hours {
		b.Hours = append(b.Hours, *h)
	}
	for l := range a.losses {
		f, err := l.fact()
		if err != nil {
			return Batch{}, err
		}
		b.Facts = append(b.Facts, f)
	}
	for k, at := range a.grants {
		f, err := Grant{k.account, k.target, at}.fact()
		if err != nil {
			return Batch{}, err
		}
		b.Facts = append(b.Facts, f)
	}
	for _, c := range a.changes {
		f, err := newFact(factChange, fmt.Sprintf("%s/%s/%d/%s/%s", c.Account, c.Region, c.At, c.Name, c.By), c.At, c)
		if err != nil {
			return Batch{}, err
		}
		b.Facts = append(b.Facts, f)
	}
	return b, nil
}
