package catalog

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed classes.txt
var classesText string

//go:embed passrole.txt
var passRoleText string

// Class says what CloudTrail shows of the use of an action, and so whether its
// absence there means that it was not used.
type Class uint8

const (
	// Unknown: the catalogue does not have the action. It is kept.
	Unknown Class = iota
	// Management: every call is an event.
	Management
	// Data: a call is an event where the trail selects the resource.
	Data
	// Hidden: a call is no event of its own. The use follows from that of the
	// companions, where there are any.
	Hidden
)

// String names the class as the documentation of dera does.
func (c Class) String() string {
	switch c {
	case Management:
		return "O1"
	case Data:
		return "O2"
	case Hidden:
		return "O3"
	case Unknown:
	}
	return "O4"
}

// PassRole is the action that hands a role to a service.
const PassRole = "iam:PassRole"

// classes is classes.txt and passrole.txt. Patterns are in lower case, by the
// prefix of their service.
type classes struct {
	data     map[string][]string
	hidden   map[string][]hiddenAction
	passRole []string
}

type hiddenAction struct {
	pattern string
	with    []string
}

func parseClasses() *classes {
	out := &classes{data: map[string][]string{}, hidden: map[string][]hiddenAction{}}
	for words := range lines(classesText) {
		list, with := words[1:], []string(nil)
		if i := slices.Index(list, "with"); i >= 0 {
			list, with = list[:i], list[i+1:]
		}
		for _, action := range list {
			prefix, pattern, _ := strings.Cut(action, ":")
			if words[0] == "data" {
				out.data[prefix] = append(out.data[prefix], pattern)
			} else {
				out.hidden[prefix] = append(out.hidden[prefix], hiddenAction{pattern, with})
			}
		}
	}
	for words := range lines(passRoleText) {
		out.passRole = append(out.passRole, words...)
	}
	out.hidden["iam"] = append(out.hidden["iam"], hiddenAction{"PassRole", out.passRole})
	return out
}

// Class returns the class of an action. For a hidden one, companions are the
// patterns of the actions that it is used with; with none of them allowed it is
// of no use. A hidden action without companions can be used by itself.
func (c *Catalog) Class(action string) (class Class, companions []string) {
	a, ok := c.Action(action)
	if !ok {
		return Unknown, nil
	}
	for _, h := range c.classes().hidden[a.Service] {
		if Match(h.pattern, a.Name) {
			return Hidden, h.with
		}
	}
	for _, p := range c.classes().data[a.Service] {
		if Match(p, a.Name) {
			return Data, nil
		}
	}
	return Management, nil
}

// MatchAction reports whether an entry of an Action list matches an action.
// Case does not matter; wildcards count after the colon only.
func MatchAction(entry, action string) bool {
	if entry == "*" || entry == "*:*" {
		return true
	}
	prefix, pattern, ok := strings.Cut(entry, ":")
	service, name, _ := strings.Cut(action, ":")
	return ok && strings.EqualFold(prefix, service) && Match(pattern, name)
}
