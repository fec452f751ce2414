// Package rds is what the resource types of RDS share: the controls of its two kinds of
// snapshots, which differ in names alone.
package rds

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
)

// Source is the service of events of RDS, DocumentDB and Neptune.
const Source = "rds.amazonaws.com"

// Named finds the snapshot that a call names. RDS keeps names in lower case; an ARN is
// another account's snapshot.
func Named(typ, parameter string) func(cloudtrail.Call) []dera.Scope {
	return func(c cloudtrail.Call) []dera.Scope {
		id := strings.ToLower(c.Parameters.Text(parameter))
		if id == "" || strings.HasPrefix(id, "arn:") {
			return c.Sweep(typ)
		}
		return c.Scopes(typ, []string{id})
	}
}

// Names are what the controls of one kind of snapshot are called.
type Names struct {
	Type string // in IDs
	Of   string // for people
	Refs []control.Ref
}

// Public finds snapshots that every account of AWS can restore.
func Public(k sharing.Kind, n Names) control.Control {
	return k.Public(sharing.Rule{
		Start: dera.Auto, Why: "Databases and copies that others made of it stay theirs.",
		Meta: control.Meta{
			ID: "rds-" + n.Type + "-public", Title: n.Of + " is shared with everybody", Severity: dera.Critical,
			Why: "Anybody with an AWS account restores the snapshot and reads the whole database, with a password that they set themselves.",
			Fix: "The value all is taken out of the snapshot's attribute restore. Accounts that it names keep their access, and copies that others took are not reached.",
			Cases: []control.Case{
				{When: "everybody may restore it", Disposition: dera.Auto, Because: "an encrypted one cannot be shared so, and one that is meant for everybody is declared by an exemption; the fix is undone by one call"},
			},
			Refs: n.Refs, Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
	})
}

// External finds snapshots that are shared with accounts that nobody declared.
func External(k sharing.Kind, n Names) control.Control {
	return k.External(sharing.Rule{
		Start: dera.Review, Why: "Whose account that is, only the owner of the snapshot knows: declare it in trusted_accounts, or approve.",
		Meta: control.Meta{
			ID: "rds-" + n.Type + "-external-access", Title: n.Of + " is shared with an account that is not declared", Severity: dera.High,
			Why: "Whoever holds that account restores the database, and keeps the copy whatever is done here later.",
			Fix: "The undeclared accounts are taken out of the snapshot's attribute restore, and no other. Copies that they took are not reached.",
			Cases: []control.Case{
				{When: "the attribute names an account that is neither among accounts nor in trusted_accounts nor a known vendor's", Disposition: dera.Review, Because: "it may be that of a recovery site or of tests, and fails only when it restores"},
			},
			Refs:  []control.Ref{{Standard: "IAM Access Analyzer", ID: "external access", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html"}},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
	})
}
