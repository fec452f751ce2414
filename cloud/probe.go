package cloud

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Tried says what came of trying a permission.
type Tried string

// What can come of it.
const (
	Allowed   Tried = "allowed"
	Refused   Tried = "denied"
	NotTested Tried = "not tested"
	Unclear   Tried = "unknown" // the call failed for another reason
)

// Permission is what is known of one IAM action of an account in a region.
type Permission struct {
	Action string
	Tried  Tried
	Why    string // of what was not tested, or AWS's words on what was denied
}

// ErrNothing means that there is nothing to try a read on.
var ErrNothing = errors.New("there is nothing in this account and region to try it on")

// probeKey finds the probe of a context.
type probeKey struct{}

// probe keeps what came of each call of its context.
type probe struct {
	mu    sync.Mutex
	calls []Call
}

func (p *probe) note(c Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
}

// TryReads finds out whether the actions are allowed by one full read of any one
// resource of each type, and by asking for the regions, for the rules of AWS
// Config and EventBridge, and for schedules; nothing is changed. An action of which no call was made is not tested.
func (c *Client) TryReads(ctx context.Context, account, region string, actions []string) []Permission {
	region = c.regionFor(region)
	p := &probe{}
	ctx = context.WithValue(ctx, probeKey{}, p)
	for i := range c.cfg.Wires {
		if !c.cfg.Wires[i].needs(actions) {
			continue
		}
		c.tryType(ctx, &c.cfg.Wires[i], account, region)
	}
	_, _ = c.Regions(ctx, account) // its call tells
	limited, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	// Not every account has AWS Config: one attempt.
	_, _ = c.readFixers(limited, account, region, func(o *configservice.Options) { o.Retryer = aws.NopRetryer{} })
	if slices.Contains(actions, callEventRules) {
		c.tryEventRules(limited, account, region)
	}
	if slices.Contains(actions, callHubAdministrator) { // nor has every one Security Hub
		_, _ = c.readHubAdministrator(limited, account, region, func(o *securityhub.Options) { o.Retryer = aws.NopRetryer{} })
	}
	if slices.ContainsFunc(resource.ScheduleReads(), func(a string) bool { return slices.Contains(actions, a) }) {
		_, _ = c.readSchedules(ctx, ScheduleLook{Account: account, Region: region, Follow: func(Schedule) bool { return true }}) // its calls tell
	}
	came := c.permissions(p.calls)
	var out []Permission
	for _, a := range actions {
		got, ok := came[a]
		if !ok {
			got = Permission{a, NotTested, ErrNothing.Error()}
		}
		out = append(out, got)
	}
	return out
}

// needs reports whether one of the actions reads a part of the type.
func (w *Wire) needs(actions []string) bool {
	return slices.ContainsFunc(w.Parts, func(p resource.Part) bool {
		return slices.ContainsFunc(p.Actions(), func(a string) bool { return slices.Contains(actions, a) })
	})
}

// tryType reads any one resource of a type, as far as it can: whoever may not read
// one part may still read the others.
func (c *Client) tryType(ctx context.Context, w *Wire, account, region string) {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	r := c.reading(dera.Scope{Partition: dera.PartitionOf(region).ID, Account: account, Region: region, Type: w.Type}, true)
	r.fresh = true
	if w.Sample != nil {
		id, err := w.Sample(ctx, r)
		if err != nil || id == "" {
			return
		}
		r.Scope.IDs = []string{id}
	}
	found, err := w.Find(ctx, r)
	if err != nil || len(found.Items) == 0 {
		return
	}
	item := found.Items[0]
	for _, x := range w.Readers {
		if !slices.ContainsFunc(x.Parts, func(p string) bool { return w.part(p).Action != "" }) || item.skip || !item.lacks(x) {
			continue // it is read through other types, or known already
		}
		if x.One != nil {
			_ = x.One(ctx, r, item) // its call tells
		} else {
			_ = x.Many(ctx, r, []*Item{item})
		}
	}
}

// permissions is what calls tell, by IAM action: one that was allowed once is.
func (c *Client) permissions(calls []Call) map[string]Permission {
	out := map[string]Permission{}
	for _, call := range calls {
		action := c.actionOf(call)
		got := judgePermission(action, call.Account, call.Region, call.Err)
		if call.Err != nil && (hubIsOff(wrap(call.Account, call.Region, action, call.Err)) || slices.ContainsFunc(c.cfg.Wires, func(w Wire) bool { return w.Off != nil && w.Off(call.Err) })) {
			got = Permission{action, Allowed, ""}
		}
		if old, ok := out[action]; !ok || old.Tried == Unclear || got.Tried == Allowed {
			out[action] = got
		}
	}
	return out
}

// actionOf is the IAM action of a call.
func (c *Client) actionOf(call Call) string {
	service := strings.ReplaceAll(strings.TrimSuffix(call.Service, " service"), " ", "") // "config service", "s3 control"
	for _, operation := range []string{call.Operation, "*"} {
		for _, w := range c.cfg.Wires {
			if action, ok := w.Actions[service+":"+operation]; ok {
				return strings.Replace(action, "*", call.Operation, 1)
			}
		}
	}
	if service == "eventbridge" {
		service = "events"
	}
	return service + ":" + call.Operation
}

// judgePermission reads an answer: that something is not there was an answer too.
func judgePermission(action, account, region string, err error) Permission {
	if err == nil {
		return Permission{action, Allowed, ""}
	}
	if errors.Is(err, ErrNothing) {
		return Permission{action, NotTested, ErrNothing.Error()}
	}
	var e *Error
	if wrapped := wrap(account, region, action, err); errors.As(wrapped, &e) {
		switch {
		case e.Problem == Denied:
			return Permission{action, Refused, e.Error()}
		case e.Problem == NotFound, e.Code == "DryRunOperation":
			return Permission{action, Allowed, ""}
		}
		return Permission{action, Unclear, e.Error()}
	}
	return Permission{action, Unclear, err.Error()}
}
