// Package services lists every resource type, control and kind of evidence that
// dera has.
package services

import (
	"fmt"
	"slices"
	"strings"

	events "dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/cloudtrail"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/trust"
	"dera.example/dera/services/s3"
)

// EvidenceKinds returns all kinds of evidence.
func EvidenceKinds() []evidence.Kind {
	return []evidence.Kind{
		evidence.NetworkEvidence(), evidence.SettingsEvidence(), evidence.PartsEvidence(), evidence.CustomEvidence(), s3.AccessEvidence(), s3.TransportEvidence(), iam.PermissionsEvidence(), iam.StageEvidence(), iam.CopyEvidence(), iam.ResourcesEvidence(), iam.ReturnEvidence(),
		cloudtrail.EventsEvidence(), resourcepolicy.Evidence(), sharing.Evidence(),
		trust.Evidence(), trust.SessionsEvidence(),
	}
}

// Watch is what the resource types that have controls listen to: of another type
// nothing would be looked for.
func Watch() events.Watch {
	controls := Controls()
	types := slices.DeleteFunc(Types().Types(), func(t resource.Type) bool {
		return !slices.ContainsFunc(controls, func(c control.Control) bool { return c.Type == t.Name })
	})
	return resource.NewRegistry(types...).Watch().Reporting(rulesOfOthers())
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
