package world

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Client is the AWS of one process. It has the methods of the ports that an engine
// reads and writes through.
type Client struct {
	world *World
	name  string
	step  func(name string) error
	// expired is until when the credentials do not work.
	expired time.Time
}

// Client returns the client of a principal, by its ARN. step is called at each
// step of its calls, so that the process can end there; nil never ends it.
func (w *World) Client(principal string, step func(name string) error) *Client {
	if step == nil {
		step = func(string) error { return nil }
	}
	return &Client{world: w, name: principal, step: step}
}

// Page is what one read returned, as package detect has it.
type Page struct {
	Resources []dera.Resource
	Missing   []string
	Next      string
}

// Read reads one page of the scope.
func (c *Client) Read(ctx context.Context, scope dera.Scope, full bool) (Page, error) {
	if err := c.step(StepRead); err != nil {
		return Page{}, err
	}
	c.meanwhile(Call{Scope: scope})
	if err := c.call(ctx); err != nil {
		return Page{}, err
	}
	page, err := c.world.page(scope, full)
	// What arrives while a look is under way may be later than what it read.
	c.meanwhile(Call{Scope: scope})
	return page, err
}

// ReadAgain reads the resource of a plan in full; ok is false if it does not
// exist. A resource that is not known is an error.
func (c *Client) ReadAgain(ctx context.Context, p dera.Plan) (r dera.Resource, ok bool, err error) {
	page, err := c.Read(ctx, dera.Scope{Partition: p.Partition, Account: p.Account, Region: p.Region, Type: p.Type, IDs: []string{p.Resource.Name()}}, true)
	if err != nil || len(page.Resources) == 0 {
		return r, false, err
	}
	if r = page.Resources[0]; r.Unread != "" {
		return dera.Resource{}, false, unreadError{r.Unread}
	}
	return r, true, nil
}

// validity is the life of a signature (AWS Signature Version 4).
const validity = 5 * time.Minute

// Do sends the operation once.
func (c *Client) Do(ctx context.Context, p dera.Plan, op resource.Operation, allowed func(context.Context) error) (requestID string, err error) {
	w := c.world
	if err := c.step(StepWrite); err != nil {
		return "", err
	}
	call := Call{By: c.name, Plan: &p, Operation: op}
	c.meanwhile(call)
	if err := c.credentials(); err != nil {
		return "", err // nothing is signed without
	}
	key := dera.ResourceKey(p.Partition, p.Account, p.Region, p.Resource)
	if c.conflict(key, op) {
		return "", movedError{}
	}
	if err := allowed(ctx); err != nil {
		return "", err
	}
	call.Signed = true
	signed := w.cfg.Now()
	c.meanwhile(call)
	if err := c.step(StepSigned); err != nil {
		return "", err
	}
	if w.cfg.Now().Sub(signed) > validity {
		return "", &Error{Code: "RequestExpired", refused: true, passing: true}
	}
	if w.cfg.Sent != nil {
		w.cfg.Sent(call)
	}
	requestID, err = c.send(ctx, key, call)
	if died := c.step(StepAnswered); died != nil {
		return "", died
	}
	return requestID, err
}

// send is what the service does with a request.
func (c *Client) send(ctx context.Context, key string, call Call) (string, error) {
	w := c.world
	denied := w.cfg.Denied != nil && w.cfg.Denied(call)
	w.mu.Lock()
	id, f := "req-"+w.id(), w.cfg.Faults
	switch {
	case w.chance(f.Throttle):
		w.mu.Unlock()
		return id, &Error{Code: "Throttling", refused: true, passing: true}
	case denied || w.chance(f.Denied):
		w.mu.Unlock()
		return id, &Error{Code: "AccessDenied", refused: true, denied: true}
	case w.chance(f.NoEffect):
		w.mu.Unlock()
		return id, nil
	}
	err := w.apply(c.name, key, call.Operation)
	lost, hang := err == nil && w.chance(f.LostAnswer), err == nil && w.chance(f.Hang)
	w.mu.Unlock()
	switch {
	case hang:
		return "", w.hang(ctx)
	case lost:
		return "", &Error{Code: "InternalError"}
	}
	return id, err
}

// DryRun asks whether the service would carry the operation out.
func (c *Client) DryRun(ctx context.Context, p dera.Plan, op resource.Operation) error {
	if err := c.step(StepRead); err != nil {
		return err
	}
	if err := c.call(ctx); err != nil {
		return err
	}
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.chance(w.cfg.Faults.Denied) {
		return &Error{Code: "AccessDenied", refused: true, denied: true}
	}
	t := w.find(dera.ResourceKey(p.Partition, p.Account, p.Region, p.Resource))
	if t == nil || t.Config == nil {
		return &Error{Code: "NotFound", refused: true}
	}
	typ, err := w.cfg.Types.Lookup(t.Type)
	if err != nil {
		return err
	}
	if _, err := typ.Apply(w.around(t.Config, true), op); err != nil {
		return &Error{Code: "InvalidRequest", refused: true, cause: err}
	}
	return nil
}

func (c *Client) conflict(key string, op resource.Operation) bool {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.find(key)
	return w.cfg.Conflict != nil && t != nil && t.Config != nil && w.cfg.Conflict(t.Config, op)
}

// page is one read of the service.
func (w *World) page(scope dera.Scope, full bool) (Page, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	typ, err := w.cfg.Types.Lookup(scope.Type)
	if err != nil {
		return Page{}, err
	}
	var all []*thing
	for _, t := range w.things {
		if t.Partition == scope.Partition && t.Account == scope.Account && t.Region == scope.Region && t.Type == scope.Type {
			all = append(all, t)
		}
	}
	var page Page
	if scope.Sweep() {
		from, err := strconv.Atoi(scope.Page)
		if scope.Page != "" && (err != nil || from <= 0 || from > len(all)) {
			return Page{}, &Error{Code: "InvalidNextToken", refused: true}
		}
		to := min(from+w.cfg.PageSize, len(all))
		if to < len(all) {
			page.Next = strconv.Itoa(to)
		}
		if all = all[from:to]; w.chance(w.cfg.Faults.LostPage) {
			all = nil
		}
	}
	for _, t := range all {
		if !scope.Sweep() && !slices.Contains(scope.IDs, t.ID) {
			continue
		}
		config := w.see(t)
		if config == nil {
			if !scope.Sweep() {
				page.Missing = append(page.Missing, t.ID)
			}
			continue
		}
		r := t.Resource
		r.Full, r.ReadAt, r.Config = full, w.cfg.Now(), w.around(config, full)
		if !full && typ.Brief != nil {
			if r.Config, err = typ.Brief(r.Config); err != nil {
				return Page{}, fmt.Errorf("read %s: %w", t.ARN, err)
			}
		}
		if w.chance(w.cfg.Faults.Denied) {
			r.Unread = "one of its reads was denied"
		}
		page.Resources = append(page.Resources, r)
	}
	for _, id := range scope.IDs {
		if !slices.ContainsFunc(all, func(t *thing) bool { return t.ID == id }) {
			page.Missing = append(page.Missing, id)
		}
	}
	return page, nil
}
