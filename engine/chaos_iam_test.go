package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	iampolicy "dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
)

// What the roles of these worlds use, and what they do not and nobody misses.
const (
	usedAction   = "athena:StartQueryExecution"
	unusedAction = "athena:ListWorkGroups"
	outsider     = "999900001111"
)

// useOfChaos is 90 days of calls.
func useOfChaos(calls ...resource.Call) resource.Use {
	to := newClock().Now()
	return resource.Use{From: to.AddDate(0, 0, -90), To: to, Calls: calls}
}

// usesQuery is a role's record of the one thing that it does.
func usesQuery() *resource.Use {
	to := newClock().Now()
	u := useOfChaos(resource.Call{Source: "athena.amazonaws.com", Name: "StartQueryExecution", First: to.AddDate(0, 0, -80), Last: to.AddDate(0, 0, -1), Count: 40})
	return &u
}

// permits is a statement of a policy.
func permits(sid string, actions ...string) string {
	text, err := json.Marshal(map[string]any{"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"})
	if err != nil {
		panic(err) // it is texts
	}
	return string(text)
}

// mayAssume is a statement of a trust policy.
func mayAssume(sid, principal string) string {
	return fmt.Sprintf(`{"Sid":%q,"Effect":"Allow","Principal":%s,"Action":"sts:AssumeRole"}`, sid, principal)
}

func (st statement) parsed() iampolicy.Statement {
	doc, err := iampolicy.Parse(bucketPolicy(st.text))
	if err != nil || len(doc.Statements) != 1 {
		return iampolicy.Statement{}
	}
	return doc.Statements[0]
}

// actionsOf are the actions that a policy's statements allow, by their IDs.
func actionsOf(text string) (out []string) {
	for _, st := range statementsOf(text) {
		for _, a := range st.parsed().Actions {
			out = append(out, "statement "+st.Sid+" allows "+a)
		}
	}
	return out
}

// withoutStatement is a policy without the statement of an ID; "" where none is left.
func withoutStatement(text, sid string) (left string, changed bool) {
	var texts []string
	all := statementsOf(text)
	for _, st := range all {
		if st.Sid != sid {
			texts = append(texts, st.text)
		}
	}
	if len(texts) == 0 {
		return "", len(all) > 0
	}
	return bucketPolicy(texts...), len(texts) < len(all)
}

// policyChaos is what people do to managed policies: they put versions in force with a
// statement more or less.
type policyChaos struct{}

// newPolicy is a policy that a role has, with older versions.
func newPolicy(i, older int) dera.Resource { return newPolicyIn(account, i, older) }

func newPolicyIn(account string, i, older int) dera.Resource {
	name := fmt.Sprintf("policy-%d", i)
	p := &policy.Policy{
		Name: name, Path: "/", Default: policy.Version{Document: bucketPolicy(permits("First", usedAction))},
		Holders: []iam.Holder{{ARN: "arn:aws:iam::" + account + ":role/reports", Kind: iam.RoleKind, Name: "reports", Path: "/", Use: usesQuery()}},
	}
	for n := range older {
		created := newClock().Now().AddDate(0, 0, -100-n)
		p.Others = append(p.Others, policy.Version{Document: bucketPolicy(permits(fmt.Sprintf("Old%d", n), "sns:Publish")), Created: created})
	}
	return dera.Resource{
		ARN: policy.ARNOf("aws", account, name), Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: policy.Name, ID: name, Name: name, Config: p,
	}
}

func (policyChaos) facts(config any) map[string]bool {
	out := map[string]bool{}
	if p, ok := config.(*policy.Policy); ok {
		for _, f := range actionsOf(p.Default.Document) {
			out[f] = true
		}
	}
	return out
}

func (policyChaos) exposed(any) bool { return false }

// inForce puts a document in force; where there is no room an old version goes first.
func inForce(p *policy.Policy, text string) ([]resource.Operation, error) {
	changes, err := p.SetDocument(text)
	var out []resource.Operation
	for _, c := range changes {
		out = append(out, resource.Of(c))
	}
	return out, err
}

func (policyChaos) create(_ *people, _ dera.Resource, config any, name string) (resource.Operation, made, error) {
	p := config.(*policy.Policy)
	texts := []string{permits(name, usedAction, unusedAction)}
	for _, st := range statementsOf(p.Default.Document) {
		texts = append(texts, st.text)
	}
	ops, err := inForce(p, bucketPolicy(texts...))
	if err != nil || len(p.Others) >= policy.MostVersions-1 {
		return ops[0], made{}, err // there is no room: an old version goes
	}
	used := fmt.Sprintf("statement %s allows %s", name, usedAction)
	return ops[len(ops)-1], made{need: []string{used}, may: []string{used, fmt.Sprintf("statement %s allows %s", name, unusedAction)}}, nil
}

func (policyChaos) remove(config any, name string) ([]resource.Operation, error) {
	p := config.(*policy.Policy)
	left, changed := withoutStatement(p.Default.Document, name)
	if !changed || left == "" {
		return nil, nil
	}
	return inForce(p, left)
}

func (c policyChaos) gone(before, after any) []string { return goneOf(c, before, after) }

// goneOf are the facts that do not hold any more.
func goneOf(k kindOfChaos, before, after any) (out []string) {
	now := k.facts(after)
	for f := range k.facts(before) {
		if !now[f] {
			out = append(out, f)
		}
	}
	return out
}

// roleChaos is what people do to roles: they put inline policies, attach managed ones
// and let others assume them.
type roleChaos struct{}

func newRole(i int) dera.Resource { return newRoleIn(account, i) }

func newRoleIn(account string, i int) dera.Resource {
	name := fmt.Sprintf("role-%d", i)
	r := &role.Role{
		Account: account, Trust: bucketPolicy(mayAssume("First", `{"Service":"ec2.amazonaws.com"}`)), MaxSession: 3600, Use: usesQuery(),
		Trusting: map[string]resource.Use{outsider: useOfChaos()},
	}
	r.Name, r.Path, r.Created = name, "/", newClock().Now().Add(-300*24*time.Hour)
	return dera.Resource{
		ARN: iam.RoleKind.ARN("aws", account, "/", name), Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: role.Name, ID: name, Name: name, Config: r,
	}
}

func (roleChaos) facts(config any) map[string]bool {
	out := map[string]bool{}
	r, ok := config.(*role.Role)
	if !ok {
		return out
	}
	for _, st := range statementsOf(r.Trust) {
		out["trust "+st.Sid] = true
	}
	for _, p := range r.Inline {
		for _, f := range actionsOf(p.Document) {
			out["inline "+p.Name+" "+f] = true
		}
	}
	for _, p := range r.Attached {
		if dera.ARN(p.ARN).Account() != "aws" {
			out["attached "+p.ARN] = true
			continue
		}
		for _, f := range actionsOf(p.Document) { // a copy says the same of what stays
			out["inline "+iam.CopyName(p.ARN, p.Version)+" "+f] = true
		}
	}
	return out
}

func (roleChaos) exposed(config any) bool {
	r, ok := config.(*role.Role)
	return ok && slices.ContainsFunc(statementsOf(r.Trust), func(st statement) bool { return strings.HasPrefix(st.Sid, "Outsider") })
}

// managed is a policy that someone attaches.
func managed(name string, actions ...string) iam.Attached {
	return iam.Attached{ARN: "arn:aws:iam::" + account + ":policy/" + name, Document: bucketPolicy(permits("Only", actions...))}
}

// ofAWS is a policy of AWS, of which the role uses something.
func ofAWS() iam.Attached {
	return iam.Attached{ARN: "arn:aws:iam::aws:policy/AmazonAthenaSome", Document: bucketPolicy(permits("Only", usedAction, unusedAction))}
}

// attach and trusting are what people do to a role.
func attach(r *role.Role, p iam.Attached) (resource.Operation, error) {
	return operation(iam.RoleKind.Attach(), iam.AttachInput{Name: r.Name, Policy: p.ARN, Document: p.Document})
}

func trusting(r *role.Role, sid, principal string) (resource.Operation, error) {
	var texts []string
	for _, st := range statementsOf(r.Trust) {
		texts = append(texts, st.text)
	}
	c, err := r.SetTrust(bucketPolicy(append(texts, mayAssume(sid, principal))...))
	return resource.Of(c), err
}

func operation(name string, in any) (resource.Operation, error) {
	input, err := json.Marshal(in)
	return resource.Operation{Name: name, Version: 1, Input: input}, err
}

func (roleChaos) create(p *people, _ dera.Resource, config any, name string) (resource.Operation, made, error) {
	r := config.(*role.Role)
	fact := func(action string) string { return fmt.Sprintf("inline %s statement Only allows %s", name, action) }
	switch p.rand.IntN(5) {
	case 0:
		op, err := attach(r, managed(name, unusedAction))
		return op, made{may: []string{"attached " + managed(name).ARN}}, err
	case 1:
		op, err := attach(r, managed(name, usedAction))
		return op, made{need: []string{"attached " + managed(name).ARN}, may: []string{"attached " + managed(name).ARN}}, err
	case 2:
		op, err := trusting(r, "Outsider"+name, `{"AWS":"arn:aws:iam::`+outsider+`:root"}`)
		return op, made{may: []string{"trust Outsider" + name}}, err
	case 3:
		op, err := trusting(r, "Service"+name, `{"Service":"lambda.amazonaws.com"}`)
		return op, made{need: []string{"trust Service" + name}, may: []string{"trust Service" + name}}, err
	}
	c, err := r.SetInline(iam.RoleKind, name, bucketPolicy(permits("Only", usedAction, unusedAction)))
	return resource.Of(c), made{need: []string{fact(usedAction)}, may: []string{fact(usedAction), fact(unusedAction)}}, err
}

func (roleChaos) remove(config any, name string) ([]resource.Operation, error) {
	r := config.(*role.Role)
	for _, sid := range []string{"Outsider" + name, "Service" + name} {
		if left, changed := withoutStatement(r.Trust, sid); changed && left != "" {
			c, err := r.SetTrust(left)
			return []resource.Operation{resource.Of(c)}, err
		}
	}
	if slices.ContainsFunc(r.Inline, func(p iam.Inline) bool { return p.Name == name }) {
		c, err := r.SetInline(iam.RoleKind, name, "")
		return []resource.Operation{resource.Of(c)}, err
	}
	if arn := managed(name).ARN; slices.ContainsFunc(r.Attached, func(p iam.Attached) bool { return p.ARN == arn }) {
		c, err := r.DetachManaged(iam.RoleKind, arn)
		return []resource.Operation{resource.Of(c)}, err
	}
	return nil, nil
}

func (c roleChaos) gone(before, after any) []string { return goneOf(c, before, after) }

// identityConflict is what dera's client compares right before it writes to IAM.
func identityConflict(config any, op resource.Operation) bool {
	switch c := config.(type) {
	case *policy.Policy:
		var in policy.DefaultInput
		return op.Name == policy.SetDefault && json.Unmarshal(op.Input, &in) == nil && !document.SamePolicy(c.Default.Document, in.Expect)
	case *role.Role:
		switch op.Name {
		case role.UpdateTrust:
			var in role.TrustInput
			return json.Unmarshal(op.Input, &in) == nil && !document.SamePolicy(c.Trust, in.Expect)
		case iam.RoleKind.PutInline(), iam.RoleKind.DeleteInline():
			var in iam.InlineInput
			if json.Unmarshal(op.Input, &in) != nil {
				return false
			}
			now := ""
			if i := slices.IndexFunc(c.Inline, func(p iam.Inline) bool { return p.Name == in.Policy }); i >= 0 {
				now = c.Inline[i].Document
			}
			return !document.SamePolicy(now, in.Expect)
		}
	}
	return false
}
