// Package sharing is the shape of a resource that other accounts use because a list names
// them: snapshots, machine images, documents. A type is data (Kind), and so are its two
// controls: who is in the list that nobody declared, and whether everybody is. A plan takes
// named members out of the list and touches no other; its undo adds those back.
package sharing

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// All is the member of a list that stands for every account of AWS.
const All = "all"

// Part is the part of every type of this shape: who is in the list.
const Part = "sharing list"

// Shared is a resource with its list. Of one whose list could not be read nothing is known.
type Shared struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Of is what it is of, for people: an engine, a volume.
	Of string `json:"of,omitempty"`
	// With are All, IDs of accounts and ARNs of organisations and their units, sorted.
	With []string `json:"shared_with"`
	// Encrypted: AWS does not share it with everybody, and of its copies only those who
	// may use the key have any use.
	Encrypted bool `json:"encrypted,omitempty"`
	// Versions are which version a member may use, where the type has several.
	Versions map[string]string `json:"versions,omitempty"`
	// Fixed says why AWS shares no such resource, or nothing; a sweep knows it.
	Fixed string            `json:"fixed,omitempty"`
	Tags  map[string]string `json:"tags,omitempty"`
}

// Members is version 1 of the input of the operation: who comes into the list of a resource
// and who goes.
type Members struct {
	Resource string   `json:"resource"` // the ID
	Add      []string `json:"add,omitempty"`
	Remove   []string `json:"remove,omitempty"`
	// Version is which version those who come may use, where the type has several.
	Version string `json:"version,omitempty"`
}

// Kind is a type of this shape, as data.
type Kind struct {
	Name string
	ARN  func(partition, account, region, id string) dera.ARN
	// SampleIDs, Events and Note are resource.Spec's.
	SampleIDs []string
	Events    cloudtrail.Events
	Note      string
	// Reads are the IAM actions that find a resource and read its list, the latter first.
	Reads []string
	// Modify is the write of the list, by its IAM action, and DryRun says that it has a dry
	// run.
	Modify string
	DryRun bool
	// Most is how many members one write takes; 0 for any number. Alone says that everybody
	// stands in a list alone: of one with others too it is not known what a write does.
	Most  int
	Alone bool
	// Uses are patterns of what other accounts do with what is shared.
	Uses []string
}

// Type makes the type.
func (k Kind) Type() resource.Type {
	return resource.Define(resource.Spec[Shared]{
		Name: k.Name, ARN: k.ARN, SampleIDs: k.SampleIDs, Events: k.Events, Note: k.Note,
		Identify: func(s *Shared) (id, name string, tags map[string]string) {
			if s.Name != "" {
				return s.ID, s.Name, s.Tags
			}
			return s.ID, s.ID, s.Tags
		},
		Parts:  []resource.Part{{Name: Part, Action: k.Reads[0], Also: k.Reads[1:], Cheap: true}},
		Around: []string{"fixed"}, // a read of one resource may not ask why
		Operations: []resource.Operator[Shared]{resource.Op(resource.OpSpec[Shared, Members]{
			OperationType: resource.OperationType{Name: k.Modify, DryRun: k.DryRun, Denies: resource.DeniesWithin},
			Of: func(in Members) (string, error) {
				if len(in.Add)+len(in.Remove) == 0 {
					return "", errors.New("it names no member")
				}
				return in.Resource, nil
			},
			Apply: apply,
			Refuse: func(s *Shared, in Members) error {
				switch {
				case s.Fixed != "" && len(in.Add) > 0:
					return &resource.NotAllowedError{Why: s.Fixed}
				case s.Encrypted && slices.Contains(in.Add, All):
					return &resource.NotAllowedError{Why: "what is encrypted cannot be shared with everybody"}
				}
				return nil
			},
			Took: func(in Members, p dera.Plan, _ dera.Change) (resource.Taken, error) {
				if len(in.Remove) == 0 {
					return resource.Taken{}, nil
				}
				return resource.Taken{Within: []resource.Bounds{{
					Actions: k.Uses, Resources: []string{string(p.Resource)}, Foreign: true, Error: true,
					Why: "it is not shared any more with " + strings.Join(in.Remove, ", "),
				}}}, nil
			},
		})},
	})
}

// apply keeps of Versions those of the members.
func apply(s *Shared, in Members) {
	s.With = Minus(append(slices.Clone(s.With), in.Add...), in.Remove)
	versions := map[string]string{}
	for m, v := range s.Versions {
		if slices.Contains(s.With, m) {
			versions[m] = v
		}
	}
	for _, m := range in.Add {
		if in.Version != "" {
			versions[m] = in.Version
		}
	}
	if s.Versions = versions; len(versions) == 0 {
		s.Versions = nil
	}
}

// Remove returns the changes that take members out of the list of a resource of the kind,
// one for each version that they may use. The undo of each adds those back and nobody else.
func (k Kind) Remove(s *Shared, members []string) (out []dera.Change, _ error) {
	if k.Alone && len(s.With) > 1 && slices.Contains(s.With, All) {
		return nil, errors.New("everybody is in the list, and others too: what a change of one does to the others is not known")
	}
	by := map[string][]string{}
	for _, m := range Minus(members, nil) {
		by[s.Versions[m]] = append(by[s.Versions[m]], m)
	}
	now := Minus(s.With, nil)
	for _, version := range slices.Sorted(maps.Keys(by)) {
		most := k.Most
		if most == 0 {
			most = len(by[version])
		}
		for some := range slices.Chunk(by[version], most) {
			var diff []string
			for _, m := range some {
				diff = append(diff, "- shared with "+People(m))
			}
			after := Minus(now, some)
			c, err := resource.NewChange(k.Modify, Members{Resource: s.ID, Remove: some}, now, after, k.Modify, Members{Resource: s.ID, Add: some, Version: version}, diff)
			if err != nil {
				return nil, err
			}
			out, now = append(out, c), after
		}
	}
	return out, nil
}

// Minus is a list without some members, sorted, each once; never nil.
func Minus(list, without []string) []string {
	out := []string{}
	for _, m := range list {
		if !slices.Contains(without, m) {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// People is what people call a member of a list.
func People(member string) string {
	switch kind, id := identify(member); kind {
	case All:
		return "everybody"
	case "unit":
		return "organisational unit " + id
	default:
		return kind + " " + id
	}
}

// organizations is the service in the ARNs of organisations and their units.
const organizations = "organizations"

// identify is the kind of a member, one of all, account, organisation, unit and member, and
// its ID.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
func identify(member string) (kind, id string) {
	switch parts := strings.SplitN(member, ":", 6); {
	case member == All:
		return All, ""
	case len(member) == 12 && strings.Trim(member, "0123456789") == "":
		return "account", member
	case dera.ARN(member).Service() == organizations && len(parts) == 6:
		path := strings.Split(parts[5], "/")
		if path[0] == "ou" && len(path) == 3 {
			return "unit", path[1] + "/" + path[2]
		}
		if path[0] == "organization" && len(path) == 2 {
			return "organisation", path[1]
		}
	}
	return "member", member // one that this version does not know
}

// Sorted is a list as a reader gives it: sorted, each member once. A member without a name
// is an error: what it stands for is not known.
func Sorted(members []string) ([]string, error) {
	if slices.Contains(members, "") {
		return nil, fmt.Errorf("a member of the %s has no name", Part)
	}
	return Minus(members, nil), nil
}
