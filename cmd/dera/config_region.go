package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"dera.example/dera"
)

// awsRegions are the regions of this release's AWS SDK (its partitions.json).
var awsRegions = strings.Fields(`
af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3
ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2
eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2
cn-north-1 cn-northwest-1 us-gov-east-1 us-gov-west-1 us-iso-east-1 us-iso-west-1 us-isob-east-1 us-isob-west-1 eu-isoe-west-1
us-isof-east-1 us-isof-south-1 eusc-de-east-1`)

// regionForm is the naming of regions in all partitions.
var regionForm = regexp.MustCompile(`^(af|ap|ca|cn|eu|eu-isoe|eusc-[a-z]+|il|me|mx|sa|us|us-gov|us-iso|us-isob|us-isof)-[a-z]+-[0-9]{1,2}$`)

// knownRegion returns an error unless AWS has the region, or the configuration
// names it as one that AWS opened since this release.
func knownRegion(region string, since []string) error {
	switch {
	case slices.Contains(awsRegions, region), slices.Contains(since, region) && regionForm.MatchString(region):
		return nil
	case regionForm.MatchString(region):
		return fmt.Errorf("%q is no region that this dera knows; write one such as eu-west-1, or list it in new_regions too if AWS opened it later", region)
	}
	return fmt.Errorf("%q is not the name of a region; write one such as eu-west-1", region)
}

// validatePlaces returns what is wrong with regions, roles and queue. All of them
// lie in one partition: credentials of one work in no other.
func (c fileConfig) validatePlaces() (errs []error) {
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	for i, r := range c.NewRegions {
		if !regionForm.MatchString(r) {
			bad(fmt.Sprintf("new_regions[%d]", i), "%q is not the name of a region; write one such as eu-west-9", r)
		}
	}
	first, by := "", "" // the partition, and the field that says so
	same := func(field, partition string) {
		switch {
		case first == "":
			first, by = partition, field
		case partition != first:
			bad(field, "is in the partition %s, and %s in %s: one configuration has one partition; give the other one its own", partition, by, first)
		}
	}
	seen := map[string]bool{}
	for i, r := range c.Regions {
		field := fmt.Sprintf("regions[%d]", i)
		if err := knownRegion(r, c.NewRegions); err != nil {
			bad(field, "%v", err)
			continue
		}
		if seen[r] {
			bad(field, "%s is listed twice: remove one", r)
		}
		seen[r] = true
		same(field, dera.PartitionOf(r).ID)
	}
	for i, a := range c.Accounts {
		for _, r := range []struct{ field, arn string }{{"role_arn", a.Role}, {"write_role_arn", a.WriteRole}} {
			field := fmt.Sprintf("accounts[%d].%s", i, r.field)
			arn, err := dera.ParseARN(r.arn)
			switch {
			case r.arn == "":
				continue
			case err != nil:
				bad(field, "%v", err)
				continue
			case arn.Service() != "iam" || !strings.HasPrefix(arn.Resource(), "role/"):
				bad(field, "%q is not the ARN of a role; write arn:aws:iam::%s:role/NAME", r.arn, a.ID)
				continue
			case arn.Account() != a.ID:
				bad(field, "the role is in account %s and the entry is of account %s: write a role of %[2]s, or correct id", arn.Account(), a.ID)
			}
			same(field, arn.Partition())
		}
	}
	if c.Queue != "" {
		if err := queueURL(c.Queue); err != nil {
			bad("queue", "%v", err)
		} else if region := queueRegion(c.Queue); region != "" {
			if err := knownRegion(region, c.NewRegions); err != nil {
				bad("queue", "%v", err)
			} else {
				same("queue", dera.PartitionOf(region).ID)
			}
		}
	}
	return errs
}

// validateRegions refuses regions that none are, or of several partitions, where
// they come from elsewhere than the configuration.
func (c fileConfig) validateRegions(from string, list []string) error {
	for _, r := range list {
		if err := knownRegion(r, c.NewRegions); err != nil {
			return usage("%s: %w", from, err)
		}
		if p, first := dera.PartitionOf(r).ID, dera.PartitionOf(list[0]).ID; p != first {
			return usage("%s: %s is in the partition %s, and %s in %s: look at one partition at a time", from, r, p, list[0], first)
		}
	}
	return nil
}

// queuePath is the path of the URL of an SQS queue.
var queuePath = regexp.MustCompile(`^/[0-9]{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?$`)

// queueURL returns an error unless the text is the URL of an SQS queue.
func queueURL(text string) error {
	const want = "write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, as sqs get-queue-url prints it"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return fmt.Errorf("%q is not a URL; %s", text, want)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || !queuePath.MatchString(u.Path):
		return fmt.Errorf("%q is not the URL of an SQS queue, which ends in the account's 12 digits and the queue's name; %s", u.Redacted(), want)
	case strings.HasSuffix(u.Hostname(), ".amazonaws.com") && !slices.Contains(strings.Split(u.Hostname(), "."), "sqs") && !strings.HasSuffix(u.Hostname(), "queue.amazonaws.com"):
		return fmt.Errorf("%q is the URL of another service; %s", text, want)
	}
	return nil
}

// queueRegion is the region in the URL of a queue, or "".
func queueRegion(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	if host := strings.Split(u.Hostname(), "."); len(host) > 3 && host[0] == "sqs" && host[2] == "amazonaws" {
		return host[1]
	}
	return ""
}
