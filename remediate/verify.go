package remediate

import (
	"context"
	"fmt"
	"strings"

	"dera"
	"dera/resource"
)

// verify looks afresh: the findings must be gone and nothing but the plan's own
// changes may have moved (requirement R9).
func (t *run) verify(ctx context.Context) error {
	res, canon, ok, err := t.stable(ctx)
	if err != nil {
		return err
	}
	if !ok {
		t.rem.Moved = []string{"the resource itself is gone"}
		return t.move(ctx, dera.Collateral, "the resource does not exist any more", Entry{LookAgain: true})
	}
	still, err := t.cfg.Judge.Gone(ctx, t.rem, res)
	if err != nil {
		return err
	}
	if canon == t.rem.Expect() && len(still) == 0 {
		return t.move(ctx, dera.Resolved, "a fresh look finds the finding gone and nothing else moved", Entry{LookAgain: true})
	}
	if missing, err := t.missing(res); err != nil {
		return err
	} else if missing != "" {
		return t.fail(ctx, "verification failed: "+missing)
	}
	// Our changes are all there. What else moved was not ours, or not meant to
	// move; the fix is kept and a person is told (design §6.1.2).
	t.rem.Moved = lineDiff(t.rem.Expect(), canon)
	why := "the fix is in effect, but something outside the plan moved"
	if len(still) > 0 {
		why = fmt.Sprintf("the fix is in effect, but %s is open again through something else", strings.Join(still, ", "))
	}
	return t.move(ctx, dera.Collateral, why, Entry{LookAgain: true})
}

// missing names a change of ours that does not show any more.
func (t *run) missing(res dera.Resource) (string, error) {
	for i, c := range t.rem.Plan.Changes {
		done, _, err := t.kind.Effect(res.Config, resource.Of(c))
		if err != nil {
			return "", err
		}
		if !done {
			return fmt.Sprintf("change %d (%s) is not in effect", i+1, strings.Join(c.Diff, "; ")), nil
		}
	}
	return "", nil
}

// lineDiff lists the lines that stand in only one of two canonical texts. They
// are shortened to what carries no free text.
func lineDiff(want, got string) []string {
	count := map[string]int{}
	var order []string
	for sign, text := range map[int]string{1: want, -1: got} {
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if _, seen := count[line]; !seen {
				order = append(order, line)
			}
			count[line] += sign
		}
	}
	var out []string
	for _, line := range order {
		text, _, _ := strings.Cut(line, " description ")
		switch n := count[line]; {
		case n > 0:
			out = append(out, "gone: "+text)
		case n < 0:
			out = append(out, "new: "+text)
		}
	}
	return sorted(out)
}
