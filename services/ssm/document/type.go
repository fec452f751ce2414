// Package document is documents of Systems Manager that an account owns: with whom they are
// shared, events and controls.
package document

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::SSM::Document"

// Modify is the write of the list, by its IAM action.
const Modify = "ssm:ModifyDocumentPermission"

// Kind is documents. One that everybody may use has no list of accounts beside that, and a
// write takes 20 accounts.
//
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html
func Kind() sharing.Kind {
	return sharing.Kind{
		Name: Name,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "ssm", region, account, "document/"+id)
		},
		SampleIDs: []string{"Install-Agent", "patch_all", "Restart.Service-2"},
		Events:    Events(),
		Reads:     []string{"ssm:DescribeDocumentPermission", "ssm:DescribeDocument", "ssm:ListDocuments"},
		Modify:    Modify, Most: 20, Alone: true,
		Uses: []string{"ssm:GetDocument", "ssm:Describe*Document*", "ssm:ListDocument*", "ssm:SendCommand", "ssm:StartAutomationExecution", "ssm:StartSession", "ssm:*Association*"},
		Note: "Copies that others took of the document stay theirs. What they run by its ARN fails from now on. While public sharing is switched off in the region, AWS refuses to share it with everybody again: also a rollback.",
	}
}

// Type is documents.
func Type() resource.Type { return Kind().Type() }

// Events are the calls after which a document may be shared otherwise. A new one is nobody
// else's.
func Events() cloudtrail.Events {
	return cloudtrail.Events{Type: Name, Calls: cloudtrail.Calls("ssm.amazonaws.com", cloudtrail.Naming(Name, "name"), "ModifyDocumentPermission", "DeleteDocument")}
}

// Controls are the controls on documents.
func Controls() []control.Control { return []control.Control{Public(), ExternalAccess()} }
