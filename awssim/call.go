package awssim

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Call is one call as it was recorded, whatever came of it.
type Call struct {
	Time       time.Time
	Service    string // "ec2", "sts", "sqs", "s3", "s3control", "cloudfront", "config", "iam", "scheduler", "events", "backup", "lambda" or "securityhub"
	Operation  string
	Account    string // of the caller
	Region     string
	Principal  string            // ARN of the caller
	Parameters map[string]string // of the query protocol: IpPermissions.1.FromPort; of SQS and Config: the members of the request; of REST: query, x-amz- headers and Bucket, Name, AccountId
	DryRun     bool
	RequestID  string
}

// service is one AWS service: its wire protocol and its operations by name.
type service struct {
	protocol   protocol
	operations map[string]operation
}

// operation is one API operation. run is called with Cloud.mu held unless unlocked is set; what it puts into the state
// takes effect only if it returns no error.
type operation struct {
	run       func(*call) (any, error)
	request   func(*call, *encoder)   // writes the members of the event's requestParameters
	resources func(*call) []string    // ARNs that the call must be allowed on; default: "*"
	account   func(*call, any) string // another account whose trail sees the event too
	action    string                  // that the caller must be allowed; default: of the service and the operation's name
	more      func(*call) []string    // further actions that the call needs because of its parameters
	home      func(*call) place       // whose state the call changes; default: the caller's account and Region
	event     string                  // the event's name; default: the operation's
	accepts   string                  // the parameters of the query protocol, besides DryRun, or those of REST
	readOnly  bool
	wrapped   bool // its event is in the newer shape: see ec2_trail.go
	data      bool // a data event: CloudTrail does not record it by default
	unlocked  bool
}

// call is one call on its way through the pipeline.
type call struct {
	Call
	ctx       context.Context
	cloud     *Cloud
	service   service
	op        operation
	request   request
	p         *parameters
	principal *principal
	state     *regionState // of the caller's account in the Region; set while Cloud.mu is held
	effects   effects
}

// request is a call as it came in, before anything is believed.
type request struct {
	service, region, operation string
	accessKey, token           string
	form                       *parameters
	rest                       *restRequest // of REST protocols
	flat                       map[string]string
	body                       []byte
	userAgent, sourceIP, host  string
}

// handle takes one call through the whole pipeline. Its error is that of a context that ended while the call hung.
func (c *Cloud) handle(ctx context.Context, r request) (response, error) {
	k := c.newCall(ctx, r)
	answer, err := c.do(k)
	if k.effects.hung {
		return response{}, ctx.Err()
	}
	res := k.service.protocol.success
	if err != nil {
		res = func(k *call, _ any) response { return k.service.protocol.failure(k, asError(err)) }
	}
	return k.effects.rewrite(res(k, answer)), nil
}

// rewrite is the answer as it arrives.
func (e effects) rewrite(r response) response {
	for _, change := range e.rewrites {
		status, body := change(r.status, string(r.body))
		r.status, r.body = status, []byte(body)
	}
	return r
}

func (c *Cloud) newCall(ctx context.Context, r request) *call {
	k := &call{ctx: ctx, cloud: c, request: r, p: r.form, service: c.services[r.service]}
	k.Call = Call{Time: c.now(), Service: r.service, Operation: r.operation, Region: r.region, Parameters: r.flat}
	if r.service == "iam" {
		k.Region = iamHome // whichever the client signs for
	}
	k.DryRun = r.service == "ec2" && r.form.isTrue("DryRun")
	return k
}

// do authenticates, records, injects, authorizes, runs and emits: what a wire call and a Go helper have in common.
func (c *Cloud) do(k *call) (any, error) {
	err := c.authenticate(k)
	if err != nil {
		return nil, err
	}
	op, ok := k.service.operations[k.Operation]
	if !ok {
		return nil, notSimulated("%s of %s", k.Operation, k.Service)
	}
	k.op = op
	if err := k.checkAccepted(); err != nil {
		return nil, err
	}
	k.effects = c.faults.match(k)
	c.recorder.call(k.Call)
	answer, err := c.attempt(k)
	if k.effects.hung {
		return nil, k.ctx.Err()
	}
	c.emit(k, answer, err)
	if err == nil && k.effects.hangAfter {
		k.effects.hung = true
		<-k.ctx.Done()
		return nil, k.ctx.Err()
	}
	if err == nil && k.effects.after != nil {
		err = k.effects.after
	}
	return answer, err
}

// attempt is what AWS does behind authentication.
func (c *Cloud) attempt(k *call) (any, error) {
	for _, hook := range k.effects.hooksBefore {
		hook()
	}
	if k.effects.hang {
		k.effects.hung = true
		<-k.ctx.Done()
		return nil, k.ctx.Err()
	}
	if k.effects.before != nil {
		return nil, k.effects.before
	}
	if err := c.authorize(k); err != nil {
		return nil, err
	}
	answer, err := c.run(k)
	if err == nil {
		for _, hook := range k.effects.hooksAfter {
			hook()
		}
	}
	return answer, err
}

// run runs the operation as one write: all of it or nothing.
func (c *Cloud) run(k *call) (any, error) {
	if k.op.unlocked {
		return k.op.run(k)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k.state = c.state(k.home())
	answer, err := k.op.run(k)
	if err == nil && k.DryRun {
		err = errorf(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
	}
	if err != nil || k.effects.noEffect {
		k.state.rollback()
		return answer, err
	}
	if k.effects.neighbour {
		k.removeNeighbour()
	}
	k.state.commit()
	return answer, nil
}

// home is the place of the state that the call is about.
func (k *call) home() place {
	if k.op.home != nil {
		return k.op.home(k)
	}
	return place{k.Account, k.Region}
}

// checkAccepted refuses a parameter that is not simulated. Members of JSON are checked as they are decoded.
func (k *call) checkAccepted() error {
	if k.request.rest != nil {
		for name := range k.request.flat {
			if !slices.Contains(strings.Fields(k.op.accepts), name) {
				return notSimulated("the parameter %s of %s", name, k.Operation)
			}
		}
	}
	if k.p == nil {
		return nil
	}
	for name := range k.p.kids {
		if name != "DryRun" && !slices.Contains(strings.Fields(k.op.accepts), name) {
			return notSimulated("the parameter %s of %s", name, k.Operation)
		}
	}
	return nil
}

// view is the moment that the call's reads see.
func (k *call) view() view {
	return k.effects.view
}

// asError makes an answer of any error of an operation.
func asError(err error) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return errorf(500, "InternalError", "%v", err)
}
