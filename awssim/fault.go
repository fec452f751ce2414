package awssim

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Kind is what a [Fault] does to a call.
type Kind int

// The kinds of fault.
const (
	// Throttle answers RequestLimitExceeded (EC2, 503), SlowDown (S3, 503) or Throttling, without effect.
	Throttle Kind = iota + 1
	// Error5xxBefore answers InternalError (500) without effect.
	Error5xxBefore
	// Error5xxAfter lets the call take effect, with its event, and answers InternalError (500).
	Error5xxAfter
	// Hang answers nothing until the caller's context ends; the call has no effect and leaves no event.
	Hang
	// HangAfter lets the call take effect, with its event, and answers nothing until the caller's context ends.
	HangAfter
	// Denied answers UnauthorizedOperation (EC2) or AccessDenied.
	Denied
	// ExpiredToken answers that the session is over, in the words of the service.
	ExpiredToken
	// StaleRead lets a read answer from an older state: see Fault.Lag and Fault.Behind.
	StaleRead
	// PartialPage cuts the first page of a listing to half and gives it a token that the next call finds invalid.
	PartialPage
	// LieNoEffect answers success, and emits the event, of a call that did nothing.
	LieNoEffect
	// LieNeighbour lets a call on a security group or bucket take effect and removes, unsaid, a neighbour as well: a rule,
	// a statement of the policy, a grant.
	LieNeighbour
	// Hook calls Fault.Func before the call takes effect: a concurrent writer between a client's read and its write.
	Hook
	// HookAfter calls Fault.Func after the call took effect and before it is answered.
	HookAfter
	// Refuse answers Fault.Code with Fault.Status, without effect.
	Refuse
	// Rewrite changes the answer on its way: Fault.Answer gets the status and the body and says what arrives. It stands for
	// a proxy, a lost page, the answer to another call.
	Rewrite
)

// Match chooses calls; an empty field matches all.
type Match struct {
	Service   string
	Operation string
	Account   string
	Region    string
	Where     func(Call) bool // a further condition; it must not use the cloud
}

func (m Match) covers(k countKey) bool {
	return (m.Service == "" || m.Service == k.service) && (m.Operation == "" || m.Operation == k.operation) &&
		(m.Account == "" || m.Account == k.account) && (m.Region == "" || m.Region == k.region)
}

// Fault is a rule for faults.
type Fault struct {
	Match  Match
	Kind   Kind
	Times  int           // how often it strikes; 0: every time
	After  int           // how many matching calls it lets pass first
	Lag    time.Duration // StaleRead: answer as of this long ago, by Config.Now, up to 15 minutes
	Behind int           // StaleRead: answer without the last so many writes; of use with a clock that stands still
	Func   func()        // Hook, HookAfter; it may call the cloud
	Code   string        // Refuse: the error code
	Status int           // Refuse: the HTTP status
	// Answer is of Rewrite; it must not use the cloud.
	Answer func(status int, body string) (int, string)
}

// Injected is the handle of an injected fault.
type Injected struct {
	owner *faults
	fault Fault
	seen  int
	fired int
}

// Fired returns how often the fault has struck.
func (i *Injected) Fired() int {
	i.owner.mu.Lock()
	defer i.owner.mu.Unlock()
	return i.fired
}

// Remove ends the fault.
func (i *Injected) Remove() {
	i.owner.mu.Lock()
	defer i.owner.mu.Unlock()
	i.owner.rules = slices.DeleteFunc(i.owner.rules, func(other *Injected) bool { return other == i })
}

// Inject adds a fault. Faults on the same call act together, those injected first first. It panics on a fault that says
// nothing: an unknown kind, a stale read without a lag, a hook or a rewrite without a function.
func (c *Cloud) Inject(f Fault) *Injected {
	switch {
	case f.Kind < Throttle || f.Kind > Rewrite:
		panic(fmt.Sprintf("awssim: unknown kind of fault %d", f.Kind))
	case f.Kind == StaleRead && f.Lag <= 0 && f.Behind <= 0:
		panic("awssim: a StaleRead needs Lag or Behind")
	case (f.Kind == Hook || f.Kind == HookAfter) && f.Func == nil:
		panic("awssim: a Hook needs Func")
	case f.Kind == Refuse && (f.Code == "" || f.Status == 0):
		panic("awssim: a Refuse needs Code and Status")
	case f.Kind == Rewrite && f.Answer == nil:
		panic("awssim: a Rewrite needs Answer")
	}
	i := &Injected{owner: c.faults, fault: f}
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.rules = append(c.faults.rules, i)
	return i
}

// faults are the rules in force.
type faults struct {
	mu    sync.Mutex
	rules []*Injected
}

// effects are what the faults do to one call.
type effects struct {
	before, after           *Error
	hang, hangAfter, hung   bool
	noEffect, neighbour     bool
	partial                 bool
	view                    view
	hooksBefore, hooksAfter []func()
	rewrites                []func(status int, body string) (int, string)
}

// match counts the call for every rule and collects the effects of those that strike.
func (f *faults) match(k *call) effects {
	f.mu.Lock()
	defer f.mu.Unlock()
	var e effects
	c := k.Call
	for _, i := range f.rules {
		m := i.fault.Match
		if !m.covers(countKey{c.Service, c.Operation, c.Account, c.Region}) || m.Where != nil && !m.Where(c) {
			continue
		}
		i.seen++
		if i.seen <= i.fault.After || i.fault.Times > 0 && i.fired >= i.fault.Times {
			continue
		}
		i.fired++
		e.add(i.fault, k)
	}
	return e
}

func (e *effects) add(f Fault, k *call) {
	switch f.Kind {
	case Throttle:
		e.before = throttled(k.Service)
	case Error5xxBefore:
		e.before = internalError()
	case Error5xxAfter:
		e.after = internalError()
	case Hang:
		e.hang = true
	case HangAfter:
		e.hangAfter = true
	case Denied:
		e.before = denied(k, k.action(), "*", "identity-based")
	case ExpiredToken:
		e.before = expiredToken(k.Service)
	case StaleRead:
		e.view = view{lag: f.Lag, behind: uint64(max(f.Behind, 0))}
	case PartialPage:
		e.partial = true
	case LieNoEffect:
		e.noEffect = true
	case LieNeighbour:
		e.neighbour = true
	case Hook:
		e.hooksBefore = append(e.hooksBefore, f.Func)
	case HookAfter:
		e.hooksAfter = append(e.hooksAfter, f.Func)
	case Refuse:
		e.before = errorf(f.Status, f.Code, "The request was not carried out.")
	case Rewrite:
		e.rewrites = append(e.rewrites, f.Answer)
	}
}

func internalError() *Error {
	return errorf(500, "InternalError", "An internal error has occurred")
}

// throttled is how a service asks to slow down.
// https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
func throttled(service string) *Error {
	switch service {
	case "ec2":
		return errorf(503, "RequestLimitExceeded", "Request limit exceeded.")
	case "s3", "s3control": // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
		return errorf(503, "SlowDown", "Please reduce your request rate.")
	case "config":
		return errorf(400, "ThrottlingException", "Rate exceeded")
	case "sqs":
		return errorf(400, "RequestThrottled", "Request is throttled.")
	default:
		return errorf(400, "Throttling", "Rate exceeded")
	}
}
