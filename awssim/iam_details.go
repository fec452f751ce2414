package awssim

import "slices"

// detail is an entity or a managed policy on a page of a walk.
type detail struct {
	key    string
	entity *entity
	policy *managedPolicy
}

// accountDetails tells entities and managed policies on pages that they share. Of AWS's policies it tells those that
// are attached, and of no policy its tags.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
func accountDetails(k *call) (any, error) {
	var filter []string
	for _, m := range k.p.get("Filter").list("member") {
		filter = append(filter, m.value)
	}
	want := func(kind string) bool { return len(filter) == 0 || slices.Contains(filter, kind) }
	var all []detail
	used := map[string]bool{}
	for _, e := range k.state.entities.from(0, k.view()) {
		for _, arn := range append(slices.Clone(e.attached), e.boundary) {
			used[arn] = true
		}
		if want(e.kind) {
			all = append(all, detail{key: e.key(), entity: e})
		}
	}
	for _, p := range k.state.policies.from(0, k.view()) {
		if want("LocalManagedPolicy") {
			all = append(all, detail{key: "Z/" + p.arn(), policy: p})
		}
	}
	for _, p := range k.cloud.state(awsPolicies()).policies.from(0, view{}) {
		if want("AWSManagedPolicy") && used[p.arn()] {
			all = append(all, detail{key: "Z/" + p.arn(), policy: p})
		}
	}
	shown, end, err := iamPage(k, all, func(d detail) string { return d.key })
	if err != nil {
		return nil, err
	}
	var entities []*entity
	var policies []*managedPolicy
	for _, d := range shown {
		if d.policy != nil {
			policies = append(policies, d.policy)
		} else {
			entities = append(entities, d.entity)
		}
	}
	return written(func(f fields) {
		for _, kind := range []string{"User", "Group", "Role"} {
			memberList(f, kind+"DetailList", ofKind(entities, kind), func(e *entity) { e.detail(f) })
		}
		memberList(f, "Policies", policies, func(p *managedPolicy) {
			p.write(f, k)
			memberList(f, "PolicyVersionList", p.versions, func(v policyVersion) { v.write(f, p, true) })
		})
		end(f)
	}), nil
}

func (e *entity) detail(f fields) {
	e.head(f)
	e.facts(f)
	memberList(f, e.kind+"PolicyList", tags(e.inline).keys(), func(name string) {
		f.text("PolicyName", name)
		f.text("PolicyDocument", encoded(e.inline[name]))
	})
	attachedPolicies(f, "AttachedManagedPolicies", e.attached)
	if e.kind == "Role" {
		memberList(f, "InstanceProfileList", []string(nil), nil)
	}
	if e.kind == "User" {
		f.begin("GroupList")
		for _, g := range e.groups {
			f.encoder.text("member", g)
		}
		f.end("GroupList")
	}
}

// noInstanceProfiles: there are none.
func noInstanceProfiles(k *call) (any, error) {
	if _, err := k.entity("Role"); err != nil {
		return nil, err
	}
	return written(func(f fields) {
		memberList(f, "InstanceProfiles", []string(nil), nil)
		f.flag("IsTruncated", false)
	}), nil
}
