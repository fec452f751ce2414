package services

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/control"
	"dera.example/dera/services/ec2/ebs"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/kms/key"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
)

// Controls returns every control, in the order of the documents.
func Controls() []control.Control {
	return slices.Concat(securitygroup.Controls(), bucket.Controls(), account.Controls(), ebs.Controls(), key.Controls())
}

// FindControl returns the control with the ID, or an error that lists all IDs.
func FindControl(id string) (control.Control, error) {
	var ids []string
	for _, c := range Controls() {
		if c.ID == id {
			return c, nil
		}
		ids = append(ids, c.ID)
	}
	return control.Control{}, fmt.Errorf("there is no control %q; there are %s", id, strings.Join(ids, ", "))
}
