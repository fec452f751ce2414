package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// bucketChaos is what people do to buckets: they add statements to the policy, each
// with an ID of its own, and take them out again. The policy is one document.
type bucketChaos struct{}

func newBucket(i int) dera.Resource {
	name := fmt.Sprintf("bucket-%d", i)
	return dera.Resource{
		ARN: resource.BucketARN("aws", name), Partition: "aws", Account: account, Region: region, Type: resource.BucketType, ID: name, Name: name,
		Config: &resource.Bucket{Name: name, Owner: account, Region: region, Ownership: "BucketOwnerEnforced", OwnerID: "abc"},
	}
}

// statement is one statement of a policy, as people wrote it.
type statement struct {
	Sid       string
	Condition json.RawMessage
	text      string
}

func statementsOf(text string) []statement {
	var doc struct{ Statement []json.RawMessage }
	if text == "" || json.Unmarshal([]byte(text), &doc) != nil {
		return nil
	}
	var out []statement
	for _, raw := range doc.Statement {
		var st statement
		_ = json.Unmarshal(raw, &st) // what is no statement has no ID
		st.text = string(raw)
		out = append(out, st)
	}
	return out
}

func (bucketChaos) facts(config any) map[string]bool {
	out := map[string]bool{}
	if b, ok := config.(*resource.Bucket); ok {
		for _, st := range statementsOf(b.Policy) {
			out["statement "+st.Sid] = true
		}
	}
	return out
}

func (bucketChaos) exposed(config any) bool {
	b, ok := config.(*resource.Bucket)
	return ok && !b.Blocked().RestrictedBuckets && slices.ContainsFunc(statementsOf(b.Policy), func(st statement) bool {
		return strings.HasPrefix(st.Sid, "Public") && len(st.Condition) == 0
	})
}

func (bucketChaos) create(p *people, r dera.Resource, config any, name string) (resource.Operation, made, error) {
	b := config.(*resource.Bucket)
	sid, who := "Partner"+name, `{"AWS":"arn:aws:iam::222233334444:root"}`
	if p.rand.IntN(2) == 0 {
		sid, who = "Public"+name, `"*"`
	}
	list := append(statementsOf(b.Policy), statement{text: fmt.Sprintf(`{"Sid":%q,"Effect":"Allow","Principal":%s,"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}`, sid, who, r.ID)})
	op, err := putPolicy(b, list)
	m := made{may: []string{"statement " + sid}}
	if strings.HasPrefix(sid, "Partner") {
		m.need = m.may
	}
	return op, m, err
}

func (bucketChaos) remove(config any, name string) ([]resource.Operation, error) {
	b := config.(*resource.Bucket)
	list := statementsOf(b.Policy)
	left := slices.DeleteFunc(slices.Clone(list), func(st statement) bool { return st.Sid == "Public"+name || st.Sid == "Partner"+name })
	if len(left) == len(list) {
		return nil, nil
	}
	op, err := putPolicy(b, left)
	return []resource.Operation{op}, err
}

func (bucketChaos) put(dera.Plan) []string { return nil }

func (c bucketChaos) gone(before, after any) []string {
	var out []string
	for f := range c.facts(before) {
		if !c.facts(after)[f] {
			out = append(out, f)
		}
	}
	return out
}

func putPolicy(b *resource.Bucket, list []statement) (resource.Operation, error) {
	in := resource.BucketPolicyInput{Bucket: b.Name, Expect: b.Policy}
	op := resource.Operation{Name: resource.DeleteBucketPolicy, Version: 1}
	if len(list) > 0 {
		var texts []string
		for _, st := range list {
			texts = append(texts, st.text)
		}
		op.Name, in.Policy = resource.PutBucketPolicy, bucketPolicy(texts...)
	}
	var err error
	op.Input, err = json.Marshal(in)
	return op, err
}

// conflict is what dera's client compares right before it writes a policy.
func conflict(config any, op resource.Operation) bool {
	b, ok := config.(*resource.Bucket)
	if !ok || op.Name != resource.PutBucketPolicy && op.Name != resource.DeleteBucketPolicy {
		return false
	}
	var in resource.BucketPolicyInput
	return json.Unmarshal(op.Input, &in) == nil && !resource.SamePolicy(b.Policy, in.Expect)
}

// blockChaos is what people do to the block of the account: they change it.
type blockChaos struct{}

func newAccountBlock() dera.Resource {
	return dera.Resource{
		ARN: resource.AccountBlockARN("aws", account), Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: resource.AccountBlockType, ID: account, Name: account,
		Config: &resource.AccountBlock{Account: account},
	}
}

func (blockChaos) facts(any) map[string]bool { return nil }

func (blockChaos) exposed(config any) bool {
	a, ok := config.(*resource.AccountBlock)
	return ok && (a.Block == nil || *a.Block != resource.FullBlock())
}

func (blockChaos) create(p *people, _ dera.Resource, _ any, _ string) (resource.Operation, made, error) {
	in := resource.AccountBlockInput{Account: account}
	if p.rand.IntN(2) == 0 {
		in.Block = &resource.Block{PublicACLs: true, IgnorePublicACLs: p.rand.IntN(2) == 0}
	}
	input, err := json.Marshal(in)
	return resource.Operation{Name: resource.PutAccountBlock, Version: 1, Input: input}, made{}, err
}

func (blockChaos) remove(any, string) ([]resource.Operation, error) { return nil, nil }

func (blockChaos) put(dera.Plan) []string { return nil }

func (blockChaos) gone(any, any) []string { return nil }

// neighbours fills in what resources show of each other: a bucket the block of its
// account, and that one the buckets that may depend on public access.
func (p *people) neighbours(config any, full bool, of func(typ string) []dera.Resource) any {
	switch c := config.(type) {
	case *resource.Bucket:
		next := *c
		next.AccountBlock = nil
		for _, r := range of(resource.AccountBlockType) {
			next.AccountBlock = r.Config.(*resource.AccountBlock).Block
		}
		return &next
	case *resource.AccountBlock:
		next := *c
		next.Dependents, next.Buckets = nil, 0
		if !full {
			return &next
		}
		for _, r := range of(resource.BucketType) {
			next.Buckets++
			if why := p.needsOf(r.Config.(*resource.Bucket)); len(why) > 0 {
				next.Dependents = append(next.Dependents, resource.Dependent{Bucket: r.ID, Region: r.Region, Why: why})
			}
		}
		return &next
	}
	return config
}

func (p *people) needsOf(b *resource.Bucket) []string {
	why, known := p.needs[b]
	if !known {
		why = b.Needs(context.WithoutCancel(p.s.t.Context()))
		p.needs[b] = why
	}
	return why
}
