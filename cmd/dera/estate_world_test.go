package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"dera.example/dera/app"
	"dera.example/dera/awssim"
)

const estateDir = "../../testdata/estate"

// estate is the labelled account of testdata/estate.
type estate struct {
	PrefixLists map[string][]string   `yaml:"prefix_lists"`
	Groups      []estateGroup         `yaml:"groups"`
	Account     map[string]estateItem `yaml:"account"`
	Buckets     []estateBucket        `yaml:"buckets"`

	cloud    *awssim.Cloud
	underWay []app.UnderWay    // what was half-done when the last scan ended
	ids      map[string]string // of groups and prefix lists, by name
}

// estateItem is what an expert would do about one finding.
type estateItem struct {
	Right string `yaml:"right"`
	Why   string `yaml:"why"`
}

type estateGroup struct {
	Name     string                `yaml:"name"`
	Rules    []string              `yaml:"rules"`
	Tags     map[string]string     `yaml:"tags"`
	Attached string                `yaml:"attached"`
	Findings map[string]estateItem `yaml:"findings"`
	After    *[]string             `yaml:"after"`
}

type estateBucket struct {
	Name     string                `yaml:"name"`
	Policy   []any                 `yaml:"policy"`
	ACL      string                `yaml:"acl"`
	Website  bool                  `yaml:"website"`
	Origin   bool                  `yaml:"origin"`
	Block    string                `yaml:"block"`
	Tags     map[string]string     `yaml:"tags"`
	Points   map[string][]any      `yaml:"access_points"`
	Findings map[string]estateItem `yaml:"findings"`
	After    *[]string             `yaml:"after"`
}

func loadEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{ids: map[string]string{}}
	for _, name := range []string{"groups.yaml", "buckets.yaml"} {
		text, err := os.ReadFile(filepath.Join(estateDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return e
}

const estateAccount, estateRegion = "111122223333", "us-east-1"

// build makes the estate on a simulated AWS.
func (e *estate) build(t *testing.T) {
	t.Helper()
	e.cloud = awssim.New(awssim.Config{Seed: 5})
	account := e.cloud.Account(estateAccount)
	r, ctx := account.Region(estateRegion), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, cidrs := range e.PrefixLists {
		id, err := r.CreatePrefixList(ctx, name, len(cidrs), cidrs...)
		must(err)
		e.ids[name] = id
	}
	estateRules(r)
	for _, g := range e.Groups {
		id, err := r.CreateSecurityGroup(ctx, g.Name)
		must(err)
		e.ids[g.Name] = id
		if len(g.Tags) > 0 {
			must(r.Tag(ctx, id, g.Tags))
		}
		for _, text := range g.Rules {
			_, err := r.Authorize(ctx, id, e.rule(t, text))
			must(err)
		}
		if a, ok := estateAttachments()[g.Attached]; ok {
			_, err := r.Attach(a, id)
			must(err)
		}
	}
	for _, b := range e.Buckets {
		create := r.CreateBucket
		if b.ACL != "" {
			create = r.CreateLegacyBucket
		}
		must(create(ctx, b.Name))
		must(r.PutPublicAccessBlock(ctx, b.Name, map[string]*awssim.PublicAccessBlock{
			"full": {BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
			"acls": {BlockPublicACLs: true, IgnorePublicACLs: true},
		}[b.Block]))
		if len(b.Policy) > 0 {
			text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": b.Policy})
			must(err)
			must(r.PutBucketPolicy(ctx, b.Name, strings.ReplaceAll(string(text), "BUCKET", b.Name)))
		}
		for name, statements := range b.Points {
			text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
			must(err)
			must(r.CreateAccessPoint(ctx, name, b.Name, nil))
			must(r.PutAccessPointPolicy(ctx, name, string(text)))
		}
		if b.ACL != "" {
			must(r.PutBucketACL(ctx, b.Name, b.ACL))
		}
		if b.Website {
			must(r.PutBucketWebsite(ctx, b.Name, "index.html"))
		}
		if b.Origin {
			account.AddDistribution(awssim.Distribution{Origins: []string{b.Name + ".s3." + estateRegion + ".amazonaws.com"}})
		}
		if len(b.Tags) > 0 {
			must(r.TagBucket(ctx, b.Name, b.Tags))
		}
	}
}

// estateRules adds rules that an ordinary account has: they notify, log, tag and start work, and
// fix nothing, so that no finding goes to review for them.
func estateRules(r *awssim.Region) {
	function := "arn:aws:lambda:" + estateRegion + ":" + estateAccount + ":function:"
	topic := "arn:aws:sns:" + estateRegion + ":" + estateAccount + ":security"
	const hub = `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],"detail":{"findings":{"Severity":{"Label":["CRITICAL","HIGH"]}}}}`
	for _, x := range []awssim.Schedule{
		{Name: "findings-to-mail", Pattern: hub, Target: topic},
		{Name: "findings-to-siem", Pattern: hub, Target: "arn:aws:firehose:" + estateRegion + ":" + estateAccount + ":deliverystream/siem"},
		{Name: "findings-to-chat", Pattern: `{"source":["aws.guardduty"]}`, Target: "arn:aws:events:" + estateRegion + ":" + estateAccount + ":api-destination/chat/1"},
		{Name: "open-doors-to-mail", Pattern: `{"source":["aws.ec2"],"detail":{"eventName":["AuthorizeSecurityGroupIngress"]}}`, Target: topic},
		{Name: "calls-to-inventory", Pattern: `{"source":[{"prefix":"aws."}],"detail-type":["AWS API Call via CloudTrail"]}`, Target: function + "inventory"},
		{Name: "changes-to-inventory", Pattern: `{"source":["aws.config"],"detail-type":["Config Configuration Item Change"]}`, Target: function + "inventory"},
		{Name: "tag-instances", Pattern: `{"source":["aws.ec2"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventName":["RunInstances"]}}`, Target: function + "tagger"},
		{Name: "instance-states", Pattern: `{"source":["aws.ec2"],"detail-type":["EC2 Instance State-change Notification"]}`, Target: function + "dns"},
		{Name: "uploads", Pattern: `{"source":["aws.s3"],"detail-type":["Object Created"]}`, Target: function + "thumbnails"},
		{Name: "fix-doors-once", Pattern: hub, Target: function + "close-doors", Off: true},
		{Name: "nightly", Expression: "rate(1 day)", Target: function + "reports"},
	} {
		x.Kind = "rule"
		r.AddSchedule(x)
	}
	r.AddConfigRule(awssim.ConfigRule{Name: "restricted-ssh", Identifier: "INCOMING_SSH_DISABLED", Remediation: &awssim.ConfigRemediation{Document: "AWS-PublishSNSNotification", Automatic: true}})
}

// estateAttachments is what a group is attached to, by the word of the estate.
func estateAttachments() map[string]awssim.Attachment {
	return map[string]awssim.Attachment{
		"public": {PublicIP: "198.51.100.77"}, "private": {},
		"bastion": {PublicIP: "198.51.100.78", Tags: map[string]string{"Name": "bastion-host", "role": "bastion"}},
		"jump":    {PublicIP: "198.51.100.79", Tags: map[string]string{"Name": "Jump Server EU", "team": "ops"}},
		"managed": {Description: "VPC Endpoint Interface vpce-1", Requester: "amazon-aws"},
	}
}

// writtenOut writes out what stands for the private ranges.
func writtenOut(rules []string) []string {
	var out []string
	for _, r := range rules {
		if !strings.Contains(r, " inside") {
			out = append(out, r)
			continue
		}
		for _, cidr := range []string{"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"} {
			out = append(out, strings.Replace(r, " inside", " "+cidr, 1))
		}
	}
	slices.Sort(out)
	return out
}

// rule reads PROTOCOL PORTS SOURCE # DESCRIPTION.
func (e *estate) rule(t *testing.T, text string) awssim.Rule {
	t.Helper()
	text, description, _ := strings.Cut(text, " # ")
	f := strings.Fields(text)
	if len(f) != 3 {
		t.Fatalf("rule %q: want PROTOCOL PORTS SOURCE", text)
	}
	r := awssim.Rule{Protocol: f[0], Description: description}
	from, to, ok := strings.Cut(strings.Replace(f[1], "/", "-", 1), "-")
	switch {
	case f[1] == "-1":
		from, to = "-1", "-1"
	case !ok && r.Protocol == "icmp":
		to = "-1"
	case !ok:
		to = from
	}
	var err, err2 error
	r.FromPort, err = strconv.Atoi(from)
	r.ToPort, err2 = strconv.Atoi(to)
	if err := errors.Join(err, err2); err != nil {
		t.Fatalf("rule %q: %v", text, err)
	}
	kind, name, _ := strings.Cut(f[2], ":")
	switch kind {
	case "pl":
		r.PrefixList = e.ids[name]
	case "sg":
		r.Group = e.ids[name]
	default:
		r.CIDR = f[2]
	}
	return r
}
