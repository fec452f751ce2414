package bucket

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
	"github.com/google/go-cmp/cmp"
)

const (
	tlsText     = `{"Sid":"Tls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::shop","arn:aws:s3:::shop/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
	openText    = `{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"}`
	refererText = `{"Sid":"Site","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*","Condition":{"StringEquals":{"aws:Referer":"hunter2-hunter2"}}}`
	partnerText = `{ "Sid": "Partner",  "Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222233334444:root"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::shop/*"}`
)

func policyText(statements ...string) string {
	return "{ \"Version\": \"2012-10-17\",\n  \"Statement\": [" + strings.Join(statements, ", ") + "] }"
}

func shop(change func(*Bucket)) *Bucket {
	b := &Bucket{
		Name: "shop", Owner: "111122223333", Region: "eu-central-1", OwnerID: "owner", Ownership: "ObjectWriter", Tags: map[string]string{"env": "prod"},
		Grants: []s3.Grant{{ID: "owner", Permission: "FULL_CONTROL"}, {URI: s3.AllUsers, Permission: "READ"}},
		Policy: policyText(tlsText, partnerText, openText),
	}
	if change != nil {
		change(b)
	}
	return b
}

// TestBucketCanon: two ways to write the same are equal, and whatever means
// something else is not.
func TestBucketCanon(t *testing.T) {
	t.Parallel()
	full := s3.FullBlock()
	tests := []struct {
		name   string
		change func(*Bucket)
		same   bool
	}{
		{"grants_in_another_order", func(b *Bucket) { b.Grants[0], b.Grants[1] = b.Grants[1], b.Grants[0] }, true},
		{"statements_in_another_order", func(b *Bucket) { b.Policy = policyText(openText, tlsText, partnerText) }, true},
		{"policy_without_spaces", func(b *Bucket) {
			b.Policy = strings.ReplaceAll(strings.ReplaceAll(b.Policy, "\n", ""), "  ", "")
		}, true},
		{"one_action_as_a_list", func(b *Bucket) {
			b.Policy = strings.ReplaceAll(b.Policy, `"Action":"s3:GetObject"`, `"Action":["s3:GetObject"]`)
		}, true},
		{"block_of_the_account", func(b *Bucket) { b.AccountBlock = &full }, true},
		{"distribution", func(b *Bucket) { b.Origins = []string{"E1"} }, true},
		{"statement_gone", func(b *Bucket) { b.Policy = policyText(tlsText, openText) }, false},
		{"other_condition_value", func(b *Bucket) { b.Policy = strings.Replace(b.Policy, `"false"`, `"true"`, 1) }, false},
		{"no_policy", func(b *Bucket) { b.Policy = "" }, false},
		{"broken_policy", func(b *Bucket) { b.Policy = "{" }, false},
		{"grant_more", func(b *Bucket) { b.Grants = append(b.Grants, s3.Grant{URI: s3.AuthenticatedUsers, Permission: "READ"}) }, false},
		{"other_ownership", func(b *Bucket) { b.Ownership = "" }, false},
		{"block", func(b *Bucket) { b.Block = &full }, false},
		{"block_with_nothing_on", func(b *Bucket) { b.Block = &s3.Block{} }, false},
		{"other_tag", func(b *Bucket) { b.Tags = map[string]string{"env": "test"} }, false},
		{"website", func(b *Bucket) { b.Website = true }, false},
		{"access_point", func(b *Bucket) { b.AccessPoints = []AccessPoint{{Name: "ap"}} }, false},
		{"unread", func(b *Bucket) { b.Unread = []string{PartTags} }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := shop(nil).Canon(), shop(tt.change).Canon()
			if (a == b) != tt.same {
				t.Errorf("same: got %t, want %t\n%s", a == b, tt.same, cmp.Diff(a, b))
			}
		})
	}
}

func operation(t *testing.T, name string, input any) resource.Operation {
	t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	return resource.Operation{Name: name, Version: 1, Input: text}
}

// TestBucketApply: what S3 refuses is a NotAllowedError, what is no operation on
// this bucket another error, and what is done shows in Effect.
func TestBucketApply(t *testing.T) {
	t.Parallel()
	on := func(b s3.Block) func(*Bucket) { return func(x *Bucket) { x.Block = &b } }
	byAccount := func(b s3.Block) func(*Bucket) { return func(x *Bucket) { x.AccountBlock = &b } }
	public := BucketPolicyInput{Bucket: "shop", Policy: policyText(openText)}
	acl := BucketACLInput{Bucket: "shop", OwnerID: "owner", Grants: []s3.Grant{{URI: s3.AllUsers, Permission: "WRITE"}}}
	private := BucketACLInput{Bucket: "shop", OwnerID: "owner", Grants: []s3.Grant{{ID: "owner", Permission: "FULL_CONTROL"}}}
	const fine, refused, wrong = "fine", "refused", "wrong"
	tests := []struct {
		name   string
		change func(*Bucket)
		op     string
		input  any
		want   string
	}{
		{"public_policy", nil, PutBucketPolicy, public, fine},
		{"public_policy_under_the_buckets_block", on(s3.Block{PublicPolicy: true}), PutBucketPolicy, public, refused},
		{"public_policy_under_the_accounts_block", byAccount(s3.Block{PublicPolicy: true}), PutBucketPolicy, public, refused},
		{"public_policy_where_it_is_restricted_alone", on(s3.Block{RestrictedBuckets: true}), PutBucketPolicy, public, fine},
		{"private_policy_under_a_block", on(s3.FullBlock()), PutBucketPolicy, BucketPolicyInput{Bucket: "shop", Policy: policyText(partnerText)}, fine},
		{"denied_policy_is_public_for_s3", on(s3.FullBlock()), PutBucketPolicy, BucketPolicyInput{Bucket: "shop", Policy: policyText(openText, strings.Replace(tlsText, "false", "true", 1), tlsText)}, refused},
		{"policy_goes", on(s3.FullBlock()), DeleteBucketPolicy, BucketPolicyInput{Bucket: "shop"}, fine},
		{"policy_goes_that_is_not_there", func(b *Bucket) { b.Policy = "" }, DeleteBucketPolicy, BucketPolicyInput{Bucket: "shop"}, wrong},
		{"public_acl", nil, PutBucketACL, acl, fine},
		{"public_acl_under_a_block", on(s3.Block{PublicACLs: true}), PutBucketACL, acl, refused},
		{"public_acl_where_it_is_ignored_alone", on(s3.Block{IgnorePublicACLs: true}), PutBucketACL, acl, fine},
		{"acl_where_acls_are_disabled", func(b *Bucket) { b.Ownership = "BucketOwnerEnforced" }, PutBucketACL, private, refused},
		{"private_acl_under_a_block", on(s3.FullBlock()), PutBucketACL, private, fine},
		{"block", nil, PutBucketBlock, BucketBlockInput{"shop", &s3.Block{PublicACLs: true}}, fine},
		{"block_goes", on(s3.FullBlock()), PutBucketBlock, BucketBlockInput{"shop", nil}, fine},
		{"tags", nil, PutBucketTagging, BucketTagsInput{Bucket: "shop", Add: map[string]string{"a": "b"}, Remove: []string{"env"}}, fine},
		{"other_bucket", nil, PutBucketBlock, BucketBlockInput{"store", nil}, wrong},
		{"unknown_operation", nil, "s3:DeleteBucket", BucketBlockInput{"shop", nil}, wrong},
		{"unknown_field", nil, PutBucketBlock, map[string]any{"bucket": "shop", "block": nil, "force": true}, wrong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := shop(tt.change)
			before := b.Canon()
			op := operation(t, tt.op, tt.input)
			after, err := Type().Apply(b, op)
			var no *resource.NotAllowedError
			got := fine
			if err != nil {
				if got = wrong; errors.As(err, &no) {
					got = refused
				}
			}
			if got != tt.want {
				t.Fatalf("got %s (%v), want %s", got, err, tt.want)
			}
			if b.Canon() != before {
				t.Errorf("the operation changed the configuration that it was given")
			}
			if tt.want != fine {
				return
			}
			if done, _, err := Type().Effect(b, op); done || err != nil {
				t.Errorf("effect before it is done: got %t, %v, want false", done, err)
			}
			if done, _, err := Type().Effect(after, op); !done || err != nil {
				t.Errorf("effect after it is done: got %t, %v, want true", done, err)
			}
		})
	}
}

// TestBucketDrop_what_stays_stays_to_the_byte: and the undo is there only where
// S3 would take it.
func TestBucketDrop_what_stays_stays_to_the_byte(t *testing.T) {
	t.Parallel()
	b := shop(nil)
	c, err := b.EditPolicy(document.PolicyEdit{Drop: []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	after, err := resource.NewRegistry(Type()).ApplyPlan(b, dera.Plan{Type: Name, Changes: []dera.Change{c}})
	if err != nil {
		t.Fatal(err)
	}
	if want := policyText(tlsText, partnerText); after.(*Bucket).Policy != want {
		t.Errorf("policy: got %s\nwant %s", after.(*Bucket).Policy, want)
	}
	op, err := resource.OfUndo(*c.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Type().Apply(after, op)
	if err != nil || back.(*Bucket).Policy != b.Policy {
		t.Errorf("undo: got %v, %v, want the text from before", back, err)
	}
	for name, block := range map[string]func(*Bucket){
		"of_the_bucket":  func(b *Bucket) { b.Block = &s3.Block{PublicPolicy: true, PublicACLs: true} },
		"of_the_account": func(b *Bucket) { b.AccountBlock = &s3.Block{PublicPolicy: true, PublicACLs: true} },
	} {
		c, err := shop(block).EditPolicy(document.PolicyEdit{Drop: []int{2}})
		if err != nil || c.Undo != nil {
			t.Errorf("statements under a block %s: got undo %v, %v, want none", name, c.Undo, err)
		}
		c, err = shop(block).DropGrants(s3.Grant.Public)
		if err != nil || c.Undo != nil {
			t.Errorf("grants under a block %s: got undo %v, %v, want none", name, c.Undo, err)
		}
		var no *resource.NotAllowedError
		if _, err := shop(func(b *Bucket) { block(b); b.Policy = policyText(openText, openText) }).EditPolicy(document.PolicyEdit{Drop: []int{0}}); !errors.As(err, &no) {
			t.Errorf("a public statement left under a block %s: got %v, want a NotAllowedError", name, err)
		}
		if _, err := shop(block).DropGrants(func(g s3.Grant) bool { return false }); !errors.As(err, &no) {
			t.Errorf("a public grant left under a block %s: got %v, want a NotAllowedError", name, err)
		}
	}
}

// TestNoSecretIsShown: a value that can be secret is in no diff, line or plan that
// people see, and the plan itself still has it for the undo.
func TestNoSecretIsShown(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	for name, text := range map[string]string{"one_of_two": policyText(refererText, partnerText), "the_last": policyText(refererText), "both": policyText(refererText, refererText)} {
		b := shop(func(b *Bucket) { b.Policy = text })
		doc, err := b.Parsed()
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.EditPolicy(document.PolicyEdit{Drop: []int{0}})
		if err != nil {
			t.Fatal(err)
		}
		p := dera.Plan{Type: Name, Changes: []dera.Change{c}}
		if !strings.Contains(string(c.Undo.Input), secret) {
			t.Errorf("%s: the undo does not have the text that it has to bring back", name)
		}
		shown, err := json.Marshal(resource.NewRegistry(Type()).Shown(p))
		if err != nil {
			t.Fatal(err)
		}
		open, _ := document.PublicStatements(t.Context(), s3.Target(b.ARN()), doc)
		if len(open) == 0 {
			t.Fatalf("%s: got no public statement", name)
		}
		for what, text := range map[string]string{
			"diff": strings.Join(p.Diff(), "\n"), "line": document.StatementLine(0, &doc.Statements[0]), "finding": open[0].Line + open[0].Witness, "plan": string(shown),
		} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the %s shows the value: %s", name, what, text)
			}
		}
		for _, line := range strings.Split(b.Canon(), "\n") {
			if head, _, _ := strings.Cut(line, " description "); strings.Contains(head, secret) {
				t.Errorf("%s: a line of the canonical text shows the value before its description: %s", name, line)
			}
		}
	}
}

// TestRedactor: which values are hidden, and that one value has one stand-in.
func TestRedactor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		condition string
		hidden    bool
	}{
		{`"StringEquals":{"aws:Referer":"VALUE"}`, true},
		{`"StringLike":{"aws:UserAgent":"VALUE*"}`, true},
		{`"StringEquals":{"s3:ExistingObjectTag/key":"VALUE"}`, true},
		{`"StringEquals":{"aws:PrincipalTag/team":"VALUE"}`, true},
		{`"StringEquals":{"AWS:ResourceTag/team":"VALUE"}`, true},
		{`"StringEquals":{"s3:x-amz-meta-token":"VALUE"}`, true},
		{`"ForAnyValue:StringNotLike":{"made:up":["x","VALUE"]}`, true},
		{`"StringEquals":{"aws:PrincipalOrgID":"VALUE"}`, false},
		{`"StringEquals":{"AWS:SourceVpce":"VALUE"}`, false},
		{`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/VALUE"}`, false},
		{`"StringLike":{"s3:prefix":"VALUE/*"}`, false},
	}
	for _, tt := range tests {
		var r document.Redactor
		statement := strings.Replace(openText, `/*"}`, `/*","Condition":{`+tt.condition+`}}`, 1)
		text := r.Text(policyText(statement))
		if got := !strings.Contains(text, "VALUE"); got != tt.hidden {
			t.Errorf("%s: hidden: got %t, want %t\n%s", tt.condition, got, tt.hidden, text)
		}
		if _, err := policy.Parse(text); err != nil {
			t.Errorf("%s: what is shown is no policy: %v", tt.condition, err)
		}
	}
	var r document.Redactor
	other := strings.Replace(refererText, "hunter2-hunter2", "other", 1)
	a, b := r.Text(policyText(refererText, other)), r.Text(policyText(other, refererText))
	for _, text := range []string{a, b} {
		if strings.Count(text, "redacted-1") != 1 || strings.Count(text, "redacted-2") != 1 {
			t.Errorf("two values, each in two documents: got %s", text)
		}
	}
	if strings.Index(a, "redacted-1") > strings.Index(a, "redacted-2") || strings.Index(b, "redacted-1") < strings.Index(b, "redacted-2") {
		t.Errorf("the same value has another stand-in in the second document:\n%s\n%s", a, b)
	}
	if got := r.Text("hunter2-hunter2 {"); strings.Contains(got, "hunter2") {
		t.Errorf("a text that is no policy is shown: %s", got)
	}
}

// TestPublicInEveryPartition: the same policy is public in each partition, in the
// words of that partition.
func TestPublicInEveryPartition(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{
		"": "aws", "eu-central-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b",
		"us-isof-south-1": "aws-iso-f", "eu-isoe-west-1": "aws-iso-e", "eusc-de-east-1": "aws-eusc",
	} {
		b := shop(func(b *Bucket) {
			b.Region, b.Policy = region, policyText(strings.ReplaceAll(openText, "arn:aws:", "arn:"+partition+":"))
		})
		doc, err := b.Parsed()
		if err != nil {
			t.Fatal(err)
		}
		if open, unsure := document.PublicStatements(t.Context(), s3.Target(b.ARN()), doc); len(open) != 1 || unsure != "" {
			t.Errorf("region %q: got %v, %q, want one public statement", region, open, unsure)
		}
	}
}
