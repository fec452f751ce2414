package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
)

// maxRan bounds how many remediations of accounts are read that are resolved: nothing of them
// was ever taken back. Beyond it the newest count.
const maxRan = 5000

// Ran returns the remediations of accounts that changed something, and the denials after
// them: all that were or may have been rolled back, could not be undone or denied something,
// those that failed and were made since a moment, and of the others the newest since then. The
// oldest come first.
func (s *Store) Ran(ctx context.Context, partition string, accounts []string, since time.Time) ([]dera.Remediation, []dera.Denial, error) {
	if len(accounts) == 0 {
		return nil, nil, nil
	}
	var ranges []string
	var args []any
	for _, a := range accounts {
		prefix := partition + "/" + a
		args = append(args, prefix+"/", prefix+"0") // 0 is the character after /
		ranges = append(ranges, fmt.Sprintf(`resource >= $%d AND resource < $%d`, len(args)-1, len(args)))
	}
	in := `(` + strings.Join(ranges, ` OR `) + `)`
	denials, err := s.denied(ctx, `remediation IN (SELECT id FROM remediations WHERE `+in+`)`, args...)
	if err != nil {
		return nil, nil, err
	}
	from, speaks := fmt.Sprintf("$%d", len(args)+1), `state IN ('rolled_back', 'undo_failed', 'undoing', 'collateral') OR id IN (SELECT remediation FROM denials)`
	list, err := s.remediations(ctx, fmt.Sprintf(`%[1]s AND (%[2]s OR state = 'failed' AND created >= %[3]s)
		OR id IN (SELECT id FROM remediations WHERE %[1]s AND state = 'resolved' AND created >= %[3]s ORDER BY created DESC, id LIMIT %[4]d)`,
		in, speaks, from, maxRan), append(args, micros(since))...)
	if err != nil {
		return nil, nil, err
	}
	return list, denials, nil
}
