package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/role"
)

// ErrMoved means that a document is not the one any more that the plan was made
// from, so that nothing was sent: a whole document must not overwrite another.
var ErrMoved error = movedError{}

type movedError struct{}

// Error implements error.
func (movedError) Error() string {
	return "someone else changed it since it was read, so nothing was sent"
}

// Moved tells package remediate that looking again is all there is to do.
func (movedError) Moved() bool { return true }

// errUnknownOperation means that this version cannot carry out an operation.
var errUnknownOperation = errors.New("it is not one that dera can carry out")

// inputError means that the input of an operation could not be read.
type inputError struct{ error }

// Writing is one operation that is sent, and what a wire may use of the client for
// it: also a read right before the write.
type Writing struct {
	*Reading
	Plan      dera.Plan
	Operation resource.Operation
	// Dry asks for a dry run.
	Dry bool
	// Config makes the client that writes: it has one attempt, and its session can
	// do nothing but the plan.
	Config aws.Config

	allowed   func(context.Context) error // asked right before the request is signed
	requestID string
}

// Forget drops what reads remember under the key, since the operation changes it.
func (w *Writing) Forget(key string) { w.client.forget(key) }

// Do sends one operation of the plan, in one attempt. allowed is asked right
// before the request is signed; its error is returned as it is and nothing is
// sent then. Where the account has a role, the session is limited to the plan's
// own operations and resource (design §6.1.11). requestID is AWS's ID of the
// request, also of one that was refused; empty where there was no answer.
func (c *Client) Do(ctx context.Context, p dera.Plan, op resource.Operation, allowed func(context.Context) error) (requestID string, err error) {
	w := &Writing{Plan: p, Operation: op, allowed: allowed}
	defer func() { c.recalled.forget(c.now()) }()
	err = c.send(ctx, w)
	return w.requestID, err
}

// DryRun asks AWS whether it would carry the operation out, where it has a dry
// run (EC2 API reference, "Common query parameters", DryRun). It returns nil
// where it would, and where there is no dry run to ask for.
func (c *Client) DryRun(ctx context.Context, p dera.Plan, op resource.Operation) error {
	wire, err := c.wire(p.Type)
	if err != nil {
		return err
	}
	if o, err := wire.operation(op); err != nil || !o.DryRun {
		return err
	}
	err = c.send(ctx, &Writing{Plan: p, Operation: op, Dry: true, allowed: func(context.Context) error { return nil }})
	var own *Error
	switch {
	case err == nil:
		return carriedOutError{op.Name}
	case errors.As(err, &own) && own.Code == "DryRunOperation":
		return nil
	}
	return err
}

// carriedOutError means that the service ignored that a request was a dry run.
type carriedOutError struct{ operation string }

// Error implements error.
func (e carriedOutError) Error() string {
	return e.operation + ": the service carried out what was sent as a dry run"
}

// CarriedOut tells package remediate that something may have changed.
func (carriedOutError) CarriedOut() bool { return true }

func (c *Client) send(ctx context.Context, w *Writing) error {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	wire, err := c.wire(w.Plan.Type)
	if err != nil {
		return err
	}
	if _, err := wire.operation(w.Operation); err != nil {
		return err
	}
	w.Reading = c.reading(dera.Scope{Partition: w.Plan.Partition, Account: w.Plan.Account, Region: w.Plan.Region, Type: w.Plan.Type}, true)
	w.Config = c.writing(wire.session(w.Plan))
	w.Config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	w.Config.APIOptions = append(slices.Clone(w.Config.APIOptions), c.observe(w.Plan.Account, w.Plan.Region, !w.Dry), w.guard)
	err = wire.Do[w.Operation.Name](ctx, w)
	var bad inputError
	switch {
	case err == nil, errors.Is(err, ErrMoved), errors.Is(err, errUnknownOperation), errors.As(err, &bad):
		return err
	}
	var own *Error
	if errors.As(err, &own) {
		return err // a read before the write failed
	}
	return wrap(w.Plan.Account, w.Plan.Region, w.Operation.Name, err)
}

// Input reads the input of an operation.
func Input[T any](op resource.Operation) (T, error) {
	var in T
	d := json.NewDecoder(bytes.NewReader(op.Input))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, inputError{fmt.Errorf("read the input of %s: %w", op.Name, err)}
	}
	return in, nil
}

// guard asks allowed before the request is signed, after all that may take time,
// and keeps AWS's ID of the request.
func (w *Writing) guard(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("dera:guard",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if err := w.allowed(ctx); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
			out, md, err := next.HandleFinalize(ctx, in)
			w.requestID, _ = awsmiddleware.GetRequestIDMetadata(md)
			var refused *awshttp.ResponseError
			if w.requestID == "" && errors.As(err, &refused) {
				w.requestID = refused.ServiceRequestID()
			}
			return out, md, err
		}), "Signing", middleware.Before)
}

// session is the plan with the resource by the ARN that AWS knows.
func (w *Wire) session(p dera.Plan) dera.Plan {
	if w.On != nil {
		p.Resource = w.On(p)
	}
	return p
}

// writing returns a configuration whose session can do nothing but the plan.
func (c *Client) writing(p dera.Plan) aws.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg := c.base.Copy()
	cfg.Region = c.regionFor(p.Region)
	cfg.Credentials = c.limited(p.Account, func() (string, error) { return sessionPolicy(p) })
	return cfg
}

// regionFor is the region to send a request to: that of the resource, or for what
// an account has once the one that is used where none is named.
func (c *Client) regionFor(region string) string {
	if region == dera.GlobalRegion {
		return c.base.Region
	}
	return region
}

// sessionPolicy allows the plan's operations and their undos on its resource.
func sessionPolicy(p dera.Plan) (string, error) {
	policy, err := role.Session(p)
	if err != nil {
		return "", err
	}
	return policyText(policy)
}
