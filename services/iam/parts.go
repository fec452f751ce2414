package iam

import "dera.example/dera/resource"

// The parts that all identities have.
const (
	PartInline    = "inline policies"
	PartAttached  = "attached policies"
	PartDocuments = "documents of attached policies"
	PartCopied    = "policies of AWS that were copied"
	PartUse       = "recorded use"
	PartExplained = "incidents" // to which of its use one is attached
	PartAccess    = "asked to be given back"
)

// Walk is the call by which a sweep reads an account.
const Walk = "iam:GetAccountAuthorizationDetails"

// Parts are the parts that all identities have, of a kind.
func (k Kind) Parts() []resource.Part {
	return []resource.Part{
		{Name: PartInline, Action: k.Call("List", "Policies"), Also: []string{k.Call("Get", "Policy"), Walk}, Cheap: true},
		{Name: PartAttached, Action: k.Call("ListAttached", "Policies"), Also: []string{Walk}, Cheap: true},
		{Name: PartDocuments, Action: "iam:GetPolicy", Also: []string{"iam:GetPolicyVersion", Walk}, Cheap: true, Around: true},
		{Name: PartCopied, Action: "iam:GetPolicy", Also: []string{"iam:GetPolicyVersion"}, Cheap: true, Around: true},
		{Name: PartUse, Port: resource.PortLedger, Around: true, Cheap: true},
		Reports(), Stages(),
	}
}

// PartStaged is since when something of the policies is denied that is to go out of them.
const PartStaged = "own stages"

// Stages is that part.
func Stages() resource.Part {
	return resource.Part{Name: PartStaged, Port: resource.PortStages, Around: true, Cheap: true}
}

// Explained is the part of which use of a principal an incident explains.
func Explained() resource.Part {
	return resource.Part{Name: PartExplained, Port: resource.PortIncidents, Around: true, Cheap: true}
}

// Accesses is the part of what was asked to be given back.
func Accesses() resource.Part {
	return resource.Part{Name: PartAccess, Port: resource.PortAccess, Around: true, Cheap: true}
}

// Call is a call of IAM on the kind, by what stands before and after it in the name.
func (k Kind) Call(before, after string) string { return "iam:" + before + k.Title() + after }

// Title is the kind as it begins a sentence, and stands in names of calls.
func (k Kind) Title() string {
	return map[Kind]string{RoleKind: "Role", UserKind: "User", GroupKind: "Group"}[k]
}
