package eval

import (
	"slices"
	"strings"
)

// ownPolicyDecides reports whether the resource's own policy must allow the
// request even within its account. For a key: "no AWS principal, including the
// account root user or key creator, has any permissions to a KMS key unless
// they are explicitly allowed ... in a key policy"; for a role the trust policy.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single.html
func ownPolicyDecides(r *Request) bool {
	service, _, rest := splitARN(r.Resource)
	key := service == "kms" && strings.HasPrefix(rest, "key/")
	return key || service == "iam" && strings.HasPrefix(rest, "role/") && hasPrefixFold(r.Action, "sts:")
}

// RCPApplies reports whether resource control policies have a say in an action:
// AWS applies them to the resources of some services only.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services
func RCPApplies(action string) bool {
	service, _, _ := strings.Cut(action, ":")
	return slices.Contains([]string{
		"aoss", "appconfig", "appstream", "autoscaling", "autoscaling-plans", "budgets",
		"clouddirectory", "cloudfront", "cloudsearch", "cloudtrail-data", "codeartifact",
		"codebuild", "codecommit", "codepipeline", "cognito-identity", "cognito-idp",
		"comprehend", "comprehendmedical", "compute-optimizer", "cost-optimization-hub",
		"dax", "dsql", "dynamodb", "ecr", "ecr-public", "events", "firehose", "fis", "fms",
		"gamelift", "health", "inspector-scan", "kendra", "kinesisvideo", "kms", "logs",
		"memorydb", "networkmonitor", "notifications", "opensearch", "pca-connector-ad",
		"personalize", "polly", "pricing", "resource-groups", "rolesanywhere", "s3",
		"secretsmanager", "servicediscovery", "signin", "sqs", "sts", "support", "swf",
		"textract", "timestream-influxdb", "transcribe", "transfer", "translate", "wafv2",
		"workspaces", "xray",
	}, strings.ToLower(service))
}
