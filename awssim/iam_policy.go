package awssim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
)

// managedPolicy is a row of the state; it is immutable.
type managedPolicy struct {
	account, name, path, id string
	created, updated        time.Time
	tags                    tags
	versions                []policyVersion // the newest first
	made                    int             // versions ever
	inForce                 string          // ID of the version
}

type policyVersion struct {
	id, document string
	created      time.Time
}

func (p *managedPolicy) arn() string {
	return "arn:aws:iam::" + p.account + ":policy" + p.path + p.name
}

func (p *managedPolicy) version(id string) *policyVersion {
	i := slices.IndexFunc(p.versions, func(v policyVersion) bool { return v.id == id })
	if i < 0 {
		return nil
	}
	return &p.versions[i]
}

// mostVersions, mostPolicy and mostAttached are quotas of IAM.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	mostVersions = 5
	mostPolicy   = 6144
	mostAttached = 10 // to a role, a user or a group
)

// AddAWSPolicy makes one of AWS's own managed policies, which all accounts share, and returns its ARN; of one that is
// there already it puts a new version in force, as AWS does. The name may have a path before it, as in
// "service-role/AWSLambdaRole". It is not an API call.
func (c *Cloud) AddAWSPolicy(name, document string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(awsPolicies())
	now := c.now().Truncate(time.Second)
	p := &managedPolicy{account: "aws", name: name, path: "/", created: now}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		p.path, p.name = "/"+name[:i+1], name[i+1:]
	}
	if old := s.policies.get(p.arn(), view{}); old != nil {
		again := *old
		p = &again
	} else {
		p.id = c.ids.key("ANPA", 17)
	}
	p.made++
	p.inForce, p.updated = "v"+strconv.Itoa(p.made), now
	p.versions = append([]policyVersion{{p.inForce, document, now}}, p.versions...)
	p.versions = p.versions[:min(len(p.versions), mostVersions)]
	s.policies.put(p.arn(), p)
	s.commit()
	return p.arn()
}

// awsPolicies is where AWS's own policies stand.
func awsPolicies() place { return place{"aws", dera.GlobalRegion} }

func iamPolicyOperations() map[string]operation {
	return map[string]operation{
		"CreatePolicy":            {run: createPolicy, accepts: "PolicyName Path PolicyDocument Description Tags"},
		"DeletePolicy":            {run: deletePolicy, accepts: "PolicyArn"},
		"GetPolicy":               {run: getPolicy, readOnly: true, accepts: "PolicyArn"},
		"TagPolicy":               {run: tagPolicy, accepts: "PolicyArn Tags"},
		"CreatePolicyVersion":     {run: createPolicyVersion, accepts: "PolicyArn PolicyDocument SetAsDefault"},
		"DeletePolicyVersion":     {run: deletePolicyVersion, accepts: "PolicyArn VersionId"},
		"SetDefaultPolicyVersion": {run: setDefaultPolicyVersion, accepts: "PolicyArn VersionId"},
		"GetPolicyVersion":        {run: getPolicyVersion, readOnly: true, accepts: "PolicyArn VersionId"},
		"ListPolicyVersions":      {run: listPolicyVersions, readOnly: true, accepts: "PolicyArn Marker MaxItems"},
		"ListEntitiesForPolicy":   {run: listEntitiesForPolicy, readOnly: true, accepts: "PolicyArn PolicyUsageFilter Marker MaxItems"},
	}
}

// managed finds a policy as the call's reads see it; a change sees the present.
func (k *call) managed(arn string) (*managedPolicy, error) {
	s, v := k.state, view{}
	if k.op.readOnly {
		v = k.view()
	}
	if dera.ARN(arn).Account() == "aws" {
		s = k.cloud.state(awsPolicies())
	}
	if p := s.policies.get(arn, v); p != nil {
		return p, nil
	}
	return nil, errorf(404, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
}

// own finds a policy that the caller may change: AWS's own is nobody's to change.
func (k *call) own() (*managedPolicy, error) {
	p, err := k.managed(k.p.text("PolicyArn"))
	if err == nil && p.account == "aws" {
		return nil, errorf(403, "AccessDenied", "User: %s is not authorized to perform: iam:%s on resource: policy %s", k.Principal, k.Operation, p.arn())
	}
	if err != nil {
		return nil, err
	}
	changed := *p
	changed.versions = slices.Clone(p.versions)
	return &changed, nil
}

func (k *call) putManaged(p *managedPolicy) { k.state.policies.put(p.arn(), p) }

func createPolicy(k *call) (any, error) {
	text, err := policyDocument(k)
	if err != nil {
		return nil, err
	}
	path, err := iamPath(k)
	if err != nil {
		return nil, err
	}
	given, err := iamTags(k)
	if err != nil {
		return nil, err
	}
	now := k.Time.Truncate(time.Second)
	p := &managedPolicy{account: k.Account, name: k.p.text("PolicyName"), path: path, created: now, updated: now, tags: given, made: 1, inForce: "v1",
		versions: []policyVersion{{"v1", text, now}}}
	for _, other := range k.state.policies.from(0, view{}) {
		if strings.EqualFold(other.name, p.name) {
			return nil, errorf(409, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", p.name)
		}
	}
	p.id = k.state.ids.key("ANPA", 17)
	k.putManaged(p)
	return written(func(f fields) { f.object("Policy", func() { p.write(f, k) }) }), nil
}

// policyDocument reads the document of a managed policy.
func policyDocument(k *call) (string, error) {
	text, err := readDocument(k, "PolicyDocument")
	if err == nil && weight(text) > mostPolicy {
		return "", errorf(409, "LimitExceeded", "Cannot exceed quota for PolicySize: %d", mostPolicy)
	}
	return text, err
}

// write writes what GetPolicy and the walk tell of a policy alike.
func (p *managedPolicy) write(f fields, k *call) {
	f.text("PolicyName", p.name)
	f.text("PolicyId", p.id)
	f.text("Arn", p.arn())
	f.text("Path", p.path)
	f.text("DefaultVersionId", p.inForce)
	attached, bounded := k.holders(p.arn())
	f.number("AttachmentCount", len(attached))
	f.number("PermissionsBoundaryUsageCount", len(bounded))
	f.flag("IsAttachable", true)
	f.time("CreateDate", p.created)
	f.time("UpdateDate", p.updated)
}

func (v policyVersion) write(f fields, p *managedPolicy, document bool) {
	if document {
		f.text("Document", encoded(v.document))
	}
	f.text("VersionId", v.id)
	f.flag("IsDefaultVersion", v.id == p.inForce)
	f.time("CreateDate", v.created)
}

func deletePolicy(k *call) (any, error) {
	p, err := k.own()
	if err != nil {
		return nil, err
	}
	if attached, bounded := k.holders(p.arn()); len(attached)+len(bounded) > 0 {
		return nil, errorf(409, "DeleteConflict", "Cannot delete a policy attached to entities.")
	}
	if len(p.versions) > 1 {
		return nil, errorf(409, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	k.state.policies.put(p.arn(), nil)
	return nil, nil
}

func getPolicy(k *call) (any, error) {
	p, err := k.managed(k.p.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	return written(func(f fields) {
		f.object("Policy", func() { p.write(f, k); p.tags.members(f) })
	}), nil
}

func tagPolicy(k *call) (any, error) {
	p, err := k.own()
	if err != nil {
		return nil, err
	}
	more, err := iamTags(k)
	if err != nil {
		return nil, err
	}
	p.tags = p.tags.with(more)
	k.putManaged(p)
	return nil, nil
}

func createPolicyVersion(k *call) (any, error) {
	p, err := k.own()
	if err != nil {
		return nil, err
	}
	text, err := policyDocument(k)
	switch {
	case err != nil:
		return nil, err
	case len(p.versions) >= mostVersions:
		return nil, errorf(409, "LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", mostVersions)
	}
	now := k.Time.Truncate(time.Second)
	p.made++
	v := policyVersion{"v" + strconv.Itoa(p.made), text, now}
	p.versions, p.updated = append([]policyVersion{v}, p.versions...), now
	if k.p.isTrue("SetAsDefault") {
		p.inForce = v.id
	}
	k.putManaged(p)
	return written(func(f fields) { f.object("PolicyVersion", func() { v.write(f, p, false) }) }), nil
}

func deletePolicyVersion(k *call) (any, error) {
	p, err := k.own()
	if err != nil {
		return nil, err
	}
	id := k.p.text("VersionId")
	switch {
	case p.version(id) == nil:
		return nil, noSuchVersion(p, id)
	case id == p.inForce:
		return nil, errorf(409, "DeleteConflict", "Cannot delete the default version of a policy.")
	}
	p.versions = slices.DeleteFunc(p.versions, func(v policyVersion) bool { return v.id == id })
	k.putManaged(p)
	return nil, nil
}

func noSuchVersion(p *managedPolicy, id string) *Error {
	return errorf(404, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", p.arn(), id)
}

func setDefaultPolicyVersion(k *call) (any, error) {
	p, err := k.own()
	if err != nil {
		return nil, err
	}
	id := k.p.text("VersionId")
	if p.version(id) == nil {
		return nil, noSuchVersion(p, id)
	}
	p.inForce, p.updated = id, k.Time.Truncate(time.Second)
	k.putManaged(p)
	return nil, nil
}

func getPolicyVersion(k *call) (any, error) {
	p, err := k.managed(k.p.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	v := p.version(k.p.text("VersionId"))
	if v == nil {
		return nil, noSuchVersion(p, k.p.text("VersionId"))
	}
	return written(func(f fields) { f.object("PolicyVersion", func() { v.write(f, p, true) }) }), nil
}

func listPolicyVersions(k *call) (any, error) {
	p, err := k.managed(k.p.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	shown, end, err := iamPage(k, slices.Clone(p.versions), func(v policyVersion) string { return newestFirst(v.id) })
	if err != nil {
		return nil, err
	}
	return written(func(f fields) {
		memberList(f, "Versions", shown, func(v policyVersion) { v.write(f, p, false) })
		end(f)
	}), nil
}

// newestFirst is a key by which later versions come first.
func newestFirst(id string) string {
	n, _ := strconv.Atoi(strings.TrimPrefix(id, "v")) // it is ours
	return strconv.Itoa(1_000_000_000 - n)
}

// holders are who has a policy, and whose permissions boundary it is.
func (k *call) holders(arn string) (attached, bounded []*entity) {
	for _, e := range k.state.entities.from(0, k.view()) {
		if slices.Contains(e.attached, arn) {
			attached = append(attached, e)
		}
		if e.boundary == arn {
			bounded = append(bounded, e)
		}
	}
	return attached, bounded
}

func listEntitiesForPolicy(k *call) (any, error) {
	p, err := k.managed(k.p.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	attached, bounded := k.holders(p.arn())
	switch k.p.text("PolicyUsageFilter") {
	case "PermissionsBoundary":
		attached = nil
	case "PermissionsPolicy":
		bounded = nil
	}
	all := slices.Compact(slices.SortedFunc(slices.Values(slices.Concat(attached, bounded)), func(a, b *entity) int { return cmp.Compare(a.key(), b.key()) }))
	shown, end, err := iamPage(k, all, (*entity).key)
	if err != nil {
		return nil, err
	}
	return written(func(f fields) {
		for _, kind := range []string{"Group", "User", "Role"} {
			memberList(f, "Policy"+kind+"s", ofKind(shown, kind), func(e *entity) {
				f.text(kind+"Name", e.name)
				f.text(kind+"Id", e.id)
			})
		}
		end(f)
	}), nil
}
