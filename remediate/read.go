package remediate

import (
	"context"
	"errors"
	"fmt"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// stable reads the resource until two reads in a row agree: AWS is eventually
// consistent, and only what stays is taken for the truth (design §6.1.1). ok is
// false if the resource does not exist.
func (t *run) stable(ctx context.Context) (res dera.Resource, canon string, ok bool, err error) {
	var last string
	var lastOK, have bool
	var doubt error
	for range t.cfg.Patience {
		res, ok, err = t.cfg.Cloud.Read(ctx, t.rem.Plan)
		if unread(err) { // reads that contradict each other agree with none
			have, doubt = false, err
			if err := t.pause(ctx); err != nil {
				return res, "", false, err
			}
			continue
		}
		if err != nil {
			return res, "", false, fmt.Errorf("read %s: %w", t.rem.Plan.Resource, err)
		}
		canon = ""
		if ok {
			if canon, err = t.kind.Canon(res.Config); err != nil {
				return res, "", false, err
			}
		}
		if have && canon == last && ok == lastOK {
			return res, canon, ok, nil
		}
		last, lastOK, have = canon, ok, true
		if err := t.pause(ctx); err != nil {
			return res, "", false, err
		}
	}
	if doubt != nil {
		return res, "", false, fmt.Errorf("read %s: %w", t.rem.Plan.Resource, doubt)
	}
	return res, "", false, fmt.Errorf("read %s: it keeps changing, so nothing is decided", t.rem.Plan.Resource)
}

// unread reports whether a read found that the configuration is not known; one
// after a while may know it.
func unread(err error) bool {
	var u interface{ Unread() bool }
	return errors.As(err, &u) && u.Unread()
}

// reaches reads until the configuration is the wanted one, and returns the last
// that was stable: one that contradicts what was seen before may be behind.
func (t *run) reaches(ctx context.Context, want string) (res dera.Resource, canon string, ok bool, err error) {
	for i := range t.cfg.Patience {
		if i > 0 {
			if err := t.pause(ctx); err != nil {
				return res, "", false, err
			}
		}
		if res, canon, ok, err = t.stable(ctx); err != nil || ok && canon == want {
			return res, canon, ok, err
		}
	}
	return res, canon, ok, nil
}

func (t *run) pause(ctx context.Context) error {
	if t.cfg.Settle < 0 {
		return ctx.Err()
	}
	return t.cfg.Wait(ctx, t.cfg.Settle)
}

// shows reads until the operation shows in the resource: a write is settled by
// what is there, not by what the call answered. One read that shows it is enough,
// since no older state has it; that it is not there counts only when the reads
// agree. patient is false where the call said that it failed; then the first
// stable read decides.
func (t *run) shows(ctx context.Context, op resource.Operation, patient bool) (bool, map[string]string, error) {
	res, ok, err := t.cfg.Cloud.Read(ctx, t.rem.Plan)
	if err == nil && ok {
		if done, out, err := t.kind.Effect(res.Config, op); err != nil || done {
			return done, out, err
		}
	}
	tries := 1
	if patient {
		tries = t.cfg.Patience
	}
	for i := range tries {
		if i > 0 || err != nil {
			if err := t.pause(ctx); err != nil {
				return false, nil, err
			}
		}
		res, _, ok, err := t.stable(ctx)
		if err != nil {
			return false, nil, err
		}
		if !ok {
			return false, nil, nil
		}
		if done, out, err := t.kind.Effect(res.Config, op); err != nil || done {
			return done, out, err
		}
	}
	return false, nil, nil
}

// retarget reads whether the operation, an undo of the change, shows already, and
// gives it the IDs that its parts have now. A whole document that is not the one
// that the change wrote is someone else's now, and nothing of ours is left; by
// order of a person, our own part of it is undone all the same. One read is enough
// to write; that there is nothing to write, or that it is not possible, counts when
// a second agrees: a read that is behind looks like that too.
func (t *run) retarget(ctx context.Context, op, change resource.Operation) (resource.Operation, bool, error) {
	res, ok, err := t.cfg.Cloud.Read(ctx, t.rem.Plan)
	if err != nil || !ok {
		return op, false, err
	}
	next, there, err := t.aim(res.Config, op, change)
	if err == nil && !there {
		return next, false, nil
	}
	if res, _, ok, err = t.stable(ctx); err != nil || !ok {
		return op, false, err
	}
	return t.aim(res.Config, op, change)
}

// aim is what retarget does with a configuration.
func (t *run) aim(config any, op, change resource.Operation) (resource.Operation, bool, error) {
	rebased := false
	if t.rem.Undo == rollbackUndo && t.kind.Rebase != nil {
		next, done, err := t.kind.Rebase(config, op, change)
		if err != nil { // to try again changes nothing: a person is needed
			return op, false, &undoError{err.Error()}
		}
		op, rebased = next, done
	}
	done, _, err := t.kind.Effect(config, op)
	if err != nil || done {
		return op, done, err
	}
	if t.kind.Whole() && !rebased {
		if ours, _, err := t.kind.Effect(config, change); err != nil || !ours {
			return op, !ours, err
		}
	}
	op, err = t.kind.Retarget(config, op)
	return op, false, err
}

// confirm reads the resource once where the look that decided lies far enough
// back: the two reads agree or the decision is void.
func (t *run) confirm(ctx context.Context) (res dera.Resource, canon string, ok bool, err error) {
	if rest := t.cfg.Settle - t.cfg.Now().Sub(t.rem.CreatedAt); rest > 0 {
		if err := t.cfg.Wait(ctx, rest); err != nil {
			return res, "", false, err
		}
	}
	if res, ok, err = t.cfg.Cloud.Read(ctx, t.rem.Plan); unread(err) {
		return t.stable(ctx)
	} else if err != nil {
		return res, "", false, fmt.Errorf("read %s: %w", t.rem.Plan.Resource, err)
	}
	if ok {
		canon, err = t.kind.Canon(res.Config)
	}
	if err == nil && (!ok || canon != t.rem.Before()) {
		return t.stable(ctx)
	}
	return res, canon, ok, err
}
