package awssim

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// iamIdentity is a role, user or group with its policies. It is immutable once it is part of a table.
type iamIdentity struct {
	kind                iamKind
	name, path, id, arn string
	trust               string // of a role
	maxSession          int
	created             time.Time
	inline              []iamInline
	attached            []string // ARNs of managed policies, in the order in which they were attached
	boundary            string
	groups              []string // of a user
	tags                tags
}

type iamInline struct{ name, document string }

// iamKind is the word by which the operations of a kind of identity are named.
type iamKind string

const (
	iamRole  iamKind = "Role"
	iamUser  iamKind = "User"
	iamGroup iamKind = "Group"
)

// iamPolicy is a customer managed policy.
type iamPolicy struct {
	name, path, id, arn string
	created, updated    time.Time
	versions            []iamVersion // the oldest first
	current             string       // the default version
	next                int          // number of the next version
	tags                tags
}

type iamVersion struct {
	id, document string
	created      time.Time
}

func (p *iamPolicy) version(id string) *iamVersion {
	i := slices.IndexFunc(p.versions, func(v iamVersion) bool { return v.id == id })
	if i < 0 {
		return nil
	}
	return &p.versions[i]
}

// newIAM returns the operations on identities and their policies that dera needs, and those that make them. They act on what
// the account has once; who may do what in the simulated AWS is told by [Account.AddRole], not by these policies.
func newIAM() service {
	ops := map[string]operation{
		"GetAccountAuthorizationDetails": {run: authorizationDetails, readOnly: true, accepts: "Filter MaxItems Marker"},
		"UpdateAssumeRolePolicy":         {run: updateTrust, accepts: "RoleName PolicyDocument", resources: onIdentity(iamRole)},
		"AddUserToGroup":                 {run: userInGroup(true), accepts: "UserName GroupName"},
		"RemoveUserFromGroup":            {run: userInGroup(false), accepts: "UserName GroupName"},
		"ListGroupsForUser":              {run: groupsOfUser, readOnly: true, accepts: "UserName MaxItems Marker"},
		"GetGroup":                       {run: getGroup, readOnly: true, accepts: "GroupName MaxItems Marker"},
		"CreatePolicy":                   {run: createPolicy, accepts: "PolicyName Path PolicyDocument Description Tags"},
		"DeletePolicy":                   {run: deletePolicy, accepts: "PolicyArn"},
		"GetPolicy":                      {run: getPolicy, readOnly: true, accepts: "PolicyArn"},
		"CreatePolicyVersion":            {run: createVersion, accepts: "PolicyArn PolicyDocument SetAsDefault"},
		"GetPolicyVersion":               {run: getVersion, readOnly: true, accepts: "PolicyArn VersionId"},
		"ListPolicyVersions":             {run: listVersions, readOnly: true, accepts: "PolicyArn MaxItems Marker"},
		"SetDefaultPolicyVersion":        {run: setVersion, accepts: "PolicyArn VersionId"},
		"DeletePolicyVersion":            {run: deleteVersion, accepts: "PolicyArn VersionId"},
		"ListEntitiesForPolicy":          {run: entitiesOfPolicy, readOnly: true, accepts: "PolicyArn EntityFilter PathPrefix PolicyUsageFilter MaxItems Marker"},
	}
	for _, k := range []iamKind{iamRole, iamUser, iamGroup} {
		name, w := string(k)+"Name", string(k)
		on := onIdentity(k)
		ops["Create"+w] = operation{run: createIdentity(k), accepts: name + " Path AssumeRolePolicyDocument MaxSessionDuration PermissionsBoundary Tags Description", resources: on}
		ops["Delete"+w] = operation{run: deleteIdentity(k), accepts: name, resources: on}
		ops["List"+w+"s"] = operation{run: listIdentities(k), readOnly: true, accepts: "PathPrefix MaxItems Marker"}
		if k != iamGroup {
			ops["Get"+w] = operation{run: getIdentity(k), readOnly: true, accepts: name, resources: on}
			ops["Put"+w+"PermissionsBoundary"] = operation{run: putBoundary(k), accepts: name + " PermissionsBoundary", resources: on}
			ops["Delete"+w+"PermissionsBoundary"] = operation{run: putBoundary(k), accepts: name, resources: on}
		}
		ops["Put"+w+"Policy"] = operation{run: putInline(k), accepts: name + " PolicyName PolicyDocument", resources: on}
		ops["Delete"+w+"Policy"] = operation{run: deleteInline(k), accepts: name + " PolicyName", resources: on}
		ops["Get"+w+"Policy"] = operation{run: getInline(k), readOnly: true, accepts: name + " PolicyName", resources: on}
		ops["List"+w+"Policies"] = operation{run: listInline(k), readOnly: true, accepts: name + " MaxItems Marker", resources: on}
		ops["Attach"+w+"Policy"] = operation{run: attachPolicy(k, true), accepts: name + " PolicyArn", resources: on}
		ops["Detach"+w+"Policy"] = operation{run: attachPolicy(k, false), accepts: name + " PolicyArn", resources: on}
		ops["ListAttached"+w+"Policies"] = operation{run: listAttached(k), readOnly: true, accepts: name + " PathPrefix MaxItems Marker", resources: on}
	}
	for name, op := range ops {
		op.home, op.request = globalHome, iamTrail
		if strings.Contains(op.accepts, "PolicyArn") && op.resources == nil {
			op.resources = func(k *call) []string { return []string{k.p.text("PolicyArn")} }
		}
		ops[name] = op
	}
	return service{protocol: iamProtocol{stsProtocol{namespace: ` xmlns="https://iam.amazonaws.com/doc/2010-05-08/">`}}, operations: ops}
}

// iamProtocol is the AWS query protocol; a call that answers nothing has no result.
type iamProtocol struct{ stsProtocol }

// iamTrail writes the parameters as CloudTrail shows them: with a small first letter.
func iamTrail(k *call, e *encoder) {
	for _, name := range strings.Fields(k.op.accepts) {
		switch p := k.p.get(name); {
		case p == nil || p.isList():
		case name == "SetAsDefault":
			e.flag("setAsDefault", k.p.isTrue(name))
		default:
			e.text(lowerFirst(name), p.value)
		}
	}
}

// onIdentity is the resource of a call on an identity. Its path is not in the request.
func onIdentity(kind iamKind) func(k *call) []string {
	return func(k *call) []string {
		name := k.p.text(string(kind) + "Name")
		k.cloud.mu.Lock()
		defer k.cloud.mu.Unlock()
		if i := k.cloud.state(globalHome(k)).identities.get(string(kind)+"/"+name, view{}); i != nil {
			return []string{i.arn}
		}
		return []string{"arn:aws:iam::" + k.Account + ":" + strings.ToLower(string(kind)) + "/" + name}
	}
}

// IAM sends one call of IAM as the account's administrator, for seeding: parameters by their names in the API reference. It
// panics on an error, which is wrong wiring of a test or a demo.
func (a *Account) IAM(ctx context.Context, operation string, parameters map[string]string) {
	if err := a.Region("us-east-1").CallIAM(ctx, operation, parameters); err != nil {
		panic("awssim: " + operation + ": " + err.Error())
	}
}

// CallIAM sends one call of IAM.
func (r *Region) CallIAM(ctx context.Context, operation string, parameters map[string]string) error {
	form := url.Values{}
	for name, value := range parameters {
		form.Set(name, value)
	}
	req := request{service: "iam"}
	form.Set("Action", operation)
	req.setForm(form)
	_, err := r.do(ctx, req)
	return err
}

// written is an answer that writes itself on the wire, and something shorter in the event.
type written struct{ wire, event func(e *encoder) }

func (a written) write(e *encoder) {
	switch {
	case e.json && a.event != nil:
		a.event(e)
	case !e.json && a.wire != nil:
		a.wire(e)
	}
}

// memberList writes a list as the query protocol does.
func memberList[T any](e *encoder, name string, list []T, write func(e *encoder, v T)) {
	e.begin(name)
	for _, v := range list {
		e.begin("member")
		write(e, v)
		e.end("member")
	}
	e.end(name)
}

// members writes a list of texts.
func (e *encoder) members(name string, list []string) {
	e.begin(name)
	for _, v := range list {
		e.text("member", v)
	}
	e.end(name)
}

// iamPage cuts a page out of what an operation lists, and writes how it goes on.
func iamPage[T any](k *call, list []T, key func(T) string) ([]T, func(e *encoder), error) {
	size, given, err := k.p.number("MaxItems")
	if err != nil {
		return nil, nil, err
	}
	if !given {
		size = 100
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	shown, next, err := listing(k, list, key, size, k.p.text("Marker"))
	if err != nil {
		return nil, nil, errorf(400, "ValidationError", "Invalid Marker")
	}
	return shown, func(e *encoder) {
		e.flag("IsTruncated", next != "")
		e.optional("Marker", next)
	}, nil
}

func noEntity(what, name string) *Error {
	return errorf(404, "NoSuchEntity", "The %s with name %s cannot be found.", what, name)
}

func (t tags) writeIAM(e *encoder) {
	memberList(e, "Tags", slices.Sorted(maps.Keys(t)), func(e *encoder, key string) {
		e.text("Key", key)
		e.text("Value", t[key])
	})
}
