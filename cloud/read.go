package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"dera.example/dera"
)

// Page is what one read returned: the resources, the IDs that the service says
// do not exist, and where a sweep goes on.
type Page struct {
	Resources []dera.Resource
	Missing   []string
	Next      string
}

// ErrIncomplete says that an answer leaves out a part of what it is about, so that
// this part is not known.
var ErrIncomplete = errors.New("the answer leaves something out")

// UnreadError says that the configuration of a resource is not known.
type UnreadError struct {
	Resource dera.ARN
	Why      string
}

// Error implements error.
func (e *UnreadError) Error() string {
	return fmt.Sprintf("the configuration of %s is not known: %s", e.Resource, e.Why)
}

// Unread tells callers that do not know this package that another read may do.
func (e *UnreadError) Unread() bool { return true }

// Read reads one page of the scope. full asks for everything that a plan needs;
// a cheap look leaves out what only a plan does.
func (c *Client) Read(ctx context.Context, scope dera.Scope, full bool) (Page, error) {
	return c.read(ctx, c.reading(scope, full), nil)
}

// Complete reads what a cheap look of just now left out of the resources that it
// returned, and nothing that it read. Only what could not be read is read again.
func (c *Client) Complete(ctx context.Context, scope dera.Scope, quick []dera.Resource) (Page, error) {
	return c.read(ctx, c.reading(scope, true), quick)
}

// ReadAgain is a full Read for a remediation, which reads the same resource
// several times within seconds: what stands around the resource may be from its
// own reads up to half a minute ago, never from before the last Read of it. A
// resource of which something could not be read is an UnreadError: nothing is
// written on such a ground.
func (c *Client) ReadAgain(ctx context.Context, scope dera.Scope) (Page, error) {
	r := c.reading(scope, true)
	r.again = true
	ctx = context.WithValue(ctx, urgentKey{}, true)
	page, err := c.read(ctx, r, nil)
	for _, x := range page.Resources {
		if x.Unread != "" {
			return Page{}, &UnreadError{x.ARN, x.Unread}
		}
	}
	return page, err
}

func (c *Client) read(ctx context.Context, r *Reading, quick []dera.Resource) (Page, error) {
	w, err := c.wire(r.Scope.Type)
	if err != nil {
		return Page{}, fmt.Errorf("read: %w", err)
	}
	ctx, cancel := within(ctx, w.timeout(c.cfg.Timeout, r.Full))
	defer cancel()
	if quick != nil {
		return r.complete(ctx, w, quick)
	}
	return r.run(ctx, w)
}

// run finds the resources and reads their parts. Half a read is none.
func (r *Reading) run(ctx context.Context, w *Wire) (Page, error) {
	found, err := w.Find(ctx, r)
	if err != nil {
		return Page{}, err
	}
	return r.fill(ctx, w, found, func(x Reader) bool { return r.Full || w.cheap(x) })
}

// complete reads the parts that a cheap look leaves out. A resource of which the
// look could not read something is read again: that may have passed.
func (r *Reading) complete(ctx context.Context, w *Wire, quick []dera.Resource) (Page, error) {
	var found Found
	var sick []string
	for _, x := range quick {
		if x.Unread != "" {
			sick = append(sick, x.ID)
			continue
		}
		item := &Item{Resource: x}
		item.Full = true
		found.Items = append(found.Items, item)
	}
	page, err := r.fill(ctx, w, found, func(x Reader) bool { return !w.cheap(x) })
	if err != nil || len(sick) == 0 {
		return page, err
	}
	r.Scope.IDs = sick
	again, err := r.run(ctx, w)
	if err != nil {
		return Page{}, err
	}
	page.Resources, page.Missing = append(page.Resources, again.Resources...), append(page.Missing, again.Missing...)
	return page, nil
}

// fill has the readers read, and makes a page of what they read. Readers of many
// resources come before those of one, which read several at a time, and ports last:
// they are asked about what AWS reported.
func (r *Reading) fill(ctx context.Context, w *Wire, found Found, wanted func(Reader) bool) (Page, error) {
	var single, ported []Reader
	items := slices.DeleteFunc(slices.Clone(found.Items), func(x *Item) bool { return x.skip })
	for _, x := range w.Readers {
		switch {
		case !wanted(x) || len(items) == 0:
		case x.port.name != "":
			ported = append(ported, x)
		case x.One != nil:
			single = append(single, x)
		default:
			if lacking := slices.DeleteFunc(slices.Clone(items), func(i *Item) bool { return !i.lacks(x) }); len(lacking) > 0 {
				if err := r.many(ctx, w, x, lacking); err != nil {
					return Page{}, err
				}
			}
		}
	}
	if len(single) > 0 {
		if err := r.each(ctx, w, single, items); err != nil {
			return Page{}, err
		}
	}
	items = slices.DeleteFunc(items, func(x *Item) bool { return x.missing })
	for _, x := range ported {
		if len(items) == 0 {
			break
		}
		if err := r.fromPort(ctx, w, x, items); err != nil {
			return Page{}, err
		}
	}
	page := Page{Missing: found.Missing, Next: found.Next}
	for _, x := range found.Items {
		if x.missing {
			if !r.Scope.Sweep() {
				page.Missing = append(page.Missing, x.ID)
			}
			continue
		}
		if err := x.finish(w, len(found.Items) == 1); err != nil {
			return Page{}, err
		}
		page.Resources = append(page.Resources, x.Resource)
	}
	r.client.recalled.keep(w, page.Resources, r.client.now())
	return page, nil
}

// many reads parts of all resources. What may not be read, or is not there, is
// unread in a type that tells, and so are surroundings of which AWS says that it failed;
// everything else that goes wrong concerns all.
func (r *Reading) many(ctx context.Context, w *Wire, x Reader, items []*Item) error {
	err := x.Many(ctx, r, items)
	if err == nil {
		return nil
	}
	var e *Error
	switch {
	case errors.As(err, &e) && slices.Contains(w.part(x.Parts[0]).Absent, e.Code):
		return nil
	case w.Unread != nil && ctx.Err() == nil && (Is(err, Denied) || Is(err, Unavailable) || errors.Is(err, ErrIncomplete) && !Is(err, Expired)):
		for _, i := range items {
			for _, p := range x.Parts {
				i.Lost(p, nil)
			}
		}
		return nil
	case w.Unread != nil && ctx.Err() == nil && w.around(x.Parts) && errors.As(err, &e) && !errors.Is(err, ErrForeignAnswer) && !e.Passing() && e.Problem != RegionOff:
		for _, i := range items {
			for _, p := range x.Parts {
				i.Lost(p, err)
			}
		}
		return nil
	}
	return err
}

// around reports whether all of the parts are surroundings.
func (w *Wire) around(parts []string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !w.part(p).Around })
}

// each reads the resources part by part, several at a time. One that cannot be
// read hides none of the others.
func (r *Reading) each(ctx context.Context, w *Wire, readers []Reader, items []*Item) error {
	slots := make(chan struct{}, max(w.AtOnce, 1))
	var wait sync.WaitGroup
	var first error
	var once sync.Once
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, x := range items {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			if err := r.one(ctx, w, readers, x); err != nil {
				once.Do(func() { first = err; cancel() })
			}
		})
	}
	wait.Wait()
	if first == nil {
		first = ctx.Err() // that of the caller
	}
	return first
}

// one reads a resource part by part. A part that cannot be read is unread; only the
// service's own word that there is no such resource makes it missing. What concerns
// all resources, as credentials do, is an error.
func (r *Reading) one(ctx context.Context, w *Wire, readers []Reader, x *Item) error {
	parent := ctx
	if w.AtOnce > 0 {
		var cancel context.CancelFunc
		ctx, cancel = within(ctx, r.Timeout()) // one that answers nothing leaves time for the others
		defer cancel()
	}
	var failed error
	for _, p := range readers {
		if !x.lacks(p) {
			continue
		}
		err := p.One(ctx, r, x)
		if err == nil {
			continue
		}
		if parent.Err() != nil {
			return r.Fail(p.Call, parent.Err())
		}
		var e *Error
		if !errors.As(err, &e) {
			err = r.Fail(p.Call, err)
			_ = errors.As(err, &e) // Fail gives nothing else
		}
		var later *LaterError
		switch {
		case errors.As(err, &later): // nothing was asked: the whole read comes later
			return fmt.Errorf("read %s: %w", x.ARN, err)
		case w.Gone != nil && w.Gone(ctx, r, x, err):
			x.missing = true
			return nil
		case slices.Contains(w.part(p.Parts[0]).Absent, e.Code):
			continue
		case (e.Problem == Expired || e.Problem == RegionOff) && e.Region == r.Scope.Region: // another region may be off
			return fmt.Errorf("read %s: %w", x.ARN, err)
		}
		if w.Unread == nil && !w.part(p.Parts[0]).Around {
			failed = errors.Join(failed, err)
		}
		for _, part := range p.Parts {
			x.Lost(part, err)
		}
	}
	if failed != nil && len(x.doubts) == 0 {
		x.Doubt(failed.Error())
	}
	x.failed = failed
	return nil
}

// finish notes what is not known of the resource. Of a type whose configuration
// does not say, nothing is known then: alone it is the error of the read.
func (x *Item) finish(w *Wire, alone bool) error {
	if x.failed != nil {
		if alone {
			return x.failed
		}
		x.Config = nil
	}
	slices.Sort(x.unread)
	for _, p := range x.unread {
		if w.Unread != nil {
			w.Unread(x.Config, p)
		}
	}
	x.Unread = strings.Join(x.doubts, "; ")
	return nil
}
