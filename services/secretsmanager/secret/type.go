// Package secret is secrets of Secrets Manager as far as their policy goes: who may read and change them.
package secret

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::SecretsManager::Secret"

// The writes, by their IAM actions.
const (
	PutPolicy    = "secretsmanager:PutResourcePolicy"
	DeletePolicy = "secretsmanager:DeleteResourcePolicy"
)

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"prod/db-AbCdEf", "token-x9Y8z7", "a-000000"}, Events: named().Events(Name),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "secretsmanager", region, account, "secret:"+id)
			},
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "secretsmanager-secret", Noun: "secret", Service: "Secrets Manager",
		Part: resource.Part{Action: "secretsmanager:GetResourcePolicy", Also: []string{"secretsmanager:ListSecrets"}}, TagsAction: "secretsmanager:DescribeSecret",
		Put: PutPolicy, Delete: DeletePolicy, Rivals: []string{"PutResourcePolicy", "DeleteResourcePolicy"}, Actions: []string{"secretsmanager:*"}, Most: 20 << 10,
		Terraform: "aws_secretsmanager_secret_policy.policy", Reference: "secret_arn", CloudFormation: "AWS::SecretsManager::ResourcePolicy.ResourcePolicy", Property: "SecretId",
	}
}

// Type is secrets of Secrets Manager.
func Type() resource.Type { return Shape().Define() }

// named are the calls after which the policy may be another one.
// A secret is called by its name too, which does not tell its ID.
//
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
func named() cloudtrail.Named {
	return cloudtrail.Named{
		Source: "secretsmanager.amazonaws.com", Calls: []string{"CreateSecret", "PutResourcePolicy", "DeleteResourcePolicy", "DeleteSecret", "RestoreSecret", "TagResource", "UntagResource", "ReplicateSecretToRegions", "StopReplicationToReplica"},
		Members: []string{"secretId", "arn"}, InARN: "secret:", ARNOnly: true,
	}
}

// Controls are the controls on secrets of Secrets Manager.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever knows the ARN of the secret can read it, and with it get into whatever it opens.",
			control.Ref{Standard: "Prowler", ID: "secretsmanager_not_publicly_accessible", URL: "https://hub.prowler.com/check/secretsmanager_not_publicly_accessible"}),
		s.External("Whoever holds that account reads the secret, for as long as the statement stands."),
	}
}
