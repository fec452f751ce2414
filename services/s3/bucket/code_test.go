package bucket

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

func TestDeclareBucket(t *testing.T) {
	t.Parallel()
	b := &Bucket{
		Name: "reports-2026", Owner: "111122223333", OwnerID: "c0ffee", Ownership: "ObjectWriter",
		Policy: `{"Version":"2012-10-17","Statement":[{"Sid":"Keep","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222233334444:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::reports-2026/*"},` +
			`{"Sid":"Site","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::reports-2026/*","Condition":{"StringEquals":{"aws:Referer":"s3cr3t"}}}]}`,
		Grants: []s3.Grant{{ID: "c0ffee", Permission: "FULL_CONTROL"}, {URI: s3.AllUsers, Permission: "READ"}},
		Block:  &s3.Block{PublicACLs: false},
	}
	changes := map[string]func() (dera.Change, error){
		"policy": func() (dera.Change, error) { return b.EditPolicy(document.PolicyEdit{Drop: []int{1}}) },
		"narrow": func() (dera.Change, error) {
			return b.Narrow([]document.PublicCut{{Index: 1}}, document.House{Account: b.Owner})
		},
		"acl":   func() (dera.Change, error) { return b.DropGrants(s3.Grant.Public) },
		"block": func() (dera.Change, error) { return b.SetBlock(s3.FullBlock()) },
	}
	head := "--- reports-2026 as it is\n+++ reports-2026 without the finding\n@@ arn:aws:s3:::reports-2026 @@\n"
	tests := []struct{ name, change, language, want string }{
		{"policy_in_terraform", "policy", resource.Terraform, head + ` resource "aws_s3_bucket_policy" "reports_2026" {
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
		{"narrowed_in_cloudformation", "narrow", resource.CloudFormation, head + ` Reports2026Policy:
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
		{"acl_in_terraform", "acl", resource.Terraform, head + ` resource "aws_s3_bucket_acl" "reports_2026" {
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
		{"block_in_terraform", "block", resource.Terraform, head + ` resource "aws_s3_bucket_public_access_block" "reports_2026" {
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
		{"block_in_cloudformation", "block", resource.CloudFormation, head + ` Reports2026:
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
		{"acl_in_cloudformation", "acl", resource.CloudFormation, head + ` Reports2026:
   Type: AWS::S3::Bucket
   Properties:
-    AccessControl: # a public canned ACL
+    AccessControl: Private`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := changes[tt.change]()
			if err != nil {
				t.Fatal(err)
			}
			p := dera.Plan{Type: Name, Resource: ARNOf("aws", b.Name), Changes: []dera.Change{c, {Operation: PutBucketTagging, Version: 1, Optional: true}}}
			got, err := resource.NewRegistry(Type()).Declare(b, p, resource.Format{Language: tt.language})
			if text := strings.Join(got, "\n"); err != nil || text != tt.want {
				t.Errorf("got %v\n%s\nwant\n%s", err, text, tt.want)
			}
		})
	}
}
