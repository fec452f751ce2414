package recorded

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
)

// Apply takes in one call on identities or their policies; they must come in the order of
// their times. One that failed, and any other call, changes nothing. The error says what
// could not be followed; what it leaves unknown nothing is concluded from.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
func (a *Account) Apply(c cloudtrail.Call) error {
	if c.Source != iam.Source || c.Failed() || c.Account != a.id {
		return nil
	}
	for _, k := range []iam.Kind{iam.RoleKind, iam.UserKind, iam.GroupKind} {
		verb, ok := verbOf(c.Name, k)
		if name := c.Parameters.Text(string(k) + "Name"); ok && name != "" {
			return a.entity(c, verb, k, name)
		}
	}
	arn := c.Parameters.Text("policyArn")
	switch c.Name {
	case "CreatePolicy":
		return a.makePolicy(c)
	case "DeletePolicy":
		delete(a.policies, arn)
	case "CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion":
		if arn == "" {
			return c.Lost("it does not say which policy it changed")
		}
		return a.version(c, arn)
	case "AddUserToGroup", "RemoveUserFromGroup":
		return a.member(c)
	}
	return nil
}

// verbOf is what a call does to an entity of a kind, such as PutPolicy of PutRolePolicy.
func verbOf(name string, k iam.Kind) (verb string, ok bool) {
	if name == "UpdateAssumeRolePolicy" {
		return name, k == iam.RoleKind
	}
	for _, before := range []string{"Create", "Delete", "Update", "Put", "Attach", "Detach", "Tag", "Untag"} {
		if after, found := strings.CutPrefix(name, before+k.Title()); found {
			return before + after, slices.Contains([]string{"", "Policy", "PermissionsBoundary"}, after)
		}
	}
	return "", false
}

// text is a policy document as CloudTrail or IAM has it, as text; "" where it is none.
func text(sent string) string {
	sent = strings.TrimSpace(sent)
	if !strings.HasPrefix(sent, "{") {
		plain, err := url.PathUnescape(sent)
		if err != nil || !strings.HasPrefix(plain, "{") {
			return ""
		}
		return plain
	}
	return sent
}

// inlineOf names an inline policy in unknown.
func inlineOf(name string) string { return "inline policy " + name }

// entity takes in a call on a role, user or group.
func (a *Account) entity(c cloudtrail.Call, verb string, k iam.Kind, name string) error {
	named := c.Parameters.Text("policyName")
	arn, doc := c.Parameters.Text("policyArn"), text(c.Parameters.Text("policyDocument"))
	if verb == "Create" {
		a.entities[keyOf(k, name)] = made(c, k, name)
		return nil
	}
	e := a.of(k, name)
	without := func() []iam.Inline {
		return slices.DeleteFunc(slices.Clone(e.Inline), func(p iam.Inline) bool { return p.Name == named })
	}
	is := func(p iam.Attached) bool { return p.ARN == arn }
	switch verb {
	case "Delete":
		delete(a.entities, keyOf(k, name))
	case "Update":
		return a.rename(c, e)
	case "UpdateAssumeRolePolicy":
		e.trust = doc
	case "PutPolicy":
		e.Inline = append(without(), iam.Inline{Name: named, Document: doc})
		e.Sort()
		e.has(c, inlineOf(named))
		if doc == "" {
			e.unknown[inlineOf(named)] = true
			return c.Lost("it does not hold the document of the policy")
		}
	case "DeletePolicy":
		e.Inline = without()
		return e.hasNot(c, inlineOf(named))
	case "AttachPolicy":
		e.has(c, "policy "+arn)
		if arn != "" && !slices.ContainsFunc(e.Attached, is) {
			e.Attached = append(slices.Clone(e.Attached), iam.Attached{ARN: arn})
			e.Sort()
		}
	case "DetachPolicy":
		e.Attached = slices.DeleteFunc(slices.Clone(e.Attached), is)
		return e.hasNot(c, "policy "+arn)
	case "PutPermissionsBoundary":
		e.Boundary = &iam.Attached{ARN: c.Parameters.Text("permissionsBoundary")}
	case "DeletePermissionsBoundary":
		e.Boundary = nil
	case "Tag":
		e.tag(c)
	case "Untag":
		e.Tags = maps.Clone(e.Tags)
		if list, ok := c.Parameters.Get("tagKeys").([]any); ok {
			for _, key := range list {
				delete(e.Tags, fmt.Sprint(key))
			}
		}
	}
	return nil
}

// has notes that a call put a part.
func (e *entity) has(c cloudtrail.Call, part string) {
	if e.put == nil {
		e.put = map[string]time.Time{}
	}
	e.put[part] = c.Time.Truncate(time.Second)
	delete(e.unknown, part)
}

// hasNot notes that a call took a part away. CloudTrail tells no order within a second: where it was put
// in the same one, whether it is there is not known.
func (e *entity) hasNot(c cloudtrail.Call, part string) error {
	delete(e.unknown, part)
	if at, ok := e.put[part]; !ok || !at.Equal(c.Time.Truncate(time.Second)) {
		return nil
	}
	e.unknown[part] = true
	return c.Lost("the same was put within this second, and which came last is not recorded")
}

// tag takes in the tags of a call.
func (e *entity) tag(c cloudtrail.Call) {
	tags := maps.Clone(e.Tags)
	for _, t := range c.Parameters.List("tags") {
		if tags == nil {
			tags = map[string]string{}
		}
		tags[t.Text("key")] = t.Text("value")
	}
	e.Tags = tags
}

// made is an entity that a call made.
func made(c cloudtrail.Call, k iam.Kind, name string) *entity {
	e := &entity{kind: k, Identity: iam.Identity{Name: name, Path: "/", Created: c.Time.UTC()}, unknown: map[string]bool{}}
	if p := c.Parameters.Text("path"); p != "" {
		e.Path = p
	}
	if b := c.Parameters.Text("permissionsBoundary"); b != "" {
		e.Boundary = &iam.Attached{ARN: b}
	}
	e.trust = text(c.Parameters.Text("assumeRolePolicyDocument"))
	e.tag(c)
	return e
}

// rename takes in UpdateUser and UpdateGroup; UpdateRole changes nothing of this.
func (a *Account) rename(c cloudtrail.Call, e *entity) error {
	fresh, path := c.Parameters.Text("new"+e.kind.Title()+"Name"), c.Parameters.Text("newPath")
	old := e.Name
	if path != "" {
		e.Path = path
	}
	if fresh == "" {
		return nil
	}
	delete(a.entities, keyOf(e.kind, old))
	e.Name = fresh
	a.entities[keyOf(e.kind, fresh)] = e
	if e.kind != iam.GroupKind {
		return nil
	}
	for _, u := range a.entities {
		if i := slices.Index(u.groups, old); i >= 0 {
			u.groups = slices.Clone(u.groups)
			u.groups[i] = fresh
		}
	}
	return nil
}

// member takes in that a user joins or leaves a group.
func (a *Account) member(c cloudtrail.Call) error {
	user, group := c.Parameters.Text("userName"), c.Parameters.Text("groupName")
	if user == "" || group == "" {
		return c.Lost("it does not say which user or group it changed")
	}
	e, g := a.of(iam.UserKind, user), a.of(iam.GroupKind, group)
	e.groups = slices.DeleteFunc(slices.Clone(e.groups), func(n string) bool { return n == g.Name })
	if c.Name == "RemoveUserFromGroup" {
		return e.hasNot(c, "group "+g.Name)
	}
	e.groups = append(e.groups, g.Name)
	slices.Sort(e.groups)
	e.has(c, "group "+g.Name)
	return nil
}

// makePolicy takes in CreatePolicy.
func (a *Account) makePolicy(c cloudtrail.Call) error {
	name, path, doc := c.Parameters.Text("policyName"), c.Parameters.Text("path"), text(c.Parameters.Text("policyDocument"))
	arn := c.Answer.Object("policy").Text("arn")
	if arn == "" && name != "" {
		arn = string(dera.NewARN(a.partition, "iam", "", a.id, "policy/"+strings.TrimPrefix(path, "/")+name))
	}
	if arn == "" {
		return c.Lost("it does not say which policy it made")
	}
	delete(a.policies, arn)
	p := a.managed(arn)
	p.Created, p.unknown = c.Time.UTC(), doc == ""
	p.Default = policy.Version{ID: "v1", Document: doc, Created: c.Time.UTC()}
	if p.unknown {
		return c.Lost("it does not hold the document of the policy")
	}
	return nil
}

// version takes in a call on the versions of a policy.
func (a *Account) version(c cloudtrail.Call, arn string) error {
	p := a.managed(arn)
	id := c.Parameters.Text("versionId")
	other := func() int { return slices.IndexFunc(p.Others, func(v policy.Version) bool { return v.ID == id }) }
	switch c.Name {
	case "DeletePolicyVersion":
		if i := other(); i >= 0 {
			p.Others = slices.Delete(slices.Clone(p.Others), i, i+1)
		}
	case "CreatePolicyVersion":
		v := policy.Version{ID: c.Answer.Object("policyVersion").Text("versionId"), Document: text(c.Parameters.Text("policyDocument")), Created: c.Time.UTC()}
		if !c.Parameters.Flag("setAsDefault") {
			p.Others = append([]policy.Version{v}, p.Others...)
			return nil
		}
		return p.inForce(c, v)
	case "SetDefaultPolicyVersion":
		if id != "" && id == p.Default.ID {
			p.unknown = p.Default.Document == ""
			return nil
		}
		i := other()
		if i >= 0 {
			v := p.Others[i]
			p.Others = slices.Delete(slices.Clone(p.Others), i, i+1)
			return p.inForce(c, v)
		}
		if i = slices.IndexFunc(p.dropped, func(v policy.Version) bool { return v.ID == id }); i >= 0 {
			return p.inForce(c, p.dropped[i])
		}
		return p.inForce(c, policy.Version{ID: id, Created: time.Time{}})
	}
	return nil
}

// inForce puts a version in force.
func (p *managed) inForce(c cloudtrail.Call, v policy.Version) error {
	if p.Default.Document != "" {
		p.Others = append([]policy.Version{p.Default}, p.Others...)
	}
	p.Default = v
	if p.unknown = v.Document == ""; p.unknown {
		return c.Lost("what the version that it put in force says is not known")
	}
	return nil
}
