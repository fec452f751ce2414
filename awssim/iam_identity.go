package awssim

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"dera.example/dera/iam/policy"
)

func (i *iamIdentity) edit() *iamIdentity {
	next := *i
	next.inline, next.attached, next.groups = slices.Clone(i.inline), slices.Clone(i.attached), slices.Clone(i.groups)
	return &next
}

func (i *iamIdentity) inlineAt(name string) int {
	return slices.IndexFunc(i.inline, func(p iamInline) bool { return p.name == name })
}

// put stores the identity under its kind and name.
func (k *call) putIdentity(i *iamIdentity) { k.state.identities.put(string(i.kind)+"/"+i.name, i) }

// identityOf finds the identity of the request.
func (k *call) identityOf(kind iamKind, v view) (*iamIdentity, error) {
	name := k.p.text(string(kind) + "Name")
	if i := k.state.identities.get(string(kind)+"/"+name, v); i != nil {
		return i, nil
	}
	return nil, noEntity(strings.ToLower(string(kind)), name)
}

// all identities of a kind as the view sees them.
func (k *call) identities(kind iamKind) []*iamIdentity {
	var out []*iamIdentity
	for _, i := range k.state.identities.from(0, k.view()) {
		if i.kind == kind {
			out = append(out, i)
		}
	}
	return out
}

// iamName is what IAM takes for the name of an identity or a policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
const iamName = `^[\w+=,.@-]{1,128}$`

func validName(name, field string) error {
	if ok, err := regexp.MatchString(iamName, name); err != nil || !ok {
		return errorf(400, "ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+", name, field)
	}
	return nil
}

// validDocument refuses what IAM refuses, in its words.
func validDocument(text string, kind policy.Kind, limit int) error {
	doc, err := policy.Parse(text)
	if err == nil {
		err = doc.Validate(kind)
	}
	if err != nil {
		return errorf(400, "MalformedPolicyDocument", "Syntax errors in policy. %v", err)
	}
	if limit > 0 && doc.Size(kind) > limit {
		return errorf(409, "LimitExceeded", "Cannot exceed quota for PolicySize: %d", limit)
	}
	return nil
}

// inlineQuota is how many characters the inline policies of an identity may have together.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func inlineQuota(kind iamKind) int {
	return map[iamKind]int{iamUser: 2048, iamRole: 10240, iamGroup: 5120}[kind]
}

// attachQuota is how many managed policies an identity may have.
const attachQuota = 10

func createIdentity(kind iamKind) func(*call) (any, error) {
	return func(k *call) (any, error) {
		name, lower := k.p.text(string(kind)+"Name"), strings.ToLower(string(kind))
		if err := validName(name, lower+"Name"); err != nil {
			return nil, err
		}
		if k.state.identities.get(string(kind)+"/"+name, view{}) != nil {
			return nil, errorf(409, "EntityAlreadyExists", "%s with name %s already exists.", kind, name)
		}
		i := &iamIdentity{
			kind: kind, name: name, path: "/", created: k.Time.Truncate(time.Second), boundary: k.p.text("PermissionsBoundary"),
			id: k.state.ids.key(map[iamKind]string{iamRole: "AROA", iamUser: "AIDA", iamGroup: "AGPA"}[kind], 17),
		}
		if p := k.p.text("Path"); p != "" {
			i.path = p
		}
		i.arn = "arn:aws:iam::" + k.Account + ":" + lower + i.path + name
		for _, t := range k.p.get("Tags").list("member") {
			i.tags = i.tags.with(tags{t.text("Key"): t.text("Value")})
		}
		if kind == iamRole {
			i.trust, i.maxSession = k.p.text("AssumeRolePolicyDocument"), 3600
			if n, given, err := k.p.number("MaxSessionDuration"); err != nil {
				return nil, err
			} else if given {
				i.maxSession = n
			}
			if err := validDocument(i.trust, policy.Trust, policy.Trust.SizeLimit()); err != nil {
				return nil, err
			}
		}
		k.putIdentity(i)
		return written{
			wire:  func(e *encoder) { e.begin(string(kind)); i.write(e); e.end(string(kind)) },
			event: func(e *encoder) { e.begin(lower); e.text(lower+"Name", i.name); e.text("arn", i.arn); e.end(lower) },
		}, nil
	}
}

// write writes what Get… and List… tell.
func (i *iamIdentity) write(e *encoder) {
	e.text("Path", i.path)
	e.text(string(i.kind)+"Name", i.name)
	e.text(string(i.kind)+"Id", i.id)
	e.text("Arn", i.arn)
	e.text("CreateDate", i.created.Format(time.RFC3339))
	if i.kind == iamRole {
		e.text("AssumeRolePolicyDocument", percent(i.trust))
		e.number("MaxSessionDuration", i.maxSession)
	}
	if i.boundary != "" {
		e.begin("PermissionsBoundary")
		e.text("PermissionsBoundaryType", "Policy")
		e.text("PermissionsBoundaryArn", i.boundary)
		e.end("PermissionsBoundary")
	}
	if len(i.tags) > 0 {
		i.tags.writeIAM(e)
	}
}

// percent encodes a document as IAM does (RFC 3986): what is not unreserved is escaped.
func percent(text string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	var b strings.Builder
	for n := range len(text) {
		if c := text[n]; strings.IndexByte(unreserved, c) >= 0 {
			b.WriteByte(c)
		} else {
			const digits = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

func getIdentity(kind iamKind) func(*call) (any, error) {
	return func(k *call) (any, error) {
		i, err := k.identityOf(kind, k.view())
		if err != nil {
			return nil, err
		}
		return written{wire: func(e *encoder) { e.begin(string(kind)); i.write(e); e.end(string(kind)) }}, nil
	}
}

func listIdentities(kind iamKind) func(*call) (any, error) {
	return func(k *call) (any, error) {
		shown, more, err := iamPage(k, k.identities(kind), func(i *iamIdentity) string { return i.name })
		if err != nil {
			return nil, err
		}
		return written{wire: func(e *encoder) {
			memberList(e, string(kind)+"s", shown, func(e *encoder, i *iamIdentity) { i.write(e) })
			more(e)
		}}, nil
	}
}

// deleteIdentity refuses one that still has policies or groups.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
func deleteIdentity(kind iamKind) func(*call) (any, error) {
	return func(k *call) (any, error) {
		i, err := k.identityOf(kind, view{})
		switch {
		case err != nil:
			return nil, err
		case len(i.attached) > 0:
			return nil, errorf(409, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
		case len(i.inline) > 0:
			return nil, errorf(409, "DeleteConflict", "Cannot delete entity, must delete policies first.")
		case len(i.groups) > 0:
			return nil, errorf(409, "DeleteConflict", "Cannot delete entity, must remove users from group first.")
		}
		k.state.identities.put(string(kind)+"/"+i.name, nil)
		return written{}, nil
	}
}

// change makes an operation of an edit of the identity of the request.
func change(kind iamKind, edit func(k *call, i *iamIdentity) error) func(*call) (any, error) {
	return func(k *call) (any, error) {
		i, err := k.identityOf(kind, view{})
		if err != nil {
			return nil, err
		}
		next := i.edit()
		if err := edit(k, next); err != nil {
			return nil, err
		}
		k.putIdentity(next)
		return written{}, nil
	}
}

func updateTrust(k *call) (any, error) {
	return change(iamRole, func(k *call, i *iamIdentity) error {
		i.trust = k.p.text("PolicyDocument")
		return validDocument(i.trust, policy.Trust, policy.Trust.SizeLimit())
	})(k)
}

func putInline(kind iamKind) func(*call) (any, error) {
	return change(kind, func(k *call, i *iamIdentity) error {
		name, text := k.p.text("PolicyName"), k.p.text("PolicyDocument")
		if err := validName(name, "policyName"); err != nil {
			return err
		}
		if err := validDocument(text, policy.Identity, inlineQuota(kind)); err != nil {
			return err
		}
		if n := i.inlineAt(name); n >= 0 {
			i.inline[n].document = text
		} else {
			i.inline = append(i.inline, iamInline{name, text})
		}
		total := 0
		for _, p := range i.inline {
			if doc, err := policy.Parse(p.document); err == nil {
				total += doc.Size(policy.Identity)
			}
		}
		if limit := inlineQuota(kind); total > limit {
			return errorf(409, "LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", limit, strings.ToLower(string(kind)), i.name)
		}
		return nil
	})
}

func deleteInline(kind iamKind) func(*call) (any, error) {
	return change(kind, func(k *call, i *iamIdentity) error {
		n := i.inlineAt(k.p.text("PolicyName"))
		if n < 0 {
			return noEntity("role policy", k.p.text("PolicyName"))
		}
		i.inline = slices.Delete(i.inline, n, n+1)
		return nil
	})
}

func getInline(kind iamKind) func(*call) (any, error) {
	return func(k *call) (any, error) {
		i, err := k.identityOf(kind, k.view())
		if err != nil {
			return nil, err
		}
		n := i.inlineAt(k.p.text("PolicyName"))
		if n < 0 {
			return nil, noEntity("role policy", k.p.text("PolicyName"))
		}
		return written{wire: func(e *encoder) {
			e.text(string(kind)+"Name", i.name)
			e.text("PolicyName", i.inline[n].name)
			e.text("PolicyDocument", percent(i.inline[n].document))
		}}, nil
	}
}

func listInline(kind iamKind) func(*call) (any, error) {
	return func(k *call) (any, error) {
		i, err := k.identityOf(kind, k.view())
		if err != nil {
			return nil, err
		}
		shown, more, err := iamPage(k, i.inline, func(p iamInline) string { return p.name })
		if err != nil {
			return nil, err
		}
		return written{wire: func(e *encoder) {
			e.begin("PolicyNames")
			for _, p := range shown {
				e.text("member", p.name)
			}
			e.end("PolicyNames")
			more(e)
		}}, nil
	}
}

func putBoundary(kind iamKind) func(*call) (any, error) {
	return change(kind, func(k *call, i *iamIdentity) error {
		i.boundary = k.p.text("PermissionsBoundary")
		return nil
	})
}

func attachPolicy(kind iamKind, on bool) func(*call) (any, error) {
	return change(kind, func(k *call, i *iamIdentity) error {
		arn := k.p.text("PolicyArn")
		has := slices.Contains(i.attached, arn)
		switch {
		case on && k.managed(arn, view{}) == nil:
			return errorf(404, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
		case on && !has && len(i.attached) >= attachQuota:
			return errorf(409, "LimitExceeded", "Cannot exceed quota for PoliciesPer%s: %d", kind, attachQuota)
		case on && !has:
			i.attached = append(i.attached, arn)
		case !on && !has:
			return errorf(404, "NoSuchEntity", "Policy %s was not found.", arn)
		case !on:
			i.attached = slices.DeleteFunc(i.attached, func(a string) bool { return a == arn })
		}
		return nil
	})
}

func listAttached(kind iamKind) func(*call) (any, error) {
	return func(k *call) (any, error) {
		i, err := k.identityOf(kind, k.view())
		if err != nil {
			return nil, err
		}
		shown, more, err := iamPage(k, i.attached, func(arn string) string { return arn })
		if err != nil {
			return nil, err
		}
		return written{wire: func(e *encoder) { writeAttached(e, "AttachedPolicies", shown); more(e) }}, nil
	}
}

func writeAttached(e *encoder, name string, arns []string) {
	memberList(e, name, arns, func(e *encoder, arn string) {
		e.text("PolicyName", arn[strings.LastIndexByte(arn, '/')+1:])
		e.text("PolicyArn", arn)
	})
}
