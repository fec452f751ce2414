package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
)

// Retention says before which times what is over is removed; a zero time keeps all. The audit log is never
// cut.
type Retention struct {
	Findings     time.Time // resolved before
	Remediations time.Time // ended before, with their intents and evidence
	Calls        time.Time
	Events       time.Time // that were kept
}

// retained is how many rows one commit removes at most, and looked how many are looked at for that: a
// commit must not hold up others, and its record must fit a leaf.
const (
	retained = 200
	looked   = 2000
)

// removable are the states of remediations that nothing goes by any more once they are old. A rejected one
// is not asked for again, a rolled-back one lowers to review, and the others need a person.
func removable(s dera.State) bool {
	switch s {
	case dera.Resolved, dera.Failed, dera.Observed, dera.Expired, dera.Superseded:
		return true
	case dera.Waiting, dera.Ready, dera.Applying, dera.Verifying, dera.Undoing, dera.Planned, dera.Collateral, dera.RolledBack, dera.UndoFailed, dera.Rejected:
		return false
	}
	return false
}

// Retain removes what is over for longer than is said, in commits that each have their record, and returns
// what was removed in all. What something else still goes by stays: a finding of a resource whose
// remediation is under way, or whose fix was rolled back; a remediation that an open finding, an access or
// an older one of its resource that is in effect needs, or that speaks against its control; evidence that
// another remediation names.
func (s *Store) Retain(ctx context.Context, r Retention, record func(dera.Retention) dera.AuditRecord) (dera.Retention, error) {
	total := dera.Retention{}
	commit := func(out dera.Retention) {
		total.Findings, total.Remediations, total.Calls, total.Events = total.Findings+out.Findings, total.Remediations+out.Remediations, total.Calls+out.Calls, total.Events+out.Events
		total.Evidence = append(total.Evidence, out.Evidence...)
	}
	for _, kind := range []struct {
		name   string
		before time.Time
		remove func(context.Context, writer, time.Time, *string) (dera.Retention, bool, error)
	}{
		{"remediations", r.Remediations, s.retainRemediations}, {"findings", r.Findings, s.retainFindings}, {"calls", r.Calls, s.retainCalls}, {"events", r.Events, s.retainEvents},
	} {
		if kind.before.IsZero() {
			continue
		}
		if kind.name == "remediations" {
			if err := s.nameEvidence(ctx); err != nil {
				return total, fmt.Errorf("retain: %w", err)
			}
		}
		after := "" // the key behind which to look on
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return total, err
			}
			var out dera.Retention
			next := after
			err := s.tx(ctx, func(ctx context.Context, tx transaction) error {
				if err := s.lock(ctx, tx); err != nil {
					return err
				}
				w := writer{Store: s, tx: tx, now: s.now()}
				var err error
				next = after
				if out, more, err = kind.remove(ctx, w, kind.before, &next); err != nil || out.Empty() {
					return err
				}
				out.Before = map[string]time.Time{kind.name: kind.before.UTC()}
				return w.append(ctx, record(out))
			})
			if err != nil {
				return total, fmt.Errorf("retain %s: %w", kind.name, err)
			}
			after = next
			commit(out)
		}
	}
	return total, nil
}

// pageOf reads up to looked rows of a key and a body behind a key.
func pageOf(ctx context.Context, tx transaction, query string, args ...any) (keys []string, bodies [][]byte, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var body []byte
		if err := rows.Scan(&key, &body); err != nil {
			return nil, nil, err
		}
		keys, bodies = append(keys, key), append(bodies, body)
	}
	return keys, bodies, rows.Err()
}

func (s *Store) retainFindings(ctx context.Context, w writer, before time.Time, after *string) (out dera.Retention, more bool, err error) {
	keys, bodies, err := pageOf(ctx, w.tx, `SELECT id, body FROM findings WHERE state = 'resolved' AND id > $1 ORDER BY id LIMIT $2`, *after, looked)
	if err != nil {
		return out, false, err
	}
	for i, id := range keys {
		*after = id
		var f dera.Finding
		if err := json.Unmarshal(bodies[i], &f); err != nil {
			continue // whoever reads it says so
		}
		if f.ResolvedAt == nil || !f.ResolvedAt.Before(before) || f.LastSeen.After(before) || f.RolledBack > 0 {
			continue
		}
		var busy int
		if err := w.tx.QueryRowContext(ctx, `SELECT count(*) FROM remediations WHERE resource = $1 AND state IN ('waiting', 'ready', 'applying', 'verifying', 'undoing', 'rolled_back', 'undo_failed')`, f.ResourceKey()).Scan(&busy); err != nil {
			return out, false, err
		}
		if busy > 0 {
			continue
		}
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM findings WHERE id = $1`, id); err != nil {
			return out, false, err
		}
		if out.Findings++; out.Findings == retained {
			return out, true, nil
		}
	}
	return out, len(keys) == looked, nil
}

func (s *Store) retainRemediations(ctx context.Context, w writer, before time.Time, after *string) (out dera.Retention, more bool, err error) {
	keys, bodies, err := pageOf(ctx, w.tx, `SELECT id, body FROM remediations WHERE id > $1 AND created < $2 AND state IN ('resolved', 'failed', 'observed', 'expired', 'superseded') ORDER BY id LIMIT $3`,
		*after, micros(before), looked)
	if err != nil {
		return out, false, err
	}
	for i, id := range keys {
		*after = id
		r, err := s.openRemediation(id, bodies[i])
		if err != nil {
			continue // whoever reads it says so
		}
		if n := len(r.Steps); !removable(r.State) || n == 0 || !r.Steps[n-1].At.Before(before) {
			continue
		}
		switch needed, err := w.needed(ctx, r); {
		case err != nil:
			return out, false, err
		case needed:
			continue
		}
		lapsed, err := w.remove(ctx, r)
		if err != nil {
			return out, false, err
		}
		if lapsed != "" {
			out.Evidence = append(out.Evidence, lapsed)
		}
		if out.Remediations++; out.Remediations == retained {
			return out, true, nil
		}
	}
	return out, len(keys) == looked, nil
}

func (s *Store) openRemediation(id string, body []byte) (r dera.Remediation, err error) {
	plain, err := s.sealer.Open("remediation/"+id, body)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(plain, &r)
}

// needed reports whether something else goes by a remediation that ended.
func (w writer) needed(ctx context.Context, r dera.Remediation) (bool, error) {
	for _, q := range []struct {
		query string
		args  []any
	}{
		{`SELECT count(*) FROM intents WHERE remediation = $1 AND state = 'open'`, []any{r.ID}},
		// A rollback asks what was changed after what it takes back.
		{`SELECT count(*) FROM remediations WHERE resource = $1 AND (created < $2 OR created = $2 AND id < $3) AND state NOT IN ('failed', 'observed', 'expired', 'superseded', 'rejected', 'planned')`, []any{r.ResourceKey(), micros(r.CreatedAt), r.ID}},
		{`SELECT count(*) FROM jobs WHERE kind = 'remediate' AND key = $1 AND leased_until > $2`, []any{r.ID, micros(w.now)}},
	} {
		var n int
		if err := w.tx.QueryRowContext(ctx, q.query, q.args...).Scan(&n); err != nil || n > 0 {
			return true, err
		}
	}
	if against, err := w.against(ctx, r); err != nil || against {
		return true, err
	}
	rows, err := w.tx.QueryContext(ctx, `SELECT body FROM findings WHERE resource = $1 AND state <> 'resolved'`, r.ResourceKey())
	if err != nil {
		return true, err
	}
	open, err := collect[dera.Finding](rows, "findings")
	if err != nil {
		return true, err
	}
	if slices.ContainsFunc(open, func(f dera.Finding) bool {
		return f.Remediation == r.ID || f.WaitsFor == r.ID || slices.Contains(r.Findings, f.ID)
	}) {
		return true, nil
	}
	keys, bodies, err := pageOf(ctx, w.tx, `SELECT id, body FROM accesses WHERE account = $1`, r.Plan.Account)
	if err != nil {
		return true, err
	}
	for i, id := range keys {
		var a dera.Access
		plain, err := w.sealer.Open("access/"+id, bodies[i])
		if err == nil {
			err = json.Unmarshal(plain, &a)
		}
		if err != nil || a.Grant == r.ID || slices.Contains(a.Took, r.ID) {
			return true, nil // in doubt too
		}
	}
	return false, nil
}

// against reports whether a remediation speaks against its control: it was undone after it had been made, or
// denied what is in use. However long ago that was, the gate lowers by it.
func (w writer) against(ctx context.Context, r dera.Remediation) (bool, error) {
	made := false
	for _, s := range r.Steps {
		if s.State == dera.Undoing && made {
			return true, nil
		}
		made = made || s.State == dera.Verifying || s.State == dera.Resolved || s.State == dera.Collateral
	}
	rows, err := w.tx.QueryContext(ctx, `SELECT body FROM denials WHERE remediation = $1`, r.ID)
	if err != nil {
		return true, err
	}
	denials, err := collect[dera.Denial](rows, "denials")
	return slices.ContainsFunc(denials, func(d dera.Denial) bool { return d.Cause != dera.CauseOther }), err
}

// remove deletes a remediation with what is its own, and returns the hash of the evidence that went with it.
func (w writer) remove(ctx context.Context, r dera.Remediation) (lapsed string, err error) {
	for _, statement := range []string{`DELETE FROM jobs WHERE kind = 'remediate' AND key = $1`, `DELETE FROM intents WHERE remediation = $1`, `DELETE FROM watches WHERE remediation = $1`, `DELETE FROM denials WHERE remediation = $1`,
		`DELETE FROM spends WHERE remediation = $1`, `DELETE FROM evidence_of WHERE remediation = $1`, `DELETE FROM remediations WHERE id = $1`} {
		if _, err := w.tx.ExecContext(ctx, statement, r.ID); err != nil {
			return "", err
		}
	}
	if r.Evidence == "" {
		return "", nil
	}
	// What is not named yet, or is named as of an earlier revision, may name it too.
	var others int
	if err := w.tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM evidence_of WHERE hash = $1) +
		(SELECT count(*) FROM remediations r LEFT JOIN evidence_of e ON e.remediation = r.id WHERE e.revision IS NULL OR e.revision <> r.revision)`, r.Evidence).Scan(&others); err != nil || others > 0 {
		return "", err
	}
	res, err := w.tx.ExecContext(ctx, `DELETE FROM evidence WHERE hash = $1`, r.Evidence)
	if err != nil {
		return "", err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return "", err
	}
	return r.Evidence, nil
}

// nameEvidence notes which evidence each remediation names, where that is not noted as of its revision.
func (s *Store) nameEvidence(ctx context.Context) error {
	for {
		n := 0
		err := s.tx(ctx, func(ctx context.Context, tx transaction) error {
			keys, bodies, err := pageOf(ctx, tx, `SELECT r.id, r.body FROM remediations r LEFT JOIN evidence_of e ON e.remediation = r.id WHERE e.revision IS NULL OR e.revision <> r.revision ORDER BY r.id LIMIT $1`, retained)
			if err != nil {
				return err
			}
			for i, id := range keys {
				r, err := s.openRemediation(id, bodies[i])
				if err != nil {
					return fmt.Errorf("remediation %s: %w", id, err) // without it nobody knows what it names
				}
				if _, err := tx.ExecContext(ctx, `INSERT INTO evidence_of (remediation, revision, hash) VALUES ($1, $2, $3)
					ON CONFLICT (remediation) DO UPDATE SET revision = excluded.revision, hash = excluded.hash`, id, r.Revision, r.Evidence); err != nil {
					return err
				}
			}
			n = len(keys)
			return nil
		})
		if err != nil || n < retained {
			return err
		}
	}
}

func (s *Store) retainCalls(ctx context.Context, w writer, before time.Time, _ *string) (out dera.Retention, more bool, err error) {
	out.Calls, err = w.deleteSome(ctx, `DELETE FROM calls WHERE event IN (SELECT event FROM calls WHERE judged = 1 AND at < $1 ORDER BY at LIMIT $2)`, before)
	return out, out.Calls == looked, err
}

func (s *Store) retainEvents(ctx context.Context, w writer, before time.Time, _ *string) (out dera.Retention, more bool, err error) {
	out.Events, err = w.deleteSome(ctx, `DELETE FROM kept_events WHERE id IN (SELECT id FROM kept_events WHERE at < $1 ORDER BY at LIMIT $2)`, before)
	return out, out.Events == looked, err
}

func (w writer) deleteSome(ctx context.Context, statement string, before time.Time) (int, error) {
	res, err := w.tx.ExecContext(ctx, statement, micros(before), looked)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// Lapsed reports whether evidence was removed for its age, by a record of the audit log.
func (s *Store) Lapsed(ctx context.Context, hash string) (bool, error) {
	_, err := s.Evidence(ctx, hash)
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	size, err := s.LogSize(ctx)
	if err != nil {
		return false, err
	}
	for at := int64(0); at < size; at += looked {
		leaves, err := s.Leaves(ctx, at, looked)
		if err != nil {
			return false, err
		}
		for _, leaf := range leaves {
			var r dera.AuditRecord
			if json.Unmarshal(leaf, &r) == nil && r.Retention != nil && slices.Contains(r.Retention.Evidence, hash) {
				return true, nil
			}
		}
	}
	return false, nil
}
