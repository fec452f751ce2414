package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
)

// rememberPrefix keeps what is remembered apart from the store's own entries.
const rememberPrefix = "remember/"

// Remember keeps a few words from one command for the next: under which
// configuration and exemption list the data was last worked on.
func (s *Store) Remember(ctx context.Context, values map[string]string) error {
	return s.tx(ctx, func(ctx context.Context, tx transaction) error {
		for _, name := range slices.Sorted(maps.Keys(values)) { // in one order, so that two callers cannot block each other
			if _, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
				rememberPrefix+name, values[name]); err != nil {
				return fmt.Errorf("remember %s: %w", name, err)
			}
		}
		return nil
	})
}

// Remembered returns what was last remembered under the name, or "".
func (s *Store) Remembered(ctx context.Context, name string) (string, error) {
	var value string
	err := s.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, rememberPrefix+name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("recall %s: %w", name, err)
	}
	return value, nil
}

// The names under which moments are remembered.
const (
	resumedPrefix = "resumed/"
	lookedPrefix  = "looked/"
	hiddenPrefix  = "hidden/"
)

// Moment is a moment as it is remembered.
func Moment(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// ResumedName is the name under which the last resume of an account is
// remembered; that of everything for an empty account.
func ResumedName(account string) string { return resumedPrefix + account }

// LookedName is the name under which the first look at a control in an account
// is remembered.
func LookedName(control, account string) string { return lookedPrefix + control + "/" + account }

// HiddenName is the name under which is remembered how many failures the own
// networks hide in a place, as of the last sweep.
func HiddenName(account, region, typ string) string {
	return hiddenPrefix + account + "/" + region + "/" + typ
}

// Hidden returns how many failures the own networks hide, by account.
func (s *Store) Hidden(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	err := s.remembered(ctx, hiddenPrefix, func(name, value string) error {
		n, err := strconv.Atoi(value)
		account, _, _ := strings.Cut(name, "/")
		out[account] += n
		return err
	})
	return out, err
}

// Resumed returns the last resumes by account, that of everything under "".
func (s *Store) Resumed(ctx context.Context) (map[string]time.Time, error) {
	return s.moments(ctx, resumedPrefix)
}

// Looked returns the first looks by control and account, as control/account.
func (s *Store) Looked(ctx context.Context) (map[string]time.Time, error) {
	return s.moments(ctx, lookedPrefix)
}

// FirstLook returns when a control was first looked at in an account; the zero
// time if it never was.
func (s *Store) FirstLook(ctx context.Context, control, account string) (time.Time, error) {
	text, err := s.Remembered(ctx, LookedName(control, account))
	if err != nil || text == "" {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("recall the first look at %s in %s: %w", control, account, err)
	}
	return at, nil
}

func (s *Store) moments(ctx context.Context, prefix string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	err := s.remembered(ctx, prefix, func(name, value string) error {
		at, err := time.Parse(time.RFC3339Nano, value)
		out[name] = at
		return err
	})
	return out, err
}

// RememberedUnder returns all that is remembered under names that begin with the prefix, by the rest
// of the name.
func (s *Store) RememberedUnder(ctx context.Context, prefix string) (map[string]string, error) {
	out := map[string]string{}
	err := s.remembered(ctx, prefix, func(name, value string) error {
		out[name] = value
		return nil
	})
	return out, err
}

// remembered reads all that is remembered under a prefix.
func (s *Store) remembered(ctx context.Context, prefix string, each func(name, value string) error) error {
	prefix = rememberPrefix + prefix
	rows, err := s.read.QueryContext(ctx, `SELECT name, value FROM meta WHERE substr(name, 1, $1) = $2`, len(prefix), prefix)
	if err != nil {
		return fmt.Errorf("recall %s: %w", prefix, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return fmt.Errorf("recall %s: %w", prefix, err)
		}
		if err := each(name[len(prefix):], value); err != nil {
			return fmt.Errorf("recall %s: %w", name, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("recall %s: %w", prefix, err)
	}
	return nil
}

// failedFor is how far back a remediation may have been made that failed lately:
// one can wait for its approval for days.
const failedFor = 30 * 24 * time.Hour

// FailedFixes returns the fixes that failed since a time, the oldest first: those
// that were undone and those whose undo failed.
func (s *Store) FailedFixes(ctx context.Context, since time.Time) ([]dera.FailedFix, error) {
	list, err := s.remediations(ctx, `state IN ('failed', 'undo_failed') AND created > $1`, micros(since.Add(-failedFor)))
	if err != nil {
		return nil, err
	}
	var out []dera.FailedFix
	for _, r := range list {
		at := r.CreatedAt
		if n := len(r.Steps); n > 0 {
			at = r.Steps[n-1].At
		}
		if at.After(since) {
			out = append(out, dera.FailedFix{Remediation: r.ID, Account: r.Plan.Account, Resource: r.ResourceKey(), At: at})
		}
	}
	slices.SortStableFunc(out, func(a, b dera.FailedFix) int { return a.At.Compare(b.At) })
	return out, nil
}
