package s3

import (
	"fmt"
	"strconv"
)

// HCLBlock is the change of a block as arguments of Terraform.
func HCLBlock(before, after *Block) []string {
	names := map[string]string{
		"BlockPublicAcls": "block_public_acls", "IgnorePublicAcls": "ignore_public_acls",
		"BlockPublicPolicy": "block_public_policy", "RestrictPublicBuckets": "restrict_public_buckets",
	}
	return blockLines(before, after, func(setting string, on bool) string {
		return fmt.Sprintf("  %-23s = %t", names[setting], on)
	})
}

// YAMLBlock is the change of a block as properties of CloudFormation.
func YAMLBlock(before, after *Block, indent string) []string {
	return blockLines(before, after, func(setting string, on bool) string { return indent + setting + ": " + strconv.FormatBool(on) })
}

func blockLines(before, after *Block, line func(setting string, on bool) string) []string {
	var out []string
	if before != nil {
		for _, s := range before.settings() {
			out = append(out, "-"+line(s.Name, s.On))
		}
	}
	if after != nil {
		for _, s := range after.settings() {
			out = append(out, "+"+line(s.Name, s.On))
		}
	}
	return out
}
