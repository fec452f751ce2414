// Package escalation finds how a principal gets more permissions than it was given: alone,
// by a principal that is stronger, or by code that runs as one.
package escalation

import "dera.example/dera/services/iam"

// The ways by which a principal gets more permissions than it was given, as the research
// that is public lists them: pathfinding.cloud (Datadog, Apache-2.0), by its IDs, which has
// who found each, and Rhino Security Labs' list of methods. Of ways of which one contains
// another the shorter one stands here.

// place is on what an action has to be allowed.
type place uint8

const (
	anywhere place = iota
	onItself
	onOwnPolicy // a customer managed policy that it has
	onOwnGroup
	onRole         // the role that it gets to
	onUser         // likewise
	onGroup        // likewise
	onPolicyOfRole // one of its customer managed policies
)

// need is an action that has to be allowed.
type need struct {
	action string
	on     place
}

// The keys of findings on ways to more permissions.
const (
	SelfKey    = "escalation/own-permissions"
	OtherKey   = "escalation/other-principal"
	PassKey    = "escalation/pass-role"
	ComputeKey = "escalation/running-code"
	AssumeKey  = "escalation/assume-role"
)

// way is one way.
type way struct {
	key   string
	needs []need
	// service is whose role is got to, "" for any that is named.
	service string
	// kind is of whom it is a way; "" for both.
	kind iam.Kind
	// comes says that the role has to trust the principal.
	comes bool
}

// strengthening are the actions that give a principal of a kind any permission, so that a way
// to one that is not strong is a way too (iam-014 to -021).
func strengthening(kind iam.Kind) []need {
	switch kind {
	case iam.RoleKind:
		return []need{{"iam:AttachRolePolicy", onRole}, {"iam:PutRolePolicy", onRole}, {"iam:CreatePolicyVersion", onPolicyOfRole}}
	case iam.UserKind:
		return []need{{"iam:AttachUserPolicy", onUser}, {"iam:PutUserPolicy", onUser}}
	case iam.GroupKind:
		return []need{{"iam:AttachGroupPolicy", onGroup}, {"iam:PutGroupPolicy", onGroup}}
	}
	return nil
}

// making are the actions that make a principal of a kind, and give somebody its credentials;
// who makes a role writes who may assume it.
func making(kind iam.Kind) (makes string, credentials []string) {
	if kind == iam.UserKind {
		return "iam:CreateUser", []string{"iam:CreateAccessKey", "iam:CreateLoginProfile"}
	}
	return "iam:CreateRole", nil
}

// ways are those to one's own permissions, to another principal, and by passing a role to a
// service or by what runs with one already.
func ways() []way {
	self := func(kind iam.Kind, on place, actions ...string) (out []way) {
		for _, a := range actions {
			out = append(out, way{key: SelfKey, kind: kind, needs: []need{{a, on}}})
		}
		return out
	}
	out := self("", onOwnPolicy, "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion") // iam-001
	out = append(out, self(iam.RoleKind, onItself, "iam:PutRolePolicy", "iam:AttachRolePolicy")...)
	out = append(out, self(iam.UserKind, onItself, "iam:PutUserPolicy", "iam:AttachUserPolicy")...)
	out = append(out, self(iam.UserKind, onOwnGroup, "iam:PutGroupPolicy", "iam:AttachGroupPolicy")...)
	out = append(out, way{key: SelfKey, kind: iam.UserKind, needs: []need{{"iam:AddUserToGroup", onGroup}}}) // iam-013

	for _, a := range []string{"iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"} { // iam-002, -004, -006
		out = append(out, way{key: OtherKey, needs: []need{{a, onUser}}})
	}
	out = append(out, way{key: OtherKey, needs: []need{{"iam:UpdateAssumeRolePolicy", onRole}}}) // iam-012
	out = append(out, way{key: AssumeKey, comes: true})                                          // sts-001

	for _, w := range passed() {
		all := way{key: PassKey, service: w[0], needs: []need{{"iam:PassRole", onRole}}}
		for _, a := range w[1:] {
			all.needs = append(all.needs, need{a, anywhere})
		}
		out = append(out, all)
	}
	for _, w := range running() {
		all := way{key: ComputeKey, service: w[0]}
		for _, a := range w[1:] {
			all.needs = append(all.needs, need{a, anywhere})
		}
		out = append(out, all)
	}
	return out
}

// passed are, by the service to which a role is passed, the actions that run code with it.
func passed() [][]string {
	return [][]string{
		{"tasks.apprunner", "apprunner:CreateService"},
		{"bedrock-agentcore", "bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"},
		{"cloudformation", "cloudformation:CreateStack"},
		{"cloudformation", "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"},
		{"cloudformation", "cloudformation:UpdateStackSet"},
		{"codebuild", "codebuild:CreateProject", "codebuild:StartBuild"},
		{"codebuild", "codebuild:CreateProject", "codebuild:StartBuildBatch"},
		{"datapipeline", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"},
		{"elasticmapreduce", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"},
		{"ec2", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"},
		{"ec2", "ec2:RunInstances"},
		{"ec2", "ec2:RequestSpotInstances"},
		{"ec2", "ec2:AssociateIamInstanceProfile"},
		{"ec2", "ec2:ReplaceIamInstanceProfileAssociation"},
		{"ecs-tasks", "ecs:RegisterTaskDefinition", "ecs:RunTask"},
		{"ecs-tasks", "ecs:RegisterTaskDefinition", "ecs:StartTask"},
		{"ecs-tasks", "ecs:RegisterTaskDefinition", "ecs:CreateService"},
		{"glue", "glue:CreateDevEndpoint"},
		{"glue", "glue:CreateJob", "glue:StartJobRun"},
		{"glue", "glue:CreateJob", "glue:CreateTrigger"},
		{"glue", "glue:UpdateJob", "glue:StartJobRun"},
		{"glue", "glue:UpdateJob", "glue:CreateTrigger"},
		{"lambda", "lambda:CreateFunction", "lambda:InvokeFunction"},
		{"lambda", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"},
		{"lambda", "lambda:CreateFunction", "lambda:AddPermission"},
		{"sagemaker", "sagemaker:CreateNotebookInstance"},
		{"sagemaker", "sagemaker:CreateTrainingJob"},
		{"sagemaker", "sagemaker:CreateProcessingJob"},
	}
}

// running are, by the service whose role it has, the actions that change what runs already.
func running() [][]string {
	return [][]string{
		{"tasks.apprunner", "apprunner:UpdateService"},
		{"bedrock-agentcore", "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"},
		{"cloudformation", "cloudformation:UpdateStack"},
		{"cloudformation", "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"},
		{"codebuild", "codebuild:StartBuild"},
		{"codebuild", "codebuild:StartBuildBatch"},
		{"ec2", "ec2-instance-connect:SendSSHPublicKey"},
		{"ec2", "ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"},
		{"ec2", "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"},
		{"ec2", "ssm:StartSession"},
		{"ec2", "ssm:SendCommand"},
		{"glue", "glue:UpdateDevEndpoint"},
		{"lambda", "lambda:UpdateFunctionCode"},
		{"lambda", "lambda:UpdateFunctionConfiguration"},
		{"sagemaker", "sagemaker:CreatePresignedNotebookInstanceUrl"},
		{"sagemaker", "sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:StopNotebookInstance", "sagemaker:UpdateNotebookInstance", "sagemaker:StartNotebookInstance"},
	}
}
