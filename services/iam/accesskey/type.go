// Package accesskey is access keys of IAM users, with when each was used last: the
// configuration, events and controls.
package accesskey

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// Name is the CloudFormation type name.
const Name = "AWS::IAM::AccessKey"

// Update is the write, by its IAM action.
const Update = "iam:UpdateAccessKey"

// The parts.
const (
	PartKey = "access key" // with the path and tags of its user
	PartUse = "last use"
	// PartRecord is the recorded use of the user; nothing is unknown of the key without it.
	PartRecord = iam.PartUse
	// PartThreats is what GuardDuty reports; nothing else is unknown without it.
	PartThreats = "threats"
)

// The states of a key, in the words of IAM. There is Expired too.
const (
	Active   = "Active"
	Inactive = "Inactive"
)

// Key is an access key of a user.
type Key struct {
	User string            `json:"user"`
	ID   string            `json:"id"`
	Tags map[string]string `json:"tags,omitempty"` // of the user
	// Status is empty where it, or the last use of an active key, could not be read.
	Status string `json:"status,omitempty"`
	// Age is how many days ago the key was made, and Idle how many days ago it was used
	// last, or made where it was never used. They are whole days at the time of the read,
	// and Idle is of active keys alone.
	Age  int `json:"age_days,omitempty"`
	Idle int `json:"idle_days,omitempty"`
	// Service is what it was used for last; empty for a key that was never used.
	Service string `json:"last_service,omitempty"`
	// Others is how many other active keys the user has, and Newest says that none of them
	// was made later. Record is what is recorded of the user's calls, by whichever key,
	// without the calls; nil where nothing is known. Called is how many days before the read
	// the last of them was; nil for none.
	Others int           `json:"other_active_keys,omitempty"`
	Newest bool          `json:"newest,omitempty"`
	Record *resource.Use `json:"record,omitempty"`
	Called *int          `json:"called_days,omitempty"`
	// Threats are those about the key; nil where they could not be read. Quiet says that the
	// record is whole and has no call of the user in the QuietDays before the first of them.
	Threats *resource.Threats `json:"threats,omitempty"`
	Quiet   bool              `json:"quiet_before,omitempty"`
}

// IDOf is the ID of the resource, the last part of its ARN: events and calls name a key
// together with its user.
func IDOf(user, key string) string { return user + "#" + key }

// Split takes an ID apart; ok is false for what cannot be one.
func Split(id string) (user, key string, ok bool) {
	user, key, _ = strings.Cut(id, "#")
	return user, key, iam.UserKind.ValidName(user) && ValidID(key)
}

// Unlisted stands in place of the ID of a key for those of a user that may not be listed.
const Unlisted = "keys"

// ValidID reports whether a text can be the ID of an access key (IAM API reference,
// AccessKeyMetadata).
func ValidID(s string) bool {
	return len(s) >= 16 && len(s) <= 128 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// ARNOf names a key. AWS gives it no ARN: what may be done with it is a permission on
// the user.
func ARNOf(user dera.ARN, key string) dera.ARN { return user.Piece(key) }

// Type is access keys.
func Type() resource.Type {
	return resource.Define(resource.Spec[Key]{
		Name: Name, Global: true,
		ARN: func(partition, account, _, id string) dera.ARN {
			user, key, _ := strings.Cut(id, "#")
			return ARNOf(iam.UserKind.ARN(partition, account, "/", user), key)
		},
		SampleIDs: []string{"ann#AKIAIOSFODNN7EXAMPLE", "ci-deployer#AKIAI44QH8DHBEXAMPLE", "zz-another_name.9@x#AKIA2222BBBB3333CCCC"},
		Identify:  func(k *Key) (id, name string, tags map[string]string) { return IDOf(k.User, k.ID), k.User, k.Tags },
		Parts: []resource.Part{
			{Name: PartKey, Action: "iam:ListAccessKeys", Also: []string{"iam:GetUser", iam.Walk}, Cheap: true},
			{Name: PartUse, Action: "iam:GetAccessKeyLastUsed", Cheap: true, Around: true},
			control.ThreatPart(),
			{Name: PartRecord, Port: resource.PortLedger, Cheap: true, Around: true},
		},
		Around: []string{"tags", "age_days", "idle_days", "last_service", "other_active_keys", "newest", "record", "called_days", "threats", "quiet_before"},
		Settings: []resource.Setting{{
			Path: "status", Says: "the status of the access key or its last use", Operation: Update, Order: []any{Active, Inactive}, Once: true,
			Terraform: "aws_iam_access_key.status", CloudFormation: "Status",
			Denies: func(p dera.Plan) []resource.Bounds {
				user, _, _ := strings.Cut(string(p.Resource), "#")
				return []resource.Bounds{{Actions: []string{"*"}, Principal: user, Error: true, Why: "requests signed with the key are refused"}}
			},
		}},
		// The ARN is that of the key without its ID, so that guardrails know the user.
		Principals: func(k *Key) []resource.Principal {
			return []resource.Principal{{Name: k.User, Tags: k.Tags, Human: true, Use: k.Record, Idle: k.Idle, IdleFrom: unusedDays}}
		},
		Events: Events(),
		Note:   "Requests that are signed with the key are denied while it is inactive; IAM takes seconds to spread a change. The key and its secret stay.",
	})
}

// Events are the calls on access keys. They arrive in the home region of the partition.
func Events() cloudtrail.Events {
	return iam.CredentialEvents(Name, func(c cloudtrail.Call, user string) string {
		key := c.Parameters.Text("accessKeyId")
		if c.Name == "CreateAccessKey" {
			key = c.Answer.Object("accessKey").Text("accessKeyId")
		}
		if !ValidID(key) {
			return ""
		}
		return IDOf(user, key)
	}, "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")
}

// Controls are the controls on access keys.
func Controls() []control.Control { return []control.Control{Unused(), Old(), Second(), Reported()} }
