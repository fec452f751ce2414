// Package role writes the IAM policies for what dera does: of an action and where
// it acts follow the resources and conditions, by the embedded catalogue of AWS's
// actions. An action that the catalogue does not have is an error, and * is only
// where AWS has no permissions by resource. Layer: as package resource.
package role

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"dera.example/dera"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/resource"
)

// Statement is one statement of a generated IAM policy.
type Statement struct {
	Sid       string                       `json:"Sid,omitempty"`
	Effect    string                       `json:"Effect"`
	Action    []string                     `json:"Action"`
	Resource  []string                     `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// Policy is a generated IAM policy document.
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Where is where actions may be done: in an account of a partition, or with a
// Resource on that one alone. Empty is any.
type Where struct {
	Partition, Account, Region string
	Resource                   dera.ARN
}

// any is the value of a part of an ARN that may be anything.
const any = "*"

// For returns the policy that allows the actions of a role. Reads are allowed on
// what is another account's too: AWS's own prefix lists are, and a bucket that does
// not exist is nobody's, which has to be distinguished from one that may not be read.
func For(actions []string, at Where) (Policy, error) {
	p := Policy{Version: "2012-10-17"}
	g := grants{at: at, actions: actions}
	for _, a := range actions {
		if err := g.add(&p, a); err != nil {
			return Policy{}, err
		}
	}
	slices.SortStableFunc(p.Statement, func(a, b Statement) int { return cmp.Compare(looks(b), looks(a)) })
	return p, nil
}

// looks is 1 for a statement of reads, which come first.
func looks(s Statement) int {
	if strings.HasPrefix(s.Sid, "Look") {
		return 1
	}
	return 0
}

// Session returns the policy that allows the plan's operations and their undos on
// its resource. It holds no conditions: its resources are exact, and the role that
// it is a session of has them.
func Session(p dera.Plan) (Policy, error) {
	if p.Custom() {
		return customSession(p)
	}
	used := map[string]bool{}
	for _, c := range p.Changes {
		used[c.Operation] = true
		if c.Undo != nil {
			used[c.Undo.Operation] = true
		}
	}
	actions := slices.Sorted(maps.Keys(used))
	out := Policy{Version: "2012-10-17"}
	g := grants{at: Where{p.Partition, p.Account, p.Region, p.Resource.Whole()}, actions: actions}
	for _, a := range actions {
		if err := g.add(&out, a); err != nil {
			return Policy{}, fmt.Errorf("session policy for %s: %w", p.Resource, err)
		}
		tags, made := tagsOf(a)
		if err := g.addTags(&out, tags, made, a); err != nil {
			return Policy{}, fmt.Errorf("session policy for %s: %w", p.Resource, err)
		}
	}
	for i := range out.Statement {
		out.Statement[i].Sid, out.Statement[i].Condition = "", nil
	}
	return out, nil
}

// Tagging returns the policy with what it takes to tag the changed resources of a
// type: its operations that AWS classes as tagging, on the resources that its other
// operations change, with the keys of dera alone where AWS tells the keys.
func (p Policy) Tagging(operations []resource.OperationType, at Where) (Policy, error) {
	p.Statement = slices.Clone(p.Statement)
	var own []catalog.ResourceType
	var tagging []catalog.Action
	for _, o := range operations {
		a, types, err := lookup(o.Name)
		if err != nil {
			return p, err
		}
		if a.Level == catalog.Tagging {
			tagging = append(tagging, a)
			continue
		}
		for _, t := range types {
			if !slices.ContainsFunc(own, func(o catalog.ResourceType) bool { return o.Name == t.Name }) && required(a, t) {
				own = append(own, t)
			}
		}
	}
	for _, a := range tagging {
		condition := accountCondition(own, at)
		if slices.Contains(a.Keys, "aws:TagKeys") {
			condition = map[string]map[string]string{"ForAllValues:StringLike": {"aws:TagKeys": "dera:*"}}
		}
		p.allow("TagChanged"+title(own), a.String(), at.arns(own), condition)
	}
	return p, nil
}

// With is the policy with actions that are about no resource, under an ID.
func (p Policy) With(sid string, actions ...string) Policy {
	p.Statement = slices.Clone(p.Statement)
	for _, a := range actions {
		p.allow(sid, a, []string{"*"}, nil)
	}
	return p
}

// grants are the statements of some actions.
type grants struct {
	at      Where
	actions []string
}

// add allows an action.
func (g grants) add(p *Policy, action string) error {
	a, types, err := lookup(action)
	switch {
	case err != nil:
		return err
	case len(types) == 0 && reads(a), unnamed(action):
		p.allow("Look", action, []string{any}, nil)
		return nil
	case len(types) == 0:
		p.allow("Change"+strings.TrimPrefix(a.Name, "Put"), action, []string{any}, nil)
		return nil
	case reads(a):
		p.allow("LookAtResources", action, Where{Partition: g.at.Partition}.arns(types), nil)
		return nil
	case a.Level == catalog.Tagging && g.at.Resource == "":
		return g.addMade(p, a)
	}
	resources := g.at.arns(types)
	if g.at.Resource != "" {
		if resources, err = g.at.exact(a, types); err != nil {
			return err
		}
	}
	p.allow("Change"+title(types), action, resources, accountCondition(types, g.at))
	return nil
}

// addMade allows a role to tag what its other actions make, as they make it. What
// tags anything else is not for a role without more: see Tagging.
func (g grants) addMade(p *Policy, tags catalog.Action) error {
	found := false
	for _, creator := range g.actions {
		with, made := tagsOf(creator)
		if with != tags.String() {
			continue
		}
		found = true
		if err := g.addTags(p, with, made, creator); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%s: no other action makes something that it could tag", tags)
	}
	return nil
}

func (g grants) addTags(p *Policy, tags string, made []catalog.ResourceType, creator string) error {
	if tags == "" {
		return nil
	}
	service, name, _ := strings.Cut(creator, ":")
	p.allow("Tag"+title(made)+"Of"+name, tags, g.at.arns(made), map[string]map[string]string{"StringEquals": {service + ":CreateAction": name}})
	return nil
}

// tagsOf returns the action that an action needs beside it to tag what it makes, and
// what that is: the resources that it may but need not name, where the service
// tells by the key CreateAction what a tag is made with. "" is none.
func tagsOf(creator string) (tags string, made []catalog.ResourceType) {
	a, types, err := lookup(creator)
	if err != nil || a.Level == catalog.Tagging || !slices.Contains(a.Keys, requestTag) {
		return "", nil
	}
	with, ok := catalog.Embedded().Details(a.Service + ":CreateTags")
	if !ok || !slices.Contains(with.Keys, a.Service+":CreateAction") {
		return "", nil
	}
	for _, t := range types {
		if !required(a, t) && slices.Contains(t.Keys, requestTag) {
			made = append(made, t)
		}
	}
	if len(made) == 0 {
		return "", nil
	}
	return with.String(), made
}

const requestTag = "aws:RequestTag/${TagKey}"

// lookup returns an action with its resource types.
func lookup(action string) (catalog.Action, []catalog.ResourceType, error) {
	c := catalog.Embedded()
	a, ok := c.Details(action)
	if !ok {
		return a, nil, fmt.Errorf("the catalogue of IAM actions (%s) has no %s, so that its resources are not known", c.Version(), action)
	}
	s, err := c.Service(a.Service)
	if err != nil {
		return a, nil, err
	}
	var types []catalog.ResourceType
	for _, u := range a.Resources {
		i := slices.IndexFunc(s.Resources, func(t catalog.ResourceType) bool { return t.Name == u.Type })
		if i < 0 || len(s.Resources[i].ARNs) == 0 {
			return a, nil, fmt.Errorf("the catalogue of IAM actions (%s) has no ARN of the %s that %s is allowed on", c.Version(), u.Type, action)
		}
		types = append(types, s.Resources[i])
	}
	return a, types, nil
}

// unnamed reports whether dera's requests with a read name none of the resources that AWS has
// permissions by, so that they are requests on *: metrics in no data set of CloudWatch.
func unnamed(action string) bool { return action == "cloudwatch:GetMetricData" }

// reads reports whether an action changes nothing.
func reads(a catalog.Action) bool { return a.Level == catalog.Read || a.Level == catalog.List }

func required(a catalog.Action, t catalog.ResourceType) bool {
	return slices.ContainsFunc(a.Resources, func(u catalog.Use) bool { return u.Type == t.Name && u.Required })
}

// arns are the ARNs of all resources of the types.
func (w Where) arns(types []catalog.ResourceType) []string {
	var out []string
	for _, t := range types {
		for _, format := range t.ARNs {
			out = append(out, w.fill(format))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fill is an ARN of the catalogue with what is known of where it is.
func (w Where) fill(format string) string {
	values := map[string]string{"Partition": w.Partition, "Region": w.Region, "Account": w.Account}
	if w.Region == dera.GlobalRegion { // it is no region of AWS
		values["Region"] = ""
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(format, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		var name string
		name, format, _ = strings.Cut(rest, "}")
		if v := values[name]; v != "" {
			out.WriteString(v)
		} else {
			out.WriteString(any)
		}
	}
}

// exact are the resources of an action on one resource: that one, and what the
// action may name beside it. An action that tags names nothing beside it.
func (w Where) exact(a catalog.Action, types []catalog.ResourceType) ([]string, error) {
	var beside []catalog.ResourceType
	for _, t := range types {
		own := slices.ContainsFunc(t.ARNs, func(format string) bool { return dera.MatchGlob(Where{}.fill(format), string(w.Resource)) })
		if !own {
			beside = append(beside, t)
		}
	}
	if len(beside) == len(types) {
		return nil, fmt.Errorf("%s is not allowed on resources like %s", a, w.Resource)
	}
	if a.Level == catalog.Tagging {
		beside = nil
	}
	return append([]string{literal(w.Resource)}, w.arns(beside)...), nil
}

// literal is an ARN as a policy writes it where it means this one alone: a path of IAM can hold what is a
// wildcard or begins a variable there. No other service has such names, and what its type cannot name says * for itself.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
func literal(a dera.ARN) string {
	if a.Service() != "iam" {
		return string(a)
	}
	return strings.NewReplacer("$", "${$}", "*", "${*}", "?", "${?}").Replace(string(a))
}

// accountCondition keeps to the account where an ARN does not name it.
func accountCondition(types []catalog.ResourceType, at Where) map[string]map[string]string {
	for _, t := range types {
		for _, format := range t.ARNs {
			if at.Account != "" && !strings.Contains(format, "${Account}") {
				return map[string]map[string]string{"StringEquals": {"aws:ResourceAccount": at.Account}}
			}
		}
	}
	return nil
}

// title is the name of resource types as a part of a Sid, which has letters and
// digits alone.
func title(types []catalog.ResourceType) string {
	var out strings.Builder
	for _, t := range types {
		for word := range strings.FieldsFuncSeq(t.Name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			out.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return out.String()
}

// allow adds an action to the statement with the Sid and the same resources and
// condition. Reads of all resources share one.
func (p *Policy) allow(sid, action string, resources []string, condition map[string]map[string]string) {
	for i, s := range p.Statement {
		same := slices.Equal(s.Resource, resources) && maps.EqualFunc(s.Condition, condition, maps.Equal)
		if s.Sid == sid && (same || sid == "LookAtResources") {
			p.Statement[i].Action = append(s.Action, action)
			p.Statement[i].Resource = append(s.Resource, resources...)
			slices.Sort(p.Statement[i].Resource)
			p.Statement[i].Resource = slices.Compact(p.Statement[i].Resource)
			return
		}
	}
	base := sid
	for n := 2; slices.ContainsFunc(p.Statement, func(s Statement) bool { return s.Sid == sid }); n++ {
		sid = fmt.Sprintf("%s%d", base, n)
	}
	p.Statement = append(p.Statement, Statement{Sid: sid, Effect: "Allow", Action: []string{action}, Resource: slices.Clone(resources), Condition: condition})
}
