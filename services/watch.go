package services

import "dera.example/dera/cloudtrail"

// Watch is what the resource types listen to.
func Watch() cloudtrail.Watch { return Types().Watch() }
