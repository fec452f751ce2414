// Package rolesanywhere is what trust anchors and profiles of IAM Roles Anywhere have in
// common: each is switched on or off, and with one of both switched on whoever has a
// certificate gets credentials of a role, from anywhere. The types are data over it.
package rolesanywhere

import (
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// PartTags are the tags of an entry; the other part has the name of the kind.
const PartTags = "tags"

// Entry is a trust anchor or a profile.
type Entry struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Enabled is nil where AWS does not say.
	Enabled *bool `json:"enabled"`
	// Source is of a trust anchor: the type of what signs the certificates, and the ARN of
	// a private CA. Roles are those of a profile.
	Source string            `json:"source,omitempty"`
	Roles  []string          `json:"roles,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
}

// Kind is one of the two types, as data.
type Kind struct {
	Type string // CloudFormation type name
	Noun string // as in calls, for example TrustAnchor
	// Member is how requests and answers call it, for example trustAnchor, and Slug how
	// ARNs do.
	Member, Slug string
	Says         string // for people, for example "trust anchor"
	// Denies is what is refused while it is off, and Note what a person must know.
	Denies, Note string
}

// Enable and Disable are the writes, by their IAM actions.
func (k Kind) Enable() string { return "rolesanywhere:Enable" + k.Noun }

// Disable is the write that switches it off.
func (k Kind) Disable() string { return "rolesanywhere:Disable" + k.Noun }

// Get and List are the reads, by their IAM actions.
func (k Kind) Get() string { return "rolesanywhere:Get" + k.Noun }

// List is the read of all.
func (k Kind) List() string { return "rolesanywhere:List" + k.Noun + "s" }

// ValidID reports whether a text can be the ID of an entry, which is a UUID.
func ValidID(s string) bool {
	return len(s) == 36 && strings.Count(s, "-") == 4 && strings.Trim(s, "0123456789abcdef-") == ""
}

// Define is the resource type.
func (k Kind) Define() resource.Type {
	return resource.Define(resource.Spec[Entry]{
		Name: k.Type,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "rolesanywhere", region, account, k.Slug+"/"+id)
		},
		SampleIDs: []string{"0b9b8cf9-1c21-4b45-93c0-1f9c9e0e7f5d", "7c1a4f0e-6a38-4f1c-8a40-0d7c1b2f3e4a", "ffffffff-0000-4000-8000-123456789abc"},
		Identify:  func(e *Entry) (id, name string, tags map[string]string) { return e.ID, e.Name, e.Tags },
		Parts: []resource.Part{
			{Name: k.Says, Action: k.Get(), Also: []string{k.List()}, Cheap: true},
			{Name: PartTags, Action: "rolesanywhere:ListTagsForResource", Cheap: true, Around: true},
		},
		Around: []string{"tags"},
		Settings: []resource.Setting{{
			Path: "enabled", Says: "whether the " + k.Says + " is enabled", Operation: k.Enable(), Off: k.Disable(), Order: []any{true, false},
			Terraform: "aws_rolesanywhere_" + strings.ReplaceAll(k.Says, " ", "_") + ".enabled", CloudFormation: "Enabled",
			Denies: func(dera.Plan) []resource.Bounds {
				return []resource.Bounds{{Actions: []string{"rolesanywhere:CreateSession"}, Why: k.Denies}}
			},
		}},
		Events: k.Events(), Note: k.Note,
	})
}

// Events are the calls after which an entry may be different. The answer to a create tells
// the ID, and so does the request of the others.
//
// https://docs.aws.amazon.com/rolesanywhere/latest/userguide/logging-using-cloudtrail.html
func (k Kind) Events() cloudtrail.Events {
	find := func(c cloudtrail.Call) []dera.Scope {
		tagged := dera.ARN(c.Parameters.Text("resourceArn"))
		if tagged.Service() != "" && !strings.HasPrefix(tagged.Resource(), k.Slug+"/") {
			return nil // a tag of something else
		}
		return c.Scopes(k.Type, valid([]string{c.Parameters.Text(k.Member + "Id"), c.Answer.Object(k.Member).Text(k.Member + "Id"), tagged.Name()}))
	}
	one := func(r cloudtrail.Record, id string) []dera.Scope {
		return r.Scopes(k.Type, valid([]string{dera.ARN(id).Name(), id}))
	}
	var calls []string
	for _, verb := range []string{"Create", "Update", "Enable", "Disable", "Delete"} {
		calls = append(calls, verb+k.Noun)
	}
	return cloudtrail.Events{Type: k.Type, Calls: cloudtrail.Calls("rolesanywhere.amazonaws.com", find, append(calls, "TagResource", "UntagResource")...), Config: []cloudtrail.Configured{{Type: k.Type, Find: one}}}
}

func valid(ids []string) (out []string) {
	for _, id := range ids {
		if ValidID(id) {
			out = append(out, id)
		}
	}
	return out
}

// Enabled is the control: an entry that is enabled waits for a person, who switches it off or
// puts it on the exemption list.
func (k Kind) Enabled(m control.Meta) control.Control {
	m.Severity, m.Complexity, m.Owner, m.ReviewBy = dera.High, "low", "dera maintainers", "2027-11-01"
	m.Cases = []control.Case{{
		When: "it is enabled and not on the exemption list", Disposition: dera.Review,
		Because: "whether machines outside of AWS need it a person knows, and the write is tested against AWS's model only",
	}}
	m.Refs = []control.Ref{
		{Standard: "IAM Roles Anywhere", ID: "trust model", URL: "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html"},
		{Standard: "MITRE ATT&CK", ID: "T1098", URL: "https://attack.mitre.org/techniques/T1098/"},
	}
	return control.OnSetting(k.Define(), control.SettingSpec[Entry]{
		Path: "enabled", Meta: m,
		Start: func(e *Entry, _ control.Settings) (dera.Disposition, string) { return dera.Review, e.what() },
	})
}

// what says who has access by the entry, for people.
func (e *Entry) what() string {
	switch {
	case len(e.Roles) > 0:
		return fmt.Sprintf("It gives credentials of %s.", strings.Join(e.Roles, ", "))
	case e.Source != "":
		return fmt.Sprintf("It trusts certificates of %s.", e.Source)
	}
	return "It names no role and no certificate authority."
}
