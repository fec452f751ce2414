package aws

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
)

// Tried says what came of trying a permission.
type Tried string

// What can come of it.
const (
	Allowed   Tried = "allowed"
	Refused   Tried = "denied"
	NotTested Tried = "not tested"
	Unclear   Tried = "unknown" // the call failed for another reason
)

// Permission is what is known of one IAM action of an account in a region.
type Permission struct {
	Action string
	Tried  Tried
	Why    string // of what was not tested, or AWS's words on what was denied
}

// prober tries reads on what it finds.
type prober struct {
	*Client
	account, region string
	found           sample
}

// sample is one of each that a read needs.
type sample struct{ Group, Bucket, AccessPoint, PrefixList, Rule string }

// ErrNothing means that there is nothing to try a read on.
var ErrNothing = errors.New("there is nothing in this account and region to try it on")

// TryReads tries each of the actions for real, with the smallest question there
// is; nothing is changed. Actions that it does not know are not tested.
func (c *Client) TryReads(ctx context.Context, account, region string, actions []string) []Permission {
	p := &prober{Client: c, account: account, region: c.regionFor(region)}
	known := p.reads()
	var out []Permission
	done := map[string]bool{}
	for _, group := range [][]read{known[:firstReads], known[firstReads:]} { // the first ones find what the others need
		for _, r := range group {
			for _, a := range actions {
				if a == r.action && !done[a] {
					done[a] = true
					out = append(out, p.permission(ctx, a, r.try))
				}
			}
		}
	}
	for _, a := range actions {
		if !done[a] {
			done[a] = true
			out = append(out, Permission{a, NotTested, "dera does not know how to try it"})
		}
	}
	return out
}

// Reads lists the actions that TryReads knows.
func (c *Client) Reads() []string {
	var out []string
	for _, r := range (&prober{Client: c}).reads() {
		out = append(out, r.action)
	}
	return out
}

func (p *prober) permission(ctx context.Context, action string, try func(context.Context) error) Permission {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	return judgePermission(action, p.account, p.region, try(ctx))
}

// judgePermission reads an answer: that something is not there was an answer too.
func judgePermission(action, account, region string, err error) Permission {
	if err == nil {
		return Permission{action, Allowed, ""}
	}
	if errors.Is(err, ErrNothing) {
		return Permission{action, NotTested, ErrNothing.Error()}
	}
	var e *Error
	if wrapped := wrap(account, region, action, err); errors.As(wrapped, &e) {
		switch {
		case e.Problem == Denied:
			return Permission{action, Refused, e.Error()}
		case e.Problem == NotFound, e.Code == "DryRunOperation":
			return Permission{action, Allowed, ""}
		}
		return Permission{action, Unclear, e.Error()}
	}
	return Permission{action, Unclear, err.Error()}
}

// read is one action and how it is tried.
type read struct {
	action string
	try    func(ctx context.Context) error
}

// firstReads is how many of the reads find what the others ask about.
const firstReads = 5

func (p *prober) reads() []read {
	ec2s := func() *ec2.Client { return p.ec2(p.account, p.region) }
	s3s := func() *s3.Client { return p.s3(p.account, p.region) }
	points := func() *s3control.Client { return p.s3control(p.account, p.region) }
	bucket := func(try func(ctx context.Context, name *string) error) func(context.Context) error {
		return func(ctx context.Context) error {
			if p.found.Bucket == "" {
				return ErrNothing
			}
			return try(ctx, aws.String(p.found.Bucket))
		}
	}
	point := func(try func(ctx context.Context, name *string) error) func(context.Context) error {
		return func(ctx context.Context) error {
			if p.found.AccessPoint == "" {
				return ErrNothing
			}
			return try(ctx, aws.String(p.found.AccessPoint))
		}
	}
	return []read{
		{"ec2:DescribeSecurityGroups", p.findGroup},
		{"ec2:DescribeManagedPrefixLists", p.findPrefixList},
		{"s3:ListAllMyBuckets", p.findBucket},
		{"s3:ListAccessPoints", p.findAccessPoint},
		{"config:DescribeConfigRules", p.findRule},
		{"config:DescribeRemediationConfigurations", func(ctx context.Context) error {
			if p.found.Rule == "" {
				return ErrNothing
			}
			_, err := p.config(p.account, p.region).DescribeRemediationConfigurations(ctx,
				&configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{p.found.Rule}}, configOnce)
			return err
		}},
		{"ec2:DescribeRegions", func(ctx context.Context) error {
			_, err := ec2s().DescribeRegions(ctx, &ec2.DescribeRegionsInput{RegionNames: []string{p.region}})
			return err
		}},
		{"ec2:DescribeSecurityGroupRules", func(ctx context.Context) error {
			_, err := ec2s().DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{MaxResults: aws.Int32(5)})
			return err
		}},
		{"ec2:DescribeVpcs", func(ctx context.Context) error {
			_, err := ec2s().DescribeVpcs(ctx, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(5)})
			return err
		}},
		{"ec2:DescribeRouteTables", func(ctx context.Context) error {
			_, err := ec2s().DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{MaxResults: aws.Int32(5)})
			return err
		}},
		{"ec2:DescribeInstances", func(ctx context.Context) error {
			_, err := ec2s().DescribeInstances(ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)})
			return err
		}},
		{"ec2:DescribeAddresses", func(ctx context.Context) error {
			_, err := ec2s().DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
			return err
		}},
		{"ec2:DescribeNetworkInterfaces", func(ctx context.Context) error {
			_, err := ec2s().DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(5)})
			return err
		}},
		{"ec2:GetManagedPrefixListEntries", func(ctx context.Context) error {
			if p.found.PrefixList == "" {
				return ErrNothing
			}
			_, err := ec2s().GetManagedPrefixListEntries(ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: aws.String(p.found.PrefixList), MaxResults: aws.Int32(1)})
			return err
		}},
		{"s3:GetBucketLocation", bucket(func(ctx context.Context, name *string) error {
			_, err := s3s().GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: name, ExpectedBucketOwner: aws.String(p.account)})
			return err
		})},
		{"s3:GetBucketPublicAccessBlock", bucket(func(ctx context.Context, name *string) error {
			_, err := s3s().GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name, ExpectedBucketOwner: aws.String(p.account)})
			return err
		})},
		{"s3:GetBucketPolicy", bucket(func(ctx context.Context, name *string) error {
			_, err := s3s().GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name, ExpectedBucketOwner: aws.String(p.account)})
			return err
		})},
		{"s3:GetBucketOwnershipControls", bucket(func(ctx context.Context, name *string) error {
			_, err := s3s().GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: name, ExpectedBucketOwner: aws.String(p.account)})
			return err
		})},
		{"s3:GetBucketAcl", bucket(func(ctx context.Context, name *string) error {
			_, err := s3s().GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: name, ExpectedBucketOwner: aws.String(p.account)})
			return err
		})},
		{"s3:GetBucketTagging", bucket(func(ctx context.Context, name *string) error {
			_, err := s3s().GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name, ExpectedBucketOwner: aws.String(p.account)})
			return err
		})},
		{"s3:GetBucketWebsite", bucket(func(ctx context.Context, name *string) error {
			_, err := s3s().GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: name, ExpectedBucketOwner: aws.String(p.account)})
			return err
		})},
		{"s3:GetAccountPublicAccessBlock", func(ctx context.Context) error {
			_, err := points().GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(p.account)})
			return err
		}},
		{"s3:GetAccessPoint", point(func(ctx context.Context, name *string) error {
			_, err := points().GetAccessPoint(ctx, &s3control.GetAccessPointInput{AccountId: aws.String(p.account), Name: name})
			return err
		})},
		{"s3:GetAccessPointPolicy", point(func(ctx context.Context, name *string) error {
			_, err := points().GetAccessPointPolicy(ctx, &s3control.GetAccessPointPolicyInput{AccountId: aws.String(p.account), Name: name})
			return err
		})},
		{"s3:ListMultiRegionAccessPoints", func(ctx context.Context) error {
			_, err := p.s3control(p.account, multiRegionHome).ListMultiRegionAccessPoints(ctx, &s3control.ListMultiRegionAccessPointsInput{AccountId: aws.String(p.account), MaxResults: 1})
			return err
		}},
		{"s3:GetMultiRegionAccessPointPolicy", func(ctx context.Context) error {
			// A name that is nobody's: that there is none is an answer too.
			_, err := p.s3control(p.account, multiRegionHome).GetMultiRegionAccessPointPolicy(ctx,
				&s3control.GetMultiRegionAccessPointPolicyInput{AccountId: aws.String(p.account), Name: aws.String("dera-asks-whether-it-may")})
			return err
		}},
		{"cloudfront:ListDistributions", func(ctx context.Context) error {
			_, err := p.cloudfront(p.account, p.region).ListDistributions(ctx, &cloudfront.ListDistributionsInput{MaxItems: aws.Int32(1)})
			return err
		}},
	}
}

func (p *prober) findGroup(ctx context.Context) error {
	out, err := p.ec2(p.account, p.region).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5)})
	if err == nil && len(out.SecurityGroups) > 0 {
		p.found.Group = aws.ToString(out.SecurityGroups[0].GroupId)
	}
	return err
}

func (p *prober) findPrefixList(ctx context.Context) error {
	out, err := p.ec2(p.account, p.region).DescribeManagedPrefixLists(ctx, &ec2.DescribeManagedPrefixListsInput{MaxResults: aws.Int32(1)})
	if err == nil && len(out.PrefixLists) > 0 {
		p.found.PrefixList = aws.ToString(out.PrefixLists[0].PrefixListId)
	}
	return err
}

func (p *prober) findBucket(ctx context.Context) error {
	out, err := p.s3(p.account, p.region).ListBuckets(ctx, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1), BucketRegion: aws.String(p.region)})
	if err == nil && len(out.Buckets) > 0 {
		p.found.Bucket = aws.ToString(out.Buckets[0].Name)
	}
	return err
}

func (p *prober) findAccessPoint(ctx context.Context) error {
	out, err := p.s3control(p.account, p.region).ListAccessPoints(ctx, &s3control.ListAccessPointsInput{AccountId: aws.String(p.account), MaxResults: 1})
	if err == nil && len(out.AccessPointList) > 0 {
		p.found.AccessPoint = aws.ToString(out.AccessPointList[0].Name)
	}
	return err
}

// configOnce is for AWS Config, which not every account has: one attempt.
func configOnce(o *configservice.Options) { o.Retryer = aws.NopRetryer{} }

func (p *prober) findRule(ctx context.Context) error {
	out, err := p.config(p.account, p.region).DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{}, configOnce)
	if err == nil && len(out.ConfigRules) > 0 {
		p.found.Rule = aws.ToString(out.ConfigRules[0].ConfigRuleName)
	}
	return err
}
