package dera

import (
	"slices"
	"strings"
)

// Partition is a part of AWS with accounts, regions and ARNs of its own.
type Partition struct {
	// ID is how ARNs name it.
	ID string
	// DNSSuffix ends the host names of its services.
	DNSSuffix string
	// Home is the region in which IAM is, and where alone its events arrive.
	Home string
	// CloudFront says that its buckets can be origins of distributions that its
	// own accounts list (AWS GovCloud user guide, "Amazon CloudFront").
	CloudFront bool
	// NoRootConsole says that its console takes no root user (AWS GovCloud user guide,
	// "IAM in AWS GovCloud").
	NoRootConsole bool
	// prefix begins the names of its regions; aws has all that no other has.
	prefix string
}

// Partitions is the one table of partitions, from partitions.json of the AWS
// SDKs; aws is the first.
func Partitions() []Partition {
	return []Partition{
		{ID: "aws", Home: "us-east-1", DNSSuffix: "amazonaws.com", CloudFront: true},
		{ID: "aws-cn", Home: "cn-north-1", DNSSuffix: "amazonaws.com.cn", CloudFront: true, prefix: "cn-"},
		{ID: "aws-us-gov", Home: "us-gov-west-1", DNSSuffix: "amazonaws.com", NoRootConsole: true, prefix: "us-gov-"},
		{ID: "aws-iso", Home: "us-iso-east-1", DNSSuffix: "c2s.ic.gov", prefix: "us-iso-"},
		{ID: "aws-iso-b", Home: "us-isob-east-1", DNSSuffix: "sc2s.sgov.gov", prefix: "us-isob-"},
		{ID: "aws-iso-e", Home: "eu-isoe-west-1", DNSSuffix: "cloud.adc-e.uk", prefix: "eu-isoe-"},
		{ID: "aws-iso-f", Home: "us-isof-south-1", DNSSuffix: "csp.hci.ic.gov", prefix: "us-isof-"},
		{ID: "aws-eusc", Home: "eusc-de-east-1", DNSSuffix: "amazonaws.eu", prefix: "eusc-"},
	}
}

// PartitionOf returns the partition that a region lies in; a region of no known
// form belongs to aws, as in the AWS SDKs.
func PartitionOf(region string) Partition {
	all := Partitions()
	i := slices.IndexFunc(all[1:], func(p Partition) bool { return strings.HasPrefix(region, p.prefix) })
	return all[i+1]
}

// PartitionByID returns the partition with an ID, as an ARN names it.
func PartitionByID(id string) (Partition, bool) {
	all := Partitions()
	if i := slices.IndexFunc(all, func(p Partition) bool { return p.ID == id }); i >= 0 {
		return all[i], true
	}
	return Partition{}, false
}

const (
	// GlobalRegion stands for the region of what an account has once and not in
	// each region, such as its S3 public access block. It is looked at once,
	// whatever regions are configured.
	GlobalRegion = "aws-global"
	// EveryRegion in the scope of an event stands for all regions that are looked
	// after: what changed concerns resources in each of them.
	EveryRegion = "*"
)
