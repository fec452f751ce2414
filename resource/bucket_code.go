package resource

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/iam/policy"
)

// declareBucket is Kind.Declare of buckets: the statements, grants and settings
// that come and go, in the resource that declares them. Values that can be secret
// have stand-ins in every format.
func declareBucket(config any, op Operation, as Format) ([]string, error) {
	b, err := bucket(config)
	if err != nil {
		return nil, err
	}
	next, err := applyBucket(config, op)
	if err != nil {
		return nil, err
	}
	after := next.(*Bucket)
	name := identifier(b.Name)
	switch op.Name {
	case PutBucketPolicy, DeleteBucketPolicy:
		return declarePolicy(b.Name, b.Policy, after.Policy, as)
	case PutBucketACL:
		return declareGrants(b, after, as)
	case PutBucketBlock:
		if as.Language == CloudFormation {
			return wrapped(as, []string{logical(b.Name) + ":", "  Type: AWS::S3::Bucket", "  Properties:", "    PublicAccessBlockConfiguration:"},
				yamlBlock(b.Block, after.Block, "      "), nil)
		}
		return wrapped(as, []string{fmt.Sprintf("resource \"aws_s3_bucket_public_access_block\" %q {", name), "  bucket = " + hclText(b.Name)},
			hclBlock(b.Block, after.Block), []string{"}"})
	}
	return nil, fmt.Errorf("operation %s version %d is not one that can be told as code", op.Name, op.Version)
}

// declareAccountBlock is Kind.Declare of account blocks. CloudFormation has no
// resource for them.
func declareAccountBlock(config any, op Operation, as Format) ([]string, error) {
	a, in, err := accountInput(config, op)
	if err != nil {
		return nil, err
	}
	if as.Language != Terraform {
		return nil, fmt.Errorf("%s has no resource for the public access block of an account", as.Language)
	}
	return wrapped(as, []string{"resource \"aws_s3_account_public_access_block\" \"account\" {", "  account_id = " + hclText(a.Account)}, hclBlock(a.Block, in.Block), []string{"}"})
}

// wrapped puts changed lines, which carry their sign, between lines that stay.
func wrapped(as Format, head, changed, tail []string) ([]string, error) {
	if as.Language != Terraform && as.Language != CloudFormation {
		return nil, fmt.Errorf("%q is not a language of infrastructure as code that dera writes", as.Language)
	}
	var out []string
	for _, l := range head {
		out = append(out, " "+l)
	}
	out = append(out, changed...)
	for _, l := range tail {
		out = append(out, " "+l)
	}
	return out, nil
}

// declarePolicy shows the statements that go and those that come.
func declarePolicy(bucket, before, after string, as Format) ([]string, error) {
	indent := "      "
	head := []string{fmt.Sprintf("resource \"aws_s3_bucket_policy\" %q {", identifier(bucket)), "  bucket = " + hclText(bucket), "  policy = jsonencode({", "    Statement = ["}
	tail := []string{"    ]", "  })", "}"}
	if as.Language == CloudFormation {
		head = []string{logical(bucket) + "Policy:", "  Type: AWS::S3::BucketPolicy", "  Properties:", "    Bucket: " + yamlText(bucket), "    PolicyDocument:", "      Statement:"}
		indent, tail = "        - ", nil
	}
	var hide Redactor
	old, err := statementTexts(&hide, before)
	if err != nil {
		return nil, err
	}
	fresh, err := statementTexts(&hide, after)
	if err != nil {
		return nil, err
	}
	var changed []string
	show := func(sign string, from, other []string) {
		for _, text := range from {
			if slices.Contains(other, text) {
				continue
			}
			for n, line := range strings.Split(text, "\n") {
				lead := indent
				if n > 0 {
					lead = strings.Repeat(" ", len(indent))
				}
				changed = append(changed, sign+lead+line)
			}
		}
	}
	show("-", old, fresh)
	show("+", fresh, old)
	return wrapped(as, head, changed, tail)
}

// statementTexts are the statements of a policy as JSON, which both languages
// take for a value.
func statementTexts(hide *Redactor, text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return nil, err
	}
	shown := hide.Document(doc)
	var out []string
	for i := range shown.Statements {
		one := (&policy.Document{Statements: shown.Statements[i : i+1]}).Text()
		// Only the statement of the document: from the second brace to the last but one.
		open := strings.Index(one[1:], "{") + 1
		end := strings.LastIndex(one[:len(one)-1], "}")
		body := strings.Split(one[open:end+1], "\n")
		margin := len(body[len(body)-1]) - len(strings.TrimLeft(body[len(body)-1], " "))
		for n := range body {
			body[n] = strings.TrimPrefix(body[n], strings.Repeat(" ", margin))
		}
		out = append(out, strings.Join(body, "\n"))
	}
	return out, nil
}

// declareGrants shows the grants that go. CloudFormation knows canned ACLs only.
func declareGrants(b, after *Bucket, as Format) ([]string, error) {
	if as.Language == CloudFormation {
		return wrapped(as, []string{logical(b.Name) + ":", "  Type: AWS::S3::Bucket", "  Properties:"},
			[]string{"-    AccessControl: # whatever lets strangers in", "+    AccessControl: Private"}, nil)
	}
	var changed []string
	for _, g := range grantsInOrder(b.Grants) {
		if slices.Contains(after.Grants, g) {
			continue
		}
		who := []string{"type = \"CanonicalUser\"", "id   = " + hclText(g.ID)}
		if g.URI != "" {
			who = []string{"type = \"Group\"", "uri  = " + hclText(g.URI)}
		}
		for _, l := range []string{"    grant {", "      permission = " + hclText(g.Permission), "      grantee {", "        " + who[0], "        " + who[1], "      }", "    }"} {
			changed = append(changed, "-"+l)
		}
	}
	return wrapped(as, []string{fmt.Sprintf("resource \"aws_s3_bucket_acl\" %q {", identifier(b.Name)), "  bucket = " + hclText(b.Name), "  access_control_policy {"}, changed, []string{"  }", "}"})
}

func hclBlock(before, after *Block) []string {
	names := map[string]string{
		"BlockPublicAcls": "block_public_acls", "IgnorePublicAcls": "ignore_public_acls",
		"BlockPublicPolicy": "block_public_policy", "RestrictPublicBuckets": "restrict_public_buckets",
	}
	return blockLines(before, after, func(setting string, on bool) string {
		return fmt.Sprintf("  %-23s = %t", names[setting], on)
	})
}

func yamlBlock(before, after *Block, indent string) []string {
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

// logical is a logical ID of CloudFormation, which has letters and digits only.
func logical(name string) string {
	out := ""
	for part := range strings.SplitSeq(identifier(name), "_") {
		if part != "" {
			out += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return out
}
