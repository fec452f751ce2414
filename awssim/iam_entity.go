package awssim

import (
	"slices"
	"strings"
	"time"
)

// entity is a role, user or group: a row of the state; it is immutable.
type entity struct {
	account, kind, name, path, id string // the kind as the API spells it in names: Role
	created                       time.Time
	tags                          tags
	trust                         string // of a role
	session                       int    // longest, of a role
	boundary                      string
	inline                        map[string]string
	attached                      []string
	groups                        []string // of a user
	usedAt                        time.Time
	usedIn                        string // the Region of the last use of a role
}

func (e *entity) arn() string {
	return "arn:aws:iam::" + e.account + ":" + strings.ToLower(e.kind) + e.path + e.name
}

// key is the row's, and the order of listings.
func (e *entity) key() string { return e.kind + "/" + e.name }

func ofKind(list []*entity, kind string) (out []*entity) {
	for _, e := range list {
		if e.kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// mostInline is how long the inline policies of an entity may be together, and mostTrust a trust policy.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func mostInline(kind string) int {
	return map[string]int{"Role": 10240, "User": 2048, "Group": 5120}[kind]
}

const mostTrust = 2048

// addEntityOperations adds what is the same for roles, users and groups.
func addEntityOperations(ops map[string]operation, kind string) {
	name := kind + "Name"
	bind := func(run func(*call, *entity) (any, error)) func(*call) (any, error) {
		return func(k *call) (any, error) {
			e, err := k.entity(kind)
			if err != nil {
				return nil, err
			}
			return run(k, e)
		}
	}
	own := map[string]string{
		"Role": " Path AssumeRolePolicyDocument Description MaxSessionDuration PermissionsBoundary Tags", "User": " Path PermissionsBoundary Tags", "Group": " Path",
	}[kind]
	pages := ""
	if kind == "Group" {
		pages = " Marker MaxItems"
	}
	ops["Create"+kind] = operation{run: func(k *call) (any, error) { return createEntity(k, kind) }, accepts: name + own}
	ops["Delete"+kind] = operation{run: bind(deleteEntity), accepts: name}
	ops["Get"+kind] = operation{run: bind(getEntity), readOnly: true, accepts: name + pages}
	ops["Put"+kind+"Policy"] = operation{run: bind(putInline), accepts: name + " PolicyName PolicyDocument"}
	ops["Delete"+kind+"Policy"] = operation{run: bind(deleteInline), accepts: name + " PolicyName"}
	ops["Get"+kind+"Policy"] = operation{run: bind(getInline), readOnly: true, accepts: name + " PolicyName"}
	ops["List"+kind+"Policies"] = operation{run: bind(listInline), readOnly: true, accepts: name + " Marker MaxItems"}
	ops["Attach"+kind+"Policy"] = operation{run: bind(attachPolicy), accepts: name + " PolicyArn"}
	ops["Detach"+kind+"Policy"] = operation{run: bind(detachPolicy), accepts: name + " PolicyArn"}
	ops["ListAttached"+kind+"Policies"] = operation{run: bind(listAttached), readOnly: true, accepts: name + " Marker MaxItems"}
}

// entity finds the entity that the call names as its reads see it; a change gets a copy of the present one.
func (k *call) entity(kind string) (*entity, error) {
	v := view{}
	if k.op.readOnly {
		v = k.view()
	}
	name := k.p.text(kind + "Name")
	e := k.state.entities.get(kind+"/"+name, v)
	if e == nil {
		return nil, noSuchEntity(strings.ToLower(kind), name)
	}
	changed := *e
	changed.inline = map[string]string{}
	for n, text := range e.inline {
		changed.inline[n] = text
	}
	changed.attached, changed.groups = slices.Clone(e.attached), slices.Clone(e.groups)
	return &changed, nil
}

func (k *call) putEntity(e *entity) { k.state.entities.put(e.key(), e) }

func createEntity(k *call, kind string) (any, error) {
	e := &entity{account: k.Account, kind: kind, name: k.p.text(kind + "Name"), created: k.Time.Truncate(time.Second), boundary: k.p.text("PermissionsBoundary")}
	var err error
	if e.path, err = iamPath(k); err != nil {
		return nil, err
	}
	if e.tags, err = iamTags(k); err != nil {
		return nil, err
	}
	if kind == "Role" {
		if e.trust, err = readTrust(k, "AssumeRolePolicyDocument"); err != nil {
			return nil, err
		}
		given := false
		if e.session, given, err = k.p.number("MaxSessionDuration"); err != nil {
			return nil, err
		} else if !given {
			e.session = 3600
		}
	}
	if e.boundary != "" {
		if _, err := k.managed(e.boundary); err != nil {
			return nil, err
		}
	}
	for _, other := range k.state.entities.from(0, view{}) {
		if other.kind == kind && strings.EqualFold(other.name, e.name) {
			return nil, errorf(409, "EntityAlreadyExists", "%s with name %s already exists.", kind, e.name)
		}
	}
	e.id = k.state.ids.key(map[string]string{"Role": "AROA", "User": "AIDA", "Group": "AGPA"}[kind], 17)
	k.putEntity(e)
	return written(func(f fields) { f.object(kind, func() { e.head(f); e.rest(f) }) }), nil
}

func readTrust(k *call, parameter string) (string, error) {
	text, err := readDocument(k, parameter)
	if err == nil && weight(text) > mostTrust {
		return "", errorf(409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", mostTrust)
	}
	return text, err
}

// head writes what all answers tell of an entity, and rest what those about it alone tell besides.
func (e *entity) head(f fields) {
	f.text("Path", e.path)
	f.text(e.kind+"Name", e.name)
	f.text(e.kind+"Id", e.id)
	f.text("Arn", e.arn())
	f.time("CreateDate", e.created)
	f.text("AssumeRolePolicyDocument", encoded(e.trust))
}

func (e *entity) rest(f fields) {
	if e.kind == "Role" {
		f.number("MaxSessionDuration", e.session)
	}
	e.facts(f)
}

// facts writes what the walk tells too.
func (e *entity) facts(f fields) {
	if e.boundary != "" {
		f.object("PermissionsBoundary", func() {
			f.text("PermissionsBoundaryType", "PermissionsBoundaryPolicy")
			f.text("PermissionsBoundaryArn", e.boundary)
		})
	}
	e.tags.members(f)
	if e.kind == "Role" { // empty where it was not used
		f.object("RoleLastUsed", func() {
			if !e.usedAt.IsZero() {
				f.time("LastUsedDate", e.usedAt)
				f.text("Region", e.usedIn)
			}
		})
	}
}

func deleteEntity(k *call, e *entity) (any, error) {
	what := map[bool]string{len(e.attached) > 0: "detach all policies", len(e.inline) > 0: "delete policies", len(e.groups) > 0: "remove users from group"}[true]
	if what == "" && e.kind == "Group" && len(k.membersOf(e.name)) > 0 {
		what = "remove users from group"
	}
	if what != "" {
		return nil, errorf(409, "DeleteConflict", "Cannot delete entity, must %s first.", what)
	}
	k.state.entities.put(e.key(), nil)
	return nil, nil
}

// getEntity answers about an entity; about a group with its members.
func getEntity(k *call, e *entity) (any, error) {
	if e.kind != "Group" {
		return written(func(f fields) { f.object(e.kind, func() { e.head(f); e.rest(f) }) }), nil
	}
	shown, end, err := iamPage(k, k.membersOf(e.name), (*entity).key)
	if err != nil {
		return nil, err
	}
	return written(func(f fields) {
		f.object("Group", func() { e.head(f) })
		memberList(f, "Users", shown, func(u *entity) { u.head(f) })
		end(f)
	}), nil
}

func (k *call) membersOf(group string) (out []*entity) {
	for _, u := range k.state.entities.from(0, k.view()) {
		if slices.Contains(u.groups, group) {
			out = append(out, u)
		}
	}
	return out
}

func updateTrust(k *call) (any, error) {
	e, err := k.entity("Role")
	if err != nil {
		return nil, err
	}
	if e.trust, err = readTrust(k, "PolicyDocument"); err != nil {
		return nil, err
	}
	k.putEntity(e)
	return nil, nil
}

func listRoles(k *call) (any, error) {
	var roles []*entity
	for _, e := range k.state.entities.from(0, k.view()) {
		roles = append(roles, e)
	}
	shown, end, err := iamPage(k, ofKind(roles, "Role"), (*entity).key)
	if err != nil {
		return nil, err
	}
	return written(func(f fields) {
		memberList(f, "Roles", shown, func(e *entity) {
			e.head(f)
			f.number("MaxSessionDuration", e.session)
		})
		end(f)
	}), nil
}

func putInline(k *call, e *entity) (any, error) {
	text, err := readDocument(k, "PolicyDocument")
	if err != nil {
		return nil, err
	}
	e.inline[k.p.text("PolicyName")] = text
	size := 0
	for _, text := range e.inline {
		size += weight(text)
	}
	if most := mostInline(e.kind); size > most {
		return nil, errorf(409, "LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", most, strings.ToLower(e.kind), e.name)
	}
	k.putEntity(e)
	return nil, nil
}

func noInline(k *call, e *entity) error {
	return errorf(404, "NoSuchEntity", "The %s policy with name %s cannot be found.", strings.ToLower(e.kind), k.p.text("PolicyName"))
}

func deleteInline(k *call, e *entity) (any, error) {
	if _, ok := e.inline[k.p.text("PolicyName")]; !ok {
		return nil, noInline(k, e)
	}
	delete(e.inline, k.p.text("PolicyName"))
	k.putEntity(e)
	return nil, nil
}

func getInline(k *call, e *entity) (any, error) {
	name := k.p.text("PolicyName")
	text, ok := e.inline[name]
	if !ok {
		return nil, noInline(k, e)
	}
	return written(func(f fields) {
		f.text(e.kind+"Name", e.name)
		f.text("PolicyName", name)
		f.text("PolicyDocument", encoded(text))
	}), nil
}

func listInline(k *call, e *entity) (any, error) {
	shown, end, err := iamPage(k, tags(e.inline).keys(), func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	return written(func(f fields) {
		f.begin("PolicyNames")
		for _, name := range shown {
			f.encoder.text("member", name)
		}
		f.end("PolicyNames")
		end(f)
	}), nil
}

func attachPolicy(k *call, e *entity) (any, error) {
	p, err := k.managed(k.p.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	if !slices.Contains(e.attached, p.arn()) {
		if len(e.attached) >= mostAttached {
			return nil, errorf(409, "LimitExceeded", "Cannot exceed quota for PoliciesPer%s: %d", e.kind, mostAttached)
		}
		e.attached = append(e.attached, p.arn())
		k.putEntity(e)
	}
	return nil, nil
}

func detachPolicy(k *call, e *entity) (any, error) {
	arn := k.p.text("PolicyArn")
	if !slices.Contains(e.attached, arn) {
		return nil, errorf(404, "NoSuchEntity", "Policy %s was not found.", arn)
	}
	e.attached = slices.DeleteFunc(e.attached, func(a string) bool { return a == arn })
	k.putEntity(e)
	return nil, nil
}

func listAttached(k *call, e *entity) (any, error) {
	shown, end, err := iamPage(k, e.attached, func(arn string) string { return arn })
	if err != nil {
		return nil, err
	}
	return written(func(f fields) {
		attachedPolicies(f, "AttachedPolicies", shown)
		end(f)
	}), nil
}

func attachedPolicies(f fields, name string, arns []string) {
	memberList(f, name, arns, func(arn string) {
		f.text("PolicyName", arn[strings.LastIndexByte(arn, '/')+1:])
		f.text("PolicyArn", arn)
	})
}

// userAndGroup finds what AddUserToGroup and RemoveUserFromGroup name.
func (k *call) userAndGroup() (user, group *entity, err error) {
	if group, err = k.entity("Group"); err == nil {
		user, err = k.entity("User")
	}
	return user, group, err
}

func addUserToGroup(k *call) (any, error) {
	u, g, err := k.userAndGroup()
	if err == nil && !slices.Contains(u.groups, g.name) {
		u.groups = append(u.groups, g.name)
		k.putEntity(u)
	}
	return nil, err
}

func removeUserFromGroup(k *call) (any, error) {
	u, g, err := k.userAndGroup()
	if err == nil {
		u.groups = slices.DeleteFunc(u.groups, func(name string) bool { return name == g.name })
		k.putEntity(u)
	}
	return nil, err
}

func listGroupsForUser(k *call) (any, error) {
	u, err := k.entity("User")
	if err != nil {
		return nil, err
	}
	var groups []*entity
	for _, name := range u.groups {
		if g := k.state.entities.get("Group/"+name, k.view()); g != nil {
			groups = append(groups, g)
		}
	}
	shown, end, err := iamPage(k, groups, (*entity).key)
	if err != nil {
		return nil, err
	}
	return written(func(f fields) {
		memberList(f, "Groups", shown, func(g *entity) { g.head(f) })
		end(f)
	}), nil
}
