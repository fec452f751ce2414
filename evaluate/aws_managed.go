package evaluate

import (
	"context"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
)

// AWSManaged sends to review what a service of AWS made and manages: it puts its
// own settings back, or breaks without them.
type AWSManaged struct{}

// Name implements Guardrail.
func (AWSManaged) Name() string { return "aws-managed" }

// managedNames are names that AWS services give to security groups, as globs (AWS
// Directory Service administration guide, "What gets created"; Amazon EMR
// management guide, "Amazon EMR-managed security groups"; Amazon EKS user guide,
// "Amazon EKS security group requirements"; Global Accelerator developer guide,
// "Client IP address preservation"; AWS Cloud9 and WorkSpaces guides).
func managedNames() map[string]string {
	return map[string]string{
		"d-*_controllers": "AWS Directory Service", "d-*_workspacesmembers": "Amazon WorkSpaces", "elasticmapreduce-*": "Amazon EMR",
		"eks-cluster-sg-*": "Amazon EKS", "eks-remoteaccess-*": "Amazon EKS", "eksctl-*": "eksctl", "k8s-*": "Kubernetes", "globalaccelerator": "AWS Global Accelerator",
		"aws-cloud9-*": "AWS Cloud9", "awseb-*": "AWS Elastic Beanstalk", "security-group-for-inbound-nfs-d-*": "Amazon SageMaker",
		"security-group-for-outbound-nfs-d-*": "Amazon SageMaker", "rds-ec2-*": "Amazon RDS", "ec2-rds-*": "Amazon RDS",
	}
}

// Check implements Guardrail. Tags under aws: can be set by AWS alone; those of
// CloudFormation are the infrastructure-as-code guardrail's.
func (AWSManaged) Check(_ context.Context, c Case) (dera.Reason, error) {
	r := c.Resource
	name := strings.ToLower(r.Name)
	for _, pattern := range slices.Sorted(maps.Keys(managedNames())) {
		if c.Type.Attachments != nil && dera.MatchGlob(pattern, name) {
			return review("%s made and manages it, as its name %q says", managedNames()[pattern], r.Name), nil
		}
	}
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		switch key := strings.ToLower(k); {
		case strings.HasPrefix(key, "aws:cloudformation:"):
		case strings.HasPrefix(key, "aws:"), strings.HasPrefix(key, "kubernetes.io/cluster/"), strings.HasPrefix(key, "elbv2.k8s.aws/"),
			strings.HasPrefix(key, "for-use-with-amazon-emr"), strings.HasPrefix(key, "elasticbeanstalk:"):
			return review("an AWS service manages it, as its tag %q says", k), nil
		}
	}
	for _, a := range c.attachments() {
		if a.Requester != "" {
			return review("it is attached to %s, which %s manages", a.ID, a.Requester), nil
		}
	}
	return pass("no AWS service manages it"), nil
}
