// Package catalog knows which actions, resource types and condition keys AWS
// has, and what CloudTrail shows of their use.
//
// The table is generated (scripts/iam-catalog) and embedded; a newer one, made
// by "dera catalog update" from AWS's service reference, is read with Decode.
// A Catalog is a handle: nothing is decoded before it is asked, and then once.
// It may be used by several goroutines.
//
// The catalogue may be older than AWS. What it does not know is unknown, never
// absent: callers keep what they cannot look up.
package catalog

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Level says what an action does, in AWS's classification.
type Level byte

// The access levels. The zero value is none of them.
const (
	Read        Level = 'R'
	List        Level = 'L'
	Write       Level = 'W'
	Tagging     Level = 'T'
	Permissions Level = 'P' // permissions management
)

// String names the level as AWS's documentation does.
func (l Level) String() string {
	switch l {
	case Read:
		return "Read"
	case List:
		return "List"
	case Write:
		return "Write"
	case Tagging:
		return "Tagging"
	case Permissions:
		return "Permissions management"
	}
	return "unknown level"
}

// Action is one IAM action. Resources and Keys are filled by Catalog.Service
// and Catalog.Details only.
type Action struct {
	Service   string // prefix: "s3"
	Name      string // in AWS's spelling: "GetObject"
	Level     Level
	Resources []Use    // the resource types that it works on; none: only "*"
	Keys      []string // the condition keys that it knows
}

// String gives the action as a policy writes it.
func (a Action) String() string { return a.Service + ":" + a.Name }

// Use is a resource type of an action.
type Use struct {
	Type     string
	Required bool
}

// ResourceType is a kind of resource of a service.
type ResourceType struct {
	Name string
	ARNs []string // with ${Partition}, ${Region}, ${Account} and others
	Keys []string
}

// ConditionKey is a key that the service puts into requests.
type ConditionKey struct {
	Name string
	Type string // String, ArrayOfString, ARN, Bool, Numeric, Date, ...
}

// Service is everything about one service.
type Service struct {
	Prefix    string
	Name      string
	Actions   []Action
	Resources []ResourceType
	Keys      []ConditionKey
}

// Catalog is a table of services with the knowledge about CloudTrail beside it.
type Catalog struct {
	names   func() (*names, error)
	details func() (map[string]string, error) // the blocks of the services
	events  func() *events
}

//go:embed table.bin
var embedded []byte

// theEmbedded is a constant that is decoded once, when someone asks.
var theEmbedded = sync.OnceValue(func() *Catalog { return handle(embedded) })

// Embedded returns the catalogue that the program carries.
func Embedded() *Catalog { return theEmbedded() }

// Decode reads a catalogue that Encode wrote.
func Decode(data []byte) (*Catalog, error) {
	c := handle(data)
	n, err := c.names()
	if err != nil {
		return nil, err
	}
	if _, err := c.details(); err != nil {
		return nil, err
	}
	for _, s := range n.list {
		if _, err := c.Service(s.prefix); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func handle(data []byte) *Catalog {
	return &Catalog{
		names:   sync.OnceValues(func() (*names, error) { return decodeNames(data) }),
		details: sync.OnceValues(func() (map[string]string, error) { return decodeDetails(data) }),
		events:  sync.OnceValue(parseEvents),
	}
}

// table returns the names. That of the program itself is known to be sound, and
// Decode has looked at any other.
func (c *Catalog) table() *names {
	n, err := c.names()
	if err != nil {
		panic(fmt.Sprintf("read the embedded catalogue: %v", err))
	}
	return n
}

// Version says which release of the source the table was made from.
func (c *Catalog) Version() string { return c.table().version }

// Services lists the prefixes, sorted.
func (c *Catalog) Services() []string {
	var out []string
	for _, s := range c.table().list {
		out = append(out, s.prefix)
	}
	return out
}

// Len returns the number of actions.
func (c *Catalog) Len() int {
	n := 0
	for _, s := range c.table().list {
		n += len(s.actions)
	}
	return n
}

// Known reports whether the catalogue has a service.
func (c *Catalog) Known(prefix string) bool { return c.table().find(prefix) != nil }

// Action looks an action up, whatever its case. It comes without Resources and
// Keys.
func (c *Catalog) Action(action string) (Action, bool) {
	k := c.Find(action)
	if k == nil {
		return Action{}, false
	}
	return k.Action, true
}

// Details looks an action up with its resource types and condition keys.
func (c *Catalog) Details(action string) (Action, bool) {
	a, ok := c.Action(action)
	if !ok {
		return Action{}, false
	}
	s, err := c.Service(a.Service)
	if err != nil {
		return Action{}, false
	}
	i := slices.IndexFunc(s.Actions, func(b Action) bool { return b.Name == a.Name })
	return s.Actions[i], true
}

// Service returns all about one service, whatever the case of its prefix.
func (c *Catalog) Service(prefix string) (Service, error) {
	s := c.table().find(prefix)
	if s == nil {
		return Service{}, fmt.Errorf("the catalogue has no service %q", prefix)
	}
	blocks, err := c.details()
	if err != nil {
		return Service{}, err
	}
	return s.decode(blocks[s.prefix])
}

// Expand returns the actions that an entry of an Action list matches, in AWS's
// spelling, sorted by service and name. It reports false where the catalogue
// cannot say: the entry is about a service, or names an action, that it does
// not have.
func (c *Catalog) Expand(entry string) ([]string, bool) {
	known, ok := c.Matched(entry)
	if !ok {
		return nil, false
	}
	var out []string
	for _, k := range known {
		out = append(out, k.Name)
	}
	return out, true
}

// Match reports whether a pattern with "*" and "?" matches the whole of a
// name, without regard to the case of ASCII letters.
func Match(pattern, name string) bool {
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || lower(pattern[p]) == lower(name[n])):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
