package awssim

import (
	"slices"
	"strings"
)

func revokeIngress(k *call) (any, error) { return revoke(k, false) }
func revokeEgress(k *call) (any, error)  { return revoke(k, true) }

type revoked struct {
	rules   []ruleOf
	unknown []*Rule
	egress  bool
}

// revoke removes rules by identifier or by their properties; a description need not match. Of properties that no rule
// has, a default VPC only reports them as unknown; in another VPC they fail the call and nothing is revoked.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html
func revoke(k *call, egress bool) (any, error) {
	g, err := k.target()
	if err != nil {
		return nil, err
	}
	ids := k.p.texts("SecurityGroupRuleId")
	rules, err := readPermissions(k, g, egress)
	switch {
	case err != nil:
		return nil, err
	case len(ids) > 0 && len(rules) > 0:
		return nil, errorf(400, "InvalidParameterCombination", "Both 'ipPermissions' and 'securityGroupRuleIds' are specified. Specify one of them.")
	case len(ids) == 0 && len(rules) == 0:
		return nil, errorf(400, "MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
	}
	changed, answer := g.edit(), revoked{egress: egress}
	remove := func(i int) {
		answer.rules = append(answer.rules, k.ruleOf(g, changed.rules[i]))
		changed.rules = slices.Delete(changed.rules, i, i+1)
	}
	for _, id := range ids {
		i := changed.findID(id)
		if i < 0 || changed.rules[i].Egress != egress {
			return nil, unknownRule(id)
		}
		remove(i)
	}
	for _, r := range rules {
		switch i := changed.find(r.key()); {
		case i >= 0:
			remove(i)
		case k.state.isDefaultVPC(g.vpc):
			answer.unknown = append(answer.unknown, r)
		default:
			return nil, errorf(400, "InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
	}
	if len(answer.rules) > 0 {
		k.state.groups.put(g.id, changed)
	}
	return answer, nil
}

func (a revoked) write(e *encoder) {
	writeReturn(e)
	if len(a.unknown) > 0 || !e.json {
		writePermissions(e, "unknownIpPermissionSet", a.unknown, a.egress)
	}
	e.beginList("revokedSecurityGroupRuleSet")
	for _, r := range a.rules {
		e.item()
		r.writeCore(e)
		e.optional("referencedGroupId", r.Group)
		e.endItem()
	}
	e.endList("revokedSecurityGroupRuleSet")
}

// removeNeighbour is the fault LieNeighbour: the oldest rule left in the direction of the call goes too.
func (k *call) removeNeighbour() {
	if k.Service == "s3" {
		k.removeS3Neighbour()
		return
	}
	g, err := k.target()
	if err != nil {
		return
	}
	egress := strings.HasSuffix(k.Operation, "Egress")
	if i := slices.IndexFunc(g.rules, func(r *Rule) bool { return r.Egress == egress }); i >= 0 {
		changed := g.edit()
		changed.rules = slices.Delete(changed.rules, i, i+1)
		k.state.groups.put(g.id, changed)
	}
}
