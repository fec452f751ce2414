package resource

import (
	"strings"
	"testing"

	"dera.example/dera"
)

func TestDeclareBucket(t *testing.T) {
	t.Parallel()
	b := &Bucket{
		Name: "reports-2026", Owner: "111122223333", OwnerID: "c0ffee", Ownership: "ObjectWriter",
		Policy: `{"Version":"2012-10-17","Statement":[{"Sid":"Keep","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222233334444:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::reports-2026/*"},` +
			`{"Sid":"Site","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports-2026/*","Condition":{"StringEquals":{"aws:Referer":"s3cr3t"}}}]}`,
		Grants: []Grant{{ID: "c0ffee", Permission: "FULL_CONTROL"}, {URI: AllUsers, Permission: "READ"}},
		Block:  &Block{PublicACLs: false},
	}
	changes := map[string]func() (dera.Change, error){
		"policy": func() (dera.Change, error) { return b.EditPolicy(PolicyEdit{Drop: []int{1}}) },
		"narrow": func() (dera.Change, error) {
			return b.Narrow([]PublicCut{{Index: 1}}, House{Account: b.Owner})
		},
		"acl":   func() (dera.Change, error) { return b.DropGrants(Grant.Public) },
		"block": func() (dera.Change, error) { return b.SetBlock(FullBlock()) },
	}
	head := "--- reports-2026 as it is\n+++ reports-2026 without the finding\n@@ arn:aws:s3:::reports-2026 @@\n"
	tests := []struct{ name, change, language, want string }{
		{"policy_in_terraform", "policy", Terraform, head + ` resource "aws_s3_bucket_policy" "reports_2026" {
   bucket = "reports-2026"
   policy = jsonencode({
     Statement = [
-      {
-          "Sid": "Site",
-          "Effect": "Allow",
-          "Principal": "*",
-          "Action": "s3:GetObject",
-          "Resource": "arn:aws:s3:::reports-2026/*",
-          "Condition": {
-              "StringEquals": {
-                  "aws:Referer": "redacted-1"
-              }
-          }
-      }
     ]
   })
 }`},
		{"narrowed_in_cloudformation", "narrow", CloudFormation, head + ` Reports2026Policy:
   Type: AWS::S3::BucketPolicy
   Properties:
     Bucket: "reports-2026"
     PolicyDocument:
       Statement:
-        - {
-              "Sid": "Site",
-              "Effect": "Allow",
-              "Principal": "*",
-              "Action": "s3:GetObject",
-              "Resource": "arn:aws:s3:::reports-2026/*",
-              "Condition": {
-                  "StringEquals": {
-                      "aws:Referer": "redacted-1"
-                  }
-              }
-          }
+        - {
+              "Sid": "Site",
+              "Effect": "Allow",
+              "Principal": "*",
+              "Action": "s3:GetObject",
+              "Resource": "arn:aws:s3:::reports-2026/*",
+              "Condition": {
+                  "StringEquals": {
+                      "aws:Referer": "redacted-1",
+                      "aws:PrincipalAccount": "111122223333"
+                  }
+              }
+          }`},
		{"acl_in_terraform", "acl", Terraform, head + ` resource "aws_s3_bucket_acl" "reports_2026" {
   bucket = "reports-2026"
   access_control_policy {
-    grant {
-      permission = "READ"
-      grantee {
-        type = "Group"
-        uri  = "http://acs.amazonaws.com/groups/global/AllUsers"
-      }
-    }
   }
 }`},
		{"block_in_terraform", "block", Terraform, head + ` resource "aws_s3_bucket_public_access_block" "reports_2026" {
   bucket = "reports-2026"
-  block_public_acls       = false
-  ignore_public_acls      = false
-  block_public_policy     = false
-  restrict_public_buckets = false
+  block_public_acls       = true
+  ignore_public_acls      = true
+  block_public_policy     = true
+  restrict_public_buckets = true
 }`},
		{"block_in_cloudformation", "block", CloudFormation, head + ` Reports2026:
   Type: AWS::S3::Bucket
   Properties:
     PublicAccessBlockConfiguration:
-      BlockPublicAcls: false
-      IgnorePublicAcls: false
-      BlockPublicPolicy: false
-      RestrictPublicBuckets: false
+      BlockPublicAcls: true
+      IgnorePublicAcls: true
+      BlockPublicPolicy: true
+      RestrictPublicBuckets: true`},
		{"acl_in_cloudformation", "acl", CloudFormation, head + ` Reports2026:
   Type: AWS::S3::Bucket
   Properties:
-    AccessControl: # whatever lets strangers in
+    AccessControl: Private`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := changes[tt.change]()
			if err != nil {
				t.Fatal(err)
			}
			p := dera.Plan{Type: BucketType, Resource: BucketARN("aws", b.Name), Changes: []dera.Change{c, {Operation: PutBucketTagging, Version: 1, Optional: true}}}
			got, err := NewRegistry(Kinds()...).Declare(b, p, Format{Language: tt.language})
			if text := strings.Join(got, "\n"); err != nil || text != tt.want {
				t.Errorf("got %v\n%s\nwant\n%s", err, text, tt.want)
			}
		})
	}
	t.Run("account", func(t *testing.T) {
		t.Parallel()
		a := &AccountBlock{Account: "111122223333"}
		c, err := a.SetBlock(FullBlock())
		if err != nil {
			t.Fatal(err)
		}
		p := dera.Plan{Type: AccountBlockType, Resource: AccountBlockARN("aws", a.Account), Changes: []dera.Change{c}}
		got, err := NewRegistry(Kinds()...).Declare(a, p, Format{Language: Terraform})
		if err != nil || len(got) != 10 || got[4] != `   account_id = "111122223333"` {
			t.Errorf("terraform: got %v, %q", err, got)
		}
		if _, err := NewRegistry(Kinds()...).Declare(a, p, Format{Language: CloudFormation}); err == nil {
			t.Errorf("cloudformation: got no error, and it has no such resource")
		}
	})
}
