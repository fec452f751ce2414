// Package repository is private ECR repositories as far as their policy goes: who may pull from them and push to them.
package repository

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::ECR::Repository"

// The writes, by their IAM actions.
const (
	SetPolicy    = "ecr:SetRepositoryPolicy"
	DeletePolicy = "ecr:DeleteRepositoryPolicy"
)

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"app", "team/app-2", "z9"}, Events: named().Events(Name),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "ecr", region, account, "repository/"+id)
			},
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "ecr-repository", Noun: "ECR repository", Service: "ECR",
		Part:       resource.Part{Action: "ecr:GetRepositoryPolicy", Also: []string{"ecr:DescribeRepositories"}, Absent: []string{"RepositoryPolicyNotFoundException"}},
		TagsAction: "ecr:ListTagsForResource",
		Put:        SetPolicy, Delete: DeletePolicy, Rivals: []string{"SetRepositoryPolicy", "DeleteRepositoryPolicy"}, Actions: []string{"ecr:*"}, Most: 10 << 10,
		// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions
		ByServices: []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
		Terraform:  "aws_ecr_repository_policy.policy", Reference: "repository", CloudFormation: "AWS::ECR::Repository.RepositoryPolicyText", Property: "RepositoryName",
		Late: "an image is pulled at the next start or scale-out, so that what breaks shows only then, hours or weeks later",
	}
}

// Type is private ECR repositories.
func Type() resource.Type { return Shape().Define() }

// named are the calls after which the policy may be another one.
//
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html
func named() cloudtrail.Named {
	return cloudtrail.Named{
		Source: "ecr.amazonaws.com", Calls: []string{"CreateRepository", "SetRepositoryPolicy", "DeleteRepositoryPolicy", "DeleteRepository", "TagResource", "UntagResource"},
		Members: []string{"repositoryName", "resourceArn"}, InARN: "repository/",
	}
}

// Controls are the controls on private ECR repositories.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever finds the repository can pull its images, with the code and often the secrets in them, or push their own, which then run.",
			control.Ref{Standard: "Prowler", ID: "ecr_repositories_not_publicly_accessible", URL: "https://hub.prowler.com/check/ecr_repositories_not_publicly_accessible"}),
		s.External("Whoever holds that account pulls the images or pushes their own, for as long as the statement stands."),
	}
}
