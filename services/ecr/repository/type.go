// Package repository is private ECR repositories: who may pull from them and push to them,
// and whether images are scanned and tags can move.
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
	PutScanning  = "ecr:PutImageScanningConfiguration"
	PutTags      = "ecr:PutImageTagMutability"
)

// The parts beside policy and tags.
const (
	PartSettings = "settings"
	PartRegistry = "scanning of the registry"
)

// Repository is a private repository.
type Repository struct {
	resourcepolicy.Config
	ScanOnPush *bool `json:"scan_on_push,omitempty"`
	// TagMutability is MUTABLE, IMMUTABLE, or one of these with exclusions.
	TagMutability string `json:"tag_mutability,omitempty"`
	// Registry says that the registry has rules of its own on scanning, which hold instead of
	// the setting of a repository.
	Registry *bool `json:"registry_scans,omitempty"`
}

// Shape is the type as data.
func Shape() resourcepolicy.Shape[Repository] {
	return resourcepolicy.Shape[Repository]{
		Type: resource.Spec[Repository]{
			Name: Name, SampleIDs: []string{"app", "team/app-2", "z9"}, Events: named().Events(Name),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "ecr", region, account, "repository/"+id)
			},
			Parts: []resource.Part{
				{Name: PartSettings, Action: "ecr:DescribeRepositories", Cheap: true},
				{Name: PartRegistry, Action: "ecr:GetRegistryScanningConfiguration", Cheap: true, Around: true},
			},
			Around: []string{"registry_scans"},
			Settings: []resource.Setting{
				{Path: "scan_on_push", Says: "the scan of images when they are pushed", Operation: PutScanning, Order: []any{false, true}, Terraform: "aws_ecr_repository.scan_on_push", CloudFormation: "ScanOnPush", Denies: nothing},
				// A pipeline that pushes the same tag again fails.
				{Path: "tag_mutability", Says: "the mutability of tags", Operation: PutTags, Order: []any{"MUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION", "IMMUTABLE"}, Terraform: "aws_ecr_repository.image_tag_mutability", CloudFormation: "ImageTagMutability", Denies: pushes},
			},
		},
		Policy: func(c *Repository) *resourcepolicy.Config { return &c.Config },
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
		Source: "ecr.amazonaws.com", Calls: []string{"CreateRepository", "SetRepositoryPolicy", "DeleteRepositoryPolicy", "DeleteRepository", "TagResource", "UntagResource", "PutImageScanningConfiguration", "PutImageTagMutability"},
		Members: []string{"repositoryName", "resourceArn"}, InARN: "repository/",
	}
}

// Controls are the controls on private ECR repositories.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever finds the repository can pull its images, with the code and often the secrets in them, or push their own, which then run.",
			control.Ref{Standard: "Prowler", ID: "ecr_repositories_not_publicly_accessible", URL: "https://hub.prowler.com/check/ecr_repositories_not_publicly_accessible"}),
		ScanOnPushOff(), TagsMutable(),
		s.External("Whoever holds that account pulls the images or pushes their own, for as long as the statement stands."),
	}
}

func nothing(dera.Plan) []resource.Bounds { return nil }

func pushes(dera.Plan) []resource.Bounds {
	return []resource.Bounds{{Actions: []string{"ecr:PutImage"}, Error: true, Why: "a tag that is there cannot be pushed again"}}
}
