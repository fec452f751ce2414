package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/services"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3"
	s3bucket "dera.example/dera/services/s3/bucket"
)

// findingsOn is what the rulebook finds on a configuration, as CONTROL KEY.
func findingsOn(t *testing.T, typ string, config any) []string {
	t.Helper()
	var out []string
	for _, c := range services.Controls() {
		if c.Type != typ {
			continue
		}
		r := dera.Resource{Partition: "aws", Account: "111122223333", Region: "us-east-1", Type: typ, Config: config, ReadAt: time.Unix(0, 0), Full: true}
		res, err := c.Check(r, control.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range res.Failures {
			out = append(out, c.ID+" "+f.Key)
		}
	}
	return out
}

// answering reports whether one of the findings begins with one of the prefixes.
func answering(findings []string, prefixes ...string) bool {
	return slices.ContainsFunc(findings, func(f string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(f, p) })
	})
}

// oneOrMany reads a JSON value that may stand alone or in a list.
type oneOrMany[T any] []T

func (o *oneOrMany[T]) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return json.Unmarshal(text, (*[]T)(o))
	}
	var one T
	err := json.Unmarshal(text, &one)
	*o = []T{one}
	return err
}

// template is what the rules on S3 and security groups look at.
type template struct {
	Resources map[string]struct {
		Type       string
		Properties struct {
			BucketName, AccessControl string
			OwnershipControls         struct {
				Rules []struct{ ObjectOwnership string }
			}
			PublicAccessBlockConfiguration *apiBlock
			SecurityGroupIngress           oneOrMany[struct {
				IpProtocol, CidrIp, CidrIpv6 string
				FromPort, ToPort             *int32
			}]
		}
	}
}

// apiBlock is a public access block as AWS writes it.
type apiBlock struct{ BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool }

func (b *apiBlock) typed() *s3.Block {
	if b == nil {
		return nil
	}
	return &s3.Block{PublicACLs: b.BlockPublicAcls, IgnorePublicACLs: b.IgnorePublicAcls, PublicPolicy: b.BlockPublicPolicy, RestrictedBuckets: b.RestrictPublicBuckets}
}

// cannedGrants are the grants of a canned ACL to the predefined groups.
func cannedGrants(acl string) []s3.Grant {
	switch acl {
	case "PublicRead":
		return []s3.Grant{{URI: s3.AllUsers, Permission: "READ"}}
	case "PublicReadWrite":
		return []s3.Grant{{URI: s3.AllUsers, Permission: "READ"}, {URI: s3.AllUsers, Permission: "WRITE"}}
	case "AuthenticatedRead":
		return []s3.Grant{{URI: s3.AuthenticatedUsers, Permission: "READ"}}
	}
	return nil
}

// templateRules are the rules that a control answers, and by which findings.
var templateRules = map[string][]string{
	"S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED": {"s3-bucket-access-block "},
	"S3_BUCKET_PUBLIC_WRITE_PROHIBITED":        {"s3-bucket-access-block "},
	"S3_BUCKET_PUBLIC_READ_ACL":                {"s3-bucket-public-acl " + s3.ACLRead},
	"S3_BUCKET_NO_PUBLIC_RW_ACL":               {"s3-bucket-public-acl " + s3.ACLWrite},
	"RESTRICTED_INCOMING_TRAFFIC":              {"ec2-securitygroup-admin-ports-open ", "ec2-securitygroup-other-ports-open "},
}

var templateDiffers = map[string]string{
	"S3_BUCKET_PUBLIC_READ_ACL: S3 bucket PublicReadWrite AccessControl":  "alarm: the ACL grants public read and write access; the rule leaves that to the one on writing",
	"RESTRICTED_INCOMING_TRAFFIC: Security Group with port 20 open, FAIL": "miss: the port is open to a private network alone, which is nobody's internet",
}

// TestExtraTemplates judges the CloudFormation inputs of the rules of others.
func TestExtraTemplates(t *testing.T) {
	t.Parallel()
	s := newScore("Guard rules on CloudFormation, offline", templateDiffers)
	for _, k := range extraLines[struct {
		Rule, Name, Expect string
		Input              json.RawMessage
	}](t, "guard_registry_cases.jsonl.gz") {
		answer := templateRules[k.Rule]
		if answer == nil {
			continue
		}
		s.cases++
		if k.Expect == "SKIP" {
			s.silent++
			continue
		}
		var in template
		if err := json.Unmarshal(k.Input, &in); err != nil {
			t.Fatal(err)
		}
		var findings []string
		for _, r := range in.Resources {
			p := r.Properties
			switch r.Type {
			case s3bucket.Name:
				b := &s3bucket.Bucket{Name: p.BucketName, Owner: "111122223333", Region: "us-east-1", OwnerID: "owner", Block: p.PublicAccessBlockConfiguration.typed(), Grants: cannedGrants(p.AccessControl)}
				for _, rule := range p.OwnershipControls.Rules {
					b.Ownership = rule.ObjectOwnership
				}
				findings = append(findings, findingsOn(t, s3bucket.Name, b)...)
			case securitygroup.Name:
				g := &securitygroup.Group{ID: "sg-1", Name: "web", VPC: "vpc-1", Owner: "111122223333"}
				for _, i := range p.SecurityGroupIngress {
					g.Ingress = append(g.Ingress, inboundRule(t, i.IpProtocol, i.FromPort, i.ToPort, i.CidrIp+i.CidrIpv6))
				}
				findings = append(findings, findingsOn(t, securitygroup.Name, g)...)
			}
		}
		s.judge(k.Rule+": "+k.Name, k.Expect == "FAIL", answering(findings, answer...))
	}
	s.done(t)
}

// inboundRule is a rule from a network, or from another group where there is none.
func inboundRule(t *testing.T, protocol string, from, to *int32, cidr string) securitygroup.Rule {
	t.Helper()
	r := securitygroup.Rule{Protocol: securitygroup.Protocol(protocol), From: -1, To: -1}
	if from != nil && to != nil && r.Protocol != "-1" {
		r.From, r.To = *from, *to
	}
	if cidr == "" {
		r.Group = &securitygroup.GroupRef{ID: "sg-2"}
		return r
	}
	var err error
	if r.CIDR, err = netset.Prefix(cidr); err != nil {
		t.Fatal(err)
	}
	return r
}

// stateRule is a rule of others on the state of a resource; expected means that
// it complies.
type stateRule struct {
	Tests []struct {
		Name     string
		Expected bool
		Resource struct {
			Name, Policy string
			Owner        struct{ ID string }
			Grants       []struct {
				Grantee    struct{ ID, URI string }
				Permission string
			}
			PublicAccessBlockConfiguration *apiBlock

			GroupID       string `json:"GroupId"`
			GroupName     string
			IpPermissions []struct {
				IpProtocol       string
				FromPort, ToPort *int32
				IpRanges         []struct{ CidrIp string }
				UserIdGroupPairs []struct{ GroupID string }
			}
		}
	}
}

// stateRules are the rules that a control answers, and by which findings.
var stateRules = map[string][]string{
	"aws_s3_bucket_public_access_block":                         {"s3-bucket-access-block "},
	"aws_s3_bucket_public_write":                                {"s3-bucket-public-acl " + s3.ACLWrite},
	"aws_s3_bucket_policy_allow_with_not_principal":             {"s3-bucket-public-policy "},
	"aws_security_group_restricts_access_to_cde":                {"ec2-securitygroup-other-ports-open "},
	"aws_security_group_restricts_inbound_traffic":              {"ec2-securitygroup-other-ports-open "},
	"aws_security_group_restricts_inter_security_group_traffic": {"ec2-securitygroup-other-ports-open "},
}

var stateDiffers = map[string]string{
	"aws_s3_bucket_public_access_block: Public Access Block Configuration Is Set":                                              "alarm: two of the four settings are off; the rule asks only whether there is a block",
	"aws_security_group_restricts_access_to_cde: Out Of Scope Security Group Does Not Restrict Access":                         "alarm: all traffic from a public network; the rule looks only at groups with a tag",
	"aws_security_group_restricts_inbound_traffic: Security Group Does Not Restrict Inbound Traffic":                           anotherGroup,
	"aws_security_group_restricts_inbound_traffic: Security Group Does Not Restrict Inbound Traffic (None)":                    anotherGroup,
	"aws_security_group_restricts_inter_security_group_traffic: Security Group Does Not Restrict Inter Security Group Traffic": anotherGroup,
	"aws_security_group_restricts_inter_security_group_traffic: Security Group Does Not Restrict Internet Traffic":             "alarm: the whole internet is allowed, which the rule on traffic between groups does not look at",
}

const anotherGroup = "miss: the traffic comes from another group of the account, not from outside"

// TestExtraStates judges the resources of rules of others.
func TestExtraStates(t *testing.T) {
	t.Parallel()
	s := newScore("Panther rules on resources, offline", stateDiffers)
	for _, rule := range sortedKeys(stateRules) {
		text, err := os.ReadFile(extraData(t, "panther", "policy", rule+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var in stateRule
		if err := json.Unmarshal(text, &in); err != nil {
			t.Fatal(err)
		}
		for _, k := range in.Tests {
			r := k.Resource
			s.cases++
			var findings []string
			if r.GroupID == "" {
				b := &s3bucket.Bucket{Name: r.Name, Owner: "111122223333", Region: "us-east-1", OwnerID: r.Owner.ID, Policy: r.Policy, Block: r.PublicAccessBlockConfiguration.typed()}
				if _, after, ok := strings.Cut(r.Policy, "arn:aws:s3:::"); ok {
					b.Name, _, _ = strings.Cut(after, "/") // S3 stores no policy on another bucket
				}
				for _, g := range r.Grants {
					b.Grants = append(b.Grants, s3.Grant{ID: g.Grantee.ID, URI: g.Grantee.URI, Permission: g.Permission})
				}
				findings = findingsOn(t, s3bucket.Name, b)
			} else {
				g := &securitygroup.Group{ID: r.GroupID, Name: r.GroupName, VPC: "vpc-1", Owner: "111122223333"}
				for _, p := range r.IpPermissions {
					for _, x := range p.IpRanges {
						g.Ingress = append(g.Ingress, inboundRule(t, p.IpProtocol, p.FromPort, p.ToPort, x.CidrIp))
					}
					for range p.UserIdGroupPairs {
						g.Ingress = append(g.Ingress, inboundRule(t, p.IpProtocol, p.FromPort, p.ToPort, ""))
					}
				}
				findings = findingsOn(t, securitygroup.Name, g)
			}
			s.judge(rule+": "+k.Name, !k.Expected, answering(findings, stateRules[rule]...))
		}
	}
	s.done(t)
}

// eventDiffers says why dera's verdict on an event is not the rule's.
var eventDiffers = map[string]string{}

// TestExtraEvents judges the events of a rule on what makes a resource public:
// one that did so to a bucket has to be a hint, and what it wrote public by the
// control. One that failed hints at nothing.
func TestExtraEvents(t *testing.T) {
	t.Parallel()
	s := newScore("Panther's events that make a resource public", eventDiffers)
	text, err := os.ReadFile(extraData(t, "panther", "aws_resource_made_public.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rule struct {
		Tests []struct {
			Name     string
			Expected bool
			Log      map[string]any
		}
	}
	if err := json.Unmarshal(text, &rule); err != nil {
		t.Fatal(err)
	}
	for _, k := range rule.Tests {
		s.cases++
		name, _ := k.Log["eventName"].(string)
		request, _ := k.Log["requestParameters"].(map[string]any)
		if name != "PutBucketPolicy" || request == nil {
			s.silent++ // about another service, or nothing stands in it
			continue
		}
		bucket, _ := request["bucketName"].(string)
		parameters, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		rec := cloudtrail.Record{Source: "s3.amazonaws.com", Name: name, Account: "111122223333", Region: "us-west-2", Partition: "aws", Request: parameters}
		rec.ErrorCode, _ = k.Log["errorCode"].(string)
		hints := services.Watch().Hints(rec)
		if (len(hints) > 0) == rec.Failed() {
			t.Errorf("%s: got hints %v of an event with error %q", k.Name, hints, rec.ErrorCode)
		}
		written, isText := request["bucketPolicy"].(string)
		if !isText {
			raw, err := json.Marshal(request["bucketPolicy"])
			if err != nil {
				t.Fatal(err)
			}
			written = string(raw)
		}
		b := &s3bucket.Bucket{Name: bucket, Owner: "111122223333", Region: "us-west-2", OwnerID: "owner", Ownership: "BucketOwnerEnforced", Policy: written}
		s.judge(k.Name, k.Expected, len(hints) > 0 && answering(findingsOn(t, s3bucket.Name, b), "s3-bucket-public-policy "))
	}
	s.done(t)
}
