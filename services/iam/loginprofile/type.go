// Package loginprofile is the passwords of IAM users for the console, with when each was
// used last and which MFA devices its user has. dera reports what it finds: a password
// that is deleted cannot be put back.
package loginprofile

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// Name is the type name. CloudFormation has it as a property of users; this one is in the
// form of the types that it has.
const Name = "AWS::IAM::LoginProfile"

// The parts.
const (
	PartProfile = "login profile"
	PartUse     = "last use"
	PartMFA     = "MFA devices"
)

// Login is the password of a user. A nil member could not be read.
type Login struct {
	User string            `json:"user"`
	Tags map[string]string `json:"tags,omitempty"` // of the user
	// Idle is how many days ago the password was used last, or made where it was never
	// used since; whole days at the time of the read.
	Idle *int `json:"idle_days"`
	Used bool `json:"used,omitempty"` // since it was made
	MFA  *int `json:"mfa_devices"`    // how many the user has
}

// piece is how the ARN of a password names it behind that of its user.
const piece = "password"

// IDOf is the ID of the resource, the last part of its ARN.
func IDOf(user string) string { return user + "#" + piece }

// UserOf is the user of an ID; ok is false for what cannot be one.
func UserOf(id string) (user string, ok bool) {
	user, what, _ := strings.Cut(id, "#")
	return user, what == piece && iam.UserKind.ValidName(user)
}

// ARNOf names the password of a user. AWS gives it no ARN.
func ARNOf(user dera.ARN) dera.ARN { return user.Piece(piece) }

// Type is passwords for the console: those users that have none are no resource.
func Type() resource.Type {
	return resource.Define(resource.Spec[Login]{
		Name: Name, Global: true,
		ARN: func(partition, account, _, id string) dera.ARN {
			user, _, _ := strings.Cut(id, "#")
			return ARNOf(iam.UserKind.ARN(partition, account, "/", user))
		},
		SampleIDs: []string{"ann#password", "ci-deployer#password", "zz-quite-another_name.9@x#password"},
		Identify:  func(l *Login) (id, name string, tags map[string]string) { return IDOf(l.User), l.User, l.Tags },
		Parts: []resource.Part{
			{Name: PartProfile, Action: "iam:GetLoginProfile", Also: []string{"iam:GetUser", iam.Walk}, Cheap: true},
			{Name: PartUse, Action: "iam:GetUser", Cheap: true, Around: true},
			{Name: PartMFA, Action: "iam:ListMFADevices", Cheap: true},
		},
		Around: []string{"tags", "idle_days", "used"},
		// The ARN is that of the password without what names it, so that guardrails know the
		// user.
		Principals: func(l *Login) []resource.Principal {
			return []resource.Principal{{Name: l.User, Tags: l.Tags, Human: true}}
		},
		Events: Events(),
	})
}

// Events are the calls on passwords and MFA devices of users. They arrive in the home region
// of the partition.
func Events() cloudtrail.Events {
	return iam.CredentialEvents(Name, func(_ cloudtrail.Call, user string) string { return IDOf(user) },
		"CreateLoginProfile", "UpdateLoginProfile", "DeleteLoginProfile", "EnableMFADevice", "DeactivateMFADevice")
}

// Controls are the controls on passwords for the console.
func Controls() []control.Control { return []control.Control{NoMFA(), Unused()} }
