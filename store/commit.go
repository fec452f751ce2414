package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/usage"
)

// Batch is everything that one step of the loop changes. State, next jobs and
// audit records commit together or not at all (invariants I1, I8).
type Batch struct {
	// Fence, when set, is the lease that the caller works under; the batch is
	// refused with ErrFenced when it is not the caller's any more.
	Fence *dera.Lease
	// Findings are inserted or replaced by ID.
	Findings []dera.Finding
	// Remediations are inserted (Revision 0) or replaced when the stored
	// revision is still the given one; the store counts it up.
	Remediations []dera.Remediation
	// Intents are inserted or replaced by remediation, step and direction.
	Intents []dera.Intent
	// Jobs are enqueued; the same one asked for again coalesces.
	Jobs []dera.Job
	// Done are finished jobs as they were claimed. One that was asked for again
	// meanwhile stays, and so does one whose claim ran out and that someone else
	// has claimed. A job that was not claimed (no Claim) is taken away if it
	// was asked for Seq times.
	Done []dera.Job
	// Incidents are added; one that is there stays as it is.
	Incidents []dera.Incident
	// Accesses are inserted or replaced by ID; one whose end is set never changes.
	Accesses []dera.Access
	// Watches are added; one that is there stays as it is.
	Watches []dera.Watch
	// Stops are set; Resumes taken away (by account and control).
	Stops   []dera.Stop
	Resumes []dera.Stop
	// Spends count against the budget of account, control and hour.
	Spends []Spend
	// Remember and First are words kept by name, see Remembered; one of First only
	// where the name has none yet.
	Remember map[string]string
	First    map[string]string
	// Alarm begins to stand, and AlarmEnded is the key of one that is over: ErrAlarm where
	// one with its key stands already, or none does.
	Alarm      *dera.Alarm
	AlarmEnded string
	// Taken is the ID of a signed message that the batch comes of: ErrTaken where it was taken.
	Taken string
	// Expected are places that are to be read, noted as unread where nothing is known
	// of them; Read and Unread are what became of reads.
	Expected []Place
	Read     []PlaceRead
	Unread   []Place
	// Evidence blobs by hash.
	Evidence map[string][]byte
	// Records are appended to the audit log, in order.
	Records []dera.AuditRecord
	// Kept are events that could not be read; Counts are added to counters.
	Kept   []KeptEvent
	Counts map[string]int64
	// Calls are calls of dera's own principals, as CloudTrail has them; Judged are
	// the events of those that someone was told of.
	Calls  []audit.Call
	Judged []string
	// Posting adds messages for what the audit log says.
	Posting *Posting
	// Use goes to the usage ledger: what the events say that this batch is made of.
	Use usage.Batch
}

// Spend is one automatic remediation that a budget counts, once.
type Spend struct {
	Remediation string
	Account     string
	Control     string
	At          time.Time
	// Limit is the most in an hour, and Everywhere that of all accounts and
	// controls together; 0 means no limit, and less than 0 that there is no budget.
	Limit      int
	Everywhere int
	// Reserve, when set, is what else must not be exceeded.
	Reserve *Reserve
}

// Reserve is the most spends since a time, in an account or, for an empty one,
// everywhere.
type Reserve struct {
	Account string
	Since   time.Time
	Most    int
}

// Commit writes the batch in one durable transaction. On an error nothing is
// written, with one exception that no database can rule out: when the connection
// to PostgreSQL breaks while it commits, the batch may be there. All of it is
// then, so committing it again gives ErrConflict, or does no harm.
func (s *Store) Commit(ctx context.Context, b Batch) error {
	err := s.tx(ctx, func(ctx context.Context, tx transaction) error {
		// Commits go one by one, over all replicas: the log has no gaps, budgets
		// hold (I12), and two batches never wait for each other in a circle.
		if err := s.lock(ctx, tx); err != nil {
			return err
		}
		// The time is that of the turn, not of the request: a lease that ran out in
		// the queue is over.
		w := writer{Store: s, tx: tx, now: s.now()}
		steps := []func(context.Context, Batch) error{
			w.fence, w.spends, w.findings, w.remediations, w.intents, w.incidents, w.accesses, w.watches, w.denials, w.stops, w.remember, w.alarm, w.taken, w.places,
			w.evidence, w.events, w.counts, w.calls, w.done, w.enqueue, w.append, w.post, w.use,
		}
		for _, step := range steps {
			if err := step(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	s.commits.count(err)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if len(b.Jobs) > 0 {
		s.enqueued.Store(true)
	}
	return nil
}

// writer carries one transaction through the parts of a batch.
type writer struct {
	*Store
	tx  transaction
	now time.Time
}

// fence holds the lease until the transaction ends: who wants to take it over
// waits, and then sees what was committed under it (I9).
func (w writer) fence(ctx context.Context, b Batch) error {
	if b.Fence == nil {
		return nil
	}
	_, err := held(ctx, w.tx, *b.Fence, w.now, w.dialect.forUpdate)
	return err
}

// spends counts and refuses within the transaction, so that a budget holds over
// all replicas (I12).
func (w writer) spends(ctx context.Context, b Batch) error {
	for _, s := range b.Spends {
		var others int
		if err := w.tx.QueryRowContext(ctx, `SELECT count(*) FROM spends WHERE account = $1 AND control = $2 AND at > $3 AND remediation <> $4`,
			s.Account, s.Control, micros(s.At.Add(-time.Hour)), s.Remediation).Scan(&others); err != nil {
			return fmt.Errorf("budget of %s: %w", s.Account, err)
		}
		if s.Limit < 0 || s.Limit > 0 && others >= s.Limit {
			return fmt.Errorf("account %s, control %s: %w", s.Account, s.Control, ErrBudget)
		}
		if s.Everywhere != 0 {
			if err := w.tx.QueryRowContext(ctx, `SELECT count(*) FROM spends WHERE at > $1 AND remediation <> $2`,
				micros(s.At.Add(-time.Hour)), s.Remediation).Scan(&others); err != nil {
				return fmt.Errorf("budget of all accounts: %w", err)
			}
			if others >= s.Everywhere {
				return fmt.Errorf("all accounts: %w", ErrBudget)
			}
		}
		if r := s.Reserve; r != nil {
			if err := w.tx.QueryRowContext(ctx, `SELECT count(*) FROM spends WHERE ($1 = '' OR account = $1) AND at > $2 AND remediation <> $3`,
				r.Account, micros(r.Since), s.Remediation).Scan(&others); err != nil {
				return fmt.Errorf("reserve: %w", err)
			}
			if others >= r.Most {
				return fmt.Errorf("reserve of %d: %w", r.Most, ErrBudget)
			}
		}
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO spends (remediation, account, control, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (remediation) DO NOTHING`, s.Remediation, s.Account, s.Control, micros(s.At)); err != nil {
			return fmt.Errorf("budget of %s: %w", s.Account, err)
		}
	}
	return nil
}

func (w writer) findings(ctx context.Context, b Batch) error {
	for _, f := range b.Findings {
		body, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("finding %s: %w", f.ID, err)
		}
		// What an ID is made of never changes: resource, account, region, type.
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO findings (id, resource, account, region, type, state, severity, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity, body = excluded.body`,
			f.ID, f.ResourceKey(), f.Account, f.Region, f.ResourceType, string(f.State), int64(f.Severity), string(body)); err != nil {
			return fmt.Errorf("finding %s: %w", f.ID, err)
		}
	}
	return nil
}

func (w writer) remediations(ctx context.Context, b Batch) error {
	for _, r := range b.Remediations {
		held := r.Revision
		r.Revision++
		plain, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("remediation %s: %w", r.ID, err)
		}
		body, err := w.sealer.Seal("remediation/"+r.ID, plain)
		if err != nil {
			return fmt.Errorf("remediation %s: %w", r.ID, err)
		}
		var res sql.Result
		if held == 0 {
			res, err = w.tx.ExecContext(ctx, `INSERT INTO remediations (id, resource, state, revision, created, body)
				VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`,
				r.ID, r.ResourceKey(), string(r.State), r.Revision, micros(r.CreatedAt), body)
		} else {
			res, err = w.tx.ExecContext(ctx, `UPDATE remediations SET state = $1, revision = $2, body = $3 WHERE id = $4 AND revision = $5`,
				string(r.State), r.Revision, body, r.ID, held)
		}
		if err != nil {
			return fmt.Errorf("remediation %s: %w", r.ID, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("remediation %s: %w", r.ID, err)
		}
		if n != 1 {
			return fmt.Errorf("remediation %s at revision %d: %w", r.ID, held, ErrConflict)
		}
	}
	return nil
}

func (w writer) intents(ctx context.Context, b Batch) error {
	for _, i := range b.Intents {
		body, err := json.Marshal(i)
		if err != nil {
			return fmt.Errorf("intent %s/%d: %w", i.Remediation, i.Step, err)
		}
		undo := 0
		if i.Undo {
			undo = 1
		}
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO intents (remediation, step, undo, state, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (remediation, step, undo) DO UPDATE SET state = excluded.state, body = excluded.body`,
			i.Remediation, i.Step, undo, string(i.State), string(body)); err != nil {
			return fmt.Errorf("intent %s/%d: %w", i.Remediation, i.Step, err)
		}
	}
	return nil
}

func (w writer) stops(ctx context.Context, b Batch) error {
	for _, s := range b.Stops {
		body, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("stop: %w", err)
		}
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO stops (account, control, body) VALUES ($1, $2, $3)
			ON CONFLICT (account, control) DO UPDATE SET body = excluded.body`, s.Account, s.Control, string(body)); err != nil {
			return fmt.Errorf("stop: %w", err)
		}
	}
	for _, s := range b.Resumes {
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM stops WHERE account = $1 AND control = $2`, s.Account, s.Control); err != nil {
			return fmt.Errorf("resume: %w", err)
		}
	}
	return nil
}

func (w writer) evidence(ctx context.Context, b Batch) error {
	for _, hash := range slices.Sorted(maps.Keys(b.Evidence)) {
		body, err := w.sealer.Seal("evidence/"+hash, b.Evidence[hash])
		if err != nil {
			return fmt.Errorf("evidence %s: %w", hash, err)
		}
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO evidence (hash, body) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`, hash, body); err != nil {
			return fmt.Errorf("evidence %s: %w", hash, err)
		}
	}
	return nil
}

// held returns until when the lease is held, or ErrFenced when it is not.
func held(ctx context.Context, q queryer, l dera.Lease, now time.Time, lock string) (time.Time, error) {
	var owner string
	var token, until int64
	err := q.QueryRowContext(ctx, `SELECT owner, token, until FROM leases WHERE resource = $1`+lock, l.Resource).Scan(&owner, &token, &until)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, fmt.Errorf("%w: nobody holds %s", ErrFenced, l.Resource)
	case err != nil:
		return time.Time{}, fmt.Errorf("read lease of %s: %w", l.Resource, err)
	case owner != l.Owner || token != l.Token:
		return time.Time{}, fmt.Errorf("%w: %s went to %q with token %d, ours is %d", ErrFenced, l.Resource, owner, token, l.Token)
	case until <= micros(now):
		return time.Time{}, fmt.Errorf("%w: that of %s with token %d is over", ErrFenced, l.Resource, l.Token)
	}
	return fromMicros(until), nil
}
