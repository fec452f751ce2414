package services

import (
	"slices"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Watch is what the resource types that have controls listen to: of another type
// nothing would be looked for.
func Watch() cloudtrail.Watch {
	controls := Controls()
	types := slices.DeleteFunc(Types().Types(), func(t resource.Type) bool {
		return !slices.ContainsFunc(controls, func(c control.Control) bool { return c.Type == t.Name })
	})
	return resource.NewRegistry(types...).Watch()
}
