package services

import (
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// Watch is what the resource types listen to.
func Watch() cloudtrail.Watch {
	var events []cloudtrail.Events
	for _, t := range Types().Types() {
		events = append(events, t.Events)
	}
	return cloudtrail.NewWatch(events...)
}

// Histories are the types that dera replay rebuilds from recorded calls.
func Histories() (out []resource.Type) {
	for _, t := range Types().Types() {
		if t.History != nil {
			out = append(out, t)
		}
	}
	return out
}
