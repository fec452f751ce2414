// Package root is the root user of an account: which credentials it has, and that it was
// used. dera reports what it finds and changes nothing of it.
package root

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of
// those that it has.
const Name = "AWS::IAM::RootUser"

// ID is that of the root user, in every account.
const ID = "root"

// The parts.
const (
	PartSummary = "account summary"
	PartDevices = "virtual MFA devices"
)

// User is the root user of an account, as IAM tells it. A nil member is one that it does not
// tell.
type User struct {
	Account      string `json:"account"`
	Password     *bool  `json:"password"`
	MFA          *bool  `json:"mfa"`
	Keys         *bool  `json:"access_keys"`
	Certificates *bool  `json:"signing_certificates"`
	// VirtualMFA is whether some device of the user is a virtual one; AWS lists no others.
	VirtualMFA *bool `json:"virtual_mfa"`
	// NoConsole says that root users of the partition do not sign in to the console, so
	// that a password of which the summary says nothing is none.
	NoConsole bool `json:"no_console,omitempty"`
	// Use is what the usage ledger says, and Explained which of it an incident explains.
	Use       *resource.Use       `json:"use,omitempty"`
	Explained *resource.Explained `json:"explained,omitempty"`
}

// bare reports whether the user is known to have no credentials, so that nobody can sign in
// as it.
func (u *User) bare() bool {
	return (no(u.Password) || u.Password == nil && u.NoConsole) && no(u.Keys) && no(u.Certificates)
}

func no(b *bool) bool { return b != nil && !*b }

// ARNOf names the root user.
func ARNOf(partition, account string) dera.ARN {
	return dera.NewARN(partition, "iam", "", account, ID)
}

// Type is root users: one for each account.
func Type() resource.Type {
	return resource.Define(resource.Spec[User]{
		Name: Name, Global: true,
		ARN:      func(partition, account, _, _ string) dera.ARN { return ARNOf(partition, account) },
		Identify: func(u *User) (id, name string, tags map[string]string) { return ID, ID, nil },
		Parts: []resource.Part{
			{Name: PartSummary, Action: "iam:GetAccountSummary", Cheap: true},
			{Name: PartDevices, Action: "iam:ListVirtualMFADevices", Cheap: true, Around: true}, // without it the rest is known all the same
			{Name: iam.PartUse, Port: resource.PortLedger, Around: true, Cheap: true}, iam.Explained(),
		},
		Around: []string{"virtual_mfa", "use", "explained"},
		Events: Events(),
	})
}

// Events are the calls on credentials that name no user: they are about the caller's own,
// which may be the root user. So may be one whose caller is not known, such as a session
// that was given the root user's credentials to delete. Whatever the root user calls is a
// use of it.
func Events() cloudtrail.Events {
	about := func(c cloudtrail.Call) bool { return c.Parameters.Text("userName") == "" && c.Caller.Type != "IAMUser" }
	e := iam.AccountEvents(Name, about, "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "CreateLoginProfile", "DeleteLoginProfile", "EnableMFADevice", "DeactivateMFADevice",
		"UploadSigningCertificate", "UpdateSigningCertificate", "DeleteSigningCertificate")
	e.Root = func(r cloudtrail.Record) []dera.Scope {
		if r.Caller.Account != "" && r.Caller.Account != r.Account { // it is recorded where it is from, too
			return nil
		}
		return r.In(dera.GlobalRegion).Sweep(Name)
	}
	return e
}

// Controls are the controls on root users.
func Controls() []control.Control {
	return []control.Control{NoMFA(), NoHardwareMFA(), AccessKeys(), Certificates(), Used()}
}
