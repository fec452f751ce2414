package role

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// LookCustom returns the policy with what it takes to look at a custom fix and its runs,
// and RunCustom with what it takes to start it: on that document or function alone, and of
// roles on the named one alone. Of what an input holds it is its names that count, with *
// for any; its account and region are those of at.
func (p Policy) LookCustom(in dera.CustomInput, at Where) Policy {
	p.Statement = slices.Clone(p.Statement)
	if in.Function != "" {
		p.allow("LookAtFixFunctions", "lambda:GetFunctionConfiguration", []string{at.custom("lambda", "function:"+in.Function), at.function(in)}, nil)
		return p
	}
	for _, action := range []string{"ssm:DescribeDocument", "ssm:GetDocument"} {
		p.allow("LookAtFixDocuments", action, []string{at.document("document/"+in.Document, in)}, nil)
	}
	p.allow("LookAtFixRuns", "ssm:GetAutomationExecution", []string{at.custom("ssm", "automation-execution/*")}, nil)
	return p
}

// RunCustom is described at LookCustom.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
func (p Policy) RunCustom(in dera.CustomInput, at Where) Policy {
	p.Statement = slices.Clone(p.Statement)
	if in.Function != "" {
		p.allow("RunFixFunctions", dera.InvokeFunction, []string{at.function(in)}, nil)
		return p
	}
	version := in.Version
	if version == "" {
		version = any
	}
	p.allow("RunFixDocuments", dera.StartAutomation, []string{
		at.document("document/"+in.Document, in), at.document("automation-definition/"+in.Document+":"+version, in), at.custom("ssm", "automation-execution/*"),
	}, nil)
	if in.Role != "" {
		p.allow("PassFixRoles", "iam:PassRole", []string{string(in.Role)}, map[string]map[string]string{"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}})
	}
	return p
}

// AWSOwned reports whether only AWS can have a document of the name (Systems Manager user
// guide, CreateDocument, Name).
func AWSOwned(document string) bool {
	name := strings.ToLower(document)
	return strings.HasPrefix(name, "aws") || strings.HasPrefix(name, "amazon") || strings.HasPrefix(name, "amzn")
}

// document is an ARN of a document; that of one of AWS names no account.
func (w Where) document(what string, in dera.CustomInput) string {
	if AWSOwned(in.Document) {
		return w.fill("arn:${Partition}:ssm:${Region}::" + what)
	}
	return w.custom("ssm", what)
}

func (w Where) function(in dera.CustomInput) string {
	return w.custom("lambda", "function:"+in.Function+":"+in.Version)
}

func (w Where) custom(service, what string) string {
	return w.fill("arn:${Partition}:" + service + ":${Region}:${Account}:" + what)
}

// customSession is the session policy of a plan that runs a custom fix.
func customSession(p dera.Plan) (Policy, error) {
	out := Policy{Version: "2012-10-17"}
	for _, c := range p.Changes {
		var in dera.CustomInput
		if err := resource.Decode(resource.Of(c), &in); err != nil {
			return Policy{}, err
		}
		for _, one := range []*dera.CustomInput{&in, in.Undo} {
			if one != nil {
				out = out.RunCustom(*one, Where{Partition: p.Partition, Account: p.Account, Region: p.Region})
			}
		}
	}
	for i := range out.Statement {
		out.Statement[i].Sid = ""
	}
	return out, nil
}
