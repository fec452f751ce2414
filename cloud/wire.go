package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Wire is how the resources of one type are read and written: all that a Client
// knows of a type. It is data of the type's wire package, and what is nil or
// empty the type does not have.
type Wire struct {
	// Type is the name of the resource type.
	Type string
	// Parts are the type's, and Readers read them, in this order.
	Parts   []resource.Part
	Readers []Reader
	// Find returns the resources of a read: those on one page of a sweep, or those
	// with the scope's IDs, with whatever finding them tells.
	Find func(ctx context.Context, r *Reading) (Found, error)
	// Sample returns the ID of any one resource, for probes; "" where there is none.
	// nil where Find needs no ID.
	Sample func(ctx context.Context, r *Reading) (string, error)
	// Gone reports whether an error of a part says that the resource is not there.
	Gone func(ctx context.Context, r *Reading, x *Item, err error) bool
	// Unread notes in a configuration that a part of it is not known. Of a type
	// without it, a part that is not known leaves the resource unknown.
	Unread func(config any, part string)
	// Off reports whether an error is the answer of a service to those who may ask, where
	// it is not enabled. nil where there is no such answer.
	Off func(err error) bool
	// Operations are the type's, and Do sends each of them, by its name.
	Operations []resource.OperationType
	Do         map[string]func(ctx context.Context, w *Writing) error
	// On is the ARN by which a session may change the resource of a plan, where dera names
	// that by another one; where only AWS knows all of it, with *. nil is the plan's own.
	On func(p dera.Plan) dera.ARN
	// Try returns changes to a resource whose dry run tells whether they are
	// allowed.
	Try func(id string) ([]dera.Change, error)
	// Times is how many times the timeout of a read a full read may take; 0 is one.
	Times int
	// Recall copies a configuration, for types of which others read many: what was read of them within
	// recallFor stands for [Reading.Read]. nil reads each time.
	Recall func(config any) any
	// AtOnce is how many resources are read at the same time; 0 is one.
	AtOnce int
	// Actions are the IAM actions of calls that have another name, by the name of
	// the call in errors, for example s3:ListBuckets; * is any operation.
	Actions map[string]string
	// Answers are the shapes of the bodies of successes, by the SDK's ID of the
	// service, or by that and the operation, for example "S3 GetBucketAcl".
	Answers map[string]Shape
	// ConfigRules are the managed rules of AWS Config that are about the type; one
	// that ends in * is a prefix. The longest that fits counts.
	ConfigRules []string
	// Canary is how one is opened on purpose; nil for types without.
	Canary *Canary
	// Regions lists the regions that are switched on, where the service tells.
	Regions func(ctx context.Context, r *Reading) ([]string, error)
}

// Reader reads parts: of one resource by one call, or of many at once.
type Reader struct {
	// Parts are the names of the parts that it reads.
	Parts []string
	// Call is the API call of One, for errors; its error is the SDK's own.
	Call string
	One  func(ctx context.Context, r *Reading, x *Item) error
	// Many fills the parts of all resources. What concerns one of them it notes
	// there; its error is one that Reading.Fail made.
	Many func(ctx context.Context, r *Reading, items []*Item) error
	port port // of a reader that Ported made
}

// Found is what Find returns.
type Found struct {
	Items   []*Item
	Missing []string // IDs that the service says do not exist
	Next    string   // continuation of a sweep
}

// Item is a resource that is being read.
type Item struct {
	dera.Resource
	unread  []string
	has     []string
	doubts  []string
	missing bool
	skip    bool // nothing more of it is to be read
	failed  error
}

// NewItem returns a resource of the scope, with what is known of it so far.
func NewItem(r *Reading, id, name string, arn dera.ARN, config any) *Item {
	return &Item{Resource: dera.Resource{
		ARN: arn, Partition: PartitionOf(r.Scope), Account: r.Scope.Account, Region: r.Scope.Region, Type: r.Scope.Type,
		ID: id, Name: name, Config: config, ReadAt: r.At, Full: r.Full,
	}}
}

// Has notes that parts are known already, for example because the listing that
// found the resource tells them. A reader that has nothing else to read of it does
// not run for it.
func (x *Item) Has(parts ...string) { x.has = append(x.has, parts...) }

// lacks reports whether a reader has anything to read of the resource.
func (x *Item) lacks(r Reader) bool {
	return slices.ContainsFunc(r.Parts, func(p string) bool { return !slices.Contains(x.has, p) })
}

// Lost notes that a part could not be read: it is unread, and where it was not for
// a missing permission, the whole resource is to be read again.
func (x *Item) Lost(part string, err error) {
	if !slices.Contains(x.unread, part) {
		x.unread = append(x.unread, part)
	}
	if err != nil && !Is(err, Denied) {
		fact, _ := Cause(err)
		x.Doubt("its " + part + " could not be read: " + fact)
	}
}

// Doubt notes why something of the resource is not known.
func (x *Item) Doubt(why string) {
	if !slices.Contains(x.doubts, why) {
		x.doubts = append(x.doubts, why)
	}
}

// Unknown notes why nothing of the resource is known; no reader reads it then.
func (x *Item) Unknown(why string) {
	x.Doubt(why)
	x.skip = true
}

// wire returns the wire of a type.
func (c *Client) wire(typ string) (*Wire, error) {
	for i := range c.cfg.Wires {
		if c.cfg.Wires[i].Type == typ {
			return &c.cfg.Wires[i], nil
		}
	}
	return nil, fmt.Errorf("resource type %q: %w", typ, errNoSuchType)
}

// part returns the part with the name.
func (w *Wire) part(name string) resource.Part {
	for _, p := range w.Parts {
		if p.Name == name {
			return p
		}
	}
	return resource.Part{Name: name}
}

// operation returns the operation with the name and version.
func (w *Wire) operation(op resource.Operation) (resource.OperationType, error) {
	for _, o := range w.Operations {
		if o.Name == op.Name && o.Version == op.Version && w.Do[o.Name] != nil {
			return o, nil
		}
	}
	return resource.OperationType{}, fmt.Errorf("operation %s version %d of %s: %w", op.Name, op.Version, w.Type, errUnknownOperation)
}

// cheap reports whether a quick look runs the reader.
func (w *Wire) cheap(r Reader) bool {
	return slices.ContainsFunc(r.Parts, func(p string) bool { return w.part(p).Cheap })
}

// check returns an error for a wire that does not hold together: a program that
// starts with it would fail later, in the middle of its work.
func (w *Wire) check() error {
	if w.Type == "" || w.Find == nil {
		return fmt.Errorf("wire of %q: Type and Find are needed", w.Type)
	}
	for _, r := range w.Readers {
		if (r.One == nil) == (r.Many == nil) || len(r.Parts) == 0 {
			return fmt.Errorf("wire of %s: the reader of %s needs parts and either One or Many", w.Type, strings.Join(r.Parts, ", "))
		}
		for _, p := range r.Parts {
			if !slices.ContainsFunc(w.Parts, func(q resource.Part) bool { return q.Name == p }) {
				return fmt.Errorf("wire of %s: %q is not one of its parts", w.Type, p)
			}
			if name := w.part(p).Port; name != r.port.name {
				return fmt.Errorf("wire of %s: part %q is filled from the port %q, its reader from %q", w.Type, p, name, r.port.name)
			}
		}
	}
	for _, o := range w.Operations {
		if w.Do[o.Name] == nil {
			return fmt.Errorf("wire of %s: nothing sends %s", w.Type, o.Name)
		}
	}
	return nil
}

// timeout is the time that a read may take.
func (w *Wire) timeout(one time.Duration, full bool) time.Duration {
	if full && w.Times > 0 {
		return one * time.Duration(w.Times)
	}
	return one
}
