package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
)

// maxRan bounds how many remediations of accounts are read that nothing speaks against.
// Beyond it the newest count.
const maxRan = 5000

// Ran returns the remediations of accounts that changed something, and the denials after
// them: all that were rolled back, could not be undone or denied something, and of the
// others the newest that were made since a moment. The oldest come first.
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
	list, err := s.remediations(ctx, fmt.Sprintf(`%[1]s AND (state IN ('rolled_back', 'undo_failed', 'undoing') OR id IN (SELECT remediation FROM denials))
		OR id IN (SELECT id FROM remediations WHERE %[1]s AND state IN ('resolved', 'collateral', 'failed') AND created >= $%[2]d ORDER BY created DESC, id LIMIT %[3]d)`,
		in, len(args)+1, maxRan), append(args, micros(since))...)
	if err != nil {
		return nil, nil, err
	}
	return list, denials, nil
}
