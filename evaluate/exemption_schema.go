package evaluate

import (
	"encoding/json"

	"github.com/invopop/jsonschema"
)

// exemptionFile is the form of an exemption list for its JSON Schema. The loader
// does not decode into it: it reports every fault with its position, which a
// decoder cannot.
type exemptionFile struct {
	Version    int              `json:"version" jsonschema:"title=Version" jsonschema_description:"Of the form of this file: 1."`
	Exemptions []exemptionEntry `json:"exemptions" jsonschema:"title=Exemptions" jsonschema_description:"What dera leaves alone. An empty list is []."`
	Keep       []keepEntry      `json:"keep,omitempty" jsonschema:"title=Keep" jsonschema_description:"Permissions that principals keep although they hardly ever use them: of quarterly, annual and disaster-recovery work."`
}

type exemptionEntry struct {
	ID      string         `json:"id" jsonschema:"title=ID,example=bastion-ssh" jsonschema_description:"Names the exemption in decisions and reports. Unique in the file."`
	Match   exemptionMatch `json:"match" jsonschema:"title=Match" jsonschema_description:"Findings that fit every field that is set are exempt. At least one field must name something other than *."`
	Owner   string         `json:"owner" jsonschema:"title=Owner,example=network-team@example.com" jsonschema_description:"Who answers for the exemption."`
	Reason  string         `json:"reason" jsonschema:"title=Reason,example=partner VPN needs SSH until the migration (CHG-1234)" jsonschema_description:"Why it is right to leave the finding open. It stands in every decision."`
	Expires string         `json:"expires" jsonschema:"title=Expires,example=2026-12-31,example=2026-12-31T18:00:00Z" jsonschema_description:"The last day (in UTC) or moment of the exemption. It lapses automatically."`
}

type keepEntry struct {
	ID         string   `json:"id" jsonschema:"title=ID,example=quarterly-restore" jsonschema_description:"Names the entry in decisions and reports. Unique in the file."`
	Principals []string `json:"principals" jsonschema:"title=Principals,minItems=1" jsonschema_description:"ARNs of roles and users with all six parts. * and ? are wildcards inside a part."`
	Actions    []string `json:"actions" jsonschema:"title=Actions,minItems=1" jsonschema_description:"IAM actions. * and ? are wildcards, * as the service stands for every one."`
	Owner      string   `json:"owner" jsonschema:"title=Owner,example=dba@example.com" jsonschema_description:"Who answers for the entry."`
	Reason     string   `json:"reason" jsonschema:"title=Reason,example=restore test each quarter (OPS-12)" jsonschema_description:"What they are for. It stands in every decision."`
	Expires    string   `json:"expires" jsonschema:"title=Expires,example=2027-12-31" jsonschema_description:"The last day (in UTC) or moment of the entry. It lapses automatically."`
}

type exemptionMatch struct {
	Controls    []string          `json:"controls,omitempty" jsonschema:"title=Controls,minItems=1" jsonschema_description:"IDs of controls. * and ? are wildcards."`
	Accounts    []string          `json:"accounts,omitempty" jsonschema:"title=Accounts,minItems=1" jsonschema_description:"Account IDs in quotes: YAML takes them for numbers otherwise and may lose a leading zero."`
	OUs         []string          `json:"ous,omitempty" jsonschema:"title=Organizational units,minItems=1" jsonschema_description:"Organizational units as configured for the accounts. * and ? are wildcards."`
	Resources   []string          `json:"resources,omitempty" jsonschema:"title=Resources,minItems=1" jsonschema_description:"ARNs with all six parts. * and ? are wildcards inside a part."`
	Keys        []string          `json:"keys,omitempty" jsonschema:"title=Keys,minItems=1" jsonschema_description:"Keys of findings: which opening of the resource is meant. * and ? are wildcards. A range of ports is covered when each of its ports is; what covers the internet covers bounded networks (/bounded) too."`
	Sources     []string          `json:"sources,omitempty" jsonschema:"title=Sources,minItems=1" jsonschema_description:"CIDRs. Every source of the finding must lie within them: when the rule is opened further, it is a finding again."`
	Permissions []string          `json:"permissions,omitempty" jsonschema:"title=Permissions,minItems=1" jsonschema_description:"IAM actions or ACL permissions. Every one that the finding grants must be covered. * and ? are wildcards."`
	Tags        map[string]string `json:"tags,omitempty" jsonschema:"title=Tags" jsonschema_description:"Tags that the resource must have; values may hold * and ?. Whoever can change a resource can tag it: a match that needs a tag asks a person and exempts nothing."`
}

// JSONSchemaExtend adds what struct tags cannot say.
func (exemptionFile) JSONSchemaExtend(s *jsonschema.Schema) {
	s.ID, s.Title = "https://dera.example/schema/exemptions/1.json", "dera exemption list"
	s.Description = "Findings that are left alone on purpose, reviewed like code."
	property(s, "version").Const = 1
}

// JSONSchemaExtend adds the forms that the loader checks.
func (exemptionEntry) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "id").Pattern = exemptionIDForm
	property(s, "owner").Pattern = `\S`
	property(s, "reason").Pattern = `\S`
	property(s, "expires").Pattern = exemptionDateForm
}

// JSONSchemaExtend adds the forms that the loader checks.
func (keepEntry) JSONSchemaExtend(s *jsonschema.Schema) {
	exemptionEntry{}.JSONSchemaExtend(s) // what both have
	for name, form := range map[string]string{"principals": exemptionARNForm, "actions": keepActionForm} {
		property(s, name).Items.Pattern = form
	}
	property(s, "principals").Items.Examples = []any{"arn:aws:iam::111122223333:role/dba"}
	property(s, "actions").Items.Examples = []any{"rds:Restore*"}
}

// JSONSchemaExtend adds the forms that the loader checks.
func (exemptionMatch) JSONSchemaExtend(s *jsonschema.Schema) {
	one := uint64(1)
	s.MinProperties = &one
	for name, form := range map[string]string{
		"controls": exemptionControlForm, "accounts": exemptionAccountForm, "ous": `\S`, "resources": exemptionARNForm, "keys": `\S`, "sources": exemptionCIDRForm, "permissions": `\S`,
	} {
		property(s, name).Items.Pattern = form
	}
	for name, examples := range map[string][]any{
		"controls": {"ec2-securitygroup-admin-ports-open"}, "accounts": {"012345678901"}, "ous": {"ou-ab12-34567890"},
		"resources": {"arn:aws:ec2:*:012345678901:security-group/sg-*"}, "keys": {"tcp/22"},
		"sources": {"203.0.113.0/24"}, "permissions": {"s3:GetObject"},
	} {
		property(s, name).Items.Examples = examples
	}
	tags := property(s, "tags")
	tags.MinProperties = &one
	tags.AdditionalProperties.Pattern = `\S`
}

// property returns a property that the struct has; a missing one is a mistake in
// this file.
func property(s *jsonschema.Schema, name string) *jsonschema.Schema {
	p, ok := s.Properties.Get(name)
	if !ok {
		panic("exemption schema: no property " + name)
	}
	return p
}

// ExemptionSchema returns the JSON Schema (draft 2020-12) of an exemption list,
// for editors and for checks outside of dera. The loader refuses some lists that
// the schema cannot: repeated IDs and keys, dates that do not exist, matches that
// cover everything.
func ExemptionSchema() []byte {
	reflector := jsonschema.Reflector{Anonymous: true, DoNotReference: true}
	text, err := json.MarshalIndent(reflector.Reflect(exemptionFile{}), "", "  ")
	if err != nil {
		panic("exemption schema: " + err.Error()) // of constants only
	}
	return append(text, '\n')
}
