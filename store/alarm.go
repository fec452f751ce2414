package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"dera.example/dera"
)

// alarmPrefix is that of the names under which the alarms that stand are remembered.
const alarmPrefix = "alarm/"

// alarm begins or ends one, within the transaction, so that each is told once over all
// replicas.
func (w writer) alarm(ctx context.Context, b Batch) error {
	if b.Alarm != nil {
		body, err := json.Marshal(b.Alarm)
		if err != nil {
			return fmt.Errorf("alarm %s: %w", b.Alarm.Key, err)
		}
		if err := w.changed(ctx, b.Alarm.Key, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, string(body)); err != nil {
			return err
		}
	}
	if b.AlarmEnded != "" {
		return w.changed(ctx, b.AlarmEnded, `DELETE FROM meta WHERE name = $1`)
	}
	return nil
}

func (w writer) changed(ctx context.Context, key, query string, more ...any) error {
	res, err := w.tx.ExecContext(ctx, query, append([]any{rememberPrefix + alarmPrefix + key}, more...)...)
	if err != nil {
		return fmt.Errorf("alarm %s: %w", key, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("alarm %s: %w", key, err)
	}
	if n == 0 {
		return fmt.Errorf("alarm %s: %w", key, ErrAlarm)
	}
	return nil
}

// Alarms returns the alarms that stand, the oldest first.
func (s *Store) Alarms(ctx context.Context) ([]dera.Alarm, error) {
	var out []dera.Alarm
	err := s.remembered(ctx, alarmPrefix, func(_, value string) error {
		var a dera.Alarm
		if err := json.Unmarshal([]byte(value), &a); err != nil {
			return fmt.Errorf("%w: %w", ErrTorn, err)
		}
		out = append(out, a)
		return nil
	})
	slices.SortStableFunc(out, func(a, b dera.Alarm) int { return a.Since.Compare(b.Since) })
	return out, err
}
