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

// alarmName is the name under which an alarm is remembered while it stands.
func alarmName(key string) string { return rememberPrefix + alarmPrefix + key }

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
