package s3

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// AccountAccessBlock finds accounts without a full S3 public access block.
func AccountAccessBlock() control.Control {
	return control.Define(control.Spec[*resource.AccountBlock]{
		Meta: control.Meta{
			ID:       "s3-account-public-access-block",
			Title:    "The account's S3 public access block is missing or weakened",
			Type:     resource.AccountBlockType,
			Severity: dera.High,
			Why: "The block of the account is the one that holds for every bucket, also for those that are made tomorrow. Without it " +
				"each bucket is one wrong setting away from being public.",
			Fix:        "All four settings of the account's block are switched on.",
			Complexity: "high",
			Cases: []control.Case{
				{When: "a setting is off, and no bucket of the account, in any region, depends on public access", Disposition: dera.Auto, Because: "it changes nothing for anybody who gets in now"},
				{When: "a bucket may depend on public access, or could not be read; they are named", Disposition: dera.Review, Because: "the block would cut it off"},
			},
			Refs:     refs("S3.1", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS"),
			Reads:    bucketReads(),
			Writes:   []string{resource.PutAccountBlock},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(a *resource.AccountBlock, _ control.Settings) control.Result {
			off := resource.Strictest(a.Block).Off()
			if len(off) == 0 {
				return control.Result{Outcome: control.Pass}
			}
			f := control.Failure{
				Key: control.BlockKey, Start: dera.Auto, Severity: dera.High, Title: "The account's S3 public access block is missing or weakened",
				Why: fmt.Sprintf("Off for the account: %s. Of %s none depends on public access.", strings.Join(off, ", "), buckets(a.Buckets)),
			}
			if n := len(a.Dependents); n > 0 {
				f.Start = dera.Review
				f.Why = fmt.Sprintf("Off for the account: %s. Of %s, %d may depend on public access: %s.", strings.Join(off, ", "), buckets(a.Buckets), n, named(a.Dependents))
			}
			return control.Result{Outcome: control.Fail, Failures: []control.Failure{f}}
		},
		Plan: func(a *resource.AccountBlock, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			c, err := a.SetBlock(resource.FullBlock())
			if err != nil {
				return nil, cannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(a *resource.AccountBlock, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return control.ProveAccountBlock(a, keys(failures), changes)
		},
	})
}

// buckets is a number of buckets in words.
func buckets(n int) string {
	if n == 1 {
		return "1 bucket"
	}
	return fmt.Sprintf("%d buckets", n)
}

// named lists buckets with the first reason of each, in one order.
func named(list []resource.Dependent) string {
	const most = 20
	var out []string
	for _, d := range list {
		out = append(out, d.Bucket+" in "+d.Region+" ("+strings.Join(d.Why, "; ")+")")
	}
	slices.Sort(out)
	if n := len(out) - most; n > 0 {
		out = append(out[:most], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(out, ", ")
}
