package awssim

import (
	"slices"
	"strings"
	"time"
)

// detail is one member of the answer of GetAccountAuthorizationDetails: identities and policies share its pages.
type detail struct {
	identity *iamIdentity
	policy   *iamPolicy
}

func (d detail) key() string {
	if d.identity != nil {
		return string(d.identity.kind) + "/" + d.identity.name
	}
	return "~" + d.policy.arn // policies come last
}

// authorizationDetails lists identities and policies with all that decides about access.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
func authorizationDetails(k *call) (any, error) {
	filter := k.p.get("Filter").texts("member")
	wants := func(name string) bool { return len(filter) == 0 || slices.Contains(filter, name) }
	var all []detail
	attached := map[string]bool{}
	for _, i := range k.state.identities.from(0, k.view()) {
		for _, arn := range append(slices.Clone(i.attached), i.boundary) {
			attached[arn] = true
		}
		if wants(string(i.kind)) {
			all = append(all, detail{identity: i})
		}
	}
	for _, p := range k.state.policies.from(0, k.view()) {
		own := !strings.HasPrefix(p.arn, "arn:aws:iam::aws:")
		if own && wants("LocalManagedPolicy") || !own && wants("AWSManagedPolicy") && attached[p.arn] {
			all = append(all, detail{policy: p})
		}
	}
	shown, more, err := iamPage(k, all, detail.key)
	if err != nil {
		return nil, err
	}
	return written{wire: func(e *encoder) {
		for _, kind := range []iamKind{iamUser, iamGroup, iamRole} {
			e.begin(string(kind) + "DetailList")
			for _, d := range shown {
				if d.identity != nil && d.identity.kind == kind {
					e.begin("member")
					d.identity.writeDetail(e)
					e.end("member")
				}
			}
			e.end(string(kind) + "DetailList")
		}
		e.begin("Policies")
		for _, d := range shown {
			if d.policy != nil {
				e.begin("member")
				k.writePolicy(e, d.policy)
				memberList(e, "PolicyVersionList", d.policy.versions, func(e *encoder, v iamVersion) { d.policy.writeVersion(e, v, true) })
				e.end("member")
			}
		}
		e.end("Policies")
		more(e)
	}}, nil
}

func (i *iamIdentity) writeDetail(e *encoder) {
	e.text("Path", i.path)
	e.text(string(i.kind)+"Name", i.name)
	e.text(string(i.kind)+"Id", i.id)
	e.text("Arn", i.arn)
	e.text("CreateDate", i.created.Format(time.RFC3339))
	if i.kind == iamRole {
		e.text("AssumeRolePolicyDocument", percent(i.trust))
	}
	memberList(e, string(i.kind)+"PolicyList", i.inline, func(e *encoder, p iamInline) {
		e.text("PolicyName", p.name)
		e.text("PolicyDocument", percent(p.document))
	})
	writeAttached(e, "AttachedManagedPolicies", i.attached)
	if i.kind == iamUser {
		e.members("GroupList", i.groups)
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
