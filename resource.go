package dera

import "time"

// Resource is one cloud resource as it was read at ReadAt. Config is the typed,
// normalised configuration of its type (package resource); nobody changes it
// after the read.
type Resource struct {
	ARN       ARN
	Partition string
	Account   string
	Region    string
	Type      string // CloudFormation type name, for example AWS::EC2::SecurityGroup
	ID        string // what the service's API calls it, for example sg-0123
	Name      string
	Tags      map[string]string
	Config    any
	ReadAt    time.Time
	// Full is false for a cheap look (a page of a sweep) that leaves out what
	// only a plan needs; a plan is never made from it.
	Full bool
	// Unread says why part of the configuration is not known: a call failed that
	// may succeed later, or two reads contradict each other. Such a resource
	// resolves nothing, nothing of it is fixed, and it is looked at again.
	Unread string
}

// Key identifies the resource over partitions, accounts and regions: ARNs of
// some services carry neither account nor region.
func (r Resource) Key() string { return ResourceKey(r.Partition, r.Account, r.Region, r.ARN) }

// ResourceKey is the key under which leases, findings and jobs of a resource
// are kept.
func ResourceKey(partition, account, region string, arn ARN) string {
	return partition + "/" + account + "/" + region + "/" + string(arn)
}
