// Package function is Lambda functions and their aliases as far as their policy goes:
// who may call and change them. A function and each of its aliases have a policy of
// their own, and so are resources of their own: NAME and NAME:ALIAS.
package function

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::Lambda::Function"

// The writes, by their IAM actions: Lambda adds and removes single statements.
const (
	RemovePermission = "lambda:RemovePermission"
	AddPermission    = "lambda:AddPermission"
)

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"resize", "orders:live", "Z_9"}, Events: events(),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "lambda", region, account, "function:"+id)
			},
			Operations: operations(), Declare: declare,
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "lambda-function", Noun: "Lambda function", Service: "Lambda",
		Part:       resource.Part{Action: "lambda:GetPolicy", Also: []string{"lambda:ListFunctions", "lambda:ListAliases", "lambda:GetFunctionConfiguration"}},
		TagsAction: "lambda:ListTags",
		Put:        AddPermission, Delete: RemovePermission, Rivals: []string{"AddPermission20150331v2", "RemovePermission20150331v2"},
		Actions: []string{"lambda:*"}, Below: []string{":*"}, Most: 20 << 10,
		// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
		ByServices: []string{"lambda:InvokeFunction"},
		Edit:       edit,
	}
}

// Type is Lambda functions.
func Type() resource.Type { return Shape().Define() }

// Controls are the controls on functions.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever finds the function can call it, with the permissions of its role and at the account's cost.",
			control.Ref{Standard: "Security Hub", ID: "Lambda.1", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/lambda-controls.html"},
			control.Ref{Standard: "AWS Config", ID: "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/lambda-function-public-access-prohibited.html"}),
		s.External("Whoever holds that account calls the function, or changes it, for as long as the statement stands."),
	}
}

// events are the calls after which a function, or its policy, may be different.
// CloudTrail names them with the version of the API.
//
// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
func events() cloudtrail.Events {
	return cloudtrail.Named{
		Source: "lambda.amazonaws.com",
		Calls: []string{
			"CreateFunction20150331", "DeleteFunction20150331", "AddPermission20150331v2", "RemovePermission20150331v2", "AddPermission20150331", "RemovePermission20150331",
			"CreateAlias20150331", "UpdateAlias20150331", "DeleteAlias20150331", "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "TagResource20170331v2", "UntagResource20170331v2",
		},
		Members: []string{"functionName", "resource"}, InARN: "function:", Qualifier: "qualifier",
	}.Events(Name)
}
