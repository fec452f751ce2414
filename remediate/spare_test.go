package remediate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/policy"
)

const (
	wideText   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}`
	narrowText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	theirText  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}`
)

func versions(texts ...string) *policy.Policy {
	p := &policy.Policy{Name: "app", Path: "/", Default: policy.Version{ID: "v9", Document: texts[0]}}
	for _, text := range texts[1:] {
		p.Others = append(p.Others, policy.Version{Document: text})
	}
	return p
}

// narrowed is a run on a fix that put the narrow version in force in the place of the wide one.
func narrowed(t *testing.T) *run {
	t.Helper()
	kind, before := policy.Type(), versions(wideText)
	changes, err := before.SetDocument(narrowText)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{kind: kind, rem: dera.Remediation{State: dera.Resolved, Plan: dera.Plan{Type: kind.Name, Changes: changes}}}
	var config any = before
	for i := 0; ; i++ {
		canon, err := kind.Canon(config)
		if err != nil {
			t.Fatal(err)
		}
		r.rem.Way = append(r.rem.Way, canon)
		if i == len(changes) {
			return r
		}
		r.intents = append(r.intents, dera.Intent{Step: i, State: dera.IntentApplied})
		if config, err = kind.Apply(config, resource.Of(changes[i])); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpareCopiesAreNoCollision: versions that are not in force come and go without
// standing in the way of a rollback; the one in force is a part, and where that is
// someone else's nothing is offered.
func TestSpareCopiesAreNoCollision(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		now  *policy.Policy
		why  string // of the refusal
	}{
		{"as_it_was_left", versions(narrowText, wideText), ""},
		{"old_version_deleted", versions(narrowText), ""},
		{"another_version_made", versions(narrowText, theirText, wideText), ""},
		{"another_version_in_force", versions(theirText, narrowText, wideText), "nothing is left to roll back"},
		{"another_version_in_force_and_ours_deleted", versions(theirText), "nothing is left to roll back"},
		{"as_many_as_iam_keeps", versions(narrowText, theirText, theirText, theirText, theirText), "as many as IAM keeps"},
	} {
		for _, partial := range []bool{false, true} {
			r := narrowed(t)
			canon := tt.now.Canon()
			err := r.partial(tt.now, canon, partial)
			var no *RefusedError
			if errors.As(err, &no) && len(no.Partial) > 0 {
				t.Errorf("%s: offers %q, want nothing", tt.name, no.Partial)
			}
			why := ""
			if err == nil {
				why = r.impossible(dera.Resource{Config: tt.now})
			} else {
				why = err.Error()
			}
			if (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
				t.Errorf("%s, partial %t: got %q, want %q", tt.name, partial, why, tt.why)
			}
			if tt.why == "" && !strings.Contains(r.goal, "in force") || tt.why == "" && !slices.Equal(inForce(r.goal), inForce(r.rem.Before())) {
				t.Errorf("%s: leads to %q, want the wide version in force", tt.name, r.goal)
			}
		}
	}
}

func inForce(canon string) (out []string) {
	for line := range strings.Lines(canon) {
		if strings.HasPrefix(line, "in force ") {
			out = append(out, line)
		}
	}
	return out
}

// TestIdleRollback: a rollback that wrote nothing is none, unless all is as before.
func TestIdleRollback(t *testing.T) {
	t.Parallel()
	r := narrowed(t)
	r.rem.State, r.rem.Undo = dera.Undoing, rollbackUndo
	idle := func(now *policy.Policy) bool {
		t.Helper()
		idle, err := r.idle(now)
		if err != nil {
			t.Fatal(err)
		}
		return idle
	}
	if !idle(versions(theirText, wideText)) {
		t.Error("someone else's version is in force: got that it is rolled back")
	}
	if idle(versions(wideText, theirText)) {
		t.Error("someone else put the wide version in force: got that nothing is rolled back")
	}
	r.intents = append(r.intents, dera.Intent{Step: 1, Undo: true, State: dera.IntentApplied})
	if idle(versions(theirText, wideText)) {
		t.Error("after a write: got that nothing was written")
	}
}

// noted is a journal that only takes entries.
type noted struct{ Journal }

func (noted) Write(context.Context, Entry) error { return nil }

// TestGiveUp: where between the order and the undo everything became someone else's, the
// remediation is what it was before, and no rollback counts for it.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	for from, want := range map[dera.State]dera.State{dera.Resolved: dera.Collateral, dera.Collateral: dera.Collateral, dera.UndoFailed: dera.UndoFailed} {
		r := narrowed(t)
		r.Runner = &Runner{Config{Journal: noted{}, Now: time.Now}}
		r.rem.State, r.rem.Undo, r.rem.UndoBy, r.rem.LeftInPlace = dera.Undoing, rollbackUndo, "eve", []int{1}
		r.rem.Steps = []dera.Step{{State: from}, {State: dera.Undoing}}
		if err := r.giveUp(t.Context()); err != nil || r.rem.State != want {
			t.Errorf("from %s: got %s, %v, want %s", from, r.rem.State, err, want)
		}
		if want == dera.Collateral && (r.rem.Undo != "" || r.rem.UndoBy != "" || r.rem.LeftInPlace != nil) {
			t.Errorf("from %s: got the undo %q by %q noted, want none", from, r.rem.Undo, r.rem.UndoBy)
		}
	}
}
