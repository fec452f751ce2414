package awssim

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera/iam/policy"
)

// mostVersions is how many versions a managed policy may have.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
const mostVersions = 5

func (p *iamPolicy) edit() *iamPolicy {
	next := *p
	next.versions = slices.Clone(p.versions)
	return &next
}

// add adds a version, the newest.
func (p *iamPolicy) add(text string, at time.Time) string {
	p.next++
	id := "v" + strconv.Itoa(p.next)
	p.versions = append(p.versions, iamVersion{id, text, at.Truncate(time.Second)})
	return id
}

// managed finds a managed policy, the account's or AWS's own.
func (k *call) managed(arn string, v view) *iamPolicy { return k.state.policies.get(arn, v) }

// policyOf finds the policy of the request. AWS's own cannot be changed.
func (k *call) policyOf(v view) (*iamPolicy, error) {
	arn := k.p.text("PolicyArn")
	p := k.managed(arn, v)
	switch {
	case p == nil:
		return nil, errorf(404, "NoSuchEntity", "Policy %s was not found.", arn)
	case strings.HasPrefix(arn, "arn:aws:iam::aws:") && !k.op.readOnly:
		return nil, errorf(403, "AccessDenied", "Policy %s is managed by AWS.", arn)
	}
	return p, nil
}

// AddManagedPolicy makes a policy of AWS's own, which any account may attach and nobody may change.
func (a *Account) AddManagedPolicy(name, document string) string {
	c := a.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{a.id, globalHome(&call{Call: Call{Account: a.id}}).region})
	p := &iamPolicy{name: name, path: "/", id: c.ids.key("ANPA", 17), arn: "arn:aws:iam::aws:policy/" + name, created: c.now(), updated: c.now()}
	p.current = p.add(document, c.now())
	s.policies.put(p.arn, p)
	s.commit()
	return p.arn
}

func createPolicy(k *call) (any, error) {
	name, text := k.p.text("PolicyName"), k.p.text("PolicyDocument")
	if err := validName(name, "policyName"); err != nil {
		return nil, err
	}
	if err := validDocument(text, policy.Identity, policy.Identity.SizeLimit()); err != nil {
		return nil, err
	}
	p := &iamPolicy{name: name, path: "/", id: k.state.ids.key("ANPA", 17), created: k.Time.Truncate(time.Second), updated: k.Time.Truncate(time.Second)}
	if path := k.p.text("Path"); path != "" {
		p.path = path
	}
	for _, t := range k.p.get("Tags").list("member") {
		p.tags = p.tags.with(tags{t.text("Key"): t.text("Value")})
	}
	p.arn = "arn:aws:iam::" + k.Account + ":policy" + p.path + name
	if k.managed(p.arn, view{}) != nil {
		return nil, errorf(409, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
	}
	p.current = p.add(text, k.Time)
	k.state.policies.put(p.arn, p)
	return written{
		wire: func(e *encoder) { e.begin("Policy"); k.writePolicy(e, p); e.end("Policy") },
		event: func(e *encoder) {
			e.begin("policy")
			e.text("policyName", p.name)
			e.text("arn", p.arn)
			e.end("policy")
		},
	}, nil
}

func (k *call) writePolicy(e *encoder, p *iamPolicy) {
	count, bounds := 0, 0
	for _, i := range k.state.identities.from(0, view{}) {
		if slices.Contains(i.attached, p.arn) {
			count++
		}
		if i.boundary == p.arn {
			bounds++
		}
	}
	e.text("PolicyName", p.name)
	e.text("PolicyId", p.id)
	e.text("Arn", p.arn)
	e.text("Path", p.path)
	e.text("DefaultVersionId", p.current)
	e.number("AttachmentCount", count)
	e.number("PermissionsBoundaryUsageCount", bounds)
	e.flag("IsAttachable", true)
	e.text("CreateDate", p.created.Format(time.RFC3339))
	e.text("UpdateDate", p.updated.Format(time.RFC3339))
	if len(p.tags) > 0 {
		p.tags.writeIAM(e)
	}
}

func (p *iamPolicy) writeVersion(e *encoder, v iamVersion, document bool) {
	if document {
		e.text("Document", percent(v.document))
	}
	e.text("VersionId", v.id)
	e.flag("IsDefaultVersion", v.id == p.current)
	e.text("CreateDate", v.created.Format(time.RFC3339))
}

func getPolicy(k *call) (any, error) {
	p, err := k.policyOf(k.view())
	if err != nil {
		return nil, err
	}
	return written{wire: func(e *encoder) { e.begin("Policy"); k.writePolicy(e, p); e.end("Policy") }}, nil
}

func deletePolicy(k *call) (any, error) {
	p, err := k.policyOf(view{})
	if err != nil {
		return nil, err
	}
	for _, i := range k.state.identities.from(0, view{}) {
		if slices.Contains(i.attached, p.arn) || i.boundary == p.arn {
			return nil, errorf(409, "DeleteConflict", "Cannot delete a policy attached to entities.")
		}
	}
	if len(p.versions) > 1 {
		return nil, errorf(409, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.")
	}
	k.state.policies.put(p.arn, nil)
	return written{}, nil
}

func createVersion(k *call) (any, error) {
	p, err := k.policyOf(view{})
	if err != nil {
		return nil, err
	}
	text := k.p.text("PolicyDocument")
	if err := validDocument(text, policy.Identity, policy.Identity.SizeLimit()); err != nil {
		return nil, err
	}
	if len(p.versions) >= mostVersions {
		return nil, errorf(409, "LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", mostVersions)
	}
	next := p.edit()
	id := next.add(text, k.Time)
	if next.updated = k.Time.Truncate(time.Second); k.p.isTrue("SetAsDefault") {
		next.current = id
	}
	k.state.policies.put(p.arn, next)
	return written{
		wire: func(e *encoder) {
			e.begin("PolicyVersion")
			next.writeVersion(e, *next.version(id), false)
			e.end("PolicyVersion")
		},
		event: func(e *encoder) {
			e.begin("policyVersion")
			e.text("versionId", id)
			e.flag("isDefaultVersion", next.current == id)
			e.end("policyVersion")
		},
	}, nil
}

// versionOf finds the version of the request.
func (k *call) versionOf(v view) (*iamPolicy, *iamVersion, error) {
	p, err := k.policyOf(v)
	if err != nil {
		return nil, nil, err
	}
	id := k.p.text("VersionId")
	if found := p.version(id); found != nil {
		return p, found, nil
	}
	return nil, nil, errorf(404, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", p.arn, id)
}

func getVersion(k *call) (any, error) {
	p, v, err := k.versionOf(k.view())
	if err != nil {
		return nil, err
	}
	return written{wire: func(e *encoder) { e.begin("PolicyVersion"); p.writeVersion(e, *v, true); e.end("PolicyVersion") }}, nil
}

func listVersions(k *call) (any, error) {
	p, err := k.policyOf(k.view())
	if err != nil {
		return nil, err
	}
	list := slices.Clone(p.versions)
	slices.Reverse(list) // the newest first
	return written{wire: func(e *encoder) {
		memberList(e, "Versions", list, func(e *encoder, v iamVersion) { p.writeVersion(e, v, false) })
		e.flag("IsTruncated", false)
	}}, nil
}

func setVersion(k *call) (any, error) {
	p, v, err := k.versionOf(view{})
	if err != nil {
		return nil, err
	}
	next := p.edit()
	next.current, next.updated = v.id, k.Time.Truncate(time.Second)
	k.state.policies.put(p.arn, next)
	return written{}, nil
}

func deleteVersion(k *call) (any, error) {
	p, v, err := k.versionOf(view{})
	if err != nil {
		return nil, err
	}
	if v.id == p.current {
		return nil, errorf(409, "DeleteConflict", "Cannot delete the default version of a policy.")
	}
	next, id := p.edit(), v.id
	next.versions = slices.DeleteFunc(next.versions, func(o iamVersion) bool { return o.id == id })
	k.state.policies.put(p.arn, next)
	return written{}, nil
}

func entitiesOfPolicy(k *call) (any, error) {
	p, err := k.policyOf(k.view())
	if err != nil {
		return nil, err
	}
	usage, filter := k.p.text("PolicyUsageFilter"), k.p.text("EntityFilter")
	var list []*iamIdentity
	for _, i := range k.state.identities.from(0, k.view()) {
		attached, bound := slices.Contains(i.attached, p.arn), i.boundary == p.arn
		switch {
		case filter != "" && filter != string(i.kind):
		case usage == "PermissionsPolicy" && attached, usage == "PermissionsBoundary" && bound, usage == "" && (attached || bound):
			list = append(list, i)
		}
	}
	shown, more, err := iamPage(k, list, func(i *iamIdentity) string { return i.arn })
	if err != nil {
		return nil, err
	}
	return written{wire: func(e *encoder) {
		for _, kind := range []iamKind{iamGroup, iamUser, iamRole} {
			e.begin("Policy" + string(kind) + "s")
			for _, i := range shown {
				if i.kind == kind {
					e.begin("member")
					e.text(string(kind)+"Name", i.name)
					e.text(string(kind)+"Id", i.id)
					e.end("member")
				}
			}
			e.end("Policy" + string(kind) + "s")
		}
		more(e)
	}}, nil
}
