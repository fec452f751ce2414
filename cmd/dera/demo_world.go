package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"dera.example/dera/awssim"
	"dera.example/dera/control"
)

// demoWorld is the simulated organisation.
type demoWorld struct {
	cloud *awssim.Cloud
	hub   *awssim.Account
	queue string
	accts []accountConfig
}

func newDemoWorld(ctx context.Context, now func() time.Time) (*demoWorld, error) {
	ago := 200 * 24 * time.Hour // what furnish makes is as old
	w := &demoWorld{cloud: awssim.New(awssim.Config{Now: func() time.Time { return now().Add(-ago) }, Seed: 7})}
	w.hub = w.cloud.Account("100000000001")
	var err error
	if w.queue, err = w.hub.Region(demoRegion).CreateQueue(ctx, "dera-events"); err != nil {
		return nil, err
	}
	actions, err := demoActions()
	if err != nil {
		return nil, err
	}
	for _, m := range []struct{ id, name, ou string }{
		{"200000000002", "shop-production", "production"}, {"300000000003", "analytics", "production"}, {"400000000004", "sandbox", "sandbox"},
	} {
		role := w.cloud.Account(m.id).AddRole("dera", w.hub.ID(), "demo-external-id", actions...)
		w.accts = append(w.accts, accountConfig{ID: m.id, Name: m.name, OU: m.ou, Role: role, ExternalID: "demo-external-id"})
		if err := w.cloud.ForwardEvents(awssim.Forward{Account: m.id, Queue: w.queue}); err != nil {
			return nil, err
		}
	}
	err = w.furnish(ctx, now())
	ago = 0
	return w, err
}

// demoActions are those of the role that dera role prints.
func demoActions() ([]string, error) {
	controls := fileConfig{Controls: shown()}.controls()
	reads, err1 := control.ReaderPolicy(controls, "aws", "")
	writes, err2 := control.RemediatorPolicy(controls, "aws", "")
	var out []string
	for _, s := range append(reads.Statement, writes.Statement...) {
		out = append(out, s.Action...)
	}
	return out, errors.Join(err1, err2)
}

// furnish makes what is there before the demo begins: one account is well kept,
// one has a website that keeps its block away, one has nothing.
func (w *demoWorld) furnish(ctx context.Context, now time.Time) error {
	shop := w.cloud.Account(w.accts[0].ID).Region(demoRegion)
	www := w.cloud.Account(w.accts[1].ID).Region(demoRegion)
	for _, acct := range w.accts {
		for _, r := range demoRoles(acct.ID) {
			if err := r.make(ctx, w.cloud.Account(acct.ID)); err != nil {
				return err
			}
			w.cloud.Account(acct.ID).UseRole(r.name, now.AddDate(0, 0, -1), demoRegion) // its service is at work
		}
	}
	return errors.Join(
		shop.PutAccountPublicAccessBlock(ctx, &awssim.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}),
		www.CreateBucket(ctx, "analytics-www"), www.PutPublicAccessBlock(ctx, "analytics-www", nil), www.PutBucketWebsite(ctx, "analytics-www", "index.html"),
	)
}

// demoCase is one misconfiguration that appears: rules of a group, or a bucket.
type demoCase struct {
	account int // of demoWorld.accts
	name    string
	story   string
	rules   []awssim.Rule
	bucket  *demoBucket
	trusts  string // account that someone lets assume the role of that name
}

// demoBucket is what someone sets on a bucket.
type demoBucket struct {
	statements []string
	acl        string
}

// make makes the bucket through the simulated API, as a person would.
func (b demoBucket) make(ctx context.Context, r *awssim.Region, name string) error {
	create := r.CreateBucket
	if b.acl != "" {
		create = r.CreateLegacyBucket
	}
	errs := []error{create(ctx, name), r.PutPublicAccessBlock(ctx, name, nil)}
	if len(b.statements) > 0 {
		text := "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    " + strings.Join(b.statements, ",\n    ") + "\n  ]\n}"
		errs = append(errs, r.PutBucketPolicy(ctx, name, strings.ReplaceAll(text, "BUCKET", name)))
	}
	if b.acl != "" {
		errs = append(errs, r.PutBucketACL(ctx, name, b.acl))
	}
	return errors.Join(errs...)
}

func open(from, to int, cidr, description string) awssim.Rule {
	return awssim.Rule{Protocol: "tcp", FromPort: from, ToPort: to, CIDR: cidr, Description: description}
}

func demoCases() []demoCase {
	partner := `{"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*"}`
	ours := `{"Sid": "Ours", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`
	halves := `{"Sid": "Halves", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*", "Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}}`
	return []demoCase{
		{account: 0, name: "checkout", story: "someone opens SSH to the world next to a rule for the office", rules: []awssim.Rule{open(22, 22, "0.0.0.0/0", "debug, remove later"), open(22, 22, "10.0.0.0/24", "office"), open(443, 443, "0.0.0.0/0", "shop")}},
		{account: 1, name: "etl-workers", story: "a wide rule hides SSH and RDP among everything else", rules: []awssim.Rule{open(0, 65535, "0.0.0.0/0", "vendor call")}},
		{account: 1, name: "notebooks", story: "the world in two halves: no rule says 0.0.0.0/0", rules: []awssim.Rule{open(22, 22, "0.0.0.0/1", ""), open(22, 22, "128.0.0.0/1", "")}},
		{account: 2, name: "games", story: "RDP over IPv6, all of today's global unicast", rules: []awssim.Rule{open(3389, 3389, "2000::/3", "")}},
		{account: 0, name: "bastion-eu", story: "a bastion: closing it could lock people out", rules: []awssim.Rule{open(22, 22, "0.0.0.0/0", "operators")}},
		{account: 1, name: "legacy-sftp", story: "an exempted partner drop box", rules: []awssim.Rule{open(22, 22, "0.0.0.0/0", "partner uploads")}},
		{account: 2, name: "redis-test", story: "a database port: only its owner knows", rules: []awssim.Rule{open(6379, 6379, "0.0.0.0/0", "")}},
		{account: 2, name: "everything", story: "all traffic: cannot be split safely", rules: []awssim.Rule{{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}}},
		{account: 1, name: "analytics-reports", story: "a bucket policy that is public in two halves, among statements that are not", bucket: &demoBucket{statements: []string{partner, halves, ours}}},
		{account: 0, name: "invoice-worker", story: "someone lets an unknown account assume the role of a service", trusts: "666600006666"},
		{account: 1, name: "analytics-inbox", story: "an old bucket whose ACL grants public write access", bucket: &demoBucket{acl: "public-read-write"}},
	}
}

const demoConfig = `version: 1
organization: o-a1b2c3d4e5
trusted_accounts: [{id: "222233334444", name: ACME Data, reason: reads the daily exports}]
permissions: {quiet_hours: {off: true}} # the demo runs on Fridays too
`

const demoExemptions = `version: 1
exemptions:
  - id: legacy-sftp
    match:
      resources: ["arn:aws:ec2:us-east-1:300000000003:security-group/%s"]
      keys: ["tcp/22"]
    owner: data-platform@example.com
    reason: Partner uploads until the S3 hand-over is done (TICKET-42)
    expires: %s
`

// simulated are the controls on what the simulated AWS has.
func simulated() []string { return []string{"ec2-securitygroup-*", "s3-account-*", "s3-bucket-*"} }

// shown are the controls of the demo: of roles all but iam-role-reported, since the simulated AWS
// has no GuardDuty.
func shown() []string {
	return append(simulated(), "iam-policy-*", "iam-role-a*", "iam-role-e*", "iam-role-o*", "iam-role-u*", "iam-role-w*")
}
