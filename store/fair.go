package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Fair says how a claim divides jobs over accounts.
type Fair struct {
	// Most is how many jobs of one account the claimer runs at most while others have work that is due; Busy are those
	// that it runs. Jobs of no account have no bound.
	Most int
	Busy map[string]int
	// After is the account that had its turn last: among jobs that are equal otherwise the next one comes first.
	After string
}

const (
	// firstDue is how many of the most urgent jobs a fair claim looks at, beside the first of each account of the round.
	firstDue = 64
	// roundOf is how many accounts it looks at.
	roundOf = 32
)

// due is a job that could be claimed.
type due struct {
	kind, id, account string
	priority          int
	runAt             int64
}

// ClaimFair is Claim that lets no account starve the others: the lowest priority number comes first still, but of one
// account at most as many as Fair says while others wait, and jobs of one priority go round over accounts. What is
// due of others is found however long the backlog of one is: the first job of some accounts is looked at in each
// claim, and other accounts in the next one.
func (s *Store) ClaimFair(ctx context.Context, owner string, n int, ttl time.Duration, f Fair) ([]dera.Job, error) {
	if due, err := s.mayClaim(ctx, n); err != nil || !due {
		return nil, err
	}
	var out []dera.Job
	err := s.tx(ctx, func(ctx context.Context, tx transaction) error {
		now := s.now()
		rows, err := tx.QueryContext(ctx, `SELECT kind, id, account, priority, run_at FROM jobs WHERE run_at <= $1 AND leased_until <= $1
			ORDER BY priority, run_at, kind, id LIMIT CAST($2 AS BIGINT)`+s.dialect.skipLocked, micros(now), max(firstDue, 4*n))
		if err != nil {
			return err
		}
		list, err := scanDue(rows)
		if err != nil {
			return err
		}
		if len(list) >= max(firstDue, 4*n) {
			for _, after := range []string{f.After, ""} { // the round begins again behind the last account
				heads, err := roundHeads(ctx, tx, after, now)
				if err != nil {
					return err
				}
				list = append(list, heads...)
				if len(heads) >= roundOf {
					break
				}
			}
		}
		chosen := f.choose(list, n)
		if len(chosen) == 0 {
			return nil
		}
		out, err = s.claimThese(ctx, tx, chosen, owner, now, ttl)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	slices.SortFunc(out, byUrgency)
	return out, nil
}

// roundHeads are the first due looks of the accounts behind one, by one step in the index for each.
func roundHeads(ctx context.Context, tx transaction, after string, now time.Time) ([]due, error) {
	rows, err := tx.QueryContext(ctx, `WITH RECURSIVE w(account, n) AS (
		  SELECT (SELECT account FROM jobs WHERE account > $1 ORDER BY account LIMIT 1), 1
		  UNION ALL
		  SELECT (SELECT j.account FROM jobs j WHERE j.account > w.account ORDER BY j.account LIMIT 1), w.n + 1 FROM w WHERE w.account IS NOT NULL AND w.n < $3),
		h(id) AS (SELECT (SELECT j.id FROM jobs j WHERE j.account = w.account AND j.run_at <= $2 AND j.leased_until <= $2 ORDER BY j.priority, j.run_at, j.id LIMIT 1)
		  FROM w WHERE w.account IS NOT NULL)
		SELECT j.kind, j.id, j.account, j.priority, j.run_at FROM h JOIN jobs j ON j.kind = 'look' AND j.id = h.id`, after, micros(now), roundOf)
	if err != nil {
		return nil, err
	}
	return scanDue(rows)
}

func scanDue(rows *sql.Rows) ([]due, error) {
	defer rows.Close()
	var out []due
	for rows.Next() {
		var d due
		if err := rows.Scan(&d.kind, &d.id, &d.account, &d.priority, &d.runAt); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// choose picks up to n of the jobs, one after the other.
func (f Fair) choose(list []due, n int) []due {
	slices.SortFunc(list, func(a, b due) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.runAt, b.runAt), cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id))
	})
	list = slices.CompactFunc(list, func(a, b due) bool { return a.kind == b.kind && a.id == b.id })
	count := map[string]int{}
	for a, k := range f.Busy {
		count[a] = k
	}
	after := f.After
	full := func(d due) int {
		if d.account != "" && f.Most > 0 && count[d.account] >= f.Most {
			return 1
		}
		return 0
	}
	turn := func(d due) int { // 0 for those behind the account that had its turn, then 1
		if d.account != "" && d.account <= after {
			return 1
		}
		return 0
	}
	var out []due
	for len(out) < n && len(list) > 0 {
		i := 0
		for k := 1; k < len(list); k++ {
			a, b := list[k], list[i]
			if cmp.Or(cmp.Compare(full(a), full(b)), cmp.Compare(a.priority, b.priority), cmp.Compare(count[a.account], count[b.account]),
				cmp.Compare(turn(a), turn(b)), f.among(a, b)) < 0 {
				i = k
			}
		}
		d := list[i]
		out, list = append(out, d), slices.Delete(list, i, i+1)
		if d.account != "" {
			count[d.account]++
			after = d.account
		}
	}
	return out
}

// among orders accounts whose turns are alike; jobs of one account keep their order.
func (Fair) among(a, b due) int {
	if a.account == "" || b.account == "" {
		return cmp.Compare(len(a.account), len(b.account))
	}
	return cmp.Compare(a.account, b.account)
}

// claimThese leases the jobs that are due still.
func (s *Store) claimThese(ctx context.Context, tx transaction, list []due, owner string, now time.Time, ttl time.Duration) ([]dera.Job, error) {
	args := []any{micros(now.Add(ttl)), owner, micros(now), 1 + rand.Int64N(math.MaxInt64-1)}
	var which []string
	for _, d := range list {
		args = append(args, d.kind, d.id)
		which = append(which, fmt.Sprintf("($%d, $%d)", len(args)-1, len(args)))
	}
	rows, err := tx.QueryContext(ctx, `WITH due AS MATERIALIZED (
		  SELECT kind, id FROM jobs WHERE (kind, id) IN (VALUES `+strings.Join(which, ", ")+`) AND run_at <= $3 AND leased_until <= $3`+s.dialect.skipLocked+`)
		UPDATE jobs SET leased_until = $1, claim = $4, owner = $2, attempts = attempts + 1, asked_at = NULL
		FROM due WHERE jobs.kind = due.kind AND jobs.id = due.id
		RETURNING `+jobColumns, args...)
	if err != nil {
		return nil, err
	}
	return scanJobs(rows)
}
