package account

import (
	"context"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"

	"github.com/google/go-cmp/cmp"
)

// needy is a neighbour that says what it needs.
type needy []string

// Needs implements dependent.
func (n needy) Needs(context.Context) []string { return n }

// TestDependents: the bucketType of the account that the records hold are asked what
// they need, and those that cannot say depend on the block too.
func TestDependents(t *testing.T) {
	t.Parallel()
	h := History()
	if err := h.Apply(cloudtrail.Record{Source: "s3.amazonaws.com", Name: "DeleteAccountPublicAccessBlock", Account: "111122223333"}.Call()); err != nil {
		t.Fatal(err)
	}
	var asked []dera.Scope
	near := func(_ context.Context, s dera.Scope) []dera.Resource {
		asked = append(asked, s)
		return []dera.Resource{{ID: "site", Region: "eu-west-1", Config: needy{"a website"}}, {ID: "quiet", Config: needy{}}, {ID: "odd", Region: "us-east-1", Config: "?"}}
	}
	found, _ := h.Read(t.Context(), dera.Scope{Partition: "aws", Account: "111122223333", Region: dera.GlobalRegion, Type: Name}, near)
	if len(found) != 1 {
		t.Fatalf("got %d resources, want the block", len(found))
	}
	if d := cmp.Diff([]dera.Scope{{Partition: "aws", Account: "111122223333", Region: dera.EveryRegion, Type: bucketType}}, asked); d != "" {
		t.Errorf("neighbours (-want +got):\n%s", d)
	}
	b := found[0].Config.(*AccountBlock)
	var got []string
	for _, d := range b.Dependents {
		got = append(got, d.Bucket)
	}
	if d := cmp.Diff([]string{"odd", "site", "(others)"}, got); d != "" || b.Buckets != 3 {
		t.Errorf("dependents of %d bucketType (-want +got):\n%s", b.Buckets, d)
	}
}
