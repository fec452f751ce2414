package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
	s3account "dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// bucketChaos is what people do to buckets: they add statements to the policy, each
// with an ID of its own, and take them out again. The policy is one document.
type bucketChaos struct{}

func newBucket(i int) dera.Resource { return newBucketIn(account, i) }

func newBucketIn(account string, i int) dera.Resource {
	name := fmt.Sprintf("bucket-%d", i)
	return dera.Resource{
		ARN: bucket.ARNOf("aws", name), Partition: "aws", Account: account, Region: region, Type: bucket.Name, ID: name, Name: name,
		Config: &bucket.Bucket{Name: name, Owner: account, Region: region, Ownership: "BucketOwnerEnforced", OwnerID: "abc"},
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
	if b, ok := config.(*bucket.Bucket); ok {
		for _, st := range statementsOf(b.Policy) {
			out["statement "+st.Sid] = true
		}
	}
	return out
}

func (bucketChaos) exposed(config any) bool {
	b, ok := config.(*bucket.Bucket)
	return ok && !b.Blocked().RestrictedBuckets && slices.ContainsFunc(statementsOf(b.Policy), func(st statement) bool {
		return strings.HasPrefix(st.Sid, "Public") && len(st.Condition) == 0
	})
}

func (bucketChaos) create(p *people, r dera.Resource, config any, name string) (resource.Operation, made, error) {
	b := config.(*bucket.Bucket)
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
	b := config.(*bucket.Bucket)
	list := statementsOf(b.Policy)
	left := slices.DeleteFunc(slices.Clone(list), func(st statement) bool { return st.Sid == "Public"+name || st.Sid == "Partner"+name })
	if len(left) == len(list) {
		return nil, nil
	}
	op, err := putPolicy(b, left)
	return []resource.Operation{op}, err
}

func (c bucketChaos) gone(before, after any) []string {
	var out []string
	for f := range c.facts(before) {
		if !c.facts(after)[f] {
			out = append(out, f)
		}
	}
	return out
}

func putPolicy(b *bucket.Bucket, list []statement) (resource.Operation, error) {
	in := bucket.BucketPolicyInput{Bucket: b.Name, Expect: b.Policy}
	op := resource.Operation{Name: bucket.DeleteBucketPolicy, Version: 1}
	if len(list) > 0 {
		var texts []string
		for _, st := range list {
			texts = append(texts, st.text)
		}
		op.Name, in.Policy = bucket.PutBucketPolicy, bucketPolicy(texts...)
	}
	var err error
	op.Input, err = json.Marshal(in)
	return op, err
}

// conflict is what dera's client compares right before it writes a document.
func conflict(config any, op resource.Operation) bool {
	b, ok := config.(*bucket.Bucket)
	if !ok {
		return identityConflict(config, op)
	}
	if op.Name != bucket.PutBucketPolicy && op.Name != bucket.DeleteBucketPolicy {
		return false
	}
	var in bucket.BucketPolicyInput
	return json.Unmarshal(op.Input, &in) == nil && !document.SamePolicy(b.Policy, in.Expect)
}

// blockChaos is what people do to the block of the account: they change it.
type blockChaos struct{}

func newAccountBlock(account string) dera.Resource {
	return dera.Resource{
		ARN: s3account.ARNOf("aws", account), Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: s3account.Name, ID: account, Name: account,
		Config: &s3account.AccountBlock{Account: account},
	}
}

func (blockChaos) facts(any) map[string]bool { return nil }

func (blockChaos) exposed(config any) bool {
	a, ok := config.(*s3account.AccountBlock)
	return ok && (a.Block == nil || *a.Block != s3.FullBlock())
}

func (blockChaos) create(p *people, r dera.Resource, _ any, _ string) (resource.Operation, made, error) {
	in := s3account.AccountBlockInput{Account: r.Account}
	if p.rand.IntN(2) == 0 {
		in.Block = &s3.Block{PublicACLs: true, IgnorePublicACLs: p.rand.IntN(2) == 0}
	}
	input, err := json.Marshal(in)
	return resource.Operation{Name: s3account.PutAccountBlock, Version: 1, Input: input}, made{}, err
}

func (blockChaos) remove(any, string) ([]resource.Operation, error) { return nil, nil }

func (blockChaos) gone(any, any) []string { return nil }

// neighbours fills in what resources show of each other: a bucket the block of its
// account, and that one the buckets that may depend on public access.
func (p *people) neighbours(config any, full bool, of func(typ string) []dera.Resource) any {
	switch c := config.(type) {
	case *bucket.Bucket:
		next := *c
		next.AccountBlock = nil
		for _, r := range of(s3account.Name) {
			if r.Account == c.Owner {
				next.AccountBlock = r.Config.(*s3account.AccountBlock).Block
			}
		}
		return &next
	case *s3account.AccountBlock:
		next := *c
		next.Dependents, next.Buckets = nil, 0
		if !full {
			return &next
		}
		for _, r := range of(bucket.Name) {
			if r.Account != c.Account {
				continue
			}
			next.Buckets++
			if why := p.needsOf(r.Config.(*bucket.Bucket)); len(why) > 0 {
				next.Dependents = append(next.Dependents, s3account.Dependent{Bucket: r.ID, Region: r.Region, Why: why})
			}
		}
		return &next
	}
	return config
}

func (p *people) needsOf(b *bucket.Bucket) []string {
	why, known := p.needs[b]
	if !known {
		why = b.Needs(context.WithoutCancel(p.s.t.Context()))
		p.needs[b] = why
	}
	return why
}
