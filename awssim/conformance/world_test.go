package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera/awssim"
	"dera.example/dera/awssim/moto"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// world is one AWS, seen through the SDK by a fresh account, and the transcript of what a row saw there.
type world struct {
	t       *testing.T
	ctx     context.Context
	account string
	config  aws.Config
	ec2     *ec2.Client
	sts     *sts.Client
	sqs     *sqs.Client
	s3      *s3.Client
	control *s3control.Client
	addRole func(name string, actions ...string) (arn string)
	enforce func() // begin to evaluate policies: awssim always does

	fields *fieldLog
	pins   []pin
	*transcript
}

// transcript is what a row saw, by label.
type transcript struct {
	labels []string
	seen   map[string]string
}

// pin gives an identifier a name that is the same in both worlds.
type pin struct{ id, name string }

// fieldLog remembers which fields of answers each side has shown, over all rows.
type fieldLog struct {
	mu    sync.Mutex
	shown map[string]bool
}

func newWorld(t *testing.T, account string, cfg aws.Config, fields *fieldLog) *world {
	cfg.Region = "us-east-1"
	cfg.RetryMaxAttempts = 1
	return &world{
		t: t, ctx: t.Context(), account: account, config: cfg, fields: fields, transcript: &transcript{seen: map[string]string{}},
		ec2: ec2.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg), sqs: sqs.NewFromConfig(cfg),
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), control: controlClient(cfg),
	}
}

func onAwssim(t *testing.T, fields *fieldLog) *world {
	cloud := awssim.New(awssim.Config{Now: time.Now})
	account := cloud.Account("111122223333")
	c := account.Credentials()
	w := newWorld(t, account.ID(), aws.Config{
		HTTPClient:  cloud.HTTPClient(),
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}, fields)
	w.addRole = func(name string, actions ...string) string {
		return account.AddRole(name, account.ID(), "", actions...)
	}
	w.enforce = func() {}
	return w
}

func onMoto(t *testing.T, server *moto.Server, fields *fieldLog) *world {
	c := server.Account(t)
	w := newWorld(t, c.Account, aws.Config{
		BaseEndpoint: aws.String(server.URL()),
		Credentials:  credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}, fields)
	w.addRole = func(name string, actions ...string) string {
		arn, err := server.AddRole(w.ctx, c, name, actions...)
		if err != nil {
			t.Fatalf("add role to moto: %v", err)
		}
		return arn
	}
	return w
}

// as returns a world of the same account that acts as a session of the role, with its transcript in the same place.
func (w *world) as(arn string) *world {
	w.t.Helper()
	out, err := w.sts.AssumeRole(w.ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("session")})
	if err != nil {
		w.t.Fatalf("assume %s: %v", arn, err)
	}
	c := out.Credentials
	cfg := w.config.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	other := newWorld(w.t, w.account, cfg, w.fields)
	other.pins, other.transcript = w.pins, w.transcript
	return other
}

// see takes an answer down under a label.
func (w *world) see(label string) func(out any, err error) {
	return func(out any, err error) {
		w.t.Helper()
		if _, twice := w.seen[label]; twice {
			w.t.Fatalf("the label %q is used twice", label)
		}
		w.labels = append(w.labels, label)
		w.seen[label] = w.show(out, err)
	}
}

// fact takes down a plain value.
func (w *world) fact(label string, value any) {
	w.see(label)(value, nil)
}

// show writes an answer so that two worlds can be compared: identifiers masked, lists in order, nothing that is empty;
// of an error its code and status.
func (w *world) show(out any, err error) string {
	if err != nil {
		var api smithy.APIError
		var answer *awshttp.ResponseError
		if !errors.As(err, &api) || !errors.As(err, &answer) {
			return "error without a code: " + err.Error()
		}
		return fmt.Sprintf("error %s, status %d", api.ErrorCode(), answer.HTTPStatusCode())
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		w.t.Fatalf("encode an answer: %v", err)
	}
	var tree any
	if err := json.Unmarshal(encoded, &tree); err != nil {
		w.t.Fatalf("decode an answer: %v", err)
	}
	var shown strings.Builder
	encoder := json.NewEncoder(&shown)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(w.normal("", tree)); err != nil {
		w.t.Fatalf("encode an answer: %v", err)
	}
	return shown.String()
}

var identifier = regexp.MustCompile(`\b(sgr|sg|vpc|eni|pl|subnet|i)-[0-9a-f]{8,17}\b`)

// principalID is an ID of IAM, which moto makes up in small letters too.
var principalID = regexp.MustCompile(`^(A[A-Z0-9]{16,20}|[a-z0-9]{20})$`)

var moment = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z`)

var alias = regexp.MustCompile(`[a-z0-9-]+-s3alias`)

// normal returns a value without what may differ between two worlds.
func (w *world) normal(field string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for name, member := range v {
			if name == "ResultMetadata" {
				continue
			}
			if n := w.normal(name, member); n != nil {
				w.fields.note(name)
				if !slices.ContainsFunc(slices.Concat(unsupported, unsupportedS3, withdrawn), func(u difference) bool { return u.what == name }) {
					kept[name] = n
				}
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case []any:
		var members []any
		for _, member := range v {
			if n := w.normal(field, member); n != nil {
				members = append(members, n)
			}
		}
		if len(members) == 0 {
			return nil
		}
		slices.SortFunc(members, func(a, b any) int { return strings.Compare(text(a), text(b)) })
		return members
	case string:
		if v == "" {
			return nil
		}
		if strings.HasSuffix(field, "Id") && principalID.MatchString(v) {
			return "<id>"
		}
		if strings.HasPrefix(v, "%7B") { // IAM encodes documents in every answer, moto in some
			if plain, err := url.PathUnescape(v); err == nil {
				v = plain
			}
		}
		return w.mask(v)
	default:
		return v
	}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(b)
}

func (w *world) mask(s string) string {
	for _, p := range w.pins {
		s = strings.ReplaceAll(s, p.id, "<"+p.name+">")
	}
	s = strings.ReplaceAll(s, w.account, "<account>")
	s = moment.ReplaceAllString(s, "<time>")
	s = alias.ReplaceAllString(s, "<alias>")
	return identifier.ReplaceAllString(s, "$1-*")
}

// pin names an identifier.
func (w *world) pin(id *string, name string) string {
	w.t.Helper()
	if aws.ToString(id) == "" {
		w.t.Fatalf("no identifier for %s", name)
	}
	w.pins = append(w.pins, pin{*id, name})
	return *id
}

func (f *fieldLog) note(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shown == nil {
		f.shown = map[string]bool{}
	}
	f.shown[name] = true
}

func (f *fieldLog) has(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shown[name]
}

// group makes a group of the default VPC.
func (w *world) group(name string) string {
	return w.groupIn("", name)
}

// vpc makes a VPC that is not the default one.
func (w *world) vpc() string {
	w.t.Helper()
	out, err := w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16")})
	if err != nil {
		w.t.Fatalf("create a VPC: %v", err)
	}
	return w.pin(out.Vpc.VpcId, "vpc")
}

func (w *world) groupIn(vpc, name string) string {
	w.t.Helper()
	in := &ec2.CreateSecurityGroupInput{GroupName: &name, Description: aws.String("about " + name)}
	if vpc != "" {
		in.VpcId = &vpc
	}
	out, err := w.ec2.CreateSecurityGroup(w.ctx, in)
	if err != nil {
		w.t.Fatalf("create group %s: %v", name, err)
	}
	return w.pin(out.GroupId, name)
}

// prefixList makes a list of IPv4 ranges with room for the given number.
func (w *world) prefixList(name string, limit int32, cidrs ...string) string {
	w.t.Helper()
	in := &ec2.CreateManagedPrefixListInput{PrefixListName: &name, MaxEntries: &limit, AddressFamily: aws.String("IPv4")}
	for _, cidr := range cidrs {
		in.Entries = append(in.Entries, types.AddPrefixListEntry{Cidr: aws.String(cidr), Description: aws.String("about " + cidr)})
	}
	out, err := w.ec2.CreateManagedPrefixList(w.ctx, in)
	if err != nil {
		w.t.Fatalf("create prefix list %s: %v", name, err)
	}
	return w.pin(out.PrefixList.PrefixListId, name)
}

// open authorizes ingress and returns the answer.
func (w *world) open(group string, permissions ...types.IpPermission) (any, error) {
	return w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: permissions})
}

// mustOpen authorizes ingress of one rule and pins its identifier.
func (w *world) mustOpen(group, name string, permission types.IpPermission) string {
	w.t.Helper()
	out, err := w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []types.IpPermission{permission}})
	if err != nil {
		w.t.Fatalf("authorize %s: %v", name, err)
	}
	return w.pin(out.SecurityGroupRules[0].SecurityGroupRuleId, name)
}

func (w *world) shut(group string, permissions ...types.IpPermission) (any, error) {
	return w.ec2.RevokeSecurityGroupIngress(w.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: permissions})
}

func (w *world) describe(groups ...string) (any, error) {
	return w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: groups})
}

func (w *world) rules(group string) (any, error) {
	return w.ec2.DescribeSecurityGroupRules(w.ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("group-id", group)})
}

// queue makes a queue and returns its URL.
func (w *world) queue(attributes map[string]string) string {
	w.t.Helper()
	out, err := w.sqs.CreateQueue(w.ctx, &sqs.CreateQueueInput{QueueName: aws.String("events"), Attributes: attributes})
	if err != nil {
		w.t.Fatalf("create a queue: %v", err)
	}
	return w.pin(out.QueueUrl, "queue")
}

func filter(name string, values ...string) []types.Filter {
	return []types.Filter{{Name: &name, Values: values}}
}

// permission makes an IpPermission of a protocol, ports and one or more sources.
func permission(protocol string, from, to int32, sources ...func(*types.IpPermission)) types.IpPermission {
	p := types.IpPermission{IpProtocol: &protocol, FromPort: &from, ToPort: &to}
	for _, add := range sources {
		add(&p)
	}
	return p
}

// everything is protocol -1, which has no ports.
func everything(sources ...func(*types.IpPermission)) types.IpPermission {
	p := permission("-1", 0, 0, sources...)
	p.FromPort, p.ToPort = nil, nil
	return p
}

func v4(cidr string) func(*types.IpPermission) { return v4About(cidr, "") }

func v4About(cidr, description string) func(*types.IpPermission) {
	return func(p *types.IpPermission) {
		r := types.IpRange{CidrIp: &cidr}
		if description != "" {
			r.Description = &description
		}
		p.IpRanges = append(p.IpRanges, r)
	}
}

func v6(cidr string) func(*types.IpPermission) {
	return func(p *types.IpPermission) {
		p.Ipv6Ranges = append(p.Ipv6Ranges, types.Ipv6Range{CidrIpv6: &cidr})
	}
}

func fromGroup(id, description string) func(*types.IpPermission) {
	return func(p *types.IpPermission) {
		pair := types.UserIdGroupPair{GroupId: &id}
		if description != "" {
			pair.Description = &description
		}
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, pair)
	}
}

func fromList(id string) func(*types.IpPermission) {
	return func(p *types.IpPermission) {
		p.PrefixListIds = append(p.PrefixListIds, types.PrefixListId{PrefixListId: &id})
	}
}
