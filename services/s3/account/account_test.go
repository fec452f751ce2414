package account

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/s3"
	"github.com/google/go-cmp/cmp"
)

// TestAccountBlock: the change, its undo, and what is no operation on it.
func TestAccountBlock(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]*s3.Block{"none": nil, "nothing_on": {}, "weakened": {PublicACLs: true, PublicPolicy: true}} {
		a := &AccountBlock{Account: "111122223333", Block: before, Buckets: 3}
		c, err := a.SetBlock(s3.FullBlock())
		if err != nil {
			t.Fatal(err)
		}
		after, err := resource.NewRegistry(Type()).ApplyPlan(a, dera.Plan{Type: Name, Changes: []dera.Change{c}})
		if err != nil || len(s3.Strictest(after.(*AccountBlock).Block).Off()) != 0 {
			t.Errorf("%s: got %v, %v, want the full block", name, after, err)
		}
		if done, _, err := Type().Effect(after, resource.Of(c)); !done || err != nil {
			t.Errorf("%s: effect: got %t, %v, want true", name, done, err)
		}
		op, err := resource.OfUndo(*c.Undo, nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Type().Apply(after, op)
		if diff := cmp.Diff(a, back); err != nil || diff != "" {
			t.Errorf("%s: undo: %v (-before +back):\n%s", name, err, diff)
		}
		for _, op := range []resource.Operation{
			{Name: PutAccountBlock, Version: 1, Input: []byte(`{"account":"999988887777"}`)},
			{Name: "s3:PutBucketPublicAccessBlock", Version: 1, Input: []byte(`{"bucket":"shop"}`)},
			{Name: PutAccountBlock, Version: 2, Input: []byte("{}")},
		} {
			if got, err := Type().Apply(a, op); err == nil {
				t.Errorf("%s: %s version %d: got %v, want an error", name, op.Name, op.Version, got)
			}
		}
	}
}

func TestDeclareAccountBlock(t *testing.T) {
	t.Parallel()
	a := &AccountBlock{Account: "111122223333"}
	c, err := a.SetBlock(s3.FullBlock())
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Type: Name, Resource: ARNOf("aws", a.Account), Changes: []dera.Change{c}}
	got, err := resource.NewRegistry(Type()).Declare(a, p, resource.Format{Language: resource.Terraform})
	if err != nil || len(got) != 10 || got[4] != `   account_id = "111122223333"` {
		t.Errorf("terraform: got %v, %q", err, got)
	}
	if _, err := resource.NewRegistry(Type()).Declare(a, p, resource.Format{Language: resource.CloudFormation}); err == nil {
		t.Errorf("cloudformation: got no error, and it has no such resource")
	}
}
