package remediate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// writeTries is how often one write is made within a run, when the service turns
// it away for a passing reason or does not answer; after that the remediation is
// run again later, for tryFor in all.
const writeTries = 6

// backOff waits before the next try of a write: half the settling time, then
// twice as long each time, up to 16 s (by default 1 s, 2 s, 4 s, 8 s, 16 s).
func (t *run) backOff(ctx context.Context, try int) error {
	if t.cfg.Settle < 0 {
		return ctx.Err()
	}
	return t.cfg.Wait(ctx, min(t.cfg.Settle/2<<try, 16*time.Second))
}

// step makes one write durable: intent, write, settle by reading, result. It
// reports whether the write is in effect. A write that was turned away for a
// passing reason, or that has no answer and does not show, is made again with a
// growing delay; lease, stop and resource are read again before each try.
func (t *run) step(ctx context.Context, i int, undo bool, op resource.Operation, c dera.Change) (bool, error) {
	for try := 0; ; try++ {
		old := t.intent(i, undo)
		switch {
		case old != nil && old.State == dera.IntentApplied:
			return true, nil
		case old != nil && old.State == dera.IntentNotApplied && !old.Retry && !undo:
			return false, nil
		}
		if old != nil && old.Unanswered {
			if done, err := t.late(ctx, *old, op); err != nil || done {
				return done, err
			}
		}
		if undo && try > 0 {
			var there bool
			var err error
			if op, there, err = t.retarget(ctx, op, resource.Of(c)); err != nil || there {
				return there, err
			}
		}
		done, cause, err := t.attempt(ctx, i, undo, op, c)
		if err != nil || done || cause == nil {
			return done, err
		}
		if try+1 >= writeTries {
			return false, fmt.Errorf("tried %d times: %w", writeTries, cause)
		}
		if err := t.backOff(ctx, try); err != nil {
			return false, errors.Join(cause, err)
		}
	}
}

// late closes the intent of an earlier try without an answer that took effect
// after all, so that there is nothing to write any more.
func (t *run) late(ctx context.Context, old dera.Intent, op resource.Operation) (bool, error) {
	done, out, err := t.shows(ctx, op, false)
	if err != nil || !done {
		return false, err
	}
	if !t.ours(old, out) {
		return false, nil // the service refuses it as made already
	}
	return true, t.close(ctx, old, true, out, nil)
}

// errNotOurs means that a write shows which someone else made.
var errNotOurs = errors.New("someone else made the same change meanwhile")

// ours reports whether what shows of a write that AWS did not answer can be dera's:
// its outputs are there, without which it has no undo. An undo of someone else's
// change would take away what they need.
func (t *run) ours(in dera.Intent, out map[string]string) bool {
	c := t.rem.Plan.Changes[in.Step]
	if in.Undo || c.Undo == nil {
		return true
	}
	_, err := resource.OfUndo(*c.Undo, out)
	return err == nil
}

// attempt is one try of a write. cause says why it may be tried again; nil where
// it is in effect or cannot take effect.
func (t *run) attempt(ctx context.Context, i int, undo bool, op resource.Operation, c dera.Change) (done bool, cause, err error) {
	old, sent := t.intent(i, undo), false
	in := dera.Intent{
		Remediation: t.rem.ID, Step: i, Undo: undo, Operation: op.Name, Version: op.Version,
		State: dera.IntentOpen, Token: t.lease.Token, At: t.cfg.Now(), Unanswered: old != nil && old.Unanswered,
	}
	rec := t.record(dera.RecordIntent)
	rec.Step, rec.Undo, rec.Operation, rec.Diff = &i, undo, op.Name, diff(c, undo)
	if rec.Sealed, err = json.Marshal(c); err != nil {
		return false, nil, err
	}
	if err := t.allowed(ctx); err != nil {
		return false, nil, err
	}
	if err := t.write(ctx, in, rec); err != nil {
		return false, nil, err
	}
	if err := t.anchored(ctx, undo); err != nil {
		return t.unsent(ctx, in, err, true)
	}
	// From here on a crash is safe: the open intent says what may have happened.
	readFirst := !undo && (i == 0 || old != nil || !c.Optional && t.takes(i))
	var no error // of the guard: nothing is tried again within this run
	requestID, doErr := t.cfg.Cloud.Do(ctx, t.rem.Plan, op, func(ctx context.Context) error {
		if readFirst {
			if no = t.unmoved(ctx, i); no != nil {
				return no
			}
		}
		if undo {
			if no = t.closed(ctx, i, op); no != nil {
				return no
			}
		}
		no = t.mayBeSigned(ctx, in)
		sent = no == nil
		return no
	})
	in.RequestID = requestID
	if undo && gone(doErr) {
		t.gone = doErr
	}
	if !sent && doErr != nil {
		return t.unsent(ctx, in, doErr, no != nil)
	}
	return t.settle(ctx, in, op, doErr)
}

// undoAnchor is how long an undo waits for the anchor of its intent. To take a change back from
// production comes before the anchor: its record is committed, and the next anchor has it.
const undoAnchor = 10 * time.Second

// anchored returns nil when the write whose intent is committed may be made as far as the anchor of the
// audit log goes.
func (t *run) anchored(ctx context.Context, undo bool) error {
	if !undo {
		return t.cfg.Journal.Anchored(ctx)
	}
	within, cancel := context.WithTimeout(ctx, undoAnchor)
	defer cancel()
	if err := t.cfg.Journal.Anchored(within); errors.Is(err, ErrUnanchored) {
		return ctx.Err()
	} else if err != nil {
		return err
	}
	return nil
}

// signWithin is how old an intent may be when its request is signed: a rescuer
// counts the signature's validity from the intent on.
const signWithin = time.Minute

// mayBeSigned is asked right before a request is signed.
func (t *run) mayBeSigned(ctx context.Context, in dera.Intent) error {
	if err := t.allowed(ctx); err != nil {
		return err
	}
	if age := t.cfg.Now().Sub(in.At); age > signWithin {
		return fmt.Errorf("the intent is %s old, so its request is not sent any more", age.Round(time.Second))
	}
	return nil
}

// errMoved means that the resource is not the one any more that was looked at.
type errMoved struct{}

func (errMoved) Error() string {
	return "someone else changed the resource right before the write, so nothing was sent"
}

// Moved implements what moved asks for.
func (errMoved) Moved() bool { return true }

// takes reports whether a change takes something away. What others allow, and what the
// changes before it have put in its place, must be there then.
func (t *run) takes(i int) bool { return Adds(t.rem.Way[i+1], t.rem.Way[i]) }

// unmoved reads the resource once more, right before the first write of a plan,
// before each further try of a write, and before each write that takes something
// away: between the look that decided and here lie commits, the gate and waits, and
// what someone closed meanwhile must not be opened again by a split, nor what someone
// took away be missed by what goes. The resource must be where the changes before i
// led.
func (t *run) unmoved(ctx context.Context, i int) error { return t.unmovedFrom(ctx, t.rem.Way[i]) }

// unmovedFrom is unmoved from a canonical configuration.
func (t *run) unmovedFrom(ctx context.Context, want string) error {
	res, ok, err := t.cfg.Cloud.Read(ctx, t.rem.Plan)
	if err != nil && !unread(err) {
		return fmt.Errorf("read %s once more: %w", t.rem.Plan.Resource, err)
	}
	if err == nil && !ok {
		return errMoved{}
	}
	var canon string
	if ok {
		if canon, err = t.kind.Canon(res.Config); err != nil || canon == want {
			return err
		}
	}
	// A read that is behind looks like that too.
	if _, canon, ok, err = t.reaches(ctx, want); err == nil && (!ok || canon != want) {
		err = errMoved{}
	}
	return err
}

// moved reports whether nothing was sent since the resource is not the one any
// more that was looked at.
func moved(err error) bool {
	var m interface{ Moved() bool }
	return errors.As(err, &m) && m.Moved()
}

// unsent closes an intent whose request never left: the same write is made again
// later, when the stop, the lease or the credentials allow it. guarded says that
// dera itself held it back.
func (t *run) unsent(ctx context.Context, in dera.Intent, cause error, guarded bool) (bool, error, error) {
	if moved(cause) || denied(cause) || in.Undo && gone(cause) {
		return false, nil, t.close(ctx, in, false, nil, cause)
	}
	if !errors.Is(cause, ErrStopped) && !errors.Is(cause, ErrUnanchored) && ctx.Err() == nil && t.waited() > tryFor {
		return false, nil, t.close(ctx, in, false, nil, cause)
	}
	in.Retry = true
	err := t.close(context.WithoutCancel(ctx), in, false, nil, cause)
	if guarded || err != nil || !passing(cause) {
		return false, nil, errors.Join(cause, err)
	}
	return false, cause, nil
}

// tryFor is how long a write is tried again that the service turned away for a
// passing reason (throttled, credentials run out) or that could not be sent.
const tryFor = time.Hour

// waited is how long the remediation has been in its state.
func (t *run) waited() time.Duration {
	if len(t.rem.Steps) == 0 {
		return 0
	}
	return t.cfg.Now().Sub(t.rem.Steps[len(t.rem.Steps)-1].At)
}

// refused reports whether the service answered that it did not carry out the
// request (a client error); any other error may hide an effect.
func refused(err error) bool {
	var r interface{ Refused() bool }
	return errors.As(err, &r) && r.Refused()
}

// passing reports whether the service turned the request away for a reason that
// has nothing to do with the request.
func passing(err error) bool {
	var r interface{ Passing() bool }
	return errors.As(err, &r) && r.Passing()
}

// denied reports whether the service turned the request away for want of a
// permission; to try again changes nothing.
func denied(err error) bool {
	var d interface{ Denied() bool }
	return errors.As(err, &d) && d.Denied()
}

// gone reports whether something that a request is about does not exist.
func gone(err error) bool {
	var g interface{ Gone() bool }
	return errors.As(err, &g) && g.Gone()
}

// again reports whether a request that failed may be made again: it was turned
// away for a passing reason, or it has no answer that says no.
func again(err error) bool { return err != nil && (passing(err) || !refused(err) && !denied(err)) }

// rescue settles an intent that a crash left open. A request that the crashed
// engine signed may still be on its way, so that "not there" counts only after
// its signature has run out (invariant I9).
func (t *run) rescue(ctx context.Context, in dera.Intent, op resource.Operation) error {
	done, out, err := t.shows(ctx, op, false)
	if err != nil {
		return err
	}
	if done && !t.ours(in, out) {
		in.Unanswered = true // it may still arrive, where theirs goes
		return t.close(ctx, in, false, nil, errNotOurs)
	}
	if done {
		return t.close(ctx, in, true, out, nil)
	}
	if end := in.At.Add(signWithin + t.cfg.Validity); t.cfg.Validity > 0 && t.cfg.Now().Before(end) {
		return &LaterError{At: end, Why: "a write that was under way at a crash may still arrive"}
	}
	in.Retry, in.Unanswered = true, true
	return t.close(ctx, in, false, nil, errors.New("the engine stopped before the write took effect"))
}

// settle decides by reading whether the write took effect, whatever it answered.
// After anything but a clear no the reads are patient: the effect of a call that
// broke off may show late. cause says why it may be tried again.
func (t *run) settle(ctx context.Context, in dera.Intent, op resource.Operation, doErr error) (done bool, cause, err error) {
	done, out, err := t.shows(ctx, op, !refused(doErr))
	in.Unanswered = in.Unanswered || !done && !refused(doErr)
	switch {
	case err != nil:
		return false, nil, errors.Join(err, doErr) // the intent stays open; the next run settles it
	case done && refused(doErr) && !in.Undo && !in.Unanswered, done && doErr != nil && !t.ours(in, out):
		// Not ours, so that an undo must not take it back.
		in.Unanswered = in.Unanswered || !refused(doErr)
		return false, nil, t.close(ctx, in, false, nil, fmt.Errorf("%w: %w", errNotOurs, doErr))
	case done:
		return true, nil, t.close(ctx, in, true, out, nil)
	case doErr == nil:
		doErr = fmt.Errorf("the call reported success, but the change does not show in %d reads; it may take effect later", t.cfg.Patience)
	}
	// Refused after a try without an answer, for example as not found: that try may
	// be in effect, and the reads behind.
	if (again(doErr) || in.Unanswered && !denied(doErr)) && t.waited() <= tryFor {
		in.Retry = true
		return false, doErr, t.close(ctx, in, false, nil, doErr)
	}
	return false, nil, t.close(ctx, in, false, nil, doErr)
}

// close records the result of an intent.
func (t *run) close(ctx context.Context, in dera.Intent, done bool, out map[string]string, cause error) error {
	now := t.cfg.Now()
	in.State, in.DoneAt, in.Output = dera.IntentNotApplied, &now, out
	if done {
		in.State = dera.IntentApplied
	}
	if cause != nil {
		in.Error = cause.Error()
	}
	rec := t.record(dera.RecordResult)
	rec.Step, rec.Undo, rec.Operation, rec.Output, rec.Why = &in.Step, in.Undo, in.Operation, out, string(in.State)
	rec.RequestID = in.RequestID
	if in.Error != "" {
		rec.Why += ": " + in.Error
	}
	return t.write(ctx, in, rec)
}

func (t *run) write(ctx context.Context, in dera.Intent, rec dera.AuditRecord) error {
	if err := t.cfg.Journal.Write(ctx, Entry{Lease: &t.lease, Intent: &in, Record: rec}); err != nil {
		return err
	}
	if old := t.intent(in.Step, in.Undo); old != nil {
		*old = in
	} else {
		t.intents = append(t.intents, in)
	}
	return nil
}

func (t *run) intent(step int, undo bool) *dera.Intent {
	for i := range t.intents {
		if t.intents[i].Step == step && t.intents[i].Undo == undo {
			return &t.intents[i]
		}
	}
	return nil
}
