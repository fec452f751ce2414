package account_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/s3test"
)

func decodeAccountBlock(data []byte) (any, error) {
	var a account.AccountBlock
	if err := controltest.Strict(data, &a); err != nil {
		return nil, err
	}
	return &a, dera.ValidAccountID(a.Account)
}

func accountBlockOrders(config any) []any {
	a := *config.(*account.AccountBlock)
	if len(a.Dependents) < 2 {
		return nil
	}
	a.Dependents = slices.Clone(a.Dependents)
	slices.Reverse(a.Dependents)
	return []any{&a}
}

func surgicalAccountBlock(t controltest.TB, before, after any, _ dera.Plan) {
	t.Helper()
	a, b := *before.(*account.AccountBlock), *after.(*account.AccountBlock)
	a.Block, b.Block = nil, nil
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("something beside the block changed (-before +after):\n%s", diff)
	}
}

func betweenAccountBlocks(t controltest.TB, states []any) {
	t.Helper()
	for i, s := range states[1:] {
		if !s3.Strictest(s.(*account.AccountBlock).Block).AtLeast(s3.Strictest(states[i].(*account.AccountBlock).Block)) {
			t.Errorf("state %d switches a setting off", i+1)
		}
	}
}

func sameAccountBlock(t controltest.TB, a, b any) bool {
	t.Helper()
	return s3.Strictest(a.(*account.AccountBlock).Block) == s3.Strictest(b.(*account.AccountBlock).Block)
}

func laws() controltest.Laws {
	return controltest.Laws{
		Type: account.Type(), Evidence: []evidence.Kind{s3.AccessEvidence()},
		Decode: decodeAccountBlock, Orders: accountBlockOrders, Surgical: surgicalAccountBlock, Between: betweenAccountBlocks, Same: sameAccountBlock,
		Bodies: s3test.Bodies,
	}
}

// TestLaws holds every control on account blocks against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, account.Controls())
}

// TestLawsOnRandomAccountBlocks is the same for the block of an account.
func TestLawsOnRandomAccountBlocks(t *testing.T) {
	t.Parallel()
	for _, c := range account.Controls() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				a := &account.AccountBlock{Account: "111122223333", Block: drawBlock(t, "block"), Buckets: 30}
				for i := range rapid.IntRange(0, 25).Draw(t, "dependents") {
					a.Dependents = append(a.Dependents, account.Dependent{Bucket: fmt.Sprintf("shop-%d", i), Region: "eu-central-1", Why: []string{"it serves a static website"}})
				}
				laws().Hold(t, c, laws().Resource(a), control.Settings{})
			})
		})
	}
}

func drawBlock(t *rapid.T, label string) *s3.Block {
	if rapid.Bool().Draw(t, label+" is none") {
		return nil
	}
	on := func(name string) bool { return rapid.IntRange(0, 2).Draw(t, label+" "+name) > 0 }
	return &s3.Block{PublicACLs: on("BlockPublicAcls"), IgnorePublicACLs: on("IgnorePublicAcls"), PublicPolicy: on("BlockPublicPolicy"), RestrictedBuckets: on("RestrictPublicBuckets")}
}
