package escalation

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/trust"
)

// comes reports whether the principal may assume a role: the trust policy names it, or a
// session of it, which is enough within an account, or its account, and then its own policies
// decide.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-cross-account.html
func (c *climb) comes(p *Peer) grade {
	best := no
	for i := range p.trust.Statements {
		st := &p.trust.Statements[i]
		if !trust.Assumes(st) {
			continue
		}
		for _, who := range document.PrincipalsOf(st) {
			named := dera.ARN(who.Value)
			inside := who.Kind == policy.PrincipalAWS && named.Account() == dera.ARN(p.ARN).Account()
			own := inside && named.Service() == "iam" && named.Resource() == c.ARN.Resource()
			session := inside && named.Service() == "sts" && c.Kind == iam.RoleKind && strings.HasPrefix(named.Resource(), "assumed-role/"+c.name()+"/")
			account, isAccount := policy.RootAccount(who.Value)
			house := who.Everyone() || isAccount && who.Kind == policy.PrincipalAWS && account == dera.ARN(p.ARN).Account()
			if st.Effect == policy.Deny && len(st.Conditions) == 0 && (own || house && st.NotPrincipals == nil) {
				return no
			}
			if st.Effect != policy.Allow || !own && !session && !house || !c.meets(st.Conditions) {
				continue
			}
			g := c.may("sts:AssumeRole", p.ARN, "")
			if own || session {
				g = c.unlessDenied(p.ARN)
			}
			if session || len(st.Conditions) > 0 {
				g = min(g, limited)
			}
			best = max(best, g)
		}
	}
	return best
}

// meets reports whether who the principal is lets it meet some conditions.
func (c *climb) meets(conditions []policy.Condition) bool {
	if len(conditions) == 0 {
		return true
	}
	known := *c
	known.facts = c.who
	let := policy.Statement{Effect: policy.Allow, Actions: []string{"sts:AssumeRole"}, Resources: []string{"*"}, Conditions: conditions}
	return known.in([]*policy.Document{{Version: policy.Version2012, Statements: []policy.Statement{let}}}, question{action: "sts:AssumeRole"}) > no
}

// unlessDenied is whether the principal's policies do not deny to assume a role.
func (c *climb) unlessDenied(role string) grade {
	let := &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{Effect: policy.Allow, Actions: []string{"sts:AssumeRole"}, Resources: []string{role}}}}
	return c.in(append(slices.Clone(c.sets[0]), let), question{action: "sts:AssumeRole", on: role})
}
