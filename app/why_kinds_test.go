package app_test

import (
	"net/netip"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/ebs"
	machine "dera.example/dera/services/ec2/instance"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/accesskey"
	"dera.example/dera/services/iam/group"
	"dera.example/dera/services/iam/passwordpolicy"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/kms/key"
	"dera.example/dera/services/rds/instance"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
)

const (
	ann    = "arn:aws:iam::111122223333:user/ann"
	object = "arn:aws:s3:::b/k"
	public = `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
)

const denyGet = `{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`

func explicit(q app.Question) app.Question {
	q.Call.Explicit = true
	return q
}

type changes = []func() (dera.Change, error)

// TestWhyKinds: every kind of write is answered for, or left open.
func TestWhyKinds(t *testing.T) {
	t.Parallel()
	set := func(typ interface {
		Set(config any, path string, value any) (dera.Change, error)
	}, config any, path string, value any) func() (dera.Change, error) {
		return func() (dera.Change, error) { return typ.Set(config, path, value) }
	}
	on, full, off := true, s3.FullBlock(), false
	managed := &policy.Policy{Name: "p", Path: "/", Default: policy.Version{ID: "v1", Document: policyText(getPut)}}
	setDocument := func(n int) func() (dera.Change, error) {
		return func() (dera.Change, error) {
			list, err := managed.SetDocument(policyText(putOne))
			if err != nil {
				return dera.Change{}, err
			}
			return list[n], nil
		}
	}
	members := &iam.Identity{Name: "staff", Inline: []iam.Inline{{Name: "p", Document: policyText(getPut)}}}
	attached := &iam.Identity{Name: "app", Attached: []iam.Attached{{ARN: "arn:aws:iam::aws:policy/X", Document: policyText(getPut)}}}
	trust := policyText(`{"Effect":"Allow","Principal":{"AWS":"` + appRole + `"},"Action":"sts:AssumeRole"}`)
	closed := policyText(`{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	target := &role.Role{Identity: iam.Identity{Name: "target"}, Account: own, Trust: trust}
	open := &bucket.Bucket{Name: "b", Owner: own, OwnerID: "o", Region: "eu-west-1", Policy: policyText(public), Grants: []s3.Grant{{URI: "http://acs.amazonaws.com/groups/global/AllUsers", Permission: "READ"}}}
	database := &instance.Instance{ID: "shop", Public: &on, DeletionProtection: &off, MinorUpgrade: &off}
	ann1 := &accesskey.Key{User: "ann", ID: "AKIAIOSFODNN7EXAMPLE", Status: accesskey.Active}
	rotation := &key.Key{Config: resourcepolicy.Config{ID: "k"}, Rotation: &off}
	roleARN := iam.RoleKind.ARN("aws", own, "/", "app")
	targetARN := iam.RoleKind.ARN("aws", own, "/path/", "target")
	bucketARN := dera.NewARN("aws", "s3", "", "", "b")
	policyARN := dera.ARN("arn:aws:iam::111122223333:policy/p")
	call := func(principal, action, resource, by string) app.Question {
		return app.Question{Call: &app.DeniedCall{Principal: principal, Action: action, Resource: resource, Policy: by, Authorization: true}}
	}
	flags := func(principal, action, resource string) app.Question {
		q := call(principal, action, resource, "")
		q.Call.Authorization = false
		return q
	}
	const identity, resourceBased = "identity-based policy", "resource-based policy"
	tests := []struct {
		name       string
		typ        string
		arn        dera.ARN
		principals []string
		changes    changes
		ask        app.Question
		want       app.Blame
	}{
		{"managed_policy_of_the_role", policy.Name, policyARN, []string{appRole}, changes{setDocument(0), setDocument(1)}, call(session, "s3:GetObject", object, identity), app.BlameYes},
		{"managed_policy_of_others_as_far_as_known", policy.Name, policyARN, []string{ann}, changes{setDocument(0), setDocument(1)}, call(session, "s3:GetObject", object, identity), app.BlameUnknown},
		{"managed_policy_and_another_action", policy.Name, policyARN, nil, changes{setDocument(0), setDocument(1)}, call(session, "s3:PutObject", object, identity), app.BlameNo},
		{"managed_policy_of_another_account", policy.Name, policyARN, nil, changes{setDocument(1)}, call("arn:aws:iam::444455556666:user/x", "s3:GetObject", object, identity), app.BlameNo},
		{"managed_policy_and_nobody", policy.Name, policyARN, nil, changes{setDocument(1)}, call("anonymous", "s3:GetObject", object, ""), app.BlameNo},
		{"version_not_in_force", policy.Name, policyARN, []string{appRole}, changes{setDocument(0)}, call(session, "s3:GetObject", object, identity), app.BlameNo},
		{"group_of_the_user", group.Name, iam.GroupKind.ARN("aws", own, "/", "staff"), []string{ann}, changes{func() (dera.Change, error) { return members.SetInline(iam.GroupKind, "p", "") }}, call(ann, "s3:GetObject", object, identity), app.BlameYes},
		{"group_of_which_nothing_is_known", group.Name, iam.GroupKind.ARN("aws", own, "/", "staff"), nil, changes{func() (dera.Change, error) { return members.SetInline(iam.GroupKind, "p", "") }}, call(ann, "s3:GetObject", object, identity), app.BlameUnknown},
		{"detached", role.Name, roleARN, nil, changes{func() (dera.Change, error) {
			return attached.DetachManaged(iam.RoleKind, "arn:aws:iam::aws:policy/X")
		}}, call(session, "s3:GetObject", object, identity), app.BlameYes},
		{"detached_for_a_copy", role.Name, roleARN, nil, changes{
			func() (dera.Change, error) { return attached.SetInline(iam.RoleKind, "copy", policyText(getPut)) },
			func() (dera.Change, error) {
				return attached.DetachManaged(iam.RoleKind, "arn:aws:iam::aws:policy/X")
			},
		}, call(session, "s3:GetObject", object, identity), app.BlameNo},
		{"detached_for_a_narrower_copy", role.Name, roleARN, nil, changes{
			func() (dera.Change, error) { return attached.SetInline(iam.RoleKind, "copy", policyText(putOne)) },
			func() (dera.Change, error) {
				return attached.DetachManaged(iam.RoleKind, "arn:aws:iam::aws:policy/X")
			},
		}, call(session, "s3:GetObject", object, identity), app.BlameYes},
		{"denied_by_a_statement", role.Name, roleARN, nil, changes{func() (dera.Change, error) { return attached.SetInline(iam.RoleKind, "staged", policyText(denyGet)) }}, explicit(call(session, "s3:GetObject", object, identity)), app.BlameYes},
		{"denied_by_a_statement_that_aws_does_not_name", role.Name, roleARN, nil, changes{func() (dera.Change, error) { return attached.SetInline(iam.RoleKind, "staged", policyText(denyGet)) }}, call(session, "s3:GetObject", object, identity), app.BlameUnknown},
		{"denied_by_the_statement_of_another_policy", role.Name, roleARN, nil, changes{func() (dera.Change, error) { return attached.SetInline(iam.RoleKind, "staged", policyText(denyGet)) }}, explicit(call(session, "s3:GetObject", object, "service control policy")), app.BlameUnknown},
		{"trust_taken", role.Name, targetARN, nil, changes{func() (dera.Change, error) { return target.SetTrust(closed) }}, call(session, "sts:AssumeRole", string(targetARN), resourceBased), app.BlameYes},
		{"trust_taken_named_without_path", role.Name, targetARN, nil, changes{func() (dera.Change, error) { return target.SetTrust(closed) }}, call(session, "sts:AssumeRole", "arn:aws:iam::111122223333:role/target", "role trust policy"), app.BlameYes},
		{"trust_of_another_role", role.Name, targetARN, nil, changes{func() (dera.Change, error) { return target.SetTrust(closed) }}, call(session, "sts:AssumeRole", "arn:aws:iam::111122223333:role/x", resourceBased), app.BlameNo},
		{"trust_of_another_principal", role.Name, targetARN, nil, changes{func() (dera.Change, error) { return target.SetTrust(closed) }}, call(ann, "sts:AssumeRole", string(targetARN), resourceBased), app.BlameNo},
		{"bucket_policy_taken", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) {
			return dropPolicy(open)
		}}, call(session, "s3:GetObject", object, identity), app.BlameYes},
		{"bucket_policy_of_another_bucket", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) { return dropPolicy(open) }}, call(session, "s3:GetObject", "arn:aws:s3:::bb/k", identity), app.BlameNo},
		{"bucket_policy_through_an_access_point", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) { return dropPolicy(open) }}, call(session, "s3:GetObject", "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/k", identity), app.BlameUnknown},
		{"bucket_policy_and_another_action", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) { return dropPolicy(open) }}, call("anonymous", "s3:PutObject", object, ""), app.BlameNo},
		{"acl_and_a_read", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) { return open.DropGrants(s3.Grant.Public) }}, call(session, "s3:GetObject", object, identity), app.BlameUnknown},
		{"acl_and_what_no_grant_allows", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) { return open.DropGrants(s3.Grant.Public) }}, call(session, "s3:PutBucketPolicy", "arn:aws:s3:::b", identity), app.BlameNo},
		{"block_and_a_public_policy", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) { return open.SetBlock(full) }}, call(session, "s3:PutBucketPolicy", "arn:aws:s3:::b", resourceBased), app.BlameUnknown},
		{"block_and_a_lifecycle", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) { return open.SetBlock(full) }}, call(session, "s3:PutLifecycleConfiguration", "arn:aws:s3:::b", identity), app.BlameNo},
		{"block_and_another_account", bucket.Name, bucketARN, nil, changes{func() (dera.Change, error) { return open.SetBlock(full) }}, call("arn:aws:iam::444455556666:role/x", "s3:ListBucketVersions", "arn:aws:s3:::b", resourceBased), app.BlameUnknown},
		{"account_block_and_a_read", account.Name, account.ARNOf("aws", own), nil, changes{func() (dera.Change, error) { return (&account.AccountBlock{Account: own}).SetBlock(full) }}, call(session, "s3:GetObject", object, identity), app.BlameUnknown},
		{"account_block_and_a_queue", account.Name, account.ARNOf("aws", own), nil, changes{func() (dera.Change, error) { return (&account.AccountBlock{Account: own}).SetBlock(full) }}, call(session, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q", identity), app.BlameNo},
		{"key_inactive_and_not_authorized", accesskey.Name, accesskey.ARNOf(iam.UserKind.ARN("aws", own, "/", "ann"), ann1.ID), nil, changes{set(accesskey.Type(), ann1, "status", accesskey.Inactive)}, call(ann, "s3:GetObject", object, identity), app.BlameNo},
		{"key_inactive_and_some_error", accesskey.Name, accesskey.ARNOf(iam.UserKind.ARN("aws", own, "/", "ann"), ann1.ID), nil, changes{set(accesskey.Type(), ann1, "status", accesskey.Inactive)}, flags(ann, "s3:GetObject", object), app.BlameUnknown},
		{"key_of_another_user", accesskey.Name, accesskey.ARNOf(iam.UserKind.ARN("aws", own, "/", "ann"), ann1.ID), nil, changes{set(accesskey.Type(), ann1, "status", accesskey.Inactive)}, flags(appRole, "s3:GetObject", object), app.BlameNo},
		{"password_policy", passwordpolicy.Name, passwordpolicy.ARNOf("aws", own), nil, changes{func() (dera.Change, error) {
			return (&passwordpolicy.Policy{Account: own}).Set(passwordpolicy.Rules{Own: true, Length: 14})
		}}, call(ann, "iam:ChangePassword", ann, identity), app.BlameUnknown},
		{"key_rotation", key.Name, key.ARNOf("aws", own, "eu-west-1", "k"), nil, changes{set(key.Type(), rotation, "rotation", true)}, call(session, "kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k", resourceBased), app.BlameNo},
		{"encryption_by_default_and_a_volume", ebs.Name, ebs.ARNOf("aws", own, "", "eu-west-1"), nil, changes{set(ebs.Type(), &ebs.Encryption{Region: "eu-west-1"}, "enabled", true)}, call(session, "ec2:CreateVolume", "*", identity), app.BlameUnknown},
		{"encryption_by_default_and_an_image", ebs.Name, ebs.ARNOf("aws", own, "", "eu-west-1"), nil, changes{set(ebs.Type(), &ebs.Encryption{Region: "eu-west-1"}, "enabled", true)}, call(session, "ec2:DescribeImages", "*", identity), app.BlameNo},
		{"deletion_protection_and_not_authorized", instance.Name, dera.NewARN("aws", "rds", "eu-west-1", own, "db:shop"), nil, changes{set(instance.Type(), database, instance.DeletionProtection, true)}, call(session, "rds:DeleteDBInstance", "arn:aws:rds:eu-west-1:111122223333:db:shop", identity), app.BlameNo},
		{"database_not_public_and_a_public_address", instance.Name, dera.NewARN("aws", "rds", "eu-west-1", own, "db:shop"), nil, changes{set(instance.Type(), database, instance.Public, false)}, connection("203.0.113.7", "198.51.100.4", 5432), app.BlameUnknown},
		{"database_not_public_and_a_private_address", instance.Name, dera.NewARN("aws", "rds", "eu-west-1", own, "db:shop"), nil, changes{set(instance.Type(), database, instance.Public, false)}, connection("10.0.0.7", "10.0.0.8", 5432), app.BlameNo},
		{"stopped_and_a_private_address", machine.Name, dera.NewARN("aws", "ec2", "eu-west-1", own, "instance/i-0a1"), nil, changes{set(machine.Type(), &machine.Instance{ID: "i-0a1", Running: &on}, "running", false)}, connection("10.0.0.7", "10.0.0.8", 5432), app.BlameUnknown},
		{"stopped_and_a_call", machine.Name, dera.NewARN("aws", "ec2", "eu-west-1", own, "instance/i-0a1"), nil, changes{set(machine.Type(), &machine.Instance{ID: "i-0a1", Running: &on}, "running", false)}, call(session, "ec2:DescribeImages", "*", identity), app.BlameNo},
		{"a_policy_refuses_no_connection", role.Name, roleARN, nil, changes{func() (dera.Change, error) { return attached.SetInline(iam.RoleKind, "copy", policyText(putOne)) }}, connection("203.0.113.7", "sg-1", 22), app.BlameNo},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			b.made(t, dera.Remediation{ID: "r-1", Control: "c", Principals: tt.principals, Plan: plan(t, tt.typ, tt.arn, tt.changes...)}, ago(3))
			tt.ask.At = at(noon())
			if w := b.ask(t, tt.ask); w.Answer != tt.want {
				t.Errorf("got %s, %+v %+v %+v; want %s", w.Answer, w.Did, w.Perhaps, w.RuledOut, tt.want)
			}
		})
	}
}

// dropPolicy is the change that deletes a bucket policy.
func dropPolicy(b *bucket.Bucket) (dera.Change, error) {
	return resource.NewChange(bucket.DeleteBucketPolicy, bucket.BucketPolicyInput{Bucket: b.Name, Expect: b.Policy}, b.Policy, nil, bucket.PutBucketPolicy, bucket.BucketPolicyInput{Bucket: b.Name, Policy: b.Policy}, []string{"- policy"})
}

func connection(from, to string, port uint16) app.Question {
	return app.Question{Connection: &app.RefusedConnection{From: from, To: to, Port: port, Protocol: "tcp"}}
}

// TestWhyConnection: a rule that went refused what only it let through, to what has the group.
func TestWhyConnection(t *testing.T) {
	t.Parallel()
	rule := func(id string, port int32, from string) securitygroup.Rule {
		return securitygroup.Rule{ID: id, Protocol: "tcp", From: port, To: port, CIDR: netip.MustParsePrefix(from)}
	}
	world, office, web := rule("sgr-1", 22, "0.0.0.0/0"), rule("sgr-2", 22, "198.51.100.0/24"), rule("sgr-3", 443, "0.0.0.0/0")
	before := securitygroup.Group{ID: "sg-1", Owner: own, Ingress: []securitygroup.Rule{world, office, web}}
	reach := func(rules ...securitygroup.Rule) netset.Set {
		s, err := securitygroup.Reach(rules)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	made := func(t *testing.T, others ...string) *book {
		b := newBook()
		n := evidence.Network{Old: reach(before.Ingress...), New: reach(office, web), Forbidden: reach(world).Subtract(reach(office)), OldOthers: others, NewOthers: others}
		ev, err := n.Evidence()
		if err != nil {
			t.Fatal(err)
		}
		blob, hash, err := ev.Blob()
		if err != nil {
			t.Fatal(err)
		}
		b.evidence[hash] = blob
		b.made(t, dera.Remediation{ID: "r-1", Control: "c", Evidence: hash, Interfaces: []string{"eni-1 (203.0.113.50)", "eni-2"},
			Plan: plan(t, securitygroup.Name, dera.NewARN("aws", "ec2", "eu-west-1", own, "security-group/sg-1"), func() (dera.Change, error) { return before.Revoke(world) })}, ago(3))
		return b
	}
	tests := []struct {
		name string
		ask  app.Question
		want app.Blame
		why  string
	}{
		{"closed_for_the_internet", connection("203.0.113.7", "sg-1", 22), app.BlameYes, "it closed tcp/22 from 203.0.113.7 to sg-1"},
		{"closed_at_an_interface", connection("203.0.113.7", "eni-2", 22), app.BlameYes, ""},
		{"closed_at_a_public_address", connection("203.0.113.7", "203.0.113.50", 22), app.BlameYes, ""},
		{"another_address", connection("203.0.113.7", "203.0.113.51", 22), app.BlameUnknown, "whether 203.0.113.51 has this group"},
		{"another_group", connection("203.0.113.7", "sg-2", 22), app.BlameUnknown, "has this group too"},
		{"another_port", connection("203.0.113.7", "203.0.113.51", 443), app.BlameNo, ""},
		{"port_never_open", connection("203.0.113.7", "sg-1", 80), app.BlameNo, ""},
		{"other_protocol", app.Question{Connection: &app.RefusedConnection{From: "203.0.113.7", To: "sg-1", Port: 22, Protocol: "udp"}}, app.BlameNo, ""},
		{"another_rule_allows_it", connection("198.51.100.9", "sg-1", 22), app.BlameNo, ""},
		{"a_range_closed", connection("203.0.113.0/24", "sg-1", 22), app.BlameYes, ""},
		{"a_range_closed_in_part", connection("198.51.0.0/16", "sg-1", 22), app.BlameUnknown, "only some of these"},
		{"ipv6_was_never_open", connection("2001:db8::1", "sg-1", 22), app.BlameNo, ""},
		{"from_a_group", connection("sg-9", "sg-1", 22), app.BlameUnknown, "name its address with --from"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.ask.At = at(noon())
			w := made(t).ask(t, tt.ask)
			text := ""
			for _, c := range append(w.Did, w.Perhaps...) {
				text += c.Why
			}
			if w.Answer != tt.want || !strings.Contains(text, tt.why) {
				t.Errorf("got %s, %q, %+v; want %s with %q", w.Answer, text, w.RuledOut, tt.want, tt.why)
			}
		})
	}
	ask := connection("203.0.113.7", "sg-1", 22)
	ask.At = at(noon())
	if w := made(t, "tcp 22 from sg-9").ask(t, ask); w.Answer != app.BlameUnknown {
		t.Errorf("a rule from a group stays: got %s, want %s", w.Answer, app.BlameUnknown)
	}
	lost := made(t)
	lost.evidence = nil
	if w := lost.ask(t, ask); w.Answer != app.BlameUnknown {
		t.Errorf("without evidence: got %s, want %s", w.Answer, app.BlameUnknown)
	}
	forged := made(t)
	for hash, blob := range forged.evidence {
		forged.evidence[hash] = []byte(strings.Replace(string(blob), "198.51.100", "203.0.113", 1))
	}
	if w := forged.ask(t, ask); w.Answer != app.BlameUnknown {
		t.Errorf("with forged evidence: got %s, want %s", w.Answer, app.BlameUnknown)
	}
}
