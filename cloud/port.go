package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// errNoPort says that nothing was given that a part could be filled from.
var errNoPort = errors.New("no such port was given")

// port is where a reader gets its parts from that are not AWS's.
type port struct {
	name string
	fits func(any) bool
}

// Ported makes a reader of parts that are filled from a port of Config.Ports, which
// must be a P. Without the port the parts are unread; a port that fails leaves them
// unread and the resource to be looked at again. fill tells what it cannot tell of
// one resource by Item.Lost.
func Ported[P any](name string, parts []string, fill func(ctx context.Context, r *Reading, from P, items []*Item) error) Reader {
	return Reader{
		Parts: parts,
		port:  port{name, func(v any) bool { _, ok := v.(P); return ok }},
		Many: func(ctx context.Context, r *Reading, items []*Item) error {
			from, ok := r.client.cfg.Ports[name].(P)
			if !ok {
				return errNoPort
			}
			return fill(ctx, r, from, items)
		},
	}
}

// fromPort fills parts of all resources from a port. Where it cannot, a type whose
// configuration does not say what is unread is not known at all.
func (r *Reading) fromPort(ctx context.Context, w *Wire, x Reader, items []*Item) error {
	err := x.Many(ctx, r, items)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	for _, i := range items {
		for _, part := range x.Parts {
			if errors.Is(err, errNoPort) {
				i.Lost(part, nil)
			} else {
				i.Lost(part, err)
			}
			if w.Unread == nil && !w.part(part).Around {
				i.Doubt("its " + part + " is not known: " + x.port.name + ": " + err.Error())
			}
		}
	}
	return nil
}

// checkPorts returns an error for a port that is not what a reader of the wire needs.
func (w *Wire) checkPorts(ports map[string]any) error {
	for _, r := range w.Readers {
		if given, ok := ports[r.port.name]; ok && !r.port.fits(given) {
			return fmt.Errorf("wire of %s: the port %q cannot fill %s: it is a %T", w.Type, r.port.name, strings.Join(r.Parts, ", "), given)
		}
	}
	return nil
}
