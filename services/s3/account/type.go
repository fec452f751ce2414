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

// AccountBlockType is the type name of an account's S3 public access block, the
// one that AWS Config uses.
const Name = s3.AccountBlock

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

// AccountBlockARN names the block of an account. AWS gives it no ARN; this one is
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

// AccountBlockTypeOf is the type of account-level public access blocks.
func Type() resource.Type {
	return resource.Type{
		Name: Name,
		New:  func() any { return new(AccountBlock) },
		Identify: func(config any) (id, name string, tags map[string]string) {
			a, err := accountBlock(config)
			if err != nil {
				return "", "", nil
			}
			return a.Account, "S3", nil
		},
		Global:  true,
		ARN:     func(partition, account, _, _ string) dera.ARN { return ARNOf(partition, account) },
		Whole:   true,
		Declare: declareAccountBlock,
		Canon: func(config any) (string, error) {
			a, err := accountBlock(config)
			if err != nil {
				return "", err
			}
			return a.Canon(), nil
		},
		Attached: func(config any) []string {
			a, err := accountBlock(config)
			if err != nil {
				return nil
			}
			var out []string
			for _, d := range a.Dependents {
				out = append(out, "bucket "+d.Bucket+" in "+d.Region+": "+strings.Join(d.Why, "; "))
			}
			return out
		},
		Note:     "The block holds for every bucket of the account, in all regions, also for those that are made later.",
		Retarget: func(_ any, op resource.Operation) (resource.Operation, error) { return op, nil },
		Apply: func(config any, op resource.Operation) (any, error) {
			a, in, err := accountInput(config, op)
			if err != nil {
				return nil, err
			}
			next := *a
			next.Block = in.Block
			return &next, nil
		},
		Effect: func(config any, op resource.Operation) (bool, map[string]string, error) {
			a, in, err := accountInput(config, op)
			return err == nil && s3.SameBlock(a.Block, in.Block), nil, err
		},
	}
}

func accountInput(config any, op resource.Operation) (*AccountBlock, AccountBlockInput, error) {
	var in AccountBlockInput
	a, err := accountBlock(config)
	if err != nil {
		return nil, in, err
	}
	if op.Name != PutAccountBlock || op.Version != 1 {
		return nil, in, fmt.Errorf("operation %s version %d is not one that account public access blocks know", op.Name, op.Version)
	}
	if err := resource.Decode(op, &in); err != nil {
		return nil, in, err
	}
	if in.Account != a.Account {
		return nil, in, fmt.Errorf("%s of account %q is not one of account %s", op.Name, in.Account, a.Account)
	}
	return a, in, nil
}

func accountBlock(config any) (*AccountBlock, error) {
	a, ok := config.(*AccountBlock)
	if !ok || a == nil {
		return nil, fmt.Errorf("configuration is %T, want *resource.AccountBlock", config)
	}
	return a, nil
}

// declareAccountBlock is Kind.Declare of account blocks. CloudFormation has no
// resource for them.
func declareAccountBlock(config any, op resource.Operation, as resource.Format) ([]string, error) {
	a, in, err := accountInput(config, op)
	if err != nil {
		return nil, err
	}
	if as.Language != resource.Terraform {
		return nil, fmt.Errorf("%s has no resource for the public access block of an account", as.Language)
	}
	return resource.WrapCode(as, []string{"resource \"aws_s3_account_public_access_block\" \"account\" {", "  account_id = " + resource.HCLText(a.Account)}, s3.HCLBlock(a.Block, in.Block), []string{"}"})
}
