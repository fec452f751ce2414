package securitygroup

import (
	"net/netip"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
)

func codePlan(t *testing.T, g *Group, revoke Rule, rest ...Rule) dera.Plan {
	t.Helper()
	p := dera.Plan{Type: Name, Resource: "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1"}
	for _, r := range rest {
		c, err := g.Authorize(r)
		if err != nil {
			t.Fatal(err)
		}
		p.Changes = append(p.Changes, c)
	}
	c, err := g.Revoke(revoke)
	if err != nil {
		t.Fatal(err)
	}
	p.Changes = append(p.Changes, c)
	return p
}

func TestDeclarePlan(t *testing.T) {
	t.Parallel()
	rule := func(change func(*Rule)) Rule {
		r := Rule{ID: "sgr-1", Protocol: "tcp", From: 0, To: 65535, CIDR: netip.MustParsePrefix("0.0.0.0/0"), Description: `say "${a}" %{b}`, Tags: map[string]string{"k": "v", "a": "b"}}
		if change != nil {
			change(&r)
		}
		return r
	}
	part := func(from, to int32) Rule {
		return rule(func(r *Rule) { r.ID, r.From, r.To, r.Tags = "", from, to, nil })
	}
	head := "--- sg-1 as it is\n+++ sg-1 without the finding\n@@ arn:aws:ec2:us-east-1:111122223333:security-group/sg-1 @@\n"
	tests := []struct {
		name   string
		revoke Rule
		rest   []Rule
		as     resource.Format
		want   string
	}{
		{name: "terraform_split", revoke: rule(nil), rest: []Rule{part(0, 21), part(23, 65535)}, as: resource.Format{Language: resource.Terraform}, want: head + `+resource "aws_vpc_security_group_ingress_rule" "tcp_0_21_from_0_0_0_0_0" {
+  security_group_id = "sg-1"
+  ip_protocol       = "tcp"
+  from_port         = 0
+  to_port           = 21
+  cidr_ipv4         = "0.0.0.0/0"
+  description       = "say \"$${a}\" %%{b}"
+}
+resource "aws_vpc_security_group_ingress_rule" "tcp_23_65535_from_0_0_0_0_0" {
+  security_group_id = "sg-1"
+  ip_protocol       = "tcp"
+  from_port         = 23
+  to_port           = 65535
+  cidr_ipv4         = "0.0.0.0/0"
+  description       = "say \"$${a}\" %%{b}"
+}
-resource "aws_vpc_security_group_ingress_rule" "sgr_1" {
-  security_group_id = "sg-1"
-  ip_protocol       = "tcp"
-  from_port         = 0
-  to_port           = 65535
-  cidr_ipv4         = "0.0.0.0/0"
-  description       = "say \"$${a}\" %%{b}"
-  tags = {
-    "a" = "b"
-    "k" = "v"
-  }
-}`},
		{name: "terraform_without_free_text", revoke: rule(func(r *Rule) { r.CIDR = netip.MustParsePrefix("::/0") }), as: resource.Format{Language: resource.Terraform, Plain: true}, want: head + `-resource "aws_vpc_security_group_ingress_rule" "sgr_1" {
-  security_group_id = "sg-1"
-  ip_protocol       = "tcp"
-  from_port         = 0
-  to_port           = 65535
-  cidr_ipv6         = "::/0"
-}`},
		{name: "terraform_all_traffic_from_a_list", revoke: rule(func(r *Rule) {
			r.Protocol, r.From, r.To, r.PrefixList, r.Description, r.Tags = "-1", -1, -1, &PrefixList{ID: "pl-1"}, "", nil
		}), as: resource.Format{Language: resource.Terraform}, want: head + `-resource "aws_vpc_security_group_ingress_rule" "sgr_1" {
-  security_group_id = "sg-1"
-  ip_protocol       = "-1"
-  prefix_list_id    = "pl-1"
-}`},
		{name: "cloudformation_split", revoke: rule(nil), rest: []Rule{part(23, 65535)}, as: resource.Format{Language: resource.CloudFormation}, want: head + `+Tcp2365535From00000:
+  Type: AWS::EC2::SecurityGroupIngress
+  Properties:
+    GroupId: "sg-1"
+    IpProtocol: "tcp"
+    FromPort: 23
+    ToPort: 65535
+    CidrIp: "0.0.0.0/0"
+    Description: "say \"${a}\" %{b}"
-Sgr1:
-  Type: AWS::EC2::SecurityGroupIngress
-  Properties:
-    GroupId: "sg-1"
-    IpProtocol: "tcp"
-    FromPort: 0
-    ToPort: 65535
-    CidrIp: "0.0.0.0/0"
-    Description: "say \"${a}\" %{b}"`},
		{name: "cloudformation_icmp_from_a_group", revoke: rule(func(r *Rule) {
			r.Protocol, r.From, r.To, r.Group = "icmp", 8, -1, &GroupRef{ID: "sg-2", Owner: "444455556666"}
		}), as: resource.Format{Language: resource.CloudFormation, Plain: true}, want: head + `-Sgr1:
-  Type: AWS::EC2::SecurityGroupIngress
-  Properties:
-    GroupId: "sg-1"
-    IpProtocol: "icmp"
-    FromPort: 8
-    ToPort: -1
-    SourceSecurityGroupId: "sg-2"
-    SourceSecurityGroupOwnerId: "444455556666"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := &Group{ID: "sg-1", Ingress: []Rule{tt.revoke}}
			lines, err := resource.NewRegistry(Type()).Declare(g, codePlan(t, g, tt.revoke, tt.rest...), tt.as)
			if got := strings.Join(lines, "\n"); err != nil || got != tt.want {
				t.Errorf("got %v\n%s\nwant\n%s", err, got, tt.want)
			}
		})
	}
}

func TestDeclarePlanRefuses(t *testing.T) {
	t.Parallel()
	r := Rule{ID: "sgr-1", Protocol: "tcp", From: 22, To: 22, CIDR: netip.MustParsePrefix("0.0.0.0/0")}
	g := &Group{ID: "sg-1", Ingress: []Rule{r}}
	p := codePlan(t, g, r)
	foreign := p
	foreign.Changes = []dera.Change{{Operation: "ec2:Other", Version: 1, Input: []byte(`{}`)}}
	tests := []struct {
		name   string
		config any
		plan   dera.Plan
		as     resource.Format
	}{
		{"unknown_language", g, p, resource.Format{Language: "bicep"}},
		{"unknown_type", g, dera.Plan{Type: "AWS::X::Y"}, resource.Format{Language: resource.Terraform}},
		{"unknown_operation", g, foreign, resource.Format{Language: resource.Terraform}},
		{"rule_that_is_gone", &Group{ID: "sg-1"}, p, resource.Format{Language: resource.Terraform}},
		{"another_group", &Group{ID: "sg-2"}, p, resource.Format{Language: resource.Terraform}},
		{"no_configuration", nil, p, resource.Format{Language: resource.Terraform}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if lines, err := resource.NewRegistry(Type()).Declare(tt.config, tt.plan, tt.as); err == nil {
				t.Errorf("got %q, want an error", lines)
			}
		})
	}
}
