package bucket

import (
	"fmt"
	"slices"

	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// declare tells the statements, grants and settings that come and go, in the resource
// that declares them. Values that can be secret have stand-ins in every format.
func declare(b, after *Bucket, op resource.Operation, as resource.Format) ([]string, error) {
	name := resource.Identifier(b.Name)
	switch op.Name {
	case PutBucketPolicy, DeleteBucketPolicy:
		return declarePolicy(b.Name, b.Policy, after.Policy, as)
	case PutBucketACL:
		return declareGrants(b, after, as)
	case PutBucketBlock:
		if as.Language == resource.CloudFormation {
			return resource.WrapCode(as, []string{resource.LogicalID(b.Name) + ":", "  Type: AWS::S3::Bucket", "  Properties:", "    PublicAccessBlockConfiguration:"},
				s3.YAMLBlock(b.Block, after.Block, "      "), nil)
		}
		return resource.WrapCode(as, []string{fmt.Sprintf("resource \"aws_s3_bucket_public_access_block\" %q {", name), "  bucket = " + resource.HCLText(b.Name)},
			s3.HCLBlock(b.Block, after.Block), []string{"}"})
	}
	return nil, fmt.Errorf("operation %s version %d is not one that can be written as code", op.Name, op.Version)
}

// declarePolicy shows the statements that go and those that come.
func declarePolicy(bucket, before, after string, as resource.Format) ([]string, error) {
	indent := "      "
	head := []string{fmt.Sprintf("resource \"aws_s3_bucket_policy\" %q {", resource.Identifier(bucket)), "  bucket = " + resource.HCLText(bucket), "  policy = jsonencode({", "    Statement = ["}
	tail := []string{"    ]", "  })", "}"}
	if as.Language == resource.CloudFormation {
		head = []string{resource.LogicalID(bucket) + "Policy:", "  Type: AWS::S3::BucketPolicy", "  Properties:", "    Bucket: " + resource.YAMLText(bucket), "    PolicyDocument:", "      Statement:"}
		indent, tail = "        - ", nil
	}
	return document.Declare(head, tail, indent, before, after, as)
}

// declareGrants shows the grants that go. CloudFormation knows canned ACLs only.
func declareGrants(b, after *Bucket, as resource.Format) ([]string, error) {
	if as.Language == resource.CloudFormation {
		return resource.WrapCode(as, []string{resource.LogicalID(b.Name) + ":", "  Type: AWS::S3::Bucket", "  Properties:"},
			[]string{"-    AccessControl: # a public canned ACL", "+    AccessControl: Private"}, nil)
	}
	var changed []string
	for _, g := range grantsInOrder(b.Grants) {
		if slices.Contains(after.Grants, g) {
			continue
		}
		who := []string{"type = \"CanonicalUser\"", "id   = " + resource.HCLText(g.ID)}
		if g.URI != "" {
			who = []string{"type = \"Group\"", "uri  = " + resource.HCLText(g.URI)}
		}
		for _, l := range []string{"    grant {", "      permission = " + resource.HCLText(g.Permission), "      grantee {", "        " + who[0], "        " + who[1], "      }", "    }"} {
			changed = append(changed, "-"+l)
		}
	}
	return resource.WrapCode(as, []string{fmt.Sprintf("resource \"aws_s3_bucket_acl\" %q {", resource.Identifier(b.Name)), "  bucket = " + resource.HCLText(b.Name), "  access_control_policy {"}, changed, []string{"  }", "}"})
}
