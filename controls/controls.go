// Package controls is the rulebook: one file a control, beside its cases, in a
// folder a service. A control shares nothing with another one. Room: may import
// the words, iam, netset, resource and control.
package controls

import (
	"fmt"
	"strings"

	"dera.example/dera/control"
	"dera.example/dera/controls/ec2"
	"dera.example/dera/controls/s3"
)

// All returns every control, in the order of the documents. A new control is
// one file, one file of cases, and one line here.
func All() []control.Control {
	return []control.Control{
		ec2.AdminPortsOpen(),
		ec2.OtherPortsOpen(),
		ec2.WebPortsOpen(),
		ec2.DefaultGroupRules(),
		s3.BucketPublicPolicy(),
		s3.BucketPublicACL(),
		s3.BucketAccessBlock(),
		s3.AccountAccessBlock(),
		s3.AccessPointPublic(),
		s3.BucketExternalAccess(),
	}
}

// Find returns the control with the ID, or an error that lists all IDs.
func Find(id string) (control.Control, error) {
	var ids []string
	for _, c := range All() {
		if c.ID == id {
			return c, nil
		}
		ids = append(ids, c.ID)
	}
	return control.Control{}, fmt.Errorf("there is no control %q; there are %s", id, strings.Join(ids, ", "))
}
