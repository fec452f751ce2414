package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/proof"
	"dera.example/dera/resource"
)

// verdict is what is known of one remediation and the question.
type verdict struct {
	blame Blame
	why   string
}

// Whyer answers whether a change of dera denied something. It reads the record alone, and
// nothing of AWS.
type Whyer struct {
	Store WhyStore
	Types resource.Registry
	Now   time.Time
	Flags string // of the commands that it names
	// Size is how much of the audit log is read, which was verified.
	Size int64
}

// Ask answers a question over every write that dera ever made: each was in effect then and
// took what is asked about, or is ruled out, or leaves the answer open. An error means that
// the record could not be read at all.
func (w Whyer) Ask(ctx context.Context, q Question) (Why, error) {
	out := Why{Question: q, Did: []Culprit{}, Perhaps: []Culprit{}, RuledOut: []RuledOut{}, Missing: []string{}, Records: w.Size}
	if q.Call != nil {
		out.AWS = q.Call.said()
	}
	list, err := recordedWrites(ctx, w.Store, w.Size)
	if err != nil {
		return out, err
	}
	since, until := w.Now.Add(-24*time.Hour), w.Now
	if q.At != nil {
		since, until = *q.At, *q.At
	}
	if until.After(w.Now.Add(settling)) {
		out.Missing = append(out.Missing, "the time is in the future: what dera will change until then is not known")
	}
	if c := q.Call; c != nil && !c.Authorization {
		if err := catalog.Embedded().KnownAction(c.Action); err != nil { // a person may have named an operation
			out.Missing = append(out.Missing, "the action that was denied: "+knownAs(err))
		}
	}
	for _, r := range list {
		rem, intents, err := r.load(ctx, w.Store)
		var unreadable *unreadableError
		if errors.As(err, &unreadable) {
			out.Missing = append(out.Missing, unreadable.text)
			continue
		}
		if err != nil {
			return out, err
		}
		c := &change{Whyer: w, recorded: r, rem: rem, intents: intents}
		c.inEffect(since, until)
		v, err := c.ask(ctx, q)
		if err != nil {
			return out, err
		}
		switch v.blame {
		case BlameYes:
			out.Did = append(out.Did, c.culprit(q, v.why))
		case BlameUnknown:
			out.Perhaps = append(out.Perhaps, c.culprit(q, v.why))
		case BlameNo:
			out.RuledOut = append(out.RuledOut, RuledOut{rem.ID, r.first, len(r.begun), v.why, c.claims})
		}
	}
	latest := func(a, b Culprit) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Record, b.Record)) }
	slices.SortStableFunc(out.Did, latest)
	slices.SortStableFunc(out.Perhaps, latest)
	switch {
	case len(out.Did) > 0:
		out.Answer = BlameYes
	case len(out.Perhaps)+len(out.Missing) > 0:
		out.Answer = BlameUnknown
		out.Missing = append(out.Missing, missing(q, out)...)
	default:
		out.Answer = BlameNo
	}
	return out, nil
}

// knownAs says what a name that is no action may mean.
func knownAs(err error) string {
	var unknown *catalog.UnknownActionError
	if !errors.As(err, &unknown) {
		return err.Error()
	}
	switch {
	case len(unknown.Means) > 0:
		return unknown.Name + " is the name of an operation, not of an action: write " + strings.Join(unknown.Means, ", ")
	case len(unknown.Nearest) > 0:
		return unknown.Name + " is no action that the catalogue knows: the nearest are " + strings.Join(unknown.Nearest, ", ")
	}
	return unknown.Name + " is no action that the catalogue knows"
}

// missing is what would make a question decidable that has not everything.
func missing(q Question, w Why) (out []string) {
	if len(w.Perhaps) == 0 {
		return nil
	}
	if q.At == nil {
		out = append(out, "when it was denied: give --at")
	}
	if c := q.Call; c != nil {
		if c.Resource == "" {
			out = append(out, "the resource that was called: give --resource, or the whole error")
		}
		if c.Policy == "" {
			out = append(out, "which type of policy denied it: AWS says it in the error (\"because no … policy allows\"), which was not given or does not say it")
		}
	}
	return out
}

// change is a remediation as it is asked about.
type change struct {
	Whyer
	recorded *recorded
	rem      dera.Remediation
	intents  map[move]dera.Intent
	steps    []step        // those that were in effect, or may have been
	claims   []proof.Claim // on which it is ruled out
	undone   []move        // undos that were in effect where others of its changes were not undone
}

// step is a change of a plan that was in effect, or may have been (doubt says why).
type step struct {
	index int
	doubt string
}

// inEffect finds the steps that were in effect at some time from since to until.
func (c *change) inEffect(since, until time.Time) {
	var reverted []move
	for i := range c.rem.Plan.Changes {
		switch e, doubt := c.recorded.during(i, c.intents, since, until); {
		case e != effectNone:
			c.steps = append(c.steps, step{i, doubt})
		case c.intents[move{i, false}].State == dera.IntentApplied:
			if _, ok := c.intents[move{i, true}]; ok {
				reverted = append(reverted, move{i, true})
			}
		}
	}
	if len(c.steps) > 0 {
		c.undone = reverted
	}
}

// taken is what each step took away, and what in doubt.
func (c *change) taken() (sure []resource.Taken, doubtful []resource.Taken, doubt string, err error) {
	kind, err := c.Types.Lookup(c.rem.Plan.Type)
	if err != nil {
		return nil, nil, "", err
	}
	for _, s := range c.steps {
		t, err := kind.Taken(c.rem.Plan, c.rem.Plan.Changes[s.index])
		if err != nil {
			return nil, nil, "", err
		}
		if s.doubt != "" {
			doubtful, doubt = append(doubtful, t), cmp.Or(doubt, s.doubt)
			continue
		}
		sure = append(sure, t)
	}
	for _, m := range c.undone {
		undo, ok := resource.Reversed(c.rem.Plan.Changes[m.step])
		if !ok {
			continue
		}
		t, err := kind.Taken(c.rem.Plan, undo)
		if err != nil {
			return nil, nil, "", err
		}
		doubtful, doubt = append(doubtful, t), cmp.Or(doubt, "only some of its changes were undone")
	}
	return sure, doubtful, doubt, nil
}

// ask answers the question for one remediation.
func (c *change) ask(ctx context.Context, q Question) (verdict, error) {
	if len(c.steps) == 0 {
		return verdict{BlameNo, "none of its changes was in effect at that time"}, nil
	}
	sure, doubtful, doubt, err := c.taken()
	if err != nil {
		return verdict{BlameUnknown, "what it took away is not known: " + err.Error()}, nil
	}
	if q.Call != nil {
		v := c.call(*q.Call, sure, doubtful)
		if v.blame != BlameNo && doubt != "" {
			return verdict{BlameUnknown, doubt + "; " + v.why}, nil
		}
		return v, nil
	}
	v, err := c.connection(ctx, *q.Connection, sure, doubtful)
	if v.blame != BlameNo && doubt != "" {
		v = verdict{BlameUnknown, doubt + "; " + v.why}
	}
	return v, err
}

// culprit is the remediation for people.
func (c *change) culprit(q Question, why string) Culprit {
	out := Culprit{
		Remediation: c.rem.ID, Control: c.rem.Control, Account: c.rem.Plan.Account, Region: c.rem.Plan.Region, Resource: c.rem.Plan.Resource, Why: why, Took: []string{},
		Record: c.recorded.first, At: c.recorded.begun[move{c.steps[0].index, false}].at,
	}
	for _, s := range c.steps {
		for _, line := range c.rem.Plan.Changes[s.index].Diff {
			out.Took = append(out.Took, Plain(line))
		}
	}
	switch c.rem.State {
	case dera.Resolved, dera.Collateral, dera.UndoFailed:
		out.Undo = fmt.Sprintf(`dera rollback %s --reason "it denied what is in use"`, c.rem.ID) + c.Flags
		if q.Call != nil {
			out.Grant = grantBack(c.rem, *q.Call, c.Flags)
		}
	default: // it is not for a person to roll back now
	}
	return out
}

var _ audit.Source = WhyStore(nil)
