package securitygroup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
)

// Operations on security groups, by the names of their IAM actions.
const (
	AuthorizeIngress = "ec2:AuthorizeSecurityGroupIngress"
	RevokeIngress    = "ec2:RevokeSecurityGroupIngress"
)

// RuleIDOutput is the output of AuthorizeIngress: the ID of the new rule.
const RuleIDOutput = "SecurityGroupRuleId"

// AuthorizeIngressInput is version 1 of the input of AuthorizeIngress: one rule
// is added. The rule's ID is empty.
type AuthorizeIngressInput struct {
	GroupID string `json:"group_id"`
	Rule    Rule   `json:"rule"`
}

// RevokeIngressInput is version 1 of the input of RevokeIngress: one rule goes,
// by its ID. With Rule set, the rule may have another ID by now (it was taken
// away and brought back meanwhile): then it is the one with the same permission,
// description and tags. One that differs in these is someone else's.
type RevokeIngressInput struct {
	GroupID string `json:"group_id"`
	RuleID  string `json:"rule_id"`
	Rule    *Rule  `json:"rule,omitempty"`
}

// find returns where in the rules the one to revoke stands, or -1. One that has
// the ID and says something else by now is someone else's (a rule is modified in
// place).
func (in RevokeIngressInput) find(rules []Rule) int {
	i := slices.IndexFunc(rules, func(r Rule) bool {
		return in.RuleID != "" && r.ID == in.RuleID && (in.Rule == nil || in.Rule.SamePermission(r))
	})
	if i >= 0 || in.Rule == nil {
		return i
	}
	return slices.IndexFunc(rules, func(r Rule) bool {
		return in.Rule.SamePermission(r) && in.Rule.Description == r.Description && maps.Equal(in.Rule.Tags, r.Tags)
	})
}

// Revoked is what the rule says that a revoke of the plan takes away, or nil where
// the plan does not have it.
func Revoked(p dera.Plan, op resource.Operation, in RevokeIngressInput) (*Rule, error) {
	if in.Rule != nil {
		return in.Rule, nil
	}
	for _, c := range p.Changes {
		if c.Operation == op.Name && bytes.Equal(c.Input, op.Input) && len(c.Before) > 0 {
			var r Rule
			if err := json.Unmarshal(c.Before, &r); err != nil {
				return nil, fmt.Errorf("read what rule %s says: %w", in.RuleID, err)
			}
			return &r, nil
		}
	}
	return nil, nil
}

// Authorize returns the change that adds the rule; its undo revokes the rule
// that AWS then made.
func (g *Group) Authorize(r Rule) (dera.Change, error) {
	r.ID = ""
	input, err := json.Marshal(AuthorizeIngressInput{GroupID: g.ID, Rule: r})
	if err != nil {
		return dera.Change{}, fmt.Errorf("authorize %s: %w", r.Line(), err)
	}
	undo, err := json.Marshal(RevokeIngressInput{GroupID: g.ID, RuleID: "${out." + RuleIDOutput + "}", Rule: &r})
	if err != nil {
		return dera.Change{}, fmt.Errorf("authorize %s: %w", r.Line(), err)
	}
	after, err := json.Marshal(r)
	if err != nil {
		return dera.Change{}, fmt.Errorf("authorize %s: %w", r.Line(), err)
	}
	return dera.Change{
		Operation: AuthorizeIngress, Version: 1, Input: input, After: after,
		Undo: &dera.Undo{Operation: RevokeIngress, Version: 1, Input: undo},
		Diff: []string{"+ " + r.Line()},
	}, nil
}

// Revoke returns the change that removes the rule, which must have an ID; its
// undo adds the same rule with its description and tags.
func (g *Group) Revoke(r Rule) (dera.Change, error) {
	if r.ID == "" {
		return dera.Change{}, fmt.Errorf("revoke %s: the rule has no ID", r.Line())
	}
	input, err := json.Marshal(RevokeIngressInput{GroupID: g.ID, RuleID: r.ID})
	if err != nil {
		return dera.Change{}, fmt.Errorf("revoke %s: %w", r.Line(), err)
	}
	before, err := json.Marshal(r)
	if err != nil {
		return dera.Change{}, fmt.Errorf("revoke %s: %w", r.Line(), err)
	}
	again := r
	again.ID = ""
	undo, err := json.Marshal(AuthorizeIngressInput{GroupID: g.ID, Rule: again})
	if err != nil {
		return dera.Change{}, fmt.Errorf("revoke %s: %w", r.Line(), err)
	}
	return dera.Change{
		Operation: RevokeIngress, Version: 1, Input: input, Before: before,
		Undo: &dera.Undo{Operation: AuthorizeIngress, Version: 1, Input: undo},
		Diff: []string{"- " + r.Line()},
	}, nil
}

// retarget gives a revoke the ID that its rule has now.
func retarget(g *Group, op resource.Operation) (resource.Operation, error) {
	var in RevokeIngressInput
	if op.Name != RevokeIngress {
		return op, nil
	}
	if err := resource.Decode(op, &in); err != nil {
		return op, err
	}
	i := in.find(g.Ingress)
	if i < 0 {
		return op, nil // nothing is left to revoke
	}
	in.RuleID = g.Ingress[i].ID
	var err error
	op.Input, err = json.Marshal(in)
	return op, err
}

// revoked is what a revoke took away: the rule of its input, or that of before.
func revoked(in RevokeIngressInput, p dera.Plan, c dera.Change) (resource.Taken, error) {
	rule, err := Revoked(p, resource.Of(c), in)
	if err == nil && rule == nil {
		err = fmt.Errorf("what rule %q said is not in the record", in.RuleID)
	}
	if err != nil {
		return resource.Taken{}, err
	}
	packets, err := rule.Packets()
	if err != nil {
		return resource.Taken{}, err
	}
	if len(Symbolic([]Rule{*rule})) > 0 {
		return resource.Taken{Symbolic: netset.Product(packets, netset.Everywhere())}, nil
	}
	gone, err := Reach([]Rule{*rule})
	return resource.Taken{Gone: gone}, err
}
