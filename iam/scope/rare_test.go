package scope

import "testing"

func TestRare(t *testing.T) {
	t.Parallel()
	const recovery, databases, key, incidents = "it is about recovery", "it is about databases", "a key may be lost without it", "it is about incidents"
	for action, want := range map[string]string{
		"rds:DescribeDBInstances": databases, "rds:RestoreDBInstanceFromDBSnapshot": recovery, "rds:FailoverDBCluster": recovery, "rds:ModifyDBInstance": "",
		"s3:RestoreObject": recovery, "codedeploy:RollbackDeployment": recovery, "ec2:CreateSnapshot": recovery, "ec2:CopySnapshot": recovery, "ec2:DeleteSnapshot": "",
		"rds:CopyDBClusterSnapshot": recovery, "backup:StartRestoreJob": recovery, "drs:StartRecovery": recovery, "kms:CancelKeyDeletion": key, "kms:PutKeyPolicy": key,
		"kms:EnableKey": key, "kms:EnableKeyRotation": "", "ssm:StartSession": incidents, "ssm:sendcommand": incidents, "ssm:GetParameter": "",
		"rds-db:connect": databases, "rds-data:ExecuteStatement": databases, "redshift-data:ExecuteStatement": databases, "dynamodb:Scan": databases,
		"dynamodb:PutItem": "", "iam:PassRole": "", "s3:GetObject": "", "sqs:SendMessage": "",
		"*": recovery, "rds:*": recovery, "neptune-db:connect": databases, "kms:Put?eyPolicy": key, "sqs:Send*": recovery /* in doubt */, "sqs:SendMessag?": "",
		"Restore": "", "": "",
	} {
		if got := Rare(action); got != want {
			t.Errorf("%s: got %q, want %q", action, got, want)
		}
	}
}

func TestRepairs(t *testing.T) {
	t.Parallel()
	const who, role, deploys = "it changes who may do what", "it is the way to another role", "it deploys"
	for action, want := range map[string]string{
		"iam:PutRolePolicy": who, "iam:CreatePolicyVersion": who, "iam:SetDefaultPolicyVersion": who, "iam:AddUserToGroup": who, "iam:UpdateAssumeRolePolicy": who,
		"iam:DeleteRolePermissionsBoundary": who, "iam:GetRole": "", "iam:PassRole": "", "iam:ListRoles": "", "organizations:AttachPolicy": who, "organizations:ListRoots": "",
		"sso:PutInlinePolicyToPermissionSet": who, "sts:AssumeRole": role, "sts:GetCallerIdentity": "",
		"cloudformation:ExecuteChangeSet": deploys, "cloudformation:DeleteStack": deploys, "cloudformation:DescribeStacks": "", "codepipeline:StartPipelineExecution": deploys,
		"codebuild:StartBuild": deploys, "codedeploy:CreateDeployment": deploys, "codedeploy:GetDeployment": "", "lambda:UpdateFunctionCode": deploys, "lambda:InvokeFunction": "",
		"ecs:UpdateService": deploys, "ecs:DescribeServices": "", "s3:GetObject": "", "iam:*": who, "*": who, "lambda:*": deploys, "iam:Get*": "",
	} {
		if got := Repairs(action); got != want {
			t.Errorf("%s: got %q, want %q", action, got, want)
		}
	}
}

func TestMeets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		entry, pattern string
		want           bool
	}{
		{"s3:GetObject", "S3:get*", true}, {"s3:Get*", "s3:*Object", true}, {"s3:Get*", "s3:Put*", false}, {"s3:*", "sqs:*", false}, {"*", "s3:GetObject", true},
		{"s3:DeleteObject", "*:Delete*", true}, {"s3:GetObject", "*:Delete*", false}, {"s3:GetObject", "*", true}, {"s3:GetObject", "*:*", true}, {"GetObject", "*:Get*", false},
	} {
		if got := Meets(tt.entry, tt.pattern); got != tt.want {
			t.Errorf("%s and %s: got %t, want %t", tt.entry, tt.pattern, got, tt.want)
		}
	}
}
