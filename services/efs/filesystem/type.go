// Package filesystem is EFS file systems as far as their policy goes: who may mount them.
package filesystem

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::EFS::FileSystem"

// PutPolicy is the write, by its IAM action. None takes the policy away: a file system
// without one is open to whoever reaches a mount target.
//
// https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html#default-filesystem-policy
const PutPolicy = "elasticfilesystem:PutFileSystemPolicy"

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"fs-01234567", "fs-0123456789abcdef0", "fs-9"}, Events: named().Events(Name),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "elasticfilesystem", region, account, "file-system/"+id)
			},
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "efs-filesystem", Noun: "EFS file system", Service: "EFS",
		Part:       resource.Part{Action: "elasticfilesystem:DescribeFileSystemPolicy", Also: []string{"elasticfilesystem:DescribeFileSystems"}, Absent: []string{"PolicyNotFound"}},
		TagsAction: "elasticfilesystem:ListTagsForResource",
		Put:        PutPolicy, Rivals: []string{"PutFileSystemPolicy", "DeleteFileSystemPolicy"}, Actions: []string{"elasticfilesystem:*"}, Most: 20 << 10,
		// https://docs.aws.amazon.com/efs/latest/ug/access-control-block-public-access.html
		HeldTo:    "elasticfilesystem:AccessedViaMountTarget",
		ByHand:    "clients of NFS without an identity come by it too, and which condition keeps them (for example elasticfilesystem:AccessedViaMountTarget) only its owner knows",
		Terraform: "aws_efs_file_system_policy.policy", Reference: "file_system_id", CloudFormation: "AWS::EFS::FileSystem.FileSystemPolicy",
	}
}

// Type is EFS file systems.
func Type() resource.Type { return Shape().Define() }

// named are the calls after which the policy may be another one.
//
// https://docs.aws.amazon.com/efs/latest/ug/logging-using-cloudtrail.html
func named() cloudtrail.Named {
	return cloudtrail.Named{
		Source: "elasticfilesystem.amazonaws.com", Calls: []string{"CreateFileSystem", "PutFileSystemPolicy", "DeleteFileSystemPolicy", "DeleteFileSystem", "TagResource", "UntagResource"},
		Members: []string{"fileSystemId", "resourceId"}, InARN: "file-system/",
	}
}

// Controls are the controls on EFS file systems.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever reaches the network of a mount target, from any account and without an identity, can read or write the files.",
			control.Ref{Standard: "Prowler", ID: "efs_not_publicly_accessible", URL: "https://hub.prowler.com/check/efs_not_publicly_accessible"}),
		s.External("Whoever holds that account mounts the file system, for as long as the statement stands."),
		NoPolicy(),
	}
}
