package account

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/s3"
)

// AccountAccessBlock finds accounts without a full S3 public access block.
func AccountAccessBlock() control.Control {
	return control.Define(control.Spec[*AccountBlock]{
		Meta: control.Meta{
			ID:       "s3-account-access-block",
			Title:    "Account does not block all public access to S3",
			Type:     Name,
			Severity: dera.High,
			Why: "The block of the account is the one that holds for every bucket, also for those that are made tomorrow. Without it " +
				"each bucket is one wrong setting away from being public.",
			Fix:        "All four settings of the account's block are switched on.",
			Complexity: "high",
			Cases: []control.Case{
				{When: "a setting is off, and no bucket of the account, in any region, depends on public access", Disposition: dera.Auto, Because: "nobody who has access now loses it"},
				{When: "a bucket may depend on public access, or could not be read; they are named", Disposition: dera.Review, Because: "the block would cut it off"},
			},
			Refs:     s3.Refs("S3.1", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS"),
			Reads:    s3.Reads(),
			Writes:   []string{PutAccountBlock},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(a *AccountBlock, _ control.Settings) control.Result {
			off := s3.Strictest(a.Block).Off()
			if len(off) == 0 {
				return control.Result{Outcome: control.Pass}
			}
			f := control.Failure{
				Key: s3.BlockKey, Start: dera.Auto, Severity: dera.High, Title: "Account does not block all public access to S3",
				Why: fmt.Sprintf("Off for the account: %s. Of %s none depends on public access.", strings.Join(off, ", "), buckets(a.Buckets)),
			}
			if n := len(a.Dependents); n > 0 {
				f.Start = dera.Review
				f.Why = fmt.Sprintf("Off for the account: %s. Of %s, %d may depend on public access: %s.", strings.Join(off, ", "), buckets(a.Buckets), n, named(a.Dependents))
			}
			return control.Result{Outcome: control.Fail, Failures: []control.Failure{f}}
		},
		Plan: func(a *AccountBlock, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			c, err := a.SetBlock(s3.FullBlock())
			if err != nil {
				return nil, s3.CannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(a *AccountBlock, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return ProveAccountBlock(a, s3.Keys(failures), changes)
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
func named(list []Dependent) string {
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

// Controls are the controls on account blocks.
func Controls() []control.Control { return []control.Control{AccountAccessBlock()} }
