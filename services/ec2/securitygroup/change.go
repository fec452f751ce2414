package securitygroup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"dera.example/dera"
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
// away and brought back meanwhile): then it is the one with the same permission.
type RevokeIngressInput struct {
	GroupID string `json:"group_id"`
	RuleID  string `json:"rule_id"`
	Rule    *Rule  `json:"rule,omitempty"`
}

// find returns where in the rules the one to revoke stands, or -1. One that has
// the ID and says something else by now is somebody else's (a rule is modified in
// place).
func (in RevokeIngressInput) find(rules []Rule) int {
	i := slices.IndexFunc(rules, func(r Rule) bool {
		return in.RuleID != "" && r.ID == in.RuleID && (in.Rule == nil || in.Rule.SamePermission(r))
	})
	if i >= 0 || in.Rule == nil {
		return i
	}
	return slices.IndexFunc(rules, in.Rule.SamePermission)
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

// SecurityGroupTypeOf is the type of security groups.
func Type() resource.Type {
	return resource.Type{
		Name: Name,
		New:  func() any { return new(Group) },
		Identify: func(config any) (id, name string, tags map[string]string) {
			g, err := securityGroup(config)
			if err != nil {
				return "", "", nil
			}
			return g.ID, g.Name, g.Tags
		},
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "ec2", region, account, "security-group/"+id)
		},
		Canon: func(config any) (string, error) {
			g, err := securityGroup(config)
			if err != nil {
				return "", err
			}
			return g.Canon(), nil
		},
		Attached: func(config any) []string {
			g, err := securityGroup(config)
			if err != nil {
				return nil
			}
			var out []string
			for _, i := range g.Interfaces {
				name := i.ID
				if i.PublicIP != "" {
					name += " (" + i.PublicIP + ")"
				}
				out = append(out, name)
			}
			return out
		},
		Attachments: func(config any) []resource.Attachment {
			g, err := securityGroup(config)
			if err != nil {
				return nil
			}
			var out []resource.Attachment
			for _, i := range g.Interfaces {
				out = append(out, resource.Attachment{ID: i.ID, Name: i.Name, Tags: i.Tags, Requester: i.Requester})
			}
			return out
		},
		// EC2 user guide, "Security group connection tracking".
		Note:     "Established connections that are tracked live on until they end; a network ACL cuts them at once.",
		Notes:    ownThatLose,
		Retarget: retargetSecurityGroup,
		Declare:  declareSecurityGroup,
		Apply:    applySecurityGroup,
		Effect:   effectSecurityGroup,
		Brief: func(config any) (any, error) {
			g, err := securityGroup(config)
			if err != nil {
				return nil, err
			}
			brief := *g
			brief.Ingress = slices.Clone(g.Ingress)
			if !g.Default() {
				brief.Egress = nil
			}
			for i := range brief.Ingress {
				brief.Ingress[i].Tags = nil
			}
			return &brief, nil
		},
		Tag: tagGroup,
	}
}

func securityGroup(config any) (*Group, error) {
	g, ok := config.(*Group)
	if !ok || g == nil {
		return nil, fmt.Errorf("configuration is %T, want *resource.SecurityGroup", config)
	}
	return g, nil
}

// input reads the input of an operation, whose group must be g.
func (g *Group) input(op resource.Operation, into any, group *string) error {
	if err := resource.Decode(op, into); err != nil {
		return err
	}
	if *group != g.ID {
		return fmt.Errorf("%s of group %q is not one of group %s", op.Name, *group, g.ID)
	}
	return nil
}

func applySecurityGroup(config any, op resource.Operation) (any, error) {
	g, err := securityGroup(config)
	if err != nil {
		return nil, err
	}
	next := *g
	next.Ingress = append(make([]Rule, 0, len(g.Ingress)+1), g.Ingress...)
	switch {
	case op.Name == AuthorizeIngress && op.Version == 1:
		var in AuthorizeIngressInput
		if err := g.input(op, &in, &in.GroupID); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(next.Ingress, in.Rule.SamePermission) {
			return nil, fmt.Errorf("authorize %s: the group has that rule already", in.Rule.Line())
		}
		next.Ingress = append(next.Ingress, in.Rule)
	case op.Name == RevokeIngress && op.Version == 1:
		var in RevokeIngressInput
		if err := g.input(op, &in, &in.GroupID); err != nil {
			return nil, err
		}
		i := in.find(next.Ingress)
		if i < 0 {
			return nil, fmt.Errorf("revoke rule %q: the group has no such rule", in.RuleID)
		}
		next.Ingress = slices.Delete(next.Ingress, i, i+1)
	case (op.Name == CreateTags || op.Name == DeleteTags) && op.Version == 1:
		in, err := g.tagsInput(op)
		if err != nil {
			return nil, err
		}
		next.Tags = resource.Retag(g.Tags, in.Add, in.Remove)
	default:
		return nil, fmt.Errorf("operation %s version %d is not one that security groups know", op.Name, op.Version)
	}
	return &next, nil
}

func effectSecurityGroup(config any, op resource.Operation) (bool, map[string]string, error) {
	g, err := securityGroup(config)
	if err != nil {
		return false, nil, err
	}
	switch {
	case op.Name == AuthorizeIngress && op.Version == 1:
		var in AuthorizeIngressInput
		if err := g.input(op, &in, &in.GroupID); err != nil {
			return false, nil, err
		}
		i := slices.IndexFunc(g.Ingress, in.Rule.SamePermission)
		if i < 0 {
			return false, nil, nil
		}
		return true, map[string]string{RuleIDOutput: g.Ingress[i].ID}, nil
	case op.Name == RevokeIngress && op.Version == 1:
		var in RevokeIngressInput
		if err := g.input(op, &in, &in.GroupID); err != nil {
			return false, nil, err
		}
		if in.RuleID == "" {
			return false, nil, fmt.Errorf("revoke in %s: the operation names no rule", g.ID)
		}
		return in.find(g.Ingress) < 0, nil, nil
	case (op.Name == CreateTags || op.Name == DeleteTags) && op.Version == 1:
		in, err := g.tagsInput(op)
		return err == nil && resource.Tagged(g.Tags, in.Add, in.Remove), nil, err
	}
	return false, nil, fmt.Errorf("operation %s version %d is not one that security groups know", op.Name, op.Version)
}

// retargetSecurityGroup gives a revoke the ID that its rule has now.
func retargetSecurityGroup(config any, op resource.Operation) (resource.Operation, error) {
	if op.Name != RevokeIngress || op.Version != 1 {
		return op, nil
	}
	g, err := securityGroup(config)
	if err != nil {
		return op, err
	}
	var in RevokeIngressInput
	if err := g.input(op, &in, &in.GroupID); err != nil {
		return op, err
	}
	i := in.find(g.Ingress)
	if i < 0 {
		return op, nil // it is gone: nothing is left to revoke
	}
	in.RuleID = g.Ingress[i].ID
	op.Input, err = json.Marshal(in)
	return op, err
}
