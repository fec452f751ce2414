// Package account is the S3 public access block of an account: its configuration,
// reads, writes, events and controls.
package account

import (
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/s3"
)

// Name is the type name of an account's S3 public access block, the
// one that AWS Config uses.
const Name = s3.AccountBlockName

// PutAccountBlock is the operation on it, by the name of its IAM action.
const PutAccountBlock = "s3:PutAccountPublicAccessBlock"

// AccountBlock is the S3 public access block of an account, which holds for all
// its buckets in every region.
type AccountBlock struct {
	Account string    `json:"account"`
	Block   *s3.Block `json:"block,omitempty"`
	// Dependents are the buckets for which the block could break something; they
	// are read only for a full look. Buckets is how many were looked at.
	Dependents []Dependent `json:"dependents,omitempty"`
	Buckets    int         `json:"buckets,omitempty"`
}

// Dependent is a bucket that may depend on public access, and why.
type Dependent struct {
	Bucket string   `json:"bucket"`
	Region string   `json:"region"`
	Why    []string `json:"why"`
}

// AccountBlockInput is version 1 of the input of PutAccountBlock; no Block takes
// the account's block away.
type AccountBlockInput struct {
	Account string    `json:"account"`
	Block   *s3.Block `json:"block"`
}

// ARNOf names the block of an account. AWS gives it no ARN; this one is
// in the form of those that AWS gives.
func ARNOf(partition, account string) dera.ARN {
	return dera.NewARN(partition, "s3", "", account, "public-access-block/"+account)
}

// Canon is equal for two equal blocks. The buckets are not part of it.
func (a *AccountBlock) Canon() string {
	return fmt.Sprintf("account %s\n%s\n", a.Account, s3.BlockLine(a.Block))
}

// SetBlock returns the change that puts the block.
func (a *AccountBlock) SetBlock(to s3.Block) (dera.Change, error) {
	return resource.NewChange(PutAccountBlock, AccountBlockInput{a.Account, &to}, a.Block, to, PutAccountBlock, AccountBlockInput{a.Account, a.Block}, s3.BlockDiff(a.Block, &to))
}

// Type is account-level public access blocks.
func Type() resource.Type {
	return resource.Define(resource.Spec[AccountBlock]{
		Name:     Name,
		Global:   true,
		ARN:      func(partition, account, _, _ string) dera.ARN { return ARNOf(partition, account) },
		Identify: func(a *AccountBlock) (id, name string, tags map[string]string) { return a.Account, "S3", nil },
		Operations: []resource.Operator[AccountBlock]{resource.Op(resource.OpSpec[AccountBlock, AccountBlockInput]{
			OperationType: resource.OperationType{Name: PutAccountBlock, Whole: true, Denies: resource.DeniesWithin},
			Took: func(in AccountBlockInput, _ dera.Plan, c dera.Change) (resource.Taken, error) {
				within, err := s3.BlockDenies(c.Before, in.Block, append(s3.AccessPoints(), "*:s3:::*"))
				return resource.Taken{Within: within}, err
			},
			Of:    func(in AccountBlockInput) (string, error) { return in.Account, nil },
			Apply: func(a *AccountBlock, in AccountBlockInput) { a.Block = in.Block },
		})},
		Canon: (*AccountBlock).Canon,
		Parts: Parts(), Events: Events(), History: History,
		Declare: declare,
		Attached: func(a *AccountBlock) (out []string) {
			for _, d := range a.Dependents {
				out = append(out, "bucket "+d.Bucket+" in "+d.Region+": "+strings.Join(d.Why, "; "))
			}
			return out
		},
		Note: "The block holds for every bucket of the account, in all regions, also for those that are made later.",
	})
}

// declare tells a plan on account blocks. CloudFormation has no resource for them.
func declare(a, after *AccountBlock, _ resource.Operation, as resource.Format) ([]string, error) {
	if as.Language != resource.Terraform {
		return nil, fmt.Errorf("%s has no resource for the public access block of an account", as.Language)
	}
	return resource.WrapCode(as, []string{"resource \"aws_s3_account_public_access_block\" \"account\" {", "  account_id = " + resource.HCLText(a.Account)}, s3.HCLBlock(a.Block, after.Block), []string{"}"})
}
