package remediate

import (
	"context"
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// verify looks afresh: the findings must be gone and nothing but the plan's own
// changes may have moved (requirement R9).
func (t *run) verify(ctx context.Context) error {
	res, canon, ok, err := t.reaches(ctx, t.rem.Expect())
	if err != nil {
		return err
	}
	if !ok {
		t.rem.Unexpected = []string{"the resource no longer exists"}
		return t.move(ctx, dera.Collateral, "the resource does not exist any more", Entry{LookAgain: true})
	}
	still, err := t.cfg.Judge.Gone(ctx, t.rem, res)
	if err != nil && t.waited() > tryFor && ctx.Err() == nil {
		t.rem.Unexpected = lineDiff(t.rem.Expect(), canon)
		return t.move(ctx, dera.Collateral, "the fix is made, but it could not be verified: "+err.Error(), Entry{LookAgain: true})
	}
	if err != nil {
		return err
	}
	if canon == t.rem.Expect() && len(still) == 0 && t.rem.Overwrote != "" {
		return t.move(ctx, dera.Collateral, "the fix is in effect, but dera may have overwritten "+t.rem.Overwrote, Entry{LookAgain: true})
	}
	if canon == t.rem.Expect() && len(still) == 0 {
		return t.move(ctx, dera.Resolved, "verified: finding resolved, nothing else changed", Entry{LookAgain: true})
	}
	// Of a whole document that is neither the one before nor ours, someone else is
	// the author: an undo would write over it.
	foreign := t.kind.Whole() && canon != t.rem.Before()
	missing, err := t.missing(res)
	if err != nil {
		return err
	}
	if missing != "" && len(still) > 0 && !foreign {
		if foreign, err = t.reopens(ctx, res); err != nil {
			return err
		}
	}
	if missing != "" && len(still) > 0 && !foreign {
		return t.fail(ctx, "verification failed: "+missing)
	}
	// Our changes did their work. What else moved was not ours, or not meant to
	// move; the fix is kept and a person is told (design §6.1.2). To undo here
	// would open again what a person may just have closed further.
	t.rem.Unexpected = append(t.rem.Unexpected, lineDiff(t.rem.Expect(), canon)...)
	why := "the fix is in effect, but something outside the plan changed"
	switch {
	case missing != "" && len(still) > 0:
		why = fmt.Sprintf("someone else wrote over the fix: %s, and %s is open again", missing, strings.Join(still, ", "))
	case len(still) > 0:
		why = fmt.Sprintf("the fix is in effect, but %s is open again through something else", strings.Join(still, ", "))
	}
	return t.move(ctx, dera.Collateral, why, Entry{LookAgain: true})
}

// reopens reports whether to undo the fix would open what is closed now.
func (t *run) reopens(ctx context.Context, res dera.Resource) (bool, error) {
	for i, c := range t.rem.Plan.Changes {
		in := t.intent(i, false)
		if in == nil || in.State != dera.IntentApplied || c.Optional || c.Undo == nil {
			continue
		}
		op, err := resource.OfUndo(*c.Undo, in.Output)
		if err != nil {
			return false, err
		}
		if why, err := t.opens(ctx, res, i, op); err != nil || why != "" {
			return why != "", err
		}
	}
	return false, nil
}

// missing names a change of ours that does not show any more.
func (t *run) missing(res dera.Resource) (string, error) {
	for i, c := range t.rem.Plan.Changes {
		done, _, err := t.kind.Effect(res.Config, resource.Of(c))
		if err != nil {
			return "", err
		}
		if !done && !c.Optional {
			return fmt.Sprintf("change %d (%s) is not in effect", i+1, strings.Join(c.Diff, "; ")), nil
		}
	}
	return "", nil
}

// lineDiff lists the lines that stand in only one of two canonical texts. They
// are shortened to what carries no free text of the customer (invariant I11).
func lineDiff(want, got string) []string {
	gone, fresh := map[string]int{}, map[string]int{}
	count := map[string]int{}
	for line := range strings.Lines(want) {
		count[line]++
	}
	for line := range strings.Lines(got) {
		count[line]--
	}
	for line, n := range count {
		switch text := bare(line); {
		case n > 0:
			gone[text] += n
		case n < 0:
			fresh[text] -= n
		}
	}
	var out []string
	for text, n := range gone {
		if both := min(n, fresh[text]); both > 0 {
			out = append(out, "changed: "+text+" (in what is not shown here)")
			gone[text], fresh[text] = n-both, fresh[text]-both
		}
		if gone[text] > 0 {
			out = append(out, "removed: "+text)
		}
	}
	for text, n := range fresh {
		if n > 0 {
			out = append(out, "added: "+text)
		}
	}
	return sorted(out)
}

// bare is a line of a canonical text without what customers write freely.
func bare(line string) string {
	line = strings.TrimSuffix(line, "\n")
	if strings.HasPrefix(line, "tags") {
		return "tags"
	}
	text, _, _ := strings.Cut(line, " description ")
	return text
}
