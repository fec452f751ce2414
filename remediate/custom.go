package remediate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Custom starts custom fixes, and looks how far they are.
type Custom interface {
	// StartCustom starts what the operation names, once: the same token starts the same
	// execution, of a document; a function runs again with each call. allowed and the
	// errors are those of Cloud.Do; an error with Moved() also where the content is not
	// the one any more that the operation names.
	StartCustom(ctx context.Context, p dera.Plan, op resource.Operation, token string, allowed func(context.Context) error) (run dera.CustomRun, requestID string, err error)
	// CustomRun says how far an execution of the plan is that was started.
	CustomRun(ctx context.Context, p dera.Plan, execution string) (dera.CustomRun, error)
}

// The outputs of an intent of a custom fix that was started.
const (
	outExecution = "execution"
	outFailed    = "failed"
)

// Execution is AWS's ID of the execution by which a custom fix runs, or "".
func Execution(intents []dera.Intent) string {
	for _, in := range intents {
		if !in.Undo {
			return in.Output[outExecution]
		}
	}
	return ""
}

// repeatFor is how long the start of a document that was not answered may be sent again
// with its token. AWS does not say how long it remembers one.
const repeatFor = 15 * time.Minute

// applyCustom starts the custom fix, once. What it does is seen in verifyCustom.
func (t *run) applyCustom(ctx context.Context) error {
	in := t.intent(0, false)
	if begun := in != nil && (in.State != dera.IntentNotApplied || in.Unanswered); !t.looked && !begun {
		if err := t.resume(ctx); err != nil || t.rem.State != dera.Applying {
			return err
		}
	}
	started, err := t.launch(ctx, false, t.rem.Before())
	if err != nil {
		return err
	}
	in = t.intent(0, false)
	switch {
	case started:
		return t.move(ctx, dera.Verifying, "it was started: "+ranAs(*in), Entry{Resume: true})
	case in.Unanswered:
		return t.move(ctx, dera.Verifying, "whether it ran is not known, and it is not started again: the resource is looked at", Entry{Resume: true})
	}
	return t.fail(ctx, "it was not started: "+in.Error)
}

func ranAs(in dera.Intent) string {
	if id := in.Output[outExecution]; id != "" {
		return "execution " + id
	}
	return "the function answered"
}

// launch starts the custom fix or its undo, where the resource is still as it is said to
// be. It reports whether that was started for certain; where not, and the intent is
// unanswered, it may have been.
func (t *run) launch(ctx context.Context, undo bool, at string) (bool, error) {
	op := resource.Of(t.rem.Plan.Changes[0])
	if u := t.rem.Plan.Changes[0].Undo; undo {
		op = resource.Operation{Name: u.Operation, Version: u.Version, Input: u.Input}
	}
	for try := 0; ; try++ {
		old := t.intent(0, undo)
		doubt := old != nil && (old.State == dera.IntentOpen || old.Unanswered && old.Retry)
		switch {
		case old != nil && old.State == dera.IntentApplied:
			return true, nil
		case old != nil && old.State == dera.IntentNotApplied && !old.Retry && (!undo || old.At.After(t.since())):
			return false, nil
		case doubt && (op.Name != dera.StartAutomation || t.waited() > repeatFor):
			return false, t.lost(ctx, *old, op)
		}
		done, cause, err := t.start(ctx, undo, op, at, doubt)
		if err != nil || done {
			return done, err
		}
		if cause == nil {
			continue // it is closed: the intent says how
		}
		if in := t.intent(0, undo); in.Unanswered && op.Name != dera.StartAutomation {
			continue
		}
		if try+1 >= writeTries {
			return false, fmt.Errorf("tried %d times: %w", writeTries, cause)
		}
		if err := t.backOff(ctx, try); err != nil {
			return false, errors.Join(cause, err)
		}
	}
}

// since is when the remediation came into its state.
func (t *run) since() time.Time {
	if len(t.rem.Steps) == 0 {
		return time.Time{}
	}
	return t.rem.Steps[len(t.rem.Steps)-1].At.Add(-1)
}

// start is one try. cause says why it may be tried again; nil where the intent is closed.
func (t *run) start(ctx context.Context, undo bool, op resource.Operation, at string, doubt bool) (done bool, cause, err error) {
	in := dera.Intent{
		Remediation: t.rem.ID, Undo: undo, Operation: op.Name, Version: op.Version,
		State: dera.IntentOpen, Token: t.lease.Token, At: t.cfg.Now(), Unanswered: doubt,
	}
	rec := t.record(dera.RecordIntent)
	rec.Step, rec.Undo, rec.Operation, rec.Diff = new(int), undo, op.Name, diff(t.rem.Plan.Changes[0], undo)
	if rec.Sealed, err = json.Marshal(t.rem.Plan.Changes[0]); err != nil {
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
	sent := false
	var no error
	made, requestID, err := t.cfg.Custom.StartCustom(ctx, t.rem.Plan, op, t.token(undo), func(ctx context.Context) error {
		if no = t.unmovedFrom(ctx, at); no == nil {
			no = t.mayBeSigned(ctx, in)
		}
		sent = no == nil
		return no
	})
	in.RequestID = requestID
	switch {
	case !sent && err != nil:
		return t.unsent(ctx, in, err, no != nil)
	case err == nil:
		out := map[string]string{}
		if made.Execution != "" {
			out[outExecution] = made.Execution
		}
		if made.Failed != "" {
			out[outFailed] = made.Failed
		}
		return true, nil, t.close(ctx, in, true, out, nil)
	case refused(err) && passing(err) && t.waited() <= tryFor:
		in.Retry = true
		return false, err, t.close(ctx, in, false, nil, err)
	case refused(err):
		return false, nil, t.close(ctx, in, false, nil, err)
	}
	in.Retry, in.Unanswered = true, true
	return false, err, t.close(ctx, in, false, nil, err)
}

// token names the start of a custom fix, or of its undo by one order: a UUID (RFC 9562,
// version 8), the same for every try.
func (t *run) token(undo bool) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "dera-custom-v1\x00%s\x00%t\x00%d", t.rem.ID, undo, t.since().UnixNano()))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	s := hex.EncodeToString(sum[:16])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

// lost closes the intent of a start of which nobody knows whether it was carried out, once
// it must have ended: it is not sent again.
func (t *run) lost(ctx context.Context, in dera.Intent, op resource.Operation) error {
	input, err := customOf(op)
	if err != nil {
		return err
	}
	end := in.At.Add(signWithin + max(t.cfg.Validity, 0) + time.Duration(input.Seconds)*time.Second)
	if t.cfg.Now().Before(end) {
		return &LaterError{At: end, Why: "a start that has no answer may still be under way"}
	}
	in.Retry, in.Unanswered = false, true
	return t.close(ctx, in, false, nil, errors.New("whether it was carried out is not known, and it is not sent again"))
}

func customOf(op resource.Operation) (in dera.CustomInput, err error) {
	err = resource.Decode(op, &in)
	return in, err
}

// errStill means that something which was started has not ended in its time.
var errStill = errors.New("it has not ended in its time, and may still change the resource")

// ended waits for the end of what an intent started: a LaterError until then, or errStill.
func (t *run) ended(ctx context.Context, in dera.Intent, op resource.Operation) (failed string, err error) {
	id := in.Output[outExecution]
	if id == "" {
		return in.Output[outFailed], nil
	}
	input, err := customOf(op)
	if err != nil {
		return "", err
	}
	made, err := t.cfg.Custom.CustomRun(ctx, t.rem.Plan, id)
	now, limit := t.cfg.Now(), in.At.Add(time.Duration(input.Seconds)*time.Second)
	switch {
	case err != nil && now.After(limit.Add(tryFor)):
		return "", fmt.Errorf("%w: %w", errStill, err)
	case err != nil:
		return "", fmt.Errorf("look at execution %s: %w", id, err)
	case made.Ended:
		return made.Failed, nil
	case !now.Before(limit):
		return "", errStill
	}
	next := now.Add(min(max(now.Sub(in.At)/4, 5*time.Second), time.Minute))
	if next.After(limit) {
		next = limit
	}
	return "", &LaterError{At: next, Why: "execution " + id + " has not ended", Expected: true}
}
