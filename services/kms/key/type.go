// Package key is KMS keys: who may use them, whether they rotate, and whether they are
// about to be deleted.
package key

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::KMS::Key"

// The writes, by their IAM actions.
const (
	EnableRotation  = "kms:EnableKeyRotation"
	DisableRotation = "kms:DisableKeyRotation"
	PutPolicy       = "kms:PutKeyPolicy"
	CancelDeletion  = "kms:CancelKeyDeletion"
)

// The parts.
const (
	PartKey      = "description"
	PartRotation = "rotation"
	PartGrants   = "grants"
)

// Key is a KMS key. The words are those of KMS.
type Key struct {
	resourcepolicy.Config
	// Manager is CUSTOMER or AWS; it and what follows are empty where the key could
	// not be described.
	Manager string `json:"manager,omitempty"`
	State   string `json:"state,omitempty"`
	Spec    string `json:"spec,omitempty"`
	Usage   string `json:"usage,omitempty"`
	Origin  string `json:"origin,omitempty"`
	Replica bool   `json:"replica,omitempty"` // of a multi-Region key: the primary decides
	// Rotation is nil where it could not be read, and of keys that do not rotate.
	Rotation *bool `json:"rotation"`
	// Grants are those whose grantee is of another account.
	Grants []Grant `json:"grants,omitempty"`
}

// Grant lets a principal use the key beside its policy.
type Grant struct {
	ID         string   `json:"id"`
	Grantee    string   `json:"grantee"` // an ARN
	Operations []string `json:"operations"`
}

// Shape is the policy of keys as data.
func Shape() resourcepolicy.Shape[Key] {
	return resourcepolicy.Shape[Key]{
		Type: spec(), Policy: func(k *Key) *resourcepolicy.Config { return &k.Config },
		Prefix: "kms-key", Noun: "KMS key", Service: "KMS",
		Part: resource.Part{Action: "kms:GetKeyPolicy"}, TagsAction: "kms:ListResourceTags",
		Put: PutPolicy, Rivals: []string{"PutKeyPolicy"}, Actions: []string{"kms:*"}, Most: 32 << 10,
		// CloudWatch Logs and the delivery of logs encrypt again, Route 53 signs for DNSSEC.
		// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-services.html
		// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/access-control-managing-permissions.html#KMS-key-policy-for-DNSSEC
		ByServices: []string{"kms:Decrypt", "kms:GenerateDataKey*", "kms:Encrypt", "kms:ReEncrypt*", "kms:CreateGrant", "kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"},
		// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
		Keeps:     []string{PutPolicy},
		Terraform: "aws_kms_key_policy.policy", Reference: "key_id", CloudFormation: "AWS::KMS::Key.KeyPolicy",
		Applies: func(k *Key) string {
			if k.Manager == "AWS" {
				return "AWS manages the key and its policy"
			}
			return ""
		},
	}
}

// Fixed says why automatic rotation of the key cannot be switched, or nothing.
func (k *Key) Fixed() string {
	switch {
	case k.Manager == "": // not described
		return ""
	case k.Manager != "CUSTOMER":
		return "AWS manages the key and rotates it"
	case k.State != "Enabled":
		return "the key is not enabled: " + k.State
	case k.Spec != "SYMMETRIC_DEFAULT" || k.Usage != "ENCRYPT_DECRYPT":
		return "keys of " + k.Spec + " for " + k.Usage + " do not rotate"
	case k.Origin != "AWS_KMS":
		return "the material of the key does not come from KMS"
	case k.Replica:
		return "the primary key decides for its replicas"
	}
	return ""
}

// ARNOf names a key.
func ARNOf(partition, account, region, id string) dera.ARN {
	return dera.NewARN(partition, "kms", region, account, "key/"+id)
}

// Type is KMS keys.
func Type() resource.Type { return Shape().Define() }

func spec() resource.Spec[Key] {
	return resource.Spec[Key]{
		Name: Name, ARN: ARNOf,
		SampleIDs: []string{"0a1b2c3d-1111-4222-8333-444455556666", "mrk-9f8e7d6c5b4a39281706f5e4d3c2b1a0", "f7e6d5c4-0000-4999-aaaa-bbbbccccdddd"},
		Parts: []resource.Part{
			{Name: PartKey, Action: "kms:DescribeKey", Also: []string{"kms:ListKeys"}, Cheap: true},
			{Name: PartRotation, Action: "kms:GetKeyRotationStatus", Cheap: true},
			{Name: PartGrants, Action: "kms:ListGrants", Cheap: true},
		},
		Settings: []resource.Setting{{
			Path: "rotation", Says: "automatic rotation", Operation: EnableRotation, Off: DisableRotation,
			Order: []any{false, true}, Terraform: "aws_kms_key.enable_key_rotation", CloudFormation: "EnableKeyRotation",
			Denies: func(dera.Plan) []resource.Bounds { return nil }, // KMS keeps all earlier material
		}, {
			// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
			Path: "state", Says: "the state of the key", Operation: CancelDeletion, Order: []any{"PendingReplicaDeletion", "PendingDeletion", "Disabled"}, Final: true,
			Denies: func(dera.Plan) []resource.Bounds { return nil }, // a key that waits for its deletion is as useless as a disabled one
		}},
		Events: Events(),
		Note:   "What was encrypted before is decrypted as before: KMS keeps all earlier material of a key.",
	}
}

// Events are the calls after which a key, or its rotation, may be different.
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type: Name,
		Calls: cloudtrail.Calls("kms.amazonaws.com", keyOfCall, "CreateKey", "EnableKeyRotation", "DisableKeyRotation", "DisableKey", "EnableKey",
			"ScheduleKeyDeletion", "CancelKeyDeletion", "ReplicateKey", "UpdatePrimaryRegion", "PutKeyPolicy", "CreateGrant", "RevokeGrant", "RetireGrant",
			"TagResource", "UntagResource"),
		Config:   []cloudtrail.Configured{{Type: Name, Find: func(r cloudtrail.Record, id string) []dera.Scope { return r.Scopes(Name, ids(id)) }}},
		Analyzed: func(r cloudtrail.Record, id string) []dera.Scope { return r.Scopes(Name, ids(id)) },
	}
}

// keyOfCall finds the key of a call: the request names it by ID or ARN, and of a new
// one the answer does. Where a second key changes too, all are looked at.
func keyOfCall(c cloudtrail.Call) []dera.Scope {
	switch c.Name {
	case "CreateKey":
		return c.Scopes(Name, ids(c.Answer.Object("keyMetadata").Text("keyId")))
	case "ReplicateKey", "UpdatePrimaryRegion":
		return c.Sweep(Name)
	}
	return c.Scopes(Name, ids(c.Parameters.Text("keyId")))
}

// ids is the ID in an ID or ARN of a key, or nothing.
func ids(text string) []string {
	if arn := dera.ARN(text); strings.HasPrefix(text, "arn:") {
		if text = ""; arn.Service() == "kms" {
			text, _ = strings.CutPrefix(arn.Resource(), "key/")
		}
	}
	if text == "" || len(text) > 64 || strings.Trim(text, "0123456789abcdefghijklmnopqrstuvwxyz-") != "" {
		return nil
	}
	return []string{text}
}

// Controls are the controls on keys.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		RotationOff(),
		s.Public("Whoever finds the key can decrypt what it protects, once they have that, or encrypt with it; with kms:* they take the key over.",
			control.Ref{Standard: "AWS Config", ID: "KMS_KEY_POLICY_NO_PUBLIC_ACCESS", URL: "https://docs.aws.amazon.com/config/latest/developerguide/kms-key-policy-no-public-access.html"},
			control.Ref{Standard: "Security Hub", ID: "KMS.5", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html"}),
		s.External("Whoever holds that account decrypts what the key protects, for as long as the statement stands."),
		ExternalGrant(), PendingDeletion(),
	}
}
